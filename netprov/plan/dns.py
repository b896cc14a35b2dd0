"""Which zones the site serves: its domains, the reverse zones of its networks, and those written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from posixpath import join, normpath

from netprov.dns.config import Address, DnsConfig, FailedZone, KeptKey, Secondary
from netprov.dns.iana.rrtype import AAAA, CNAME, NS, PTR, SOA, SRV, A
from netprov.dns.message.name import ancestors, parent, parse_name, reverse_name, reverse_zones
from netprov.dns.server.rate import Limit
from netprov.dns.server.tsig import Key, parse_key
from netprov.dns.service import SERVICES
from netprov.dns.zone.delegation import delegations
from netprov.dns.zone.master import parse, parse_data
from netprov.dns.zone.zone import Record, Zone, build
from netprov.errors import InventoryError, Path, Problem
from netprov.inventory.load import no_collection
from netprov.inventory.model import ExtraRecord
from netprov.plan.domain import domain_hosts, domain_targets, domains, phone_names, record_owner
from netprov.plan.site import Site, SiteTarget, absolute

REFRESH, RETRY, EXPIRE = 3600, 600, 604800
"""Timers of the SOA in seconds: secondaries hear of changes by NOTIFY, and ask every hour all the same."""


def plan_dns(site: Site) -> DnsConfig:
    """Derive what DNS serves.

    Raises `InventoryError` with every record or master file that cannot be served; one of `zones:` that cannot be loaded
    is left out instead, unless `dns: {strict: true}`.
    """
    declared = site.inventory.dns
    with no_collection():
        zones, failed, problems = _zones(site)
    keys, kept_keys, faults = _keys(site)
    problems += faults
    secondaries = _secondaries(site, problems)
    listen = _listen(site)
    problems += _loops(site, listen)
    if declared.strict:
        problems += (problem for zone in failed for problem in zone.problems)
    if problems:
        raise InventoryError(problems)
    limit = declared.limit
    return DnsConfig(
        zones=tuple(zones),
        failed=tuple(failed),
        listen=listen,
        port=declared.port,
        networks=tuple(network.subnet for network in site.networks),
        lease_domains={network.name: parse_name(network.domain).lower() for network in site.networks},
        ttl=declared.ttl,
        keys=keys,
        kept_keys=kept_keys,
        secondaries=secondaries,
        forward=declared.forward,
        blackhole=tuple(parse_name(name).lower() for name in declared.blackhole),
        limit=Limit(limit.rate, limit.slip) if limit else None,
        limit_lan=limit is not None and limit.lan,
        cookies=declared.cookies,
        workers=declared.workers,
        version=declared.version,
        identity=declared.identity,
    )


def _listen(site: Site) -> tuple[Address, ...]:
    if site.inventory.dns.listen is not None:
        return site.inventory.dns.listen
    return tuple(dict.fromkeys(network.address for network in site.networks))


def _loops(site: Site, listen: tuple[Address, ...]) -> Iterator[Problem]:
    for index, upstream in enumerate(site.inventory.dns.forward):
        if upstream in listen:
            message = f"{upstream} is this server itself: it would ask itself for ever"
            path: Path = ("dns", "forward", index)
            yield Problem("forward-loop", message, "name another resolver", path=path)


def _keys(site: Site) -> tuple[dict[bytes, Key], tuple[KeptKey, ...], list[Problem]]:
    """Return the keys whose secrets are in the inventory, those that are kept elsewhere, and what is wrong."""
    keys: dict[bytes, Key] = {}
    kept: list[KeptKey] = []
    problems: list[Problem] = []
    for name, declared in site.inventory.dns.keys.items():
        path: Path = ("dns", "keys", name)
        given = [key for key in ("file", "environment", "credential", "secret") if getattr(declared, key)]
        if len(given) != 1:
            message = f"key {name} has {'a secret in several places' if given else 'no secret'}"
            remedy = "name one: a `file:`, an `environment:` variable or a systemd `credential:`"
            problems.append(Problem("tsig-secret", message, remedy, path=path))
        elif declared.secret:
            try:
                key = parse_key(name, declared.algorithm, declared.secret)
                keys[key.name] = key
            except ValueError as error:
                remedy = "make one with `tsig-keygen`"
                problems.append(Problem("tsig-secret", str(error), remedy, path=(*path, "secret")))
        else:
            file = normpath(join(site.inventory.directory, declared.file)) if declared.file else ""
            kept.append(
                KeptKey(name, declared.algorithm, file, declared.environment or "", declared.credential or "")
            )
    return keys, tuple(kept), problems


def _secondaries(site: Site, problems: list[Problem]) -> tuple[Secondary, ...]:
    known = {parse_name(name).lower() for name in site.inventory.dns.keys}
    found = []
    for index, declared in enumerate(site.inventory.dns.secondaries):
        key = parse_name(declared.key).lower() if declared.key else b""
        if key and key not in known:
            message = f"there is no key {declared.key}"
            path: Path = ("dns", "secondaries", index, "key")
            problems.append(Problem("tsig-key", message, "declare it under `dns: {keys: …}`", path=path))
        found.append(Secondary(declared.address, declared.port, key))
    return tuple(found)


def _zones(site: Site) -> tuple[list[Zone], list[FailedZone], list[Problem]]:
    """Return the zones, those of `zones:` that cannot be loaded, and what is wrong with all others."""
    sorted_in, problems = _own_zones(site)
    written, failed, faults = _written_zones(site, set(sorted_in.held))
    problems += faults
    records = {**sorted_in.held, **{origin: held for origin, (held, _) in written.items()}}
    for origin, lacking in delegations(records).items():
        records[origin] = [*records[origin], *lacking]
    zones: list[Zone] = []
    for origin, held in records.items():
        zone, broken = build(origin, held)
        if zone:
            zones.append(zone)
        elif origin in written:
            path = written[origin][1]
            located = tuple(each if each.place else replace(each, path=(*path, "file")) for each in broken)
            failed.append(FailedZone(origin, located))
        else:
            problems += broken
    return zones, failed, problems


def _own_zones(site: Site) -> tuple[_Sorter, list[Problem]]:
    """Return the records of the zones that follow from the inventory, and what is wrong with them."""
    sorted_in = _Sorter(_origins(site))
    problems: list[Problem] = []
    for records in (_own_records(site), _host_records(site), _phone_records(site)):
        for record in records:
            sorted_in.add(record)
    for extra in _extra_records(site):
        if isinstance(extra, Problem):
            problems.append(extra)
        elif not sorted_in.add(extra):
            problems.append(_homeless(extra))
    for path in site.inventory.dns.include:
        records_in, faults = _parse_file(site, path, parse_name(site.domain), site.inventory.dns.ttl)
        problems += faults
        problems += [_homeless(record) for record in records_in if not sorted_in.add(record)]
    return sorted_in, problems


class _Sorter:
    """Puts each record into the deepest of our own zones that holds its name."""

    def __init__(self, origins: Iterable[bytes]) -> None:
        self.held: dict[bytes, list[Record]] = {origin: [] for origin in origins}
        self._below: dict[bytes, list[Record] | None] = {}
        """The zone of the names below a name; ten thousand phones' are below a few."""

    def add(self, record: Record) -> bool:
        """Take a record; return False if its name is in no zone."""
        name = record.name.lower()
        zone = self.held.get(name)
        if zone is None:
            above = parent(name)
            if above not in self._below:
                self._below[above] = next(
                    (self.held[each] for each in ancestors(above) if each in self.held), None
                )
            zone = self._below[above]
        if zone is None:
            return False
        zone.append(record)
        return True


def _origins(site: Site) -> list[bytes]:
    origins = [parse_name(domain).lower() for domain in domains(site)]
    for network in site.networks:
        origins += reverse_zones(network.subnet)
    return list(dict.fromkeys(origins))


def _own_records(site: Site) -> Iterator[Record]:
    """Yield what every zone needs: SOA, NS, and for a domain its SRV records and its own addresses."""
    declared = site.inventory.dns
    server = parse_name(site.server_name)
    contact = parse_name(f"hostmaster.{site.domain}")
    numbers = (declared.serial, REFRESH, RETRY, EXPIRE, declared.negative_ttl)
    soa = server + contact + b"".join(number.to_bytes(4, "big") for number in numbers)
    servers = [
        server,
        *(parse_name(absolute(each.name, site.domain)) for each in declared.secondaries if each.name),
    ]
    for origin in _origins(site):
        yield Record(origin, SOA, declared.ttl, soa)
        for each in servers:
            yield Record(origin, NS, declared.ttl, each)
    for secondary in declared.secondaries:
        if secondary.name and site.host(absolute(secondary.name, site.domain)) is None:
            yield _address_record(
                parse_name(absolute(secondary.name, site.domain)), secondary.address, declared.ttl
            )
    for domain in domains(site):
        targets = domain_targets(site, domain)
        yield from _service_records(domain, targets)
        yield from _apex_addresses(site, domain, targets)


def _service_records(domain: str, targets: Iterable[SiteTarget]) -> Iterator[Record]:
    for target in targets:
        numbers = b"".join(
            number.to_bytes(2, "big") for number in (target.priority, target.weight, target.port)
        )
        owner = parse_name(f"{SERVICES[target.service]}.{domain}")
        yield Record(owner, SRV, target.ttl, numbers + parse_name(target.target), path=target.origin)


def _apex_addresses(site: Site, domain: str, targets: Iterable[SiteTarget]) -> Iterator[Record]:
    """Yield the domain's own addresses: those of its provisioning servers, for phones hold the name in a
    certificate against DNS (guide, "Cisco IP Phone Security"). A record of the operator's replaces them."""
    apex = parse_name(domain).lower()
    written = {
        record.type.upper()
        for of, records, _ in _extra_sections(site)
        for record in records
        if parse_name(record_owner(record.name, of)).lower() == apex
    }
    known = {host.name.lower(): host for each in domains(site) for host, _ in domain_hosts(site, each)}
    hosts = [known[target.target.lower()] for target in targets if target.target.lower() in known]
    hosts = hosts or [host for host in site.hosts if host.name.lower() == site.server_name.lower()]
    for address in dict.fromkeys(address for host in hosts for address in host.addresses):
        if {4: "A", 6: "AAAA"}[address.version] not in written:
            yield _address_record(apex, address, site.inventory.dns.ttl)


def _host_records(site: Site) -> Iterator[Record]:
    ttl = site.inventory.dns.ttl
    named: set[IPv4Address | IPv6Address] = set()
    for host, path in (each for domain in domains(site) for each in domain_hosts(site, domain)):
        name = parse_name(host.name)
        for address in host.addresses:
            yield _address_record(name, address, ttl, path)
            if address not in named:
                named.add(address)
                yield Record(reverse_name(address), PTR, ttl, name, path=path)
        for alias in host.aliases:
            yield Record(parse_name(alias), CNAME, ttl, name, path=path)


def _phone_records(site: Site) -> Iterator[Record]:
    """Yield the names of phones that have a fixed address; names of leases come and go with them."""
    ttl = site.inventory.dns.ttl
    for phone, full in phone_names(site):
        declared = phone.declared
        if declared.address is None:
            continue
        name = parse_name(full)
        path: Path = ("phones", phone.index, "name")
        yield Record(name, A, ttl, declared.address.packed, None, path)
        yield Record(reverse_name(declared.address), PTR, ttl, name, None, path)


def _address_record(name: bytes, address: IPv4Address | IPv6Address, ttl: int, path: Path = ()) -> Record:
    return Record(name, A if address.version == 4 else AAAA, ttl, address.packed, path=path)


def _extra_sections(site: Site) -> Iterator[tuple[str, tuple[ExtraRecord, ...], Path]]:
    yield site.domain, site.inventory.records, ("records",)
    for name, domain in site.inventory.domains.items():
        yield name, domain.records, ("domains", name, "records")


def _extra_records(site: Site) -> Iterator[Record | Problem]:
    for domain, records, section in _extra_sections(site):
        for index, extra in enumerate(records):
            path = (*section, index)
            ttl = site.inventory.dns.ttl if extra.ttl is None else extra.ttl
            try:
                name = parse_name(record_owner(extra.name, domain))
                type_, data = parse_data(extra.type, extra.data, parse_name(domain))
            except ValueError as error:
                yield Problem("record", str(error), "write it as in a master file", path=path)
            else:
                yield Record(name, type_, ttl, data, path=path)


def _homeless(record: Record) -> Problem:
    return Problem(
        "record-outside",
        "the record's name is in none of the zones that are served here",
        "make it relative to the domain, or add its zone under `zones:`",
        path=record.path,
        place=record.place,
    )


def _parse_file(
    site: Site, file: str, origin: bytes, ttl: int | None = None
) -> tuple[list[Record], tuple[Problem, ...]]:
    inventory = site.inventory
    path = normpath(join(inventory.directory, file))
    return parse(inventory.texts.get(path, ""), origin, file=path, files=inventory.texts, ttl=ttl)


def _written_zones(
    site: Site, own: set[bytes]
) -> tuple[dict[bytes, tuple[list[Record], Path]], list[FailedZone], list[Problem]]:
    """Return the records of the zones written by hand, those that cannot be read, and those that cannot be here."""
    written: dict[bytes, tuple[list[Record], Path]] = {}
    failed: list[FailedZone] = []
    problems: list[Problem] = []
    inventory = site.inventory
    for index, declared in enumerate(inventory.zones):
        path: Path = ("zones", index)
        try:
            origin = parse_name(declared.origin).lower()
        except ValueError as error:
            problems.append(
                Problem("zone-origin", str(error), "write the zone's name", path=(*path, "origin"))
            )
            continue
        if origin in own:
            message = f"zone {declared.origin} is served already"
            remedy = "its records go under `records:` or into a file of `dns: {include: …}`"
            problems.append(Problem("zone-twice", message, remedy, path=(*path, "origin")))
            continue
        own.add(origin)
        unread = inventory.unread.get(normpath(join(inventory.directory, declared.file)))
        if unread:
            failed.append(FailedZone(origin, (replace(unread, path=(*path, "file")),)))
            continue
        records, faults = _parse_file(site, declared.file, origin)
        if faults:
            failed.append(FailedZone(origin, faults))
        else:
            written[origin] = records, path
    return written, failed, problems

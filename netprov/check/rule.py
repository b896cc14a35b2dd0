"""What a rule is, what it finds, and the view of the site that it is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from netprov.check.written import written_rules
from netprov.dns.iana.rrtype import CNAME
from netprov.dns.message.name import format_host
from netprov.errors import Path, Place, Problem, Reason, Severity
from netprov.inventory.model import ExtraRecord, Inventory, Method, Srv, SrvTarget
from netprov.inventory.model.provision import Values
from netprov.phone.rule.written import WrittenRule
from netprov.plan import Plan
from netprov.plan.domain import domain_hosts, domains, is_within, phone_names, record_owner
from netprov.plan.group import ClientGroup, client_groups
from netprov.plan.site import Site, SiteNetwork, SitePhone, absolute
from netprov.provision.compose import WHOLE, Composer, Trial
from netprov.provision.config import Device
from netprov.provision.secret import Secrets

if TYPE_CHECKING:
    from netprov.pki.chain import Certificate


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found: where, what, which other entries take part, and a better remedy than the rule's."""

    path: Path
    message: str
    related: tuple[Path, ...] = ()
    remedy: str = ""
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """The SRV records of one service under one domain as written; each target with its absolute name and path."""

    domain: str
    name: Literal["https", "http"]
    order: Literal["cisco", "strict"]
    targets: tuple[tuple[SrvTarget, str, Path], ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The certificates, leaf first, that a host presents, and the file they are in."""

    host: str
    file: str
    certificates: tuple[Certificate, ...]
    imported: bool | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """What is on this machine's disk beside the inventory; empty where nobody has looked.

    `trust` are the roots that phones are given, None if not known. `trees` maps each path under which a directory is
    served to the names of its files, or to None if the directory is not there. `secrets` is None where they could not be
    read, and `secrets_unread` says why; `secrets_absent` is a file for them that is not there; `exposed` are files with secrets or keys that others can read, with their modes;
    `roots_unread` says of each file under `client_roots` that holds no CA why not.
    """

    chains: tuple[Chain, ...] = ()
    trust: tuple[Certificate, ...] | None = None
    trees: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    secrets: Secrets | None = None
    secrets_place: str = ""
    secrets_unread: str = ""
    secrets_absent: str = ""
    exposed: tuple[tuple[str, int], ...] = ()
    roots_unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """What rules look at: the inventory, what follows from it, and the indexes that many of them share.

    `plan` is None if it could not be derived; those problems are reported by themselves.
    """

    inventory: Inventory
    site: Site
    plan: Plan | None = None
    now: float = 0.0
    disk: Environment = field(default_factory=Environment)

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """Every domain that phones may be given, in lower case, the main one first."""
        return tuple(domain.lower() for domain in domains(self.site))

    @cached_property
    def names(self) -> Mapping[str, Path]:
        """Every host, absolute and in lower case, and its path."""
        found: dict[str, Path] = {self.site.server_name.lower(): ("server", "name")}
        for domain in domains(self.site):
            for host, path in domain_hosts(self.site, domain):
                found[host.name.lower()] = path or ("server", "name")
        for phone, full in phone_names(self.site):
            found.setdefault(full.lower(), ("phones", phone.index, "name"))
        return found

    @cached_property
    def aliases(self) -> Mapping[str, Path]:
        """Every alias, absolute and in lower case, and its path."""
        return {
            alias.lower(): (*path, "aliases", index)
            for domain in domains(self.site)
            for host, path in domain_hosts(self.site, domain)
            for index, alias in enumerate(host.aliases)
        }

    @cached_property
    def all_aliases(self) -> Mapping[str, Path]:
        """Every name that is an alias by whatever means, in lower case: of a host, under `records:`, in a master file.

        The path is () for one that has a place in a master file alone.
        """
        zones = self.plan.dns.zones if self.plan else ()
        found: dict[str, Path] = {
            format_host(name).lower(): ()
            for zone in zones
            for name, node in zone.nodes.items()
            if node and node[0].type == CNAME
        }
        found |= {name: path for name, record, path in self.records if record.type.upper() == "CNAME"}
        return {**found, **self.aliases}

    @cached_property
    def records(self) -> tuple[tuple[str, ExtraRecord, Path], ...]:
        """The further records, each with its owner, absolute and in lower case, and its path."""
        sections: list[tuple[str, tuple[ExtraRecord, ...], Path]] = [
            (self.site.domain, self.inventory.records, ("records",))
        ]
        for name, declared in self.inventory.domains.items():
            sections.append((name, declared.records, ("domains", name, "records")))
        return tuple(
            (record_owner(record.name, domain).lower(), record, (*path, index))
            for domain, records, path in sections
            for index, record in enumerate(records)
        )

    @cached_property
    def record_owners(self) -> frozenset[str]:
        """Owners of the further records."""
        return frozenset(name for name, _, _ in self.records)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The provisioning services as written, of the main domain and of the others."""
        found = list(_services(self.inventory.srv, self.site.domain, ("srv",)))
        for name, declared in self.inventory.domains.items():
            if declared.srv is not None:
                found += _services(declared.srv, name, ("domains", name, "srv"))
        return tuple(found)

    @cached_property
    def own_addresses(self) -> frozenset[IPv4Address]:
        """Addresses of this server."""
        return frozenset(network.address for network in self.site.networks)

    @cached_property
    def values(self) -> tuple[tuple[Path, Mapping[str, str]], ...]:
        """Every set of profile parameters that gives any: its path, and its texts by name."""
        return tuple((path, texts(values)) for path, values in self.named_values)

    @cached_property
    def named_values(self) -> tuple[tuple[Path, Values], ...]:
        """Every set of profile parameters that names any, as written."""
        inventory = self.inventory
        written: list[tuple[Path, Values]] = [
            (("provisioning", "values"), inventory.provisioning.values),
            *((("profiles", name, "values"), each.values) for name, each in inventory.profiles.items()),
            *((("classes", name, "values"), each.values) for name, each in inventory.classes.items()),
            *((("phones", index, "values"), each.values) for index, each in enumerate(inventory.phones)),
        ]
        return tuple((path, values) for path, values in written if values)

    @cached_property
    def rules(self) -> tuple[WrittenRule, ...]:
        """Every rule that a profile gives phones."""
        return tuple(written_rules(self.values))

    @cached_property
    def _by_section(self) -> Mapping[tuple[str, str | None], tuple[SitePhone, ...]]:
        found: dict[tuple[str, str | None], list[SitePhone]] = {}
        for phone in self.site.phones:
            found.setdefault(("classes", phone.class_name), []).append(phone)
            found.setdefault(("profiles", phone.profile), []).append(phone)
        return {section: tuple(phones) for section, phones in found.items()}

    def phones_below(self, path: Path) -> tuple[SitePhone, ...]:
        """Return the listed phones that what stands below a path is for."""
        match path:
            case ("phones", int(index), *_):
                return (self.site.phones[index],)
            case (("classes" | "profiles") as section, str(name), *_):
                return self._by_section.get((section, name), ())
        return self.site.phones

    def parameter(self, phone: SitePhone, name: str) -> str:
        """Return the text of a parameter that a phone gets, "" for none."""
        for _, values in self.layers_of(phone):
            value = values.get(name)
            if value is not None:
                return value if isinstance(value, str) else value.value or ""
        return ""

    def gives(self, phone: SitePhone, name: str) -> Path:
        """Return the path of what gives a phone a parameter."""
        return next((*path, name) for path, values in self.layers_of(phone) if name in values)

    def layers_of(self, phone: SitePhone) -> Iterator[tuple[Path, Values]]:
        """Yield the sets of parameters that a phone gets, the one that wins first: its own, its profile's, its class's."""
        yield ("phones", phone.index, "values"), phone.declared.values
        if profile := self.inventory.profiles.get(phone.profile or ""):
            yield ("profiles", phone.profile or "", "values"), profile.values
        if each := self.inventory.classes.get(phone.class_name or ""):
            yield ("classes", phone.class_name or "", "values"), each.values
        yield ("provisioning", "values"), self.inventory.provisioning.values

    @cached_property
    def trials(self) -> tuple[tuple[SitePhone, Device, Trial], ...]:
        """Every listed phone, and what keeps its templates from being rendered."""
        if self.plan is None:
            return ()
        secrets = self.disk.secrets or Secrets()
        composer = Composer(self.plan.provision, has_ca=False, secrets=secrets)
        devices = ((phone, self.plan.provision.devices[phone.declared.mac]) for phone in self.site.phones)
        return tuple((phone, device, composer.trial(device)) for phone, device in devices)

    def renders(self, phone: SitePhone, parameter: str) -> Path:
        """Return the path of the template of a parameter, or of the whole profile."""
        whole = ("profiles", phone.profile or "", "template")
        return whole if parameter == WHOLE else self.gives(phone, parameter)

    @cached_property
    def presented(self) -> tuple[tuple[Chain, Problem], ...]:
        """What a phone would find wrong with the chains that the hosts present."""
        if not self.disk.chains:
            return ()
        from netprov.pki import verify

        found: list[tuple[Chain, Problem]] = []
        servers = self.plan.pki.servers if self.plan else ()
        for chain in self.disk.chains:
            own = next((each for each in servers if each.host.lower() == chain.host.lower()), None)
            request = own or next(iter(servers), None)
            domain, also = (request.domain, request.also) if request else (self.site.domain, ())
            problems = verify.problems(
                chain.certificates, domain, self.now, self.disk.trust, also=also, imported=chain.imported
            )
            found += [(chain, problem) for problem in problems]
        return tuple(found)

    @cached_property
    def groups(self) -> tuple[ClientGroup, ...]:
        """Every group of clients that can be told apart without its phones' settings."""
        return tuple(client_groups(self.site))

    @cached_property
    def unclassed(self) -> bool:
        """Tell whether clients of no class are served: unlisted phones, or listed ones that no class takes."""
        known_only = all(network.declared.clients == "known" for network in self.site.networks)
        return not known_only or any(phone.class_name is None for phone in self.site.phones)

    @cached_property
    def methods(self) -> frozenset[Method]:
        """The methods that some client is served by."""
        return frozenset(each.method for each in self.groups if self.unclassed or each.path != ("networks",))

    @cached_property
    def networks_by_name(self) -> Mapping[str, SiteNetwork]:
        """The networks by name."""
        return {network.name: network for network in self.site.networks}

    def phones_without_address(self, network: str) -> Iterator[SitePhone]:
        """Yield the listed phones that need an address of a network's pool."""
        only = len(self.site.networks) == 1
        for phone in self.site.phones:
            if phone.declared.address is None and (
                phone.network == network or (only and phone.network is None)
            ):
                yield phone

    def in_zone(self, name: str) -> bool:
        """Tell whether a name is a domain of this site or below one."""
        lower = name.lower().rstrip(".")
        return any(lower == domain or lower.endswith("." + domain) for domain in self.domains)

    def resolves(self, name: str) -> bool:
        """Tell whether phones can resolve a name: it has an address here, or is not for this server to say."""
        lower = name.lower().rstrip(".")
        if not self.in_zone(lower) or any(
            is_within(lower, zone.origin.rstrip(".")) for zone in self.inventory.zones
        ):
            return True
        known = lower in self.domains or lower in self.names or lower in self.aliases
        return known or lower in self.record_owners or bool(self.inventory.dns.include)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the reason why a phone fails by it, and the function that looks."""

    reason: Reason
    look: Callable[[View], Iterable[Finding]] = field(repr=False)

    @property
    def id(self) -> str:
        """Return the id of its reason."""
        return self.reason.id

    def check(self, view: View) -> Iterator[Problem]:
        """Yield what is wrong by this rule."""
        for found in dict.fromkeys(self.look(view)):  # what several groups of clients share is said once
            yield self.reason.problem(
                found.message, found.remedy, path=found.path, related=found.related, place=found.place
            )


def named(device: Device) -> str:
    """Return what a listed phone is called in a finding."""
    return f"phone {device.name} ({device.mac})" if device.name else f"phone {device.mac}"


def rule(
    rule_id: str, severity: Severity, *, why: str, remedy: str
) -> Callable[[Callable[[View], Iterable[Finding]]], Rule]:
    """Make the decorated function the rule of a reason; a family's rules are those that its module defines."""
    reason = Reason(rule_id, severity, why, remedy)
    return lambda look: Rule(reason, look)


_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\Z", re.IGNORECASE)


def is_host_name(name: str) -> bool:
    """Tell whether a name is one that hosts may have: letters, digits and hyphens (RFC 1123 2.1)."""
    return _HOST.match(name) is not None


def planned(rule_id: str, severity: Severity, *, why: str, remedy: str) -> Rule:
    """Return the rule of a reason that deriving the plan finds and reports under this id; it finds nothing itself."""
    return Rule(Reason(rule_id, severity, why, remedy), lambda _view: ())


def rules_of(module: ModuleType) -> tuple[Rule, ...]:
    """Return the rules that a module defines, in its order."""
    return tuple(each for each in vars(module).values() if isinstance(each, Rule))


def texts(values: Values) -> dict[str, str]:
    """Return the parameters that are given a value, as text."""
    found = {}
    for key, value in values.items():
        text = value if isinstance(value, str) else value.value
        if text is not None:
            found[key] = text
    return found


def _services(srv: Srv, domain: str, path: Path) -> Iterator[Service]:
    names: tuple[Literal["https", "http"], ...] = ("https", "http")
    for name in names:
        records = (srv.https if name == "https" else srv.http) or ()
        targets = tuple(
            (record, absolute(record.target, domain).lower(), (*path, name, index))
            for index, record in enumerate(records)
        )
        yield Service(domain, name, srv.order, targets)

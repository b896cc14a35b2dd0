"""Rules about names: hosts, aliases, further records, reverse names (RFC 1034, RFC 2181)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from netprov.check.rule import Finding, View, is_host_name, rule
from netprov.plan.domain import phone_names, record_owner
from netprov.plan.site import absolute


@rule(
    "host-twice",
    "error",
    why="Two entries for one name hide a mistake: DNS would answer with the addresses of both.",
    remedy="merge the two, or rename one",
)
def host_twice(view: View) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in view.inventory.hosts:
        full = absolute(name, view.site.domain).lower()
        if full in seen:
            yield Finding(("hosts", name), f"{full} is host {seen[full]} already", (("hosts", seen[full]),))
        seen.setdefault(full, name)


@rule(
    "alias-outside",
    "error",
    why="This server answers for the domain only; the alias would never be found.",
    remedy="choose an alias under the domain",
)
def alias_outside(view: View) -> Iterator[Finding]:
    for full, path in view.aliases.items():
        if not view.in_zone(full):
            yield Finding(path, f"alias {full} is outside every domain served here")


@rule(
    "host-outside",
    "warning",
    why="This server answers for the domain only; phones do not learn this address from it.",
    remedy="choose a name under the domain",
)
def host_outside(view: View) -> Iterator[Finding]:
    for name in view.inventory.hosts:
        full = absolute(name, view.site.domain)
        if not view.in_zone(full):
            yield Finding(("hosts", name), f"host {full} is outside every domain served here")


@rule(
    "host-name-invalid",
    "warning",
    why="Names of hosts have letters, digits and hyphens (RFC 1123); TLS clients refuse certificates for others.",
    remedy="rename the host",
)
def host_name_invalid(view: View) -> Iterator[Finding]:
    paths = [*(("hosts", name) for name in view.inventory.hosts), ("server", "name")]
    names = [*view.inventory.hosts, view.inventory.server.name]
    for name, path in zip(names, paths, strict=True):
        if not is_host_name(name) and name != "@":
            yield Finding(path, f"{name} is no host name: only letters, digits and hyphens are allowed")


@rule(
    "phone-name-taken",
    "error",
    why="The phone's name would add its address to those of another machine.",
    remedy="rename the phone",
)
def phone_name_taken(view: View) -> Iterator[Finding]:
    hosts = {absolute(name, view.site.domain).lower(): ("hosts", name) for name in view.inventory.hosts}
    hosts[view.site.server_name.lower()] = ("server", "name")
    for phone, name in phone_names(view.site):
        full = name.lower()
        other = hosts.get(full) or view.aliases.get(full)
        if other is not None:
            yield Finding(("phones", phone.index, "name"), f"{full} is taken", (other,))


@rule(
    "phone-name-outside",
    "warning",
    why="This server answers for its own domains only: the phone's name is in none of them, so nobody can look it up here.",
    remedy="write the name's first label alone, or a name under the domain",
)
def phone_name_outside(view: View) -> Iterator[Finding]:
    for phone, full in phone_names(view.site):
        if phone.declared.address is not None and not view.in_zone(full):
            yield Finding(("phones", phone.index, "name"), f"{full} is outside every domain served here")


@rule(
    "phone-name-without-address",
    "info",
    why="Names of phones are published for fixed addresses only; the name still goes out as option 12.",
    remedy="add `address:`",
)
def phone_name_without_address(view: View) -> Iterator[Finding]:
    for index, phone in enumerate(view.inventory.phones):
        if phone.name and phone.address is None:
            yield Finding(
                ("phones", index, "name"), f"{phone.name} has no fixed address, so DNS has no record of it"
            )


@rule(
    "address-two-names",
    "info",
    why="Programs that check the reverse name of a server against its name may get the other one.",
    remedy="write one host with `aliases:`",
)
def address_two_names(view: View) -> Iterator[Finding]:
    seen: dict[IPv4Address | IPv6Address, str] = {}
    for name, host in view.inventory.hosts.items():
        for address in host.addresses:
            if address in seen and seen[address] != name:
                yield Finding(
                    ("hosts", name),
                    f"{address} is host {seen[address]} too: its reverse name gives two answers",
                    (("hosts", seen[address]),),
                )
            seen.setdefault(address, name)


@rule(
    "server-host-elsewhere",
    "error",
    why="Phones resolve this server's name to a machine that does not answer for it.",
    remedy="correct the host's addresses, or change `server: {name: …}`",
)
def server_host_elsewhere(view: View) -> Iterator[Finding]:
    for name, host in view.inventory.hosts.items():
        if absolute(name, view.site.domain).lower() != view.site.server_name.lower():
            continue
        if not view.own_addresses & set(host.addresses):
            yield Finding(
                ("hosts", name),
                f"{name} is this server's name, but none of its addresses is this server's",
                (("server", "name"),),
            )


@rule(
    "host-outside-networks",
    "warning",
    why="Phones without a router cannot reach a host on another subnet.",
    remedy="correct the address, or add a router",
)
def host_outside_networks(view: View) -> Iterator[Finding]:
    for name, host in view.inventory.hosts.items():
        for address in host.addresses:
            if not isinstance(address, IPv4Address):
                continue
            inside = any(address in network.subnet for network in view.site.networks)
            if not inside and not any(network.router for network in view.site.networks):
                yield Finding(
                    ("hosts", name), f"{address} of host {name} is in no network, and no network has a router"
                )


@rule(
    "ptr-without-address",
    "warning",
    why="A reverse name that does not lead back is taken for a forgery by servers that check it.",
    remedy="add the host under `hosts:`",
)
def ptr_without_address(view: View) -> Iterator[Finding]:
    for _, record, path in view.records:
        if record.type.upper() == "PTR" and not view.resolves(
            record_owner(record.data.strip(), view.site.domain)
        ):
            yield Finding(
                (*path, "data"), f"{record.data.strip()}, to which the PTR record points, has no address"
            )


@rule(
    "network-name-shadow",
    "warning",
    why="Phones append this domain to short names; names under a host look like parts of it.",
    remedy="rename the host",
)
def network_name_shadow(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        full = network.domain.lower()
        if full != view.site.domain.lower() and full in (hosts := view.names):
            yield Finding(
                ("networks", network.name, "domain"),
                f"{full} is a host and a domain of phones",
                (hosts[full],),
            )

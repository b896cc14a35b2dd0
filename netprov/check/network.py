"""Rules about networks: subnets, this server's addresses, what phones there can reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from itertools import pairwise

from netprov.check.rule import Finding, Rule, View
from netprov.plan.site import SiteNetwork


def networks_overlap(view: View) -> Iterator[Finding]:
    ordered = sorted(
        view.site.networks, key=lambda each: (int(each.subnet.network_address), each.subnet.prefixlen)
    )
    for network, other in pairwise(ordered):
        if network.subnet.overlaps(other.subnet):
            yield Finding(
                ("networks", other.name, "subnet"),
                f"{other.subnet} overlaps {network.subnet} of network {network.name}",
                (("networks", network.name, "subnet"),),
            )


def address_outside_subnet(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.address not in network.subnet:
            yield Finding(
                ("networks", network.name, "address"),
                f"this server's address {network.address} is outside {network.subnet}",
                (("networks", network.name, "subnet"),),
            )


def address_reserved(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        subnet = network.subnet
        if subnet.prefixlen <= 30 and network.address in {subnet.network_address, subnet.broadcast_address}:
            yield Finding(
                ("networks", network.name, "address"),
                f"{network.address} is the network or broadcast address of {subnet}",
            )


def address_shared(view: View) -> Iterator[Finding]:
    seen: dict[IPv4Address, str] = {}
    for network in view.site.networks:
        if network.address in seen:
            yield Finding(
                ("networks", network.name, "address"),
                f"{network.address} is this server's address on network {seen[network.address]} already",
                (("networks", seen[network.address], "address"),),
            )
        seen.setdefault(network.address, network.name)


def router_outside_subnet(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        for index, router in enumerate(network.router):
            if network.declared.router is not None and router not in network.subnet:
                yield Finding(
                    ("networks", network.name, "router", index),
                    f"router {router} is outside {network.subnet}",
                    (("networks", network.name, "subnet"),),
                )


def route_via_outside_subnet(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        for index, route in enumerate(network.declared.routes):
            if route.via not in network.subnet:
                yield Finding(
                    ("networks", network.name, "routes", index, "via"),
                    f"router {route.via} of the route to {route.to} is outside {network.subnet}",
                )


def _unreachable(view: View, field: str) -> Iterator[Finding]:
    for network in view.site.networks:
        addresses: Sequence[IPv4Address] = getattr(network, field)
        for index, address in enumerate(addresses):
            if address not in network.subnet and not _routed(network, address):
                yield Finding(
                    ("networks", network.name, field, index),
                    f"{address} is outside {network.subnet}, and phones there get no router to it",
                    (("networks", network.name, "router"),),
                )


def _routed(network: SiteNetwork, address: IPv4Address) -> bool:
    return bool(network.router) or any(address in route.to for route in network.declared.routes)


def dns_unreachable(view: View) -> Iterator[Finding]:
    yield from _unreachable(view, "dns")


def ntp_unreachable(view: View) -> Iterator[Finding]:
    yield from _unreachable(view, "ntp")


def dns_not_ours(view: View) -> Iterator[Finding]:
    if "srv" not in view.methods:
        return
    for network in view.site.networks:
        for index, address in enumerate(network.dns):
            if address not in view.own_addresses:
                yield Finding(
                    ("networks", network.name, "dns", index),
                    f"phones on network {network.name} may ask {address}, which is not this server, for the SRV records",
                )


def dns_none(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if not network.dns and "srv" in view.methods:
            yield Finding(
                ("networks", network.name, "dns"),
                f"phones on network {network.name} get no DNS server (option 6)",
            )


def subnet_too_small(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.subnet.prefixlen > 29:
            yield Finding(
                ("networks", network.name, "subnet"),
                f"{network.subnet} has room for {max(network.subnet.num_addresses - 2, 0)} hosts",
            )


def subnet_public(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.subnet.is_global:
            yield Finding(("networks", network.name, "subnet"), f"{network.subnet} is public address space")


def subnet_special(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        subnet = network.subnet
        if (
            subnet.is_loopback
            or subnet.is_multicast
            or subnet.is_link_local
            or subnet.network_address in _RESERVED
        ):
            yield Finding(("networks", network.name, "subnet"), f"{subnet} is not for hosts on a LAN")


def relay_without_listener(view: View) -> Iterator[Finding]:
    if any(network.declared.interface for network in view.site.networks):
        return
    for network in view.site.networks:
        yield Finding(
            ("networks", network.name),
            f"network {network.name} has no interface, and no other network has one",
        )


def interface_shared(view: View) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for network in view.site.networks:
        interface = network.declared.interface
        if interface is None:
            continue
        if interface in seen:
            yield Finding(
                ("networks", network.name, "interface"),
                f"{interface} is the interface of network {seen[interface]} too",
                (("networks", seen[interface], "interface"),),
            )
        seen.setdefault(interface, network.name)


def clients_all(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.declared.clients == "all":
            yield Finding(
                ("networks", network.name, "clients"),
                f"any client on network {network.name} is served, not only phones",
            )


class _Reserved:
    """240.0.0.0/4 and 0.0.0.0/8 (RFC 1112, RFC 791)."""

    def __contains__(self, address: object) -> bool:
        return isinstance(address, IPv4Address) and (address.is_reserved or int(address) >> 24 == 0)


_RESERVED = _Reserved()


RULES = (
    Rule(
        "networks-overlap",
        "error",
        "A request from an address that is in two subnets is answered with the settings of either.",
        "correct one of the subnets",
        networks_overlap,
    ),
    Rule(
        "address-outside-subnet",
        "error",
        "This server must have an address on the network it serves: phones renew their lease by unicast to it.",
        "give this server an address in the subnet",
        address_outside_subnet,
    ),
    Rule(
        "address-reserved",
        "error",
        "No host can have the network or broadcast address of its subnet.",
        "take another address of the subnet",
        address_reserved,
    ),
    Rule(
        "address-shared",
        "error",
        "One address cannot be on two interfaces: requests to it arrive on either.",
        "give this server an address of its own on every network",
        address_shared,
    ),
    Rule(
        "router-outside-subnet",
        "error",
        "A phone cannot send to a router that is not on its own subnet; everything beyond stays unreachable.",
        "name a router of the subnet; `router: []` if there is none",
        router_outside_subnet,
    ),
    Rule(
        "route-via-outside-subnet",
        "error",
        "A phone ignores a static route whose router is not on its own subnet.",
        "name a router of the subnet",
        route_via_outside_subnet,
    ),
    Rule(
        "dns-unreachable",
        "error",
        "A phone that cannot reach its DNS server finds no SRV record and no server by name.",
        "add a router, or name a DNS server of the subnet",
        dns_unreachable,
    ),
    Rule(
        "ntp-unreachable",
        "warning",
        "A phone that cannot reach its time server starts with a wrong clock and refuses every certificate.",
        "add a router, or name a time server of the subnet",
        ntp_unreachable,
    ),
    Rule(
        "dns-not-ours",
        "warning",
        "The SRV records of the domain are served here; a phone that asks another server finds them only if that one "
        "forwards the domain to this server.",
        "name this server alone, or forward the domain there to this server",
        dns_not_ours,
    ),
    Rule(
        "dns-none",
        "error",
        "DNS SRV provisioning begins with a DNS query; without option 6 a phone cannot ask.",
        "leave `dns:` out to name this server",
        dns_none,
    ),
    Rule(
        "subnet-too-small",
        "warning",
        "Beside this server hardly a phone fits.",
        "check the prefix length",
        subnet_too_small,
    ),
    Rule(
        "subnet-public",
        "warning",
        "The addresses belong to someone on the Internet; phones cannot reach the real owner, nor anyone them.",
        "use 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)",
        subnet_public,
    ),
    Rule(
        "subnet-special",
        "error",
        "Loopback, link-local, multicast and reserved ranges cannot be given to phones.",
        "use 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)",
        subnet_special,
    ),
    Rule(
        "relay-without-listener",
        "error",
        "A network without `interface:` is served through DHCP relays, which reach this server on the interface of "
        "another network; with none at all, nothing listens.",
        "give the network on which this server stands its `interface:`",
        relay_without_listener,
    ),
    Rule(
        "interface-shared",
        "warning",
        "Without a relay, this server cannot tell which of the two networks a new phone belongs to, and takes the first.",
        "give each network its interface, a VLAN's for example: lan0.120",
        interface_shared,
    ),
    Rule(
        "clients-all",
        "warning",
        "A laptop that strays onto the staging LAN gets an address and these servers, and loses its own network.",
        "write `clients: phones`, or `known` for listed phones only",
        clients_all,
    ),
)

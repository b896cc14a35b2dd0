"""Rules about networks: subnets, this server's addresses, what phones there can reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from itertools import pairwise

from netprov.check.rule import Finding, View, planned, rule
from netprov.plan.site import SiteNetwork


@rule(
    "networks-overlap",
    "error",
    why="A request from an address that is in two subnets is answered with the settings of either.",
    remedy="correct one of the subnets",
)
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


@rule(
    "address-outside-subnet",
    "error",
    why="This server must have an address on the network it serves: phones renew their lease by unicast to it.",
    remedy="give this server an address in the subnet",
)
def address_outside_subnet(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.declared.interface and network.address not in network.subnet:
            yield Finding(
                ("networks", network.name, "address"),
                f"this server's address {network.address} is outside {network.subnet}",
                (("networks", network.name, "subnet"),),
            )


@rule(
    "address-reserved",
    "error",
    why="No host can have the network or broadcast address of its subnet.",
    remedy="take another address of the subnet",
)
def address_reserved(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        subnet = network.subnet
        if subnet.prefixlen <= 30 and network.address in {subnet.network_address, subnet.broadcast_address}:
            yield Finding(
                ("networks", network.name, "address"),
                f"{network.address} is the network or broadcast address of {subnet}",
            )


@rule(
    "address-shared",
    "error",
    why="One address cannot be on two interfaces: requests to it arrive on either.",
    remedy="give this server an address of its own on every network",
)
def address_shared(view: View) -> Iterator[Finding]:
    seen: dict[IPv4Address, str] = {}
    for network in view.site.networks:
        if not network.declared.interface:
            continue  # behind a relay agent, this server is reached at an address of another network
        if network.address in seen:
            yield Finding(
                ("networks", network.name, "address"),
                f"{network.address} is this server's address on network {seen[network.address]} already",
                (("networks", seen[network.address], "address"),),
            )
        seen.setdefault(network.address, network.name)


@rule(
    "router-outside-subnet",
    "error",
    why="A phone cannot send to a router that is not on its own subnet; everything beyond stays unreachable.",
    remedy="name a router of the subnet; `router: []` if there is none",
)
def router_outside_subnet(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        for index, router in enumerate(network.router):
            if network.declared.router is not None and router not in network.subnet:
                yield Finding(
                    ("networks", network.name, "router", index),
                    f"router {router} is outside {network.subnet}",
                    (("networks", network.name, "subnet"),),
                )


@rule(
    "router-is-server",
    "warning",
    why="Where no `address:` is given, this server is taken to have the first address of the subnet, or that of its network: "
    "names, certificates, DNS and profiles then lead to the router, which serves none of it.",
    remedy="give this server's own address as `address:` of the network, also if it is the router",
)
def router_is_server(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.declared.router is None or network.declared.address is not None:
            continue
        if network.address in network.declared.router:
            yield Finding(
                ("networks", network.name, "router"),
                f"{network.address} is the router, and was taken for this server's address too",
            )


@rule(
    "server-address-unknown",
    "error",
    why="Every network is behind a relay agent, so none of them tells where this server is: names, certificates, DNS and "
    "profiles lead to an address that is somebody else's.",
    remedy="give the address that relay agents send to as `address:` of a network, or as a host of the server's name",
)
def server_address_unknown(view: View) -> Iterator[Finding]:
    inventory = view.inventory
    named = inventory.hosts.get(inventory.server.name)
    told = any(each.interface or each.address for each in inventory.networks.values())
    if not told and not (named and named.addresses):
        for network in view.site.networks[:1]:
            yield Finding(("networks", network.name), f"{network.address} is taken for this server's address")


@rule(
    "route-via-outside-subnet",
    "error",
    why="A phone ignores a static route whose router is not on its own subnet.",
    remedy="name a router of the subnet",
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


@rule(
    "dns-unreachable",
    "error",
    why="A phone that cannot reach its DNS server finds no SRV record and no server by name.",
    remedy="add a router, or name a DNS server of the subnet",
)
def dns_unreachable(view: View) -> Iterator[Finding]:
    yield from _unreachable(view, "dns")


@rule(
    "ntp-unreachable",
    "warning",
    why="A phone that cannot reach its time server starts with a wrong clock and refuses every certificate.",
    remedy="add a router, or name a time server of the subnet",
)
def ntp_unreachable(view: View) -> Iterator[Finding]:
    yield from _unreachable(view, "ntp")


@rule(
    "dns-not-ours",
    "warning",
    why=(
        "The SRV records of the domain are served here; a phone that asks another server finds them only if that one "
        "forwards the domain to this server."
    ),
    remedy="name this server alone, or forward the domain there to this server",
)
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


@rule(
    "dns-none",
    "error",
    why="DNS SRV provisioning begins with a DNS query; without option 6 a phone cannot ask.",
    remedy="leave `dns:` out to name this server",
)
def dns_none(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if not network.dns and "srv" in view.methods:
            yield Finding(
                ("networks", network.name, "dns"),
                f"phones on network {network.name} get no DNS server (option 6)",
            )


@rule(
    "subnet-too-small",
    "warning",
    why="Beside this server hardly a phone fits.",
    remedy="check the prefix length",
)
def subnet_too_small(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.subnet.prefixlen > 29:
            yield Finding(
                ("networks", network.name, "subnet"),
                f"{network.subnet} has room for {max(network.subnet.num_addresses - 2, 0)} hosts",
            )


@rule(
    "subnet-public",
    "warning",
    why="The addresses belong to someone on the Internet; phones cannot reach the real owner, nor anyone them.",
    remedy="use 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)",
)
def subnet_public(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        if network.subnet.is_global:
            yield Finding(("networks", network.name, "subnet"), f"{network.subnet} is public address space")


@rule(
    "subnet-special",
    "error",
    why="Loopback, link-local, multicast and reserved ranges cannot be given to phones.",
    remedy="use 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)",
)
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


@rule(
    "relay-without-listener",
    "error",
    why=(
        "A network without `interface:` is served through DHCP relays, which reach this server on the interface of "
        "another network; with none at all, nothing listens."
    ),
    remedy="give the network on which this server stands its `interface:`",
)
def relay_without_listener(view: View) -> Iterator[Finding]:
    if any(network.declared.interface for network in view.site.networks):
        return
    for network in view.site.networks:
        yield Finding(
            ("networks", network.name),
            f"network {network.name} has no interface, and no other network has one",
        )


RELAY_ADDRESS = planned(
    "relay-address",
    "error",
    why=(
        "Behind a relay, `address:` is the server identifier (option 54) to which clients send their renewals. This machine "
        "cannot have an address of a network that it is not on, so none of them would arrive."
    ),
    remedy="leave it out: an address of a network that has an interface is told",
)


@rule(
    "interface-shared",
    "info",
    why="A new phone gets an address of the first of the networks on its link that names its class, or else of the first "
    "that has one left.",
    remedy="give each network its interface, a VLAN's for example, lan0.120, if that is not meant",
)
def interface_shared(view: View) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for network in view.site.networks:
        interface = network.declared.interface
        if interface is None:
            continue
        if interface in seen and not network.declared.classes:
            yield Finding(
                ("networks", network.name, "interface"),
                f"{interface} is the interface of network {seen[interface]} too",
                (("networks", seen[interface], "interface"),),
            )
        seen.setdefault(interface, network.name)


@rule(
    "clients-all",
    "warning",
    why="A laptop that strays onto the staging LAN gets an address and these servers, and loses its own network.",
    remedy="write `clients: phones`, or `known` for listed phones only",
)
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


@rule(
    "partner-address",
    "error",
    why="Two Kea servers that share the networks reach each other at their addresses; one that phones can be given is not the server's for long.",
    remedy="name the address of the other server, outside the pools",
)
def partner_address(view: View) -> Iterator[Finding]:
    partner = view.site.inventory.dhcp.partner
    if partner is None:
        return
    for network in view.site.networks:
        if partner.address == network.address:
            yield Finding(("dhcp", "partner", "address"), f"{partner.address} is this server's own address")
        elif any(low <= partner.address <= high for low, high in network.pool):
            yield Finding(
                ("dhcp", "partner", "address"),
                f"{partner.address} is in the pool of network {network.name}",
                (
                    ("networks", network.name, "pool")
                    if network.declared.pool
                    else ("networks", network.name, "subnet"),
                ),
            )

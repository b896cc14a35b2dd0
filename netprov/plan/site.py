"""The inventory with every default decided: what all sections of the plan are derived from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Literal

from netprov.dhcp.match import Client, Condition, expects
from netprov.dns.order import cisco_order
from netprov.dns.service import SERVICES
from netprov.hostport import PORTS
from netprov.inventory.model import Inventory, Method, Network, Phone, Srv
from netprov.mac import parse_mac
from netprov.plan.condition import condition

POOL_OFFSETS = (100, 199)
"""The default pool of a subnet large enough for it, counted from the network address."""


@dataclass(frozen=True, slots=True)
class SiteNetwork:
    """A network with its defaults decided; `declared` is what the operator wrote."""

    name: str
    subnet: IPv4Network
    address: IPv4Address
    pool: tuple[tuple[IPv4Address, IPv4Address], ...]
    router: tuple[IPv4Address, ...]
    dns: tuple[IPv4Address, ...]
    ntp: tuple[IPv4Address, ...]
    domain: str
    declared: Network


@dataclass(frozen=True, slots=True)
class SiteHost:
    """A named machine; names are absolute, without the trailing dot."""

    name: str
    addresses: tuple[IPv4Address | IPv6Address, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteTarget:
    """One SRV record as it will be published: `target` is absolute; `origin` is its path in the inventory."""

    service: Literal["https", "http"]
    target: str
    port: int
    priority: int
    weight: int
    ttl: int
    origin: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SitePhone:
    """A listed phone with its class decided; `index` is its place in the inventory's list."""

    index: int
    declared: Phone
    class_name: str | None
    method: Method
    profile: str | None
    network: str | None


@dataclass(frozen=True, slots=True)
class Site:
    """Everything the operator said, and everything that follows from it."""

    inventory: Inventory
    domain: str
    server_name: str
    networks: tuple[SiteNetwork, ...]
    hosts: tuple[SiteHost, ...]
    targets: tuple[SiteTarget, ...]
    phones: tuple[SitePhone, ...]

    def service_owner(self, service: Literal["https", "http"]) -> str:
        """Return the absolute owner name of a service's SRV records."""
        return f"{SERVICES[service]}.{self.domain}"

    def host(self, name: str) -> SiteHost | None:
        """Return the host of that absolute name, or None; case does not matter (RFC 4343)."""
        wanted = name.lower()
        return next((host for host in self.hosts if host.name.lower() == wanted), None)


def resolve(inventory: Inventory) -> Site:
    """Decide every default of the inventory."""
    addresses = server_addresses(inventory)
    networks = tuple(
        _network(inventory, name, network, addresses[name]) for name, network in inventory.networks.items()
    )
    server_name = absolute(inventory.server.name, inventory.domain)
    # What is wrong with a condition is told by `plan.dhcp`.
    conditions = {
        name: condition(each.match, (), [])
        for name, each in inventory.classes.items()
        if each.match is not None
    }
    return Site(
        inventory=inventory,
        domain=inventory.domain,
        server_name=server_name,
        networks=networks,
        hosts=_hosts(inventory, server_name, networks),
        targets=srv_targets(inventory.srv, inventory.domain, server_name, ("srv",)),
        phones=tuple(
            _phone(inventory, index, phone, networks, conditions)
            for index, phone in enumerate(inventory.phones)
        ),
    )


def absolute(name: str, domain: str) -> str:
    """Complete a name of one label with the domain; `@` is the domain; a name with a dot is absolute already."""
    if name == "@":
        return domain
    return name if "." in name else f"{name}.{domain}"


def default_pool(subnet: IPv4Network) -> tuple[tuple[IPv4Address, IPv4Address], ...]:
    """Return the pool of a network that names none: hosts 100 to 199, or the upper half of a smaller subnet."""
    base, size = int(subnet.network_address), subnet.num_addresses
    if size > POOL_OFFSETS[1] + 1:
        return ((IPv4Address(base + POOL_OFFSETS[0]), IPv4Address(base + POOL_OFFSETS[1])),)
    if size < 4:
        return ()
    return ((IPv4Address(base + size // 2), IPv4Address(base + size - 2)),)


def server_addresses(inventory: Inventory) -> dict[str, IPv4Address]:
    """Decide this server's address as the clients of each network reach it; the one place where that is decided.

    A network without an interface is behind a relay agent: this server is not in it, and is reached at an address of a
    network that it is in, or at that of the host which bears its name.
    """
    there = {
        name: declared.address or first_host(declared.subnet)
        for name, declared in inventory.networks.items()
        if declared.interface or declared.address
    }
    near = [there[name] for name, declared in inventory.networks.items() if declared.interface]
    own = inventory.hosts.get(inventory.server.name)
    named = [each for each in own.addresses if isinstance(each, IPv4Address)] if own else []
    elsewhere = next(iter((*near, *named, *there.values())), None)
    return {
        name: there.get(name) or elsewhere or first_host(declared.subnet)
        for name, declared in inventory.networks.items()
    }


def first_host(subnet: IPv4Network) -> IPv4Address:
    """Return the first address of a subnet that a host can have (RFC 3021 for the smallest)."""
    return IPv4Address(int(subnet.network_address) + (1 if subnet.prefixlen < 31 else 0))


def _network(inventory: Inventory, name: str, declared: Network, address: IPv4Address) -> SiteNetwork:
    subnet = declared.subnet
    router = (address if declared.interface else first_host(subnet),)
    pool = default_pool(subnet) if declared.pool is None else tuple(_bounds(text) for text in declared.pool)
    return SiteNetwork(
        name=name,
        subnet=subnet,
        address=address,
        pool=pool,
        router=router if declared.router is None else declared.router,
        dns=(address,) if declared.dns is None else declared.dns,
        ntp=declared.ntp or (),
        domain=declared.domain or inventory.domain,
        declared=declared,
    )


def _bounds(text: str) -> tuple[IPv4Address, IPv4Address]:
    first, _, last = text.partition("-")
    return IPv4Address(first), IPv4Address(last)


def _hosts(inventory: Inventory, server_name: str, networks: tuple[SiteNetwork, ...]) -> tuple[SiteHost, ...]:
    domain = inventory.domain
    hosts = [
        SiteHost(
            absolute(name, domain), host.addresses, tuple(absolute(alias, domain) for alias in host.aliases)
        )
        for name, host in inventory.hosts.items()
    ]
    if all(host.name.lower() != server_name.lower() for host in hosts):
        hosts.insert(0, SiteHost(server_name, tuple(dict.fromkeys(network.address for network in networks))))
    return tuple(hosts)


def srv_targets(
    srv: Srv, domain: str, server_name: str, path: tuple[str | int, ...]
) -> tuple[SiteTarget, ...]:
    """Decide the SRV records of a domain; `path` is where its `srv:` stands."""
    if srv.https is None and srv.http is None:
        return (
            SiteTarget("https", server_name, PORTS["https"], 10, 0, srv.ttl, path),
            SiteTarget("http", server_name, PORTS["http"], 10, 0, srv.ttl, path),
        )
    targets: list[SiteTarget] = []
    services: tuple[Literal["https", "http"], ...] = ("https", "http")
    for service in services:
        records = srv.https if service == "https" else srv.http
        found = [
            SiteTarget(
                service,
                absolute(record.target, domain),
                record.port,
                record.priority,
                record.weight,
                srv.ttl,
                (*path, service, index),
            )
            for index, record in enumerate(records or ())
        ]
        found = cisco_order(found)
        targets += _strict(found) if srv.order == "strict" else found
    return tuple(targets)


def _strict(ordered: list[SiteTarget]) -> list[SiteTarget]:
    """Turn an order into distinct priorities, which Cisco's guide and RFC 2782 read alike."""
    return [
        SiteTarget(t.service, t.target, t.port, (place + 1) * 10, 0, t.ttl, t.origin)
        for place, t in enumerate(ordered)
    ]


def _phone(
    inventory: Inventory,
    index: int,
    phone: Phone,
    networks: tuple[SiteNetwork, ...],
    conditions: Mapping[str, Condition],
) -> SitePhone:
    network = phone.network or next(
        (
            network.name
            for network in networks
            if phone.address is not None and phone.address in network.subnet
        ),
        None,
    )
    class_name = phone.class_ or _expected_class(conditions, phone, network)
    declared = inventory.classes.get(class_name) if class_name else None
    return SitePhone(
        index=index,
        declared=phone,
        class_name=class_name,
        method=phone.method or (declared.method if declared and declared.method else "srv"),
        profile=phone.profile or (declared.profile if declared else None),
        network=network,
    )


def _expected_class(conditions: Mapping[str, Condition], phone: Phone, network: str | None) -> str | None:
    """Return the class that a phone falls into by its entry, which tells its MAC, and its model and network at most."""
    client = Client(
        parse_mac(phone.mac),
        vendor_class=phone.model,
        user_classes=None,
        circuit_id=None,
        remote_id=None,
        network=network,
        requests=None,
        host_name=phone.name.partition(".")[0] if phone.name else None,
    )
    return next((name for name, each in conditions.items() if expects(each, client)), None)

"""What a virtual LAN is made of: networks, hosts, the ports that join them; and the LAN that a plan describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.lab.wire import Faults
from netprov.plan.site import Site, SiteNetwork

DEFAULT_NETWORK = "lan"
DEFAULT_INTERFACE = "lan0"
SERVER = "server"


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of a host, and the network it is plugged into, by a cable that may have faults.

    `addresses` have prefix lengths.
    """

    network: str = DEFAULT_NETWORK
    interface: str = DEFAULT_INTERFACE
    addresses: tuple[str, ...] = ()
    mac: str | None = None
    faults: Faults | None = None


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host to be: its name, its ports, its routes as (destination, router), whether it forwards packets."""

    name: str
    ports: tuple[Port, ...] = (Port(),)
    routes: tuple[tuple[str, str], ...] = ()
    forwards: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """Networks (a switch each) and the hosts on them.

    A VLAN is a network of its own here: the hosts on it have an interface of that name (`lan0.120`), and the
    switch's tagging is left out, since not every kernel has it.
    """

    hosts: tuple[HostPlan, ...]
    networks: tuple[str, ...] = (DEFAULT_NETWORK,)


def single_lan(server: Sequence[str], clients: Sequence[str | None]) -> Topology:
    """Return one LAN: a host `server` with the addresses given, and `client0`, `client1`, … by MAC address."""
    hosts = [HostPlan(SERVER, (Port(addresses=tuple(server)),))]
    hosts += [HostPlan(f"client{number}", (Port(mac=mac),)) for number, mac in enumerate(clients)]
    return Topology(tuple(hosts))


def staging_lan(site: Site, phones: Sequence[tuple[str, str | None, str]]) -> Topology:
    """Return the LAN of an inventory: its server with every address that the inventory knows, and phones.

    `phones` are (name, network or None for the first one that the server is on, MAC address). A network
    without an interface gets a router that joins it to the server's first network.
    """
    local = [network for network in site.networks if network.declared.interface]
    remote = [network for network in site.networks if not network.declared.interface]
    routers = [_router(local[0], network, number) for number, network in enumerate(remote)] if local else []
    server = HostPlan(
        SERVER,
        tuple(
            Port(network.name, network.declared.interface or "", _addresses(site, network))
            for network in local
        ),
        routes=tuple(
            (str(network.subnet), _uplink(local[0], number)) for number, network in enumerate(remote)
        ),
    )
    first = site.networks[0].name if not local else local[0].name
    hosts = [HostPlan(name, (Port(network or first, mac=mac),)) for name, network, mac in phones]
    return Topology((server, *routers, *hosts), tuple(network.name for network in site.networks))


def _addresses(site: Site, network: SiteNetwork) -> tuple[str, ...]:
    """Return this server's address on a network, then those of every named host there: all are this machine."""
    named = [address for host in site.hosts for address in host.addresses if address in network.subnet]
    return tuple(
        f"{address}/{network.subnet.prefixlen}" for address in dict.fromkeys([network.address, *named])
    )


def _router(uplink: SiteNetwork, network: SiteNetwork, number: int) -> HostPlan:
    inside = network.router[0] if network.router else network.address
    return HostPlan(
        f"router-{network.name}",
        (
            Port(uplink.name, DEFAULT_INTERFACE, (f"{_uplink(uplink, number)}/{uplink.subnet.prefixlen}",)),
            Port(network.name, "lan1", (f"{inside}/{network.subnet.prefixlen}",)),
        ),
        forwards=True,
    )


def _uplink(uplink: SiteNetwork, number: int) -> str:
    """Return a router's address on the server's network: the last ones of the subnet."""
    return str(IPv4Address(int(uplink.subnet.broadcast_address) - 1 - number))

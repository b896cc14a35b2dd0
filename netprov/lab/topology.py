"""What a virtual LAN is made of: networks, hosts, the ports that join them; and the LAN that a plan describes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.errors import LabError
from netprov.lab.wire import Faults
from netprov.plan.site import Site, SiteNetwork, absolute

DEFAULT_NETWORK = "lan"
DEFAULT_INTERFACE = "lan0"
DOWNLINK = "lan1"
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


@dataclass(frozen=True, slots=True)
class PhonePlan:
    """A phone's place on a staging LAN: `network` is None for the first one that the server is on."""

    name: str
    mac: str
    network: str | None = None


def staging_lan(
    site: Site, phones: Sequence[PhonePlan], *, faults: Faults | None = None, down: Collection[str] = ()
) -> Topology:
    """Return the LAN of an inventory: its server with every address that the inventory names, and phones.

    A network without an interface gets a router that joins it to the server's first network. `faults` are
    those of the phones' cables; the hosts named in `down` exist nowhere.
    """
    local = [network for network in site.networks if network.declared.interface]
    if not local:
        raise LabError("no network of the inventory has an interface: there is no place for its server")
    remote = [network for network in site.networks if not network.declared.interface]
    server = HostPlan(
        SERVER,
        tuple(
            Port(network.name, network.declared.interface or "", _addresses(site, network, down))
            for network in local
        ),
        routes=tuple((str(network.subnet), _uplink(local[0], i)) for i, network in enumerate(remote)),
    )
    routers = [_router(local[0], network, number) for number, network in enumerate(remote)]
    hosts = [
        HostPlan(phone.name, (Port(phone.network or local[0].name, mac=phone.mac, faults=faults),))
        for phone in phones
    ]
    return Topology((server, *routers, *hosts), tuple(network.name for network in site.networks))


def relays(site: Site) -> tuple[tuple[str, str, str, str], ...]:
    """Return the relay agents that a staging LAN needs: host, interface, its address there, the server."""
    local = [network for network in site.networks if network.declared.interface]
    return tuple(
        (f"router-{network.name}", DOWNLINK, str(_inside(network)), str(local[0].address))
        for network in site.networks
        if not network.declared.interface
    )


def _addresses(site: Site, network: SiteNetwork, down: Collection[str]) -> tuple[str, ...]:
    """Return this server's address on a network, then those of every named host there: all are this machine."""
    gone = {absolute(name, site.domain) for name in down}
    named = [
        address
        for host in site.hosts
        if host.name not in gone
        for address in host.addresses
        if address in network.subnet
    ]
    return tuple(f"{each}/{network.subnet.prefixlen}" for each in dict.fromkeys([network.address, *named]))


def _router(uplink: SiteNetwork, network: SiteNetwork, number: int) -> HostPlan:
    outside = f"{_uplink(uplink, number)}/{uplink.subnet.prefixlen}"
    return HostPlan(
        f"router-{network.name}",
        (
            Port(uplink.name, DEFAULT_INTERFACE, (outside,)),
            Port(network.name, DOWNLINK, (f"{_inside(network)}/{network.subnet.prefixlen}",)),
        ),
        forwards=True,
    )


def _inside(network: SiteNetwork) -> IPv4Address:
    return network.router[0] if network.router else network.address


def _uplink(uplink: SiteNetwork, number: int) -> str:
    """Return a router's address on the server's network: the last ones of the subnet."""
    return str(IPv4Address(int(uplink.subnet.broadcast_address) - 1 - number))

"""A LAN with one server and one asker on every network of a plan: where a server is compared with another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path

from netprov.compare.answer import Answer, DhcpAnswer, DnsQuestion, Question, WebQuestion
from netprov.compare.client import AskingClient
from netprov.compare.dhcp import ALL_MESSAGES, FIRST_MESSAGES, ask_dhcp
from netprov.compare.dns import ask_dns, over_sockets
from netprov.compare.link import Links
from netprov.compare.web import WebSockets, ask_web
from netprov.dhcp.message import dotted
from netprov.errors import LabError
from netprov.lab.lan import Host, Lan
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.plan import Plan
from netprov.plan.site import SiteNetwork

SERVER, ASKER = "server", "asker"
_WAIT_S = 0.3
_LOOKS_AROUND_S = 12.0
"""For how long a server may offer nothing after its start: netprov looks for others for 5 s (`other_servers: refuse`)."""


Start = Callable[[Host, Sequence[str], Path], object]
"""What starts a server on a host, on interfaces, with a directory of its own."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What both servers are asked."""

    clients: tuple[AskingClient, ...]
    lists: tuple[tuple[int, ...] | None, ...]
    names: tuple[DnsQuestion, ...] = ()
    paths: tuple[WebQuestion, ...] = ()
    first: bool = False
    """Only messages that leave no trace on a server."""


def interfaces_of(plan: Plan) -> dict[str, str]:
    """Return the server's interface on each network that it is on: the others are behind a relay agent."""
    return {each.name: each.declared.interface for each in plan.site.networks if each.declared.interface}


def hear(plan: Plan, start: Start, asked: Asked, scratch: Path) -> dict[Question, Answer]:
    """Start a server on a LAN of its own, ask it everything, and let the LAN go."""
    interfaces = interfaces_of(plan)
    if not interfaces:
        raise LabError(
            "every network is behind a relay agent: give one its `interface:` to compare them in a lab"
        )
    if len(set(interfaces.values())) < len(interfaces):
        raise LabError("two networks share an interface: give each its own to compare them in a lab")
    scratch.mkdir(parents=True, exist_ok=True)
    with Lan(_topology(plan, interfaces)) as lan:
        start(lan[SERVER], list(interfaces.values()), scratch)
        with lan[ASKER].entered():
            relays = {
                each.name: (str(_free_address(plan, each)), str(each.address)) for each in plan.site.networks
            }
            links = Links(interfaces, wait=_WAIT_S, adopt=_adopter(lan[ASKER], interfaces), relays=relays)
            with links:
                _wait_for_offers(links, asked.clients)
                found = ask_dhcp(
                    links, asked.clients, asked.lists, FIRST_MESSAGES if asked.first else ALL_MESSAGES
                )
            if asked.names:
                found |= ask_dns(over_sockets(str(plan.site.networks[0].address)), asked.names)
            if asked.paths:
                with closing(WebSockets()) as web:
                    found |= ask_web(web.get, asked.paths)
    return found


def _wait_for_offers(links: Links, clients: Sequence[AskingClient]) -> None:
    """Wait until a server offers something on every network, or long enough that it never will.

    A server may look for others on its links first, and offer nothing meanwhile; one that knows nobody stays silent.
    """
    networks = dict.fromkeys(each.network for each in clients if links.is_on(each.network))
    end = time.monotonic() + _LOOKS_AROUND_S
    xids = count(1 << 24, 1 << 16)
    while networks and time.monotonic() < end:
        for network in list(networks):
            here = [each for each in clients if each.network == network]
            answers = ask_dhcp(links, here, (None,), FIRST_MESSAGES, first_xid=next(xids)).values()
            if any(isinstance(each, DhcpAnswer) and each.kind for each in answers):
                del networks[network]


def _topology(plan: Plan, interfaces: Mapping[str, str]) -> Topology:
    """Return a LAN of two: the asker is on every network, and the router to those that the server is not on."""
    networks = plan.site.networks
    asker = {each.name: _free_address(plan, each) for each in networks}
    here = [each for each in networks if each.name in interfaces]
    ports = [
        Port(
            each.name,
            interfaces[each.name],
            tuple(f"{address}/{each.subnet.prefixlen}" for address in _served_at(plan, each)),
        )
        for each in here
    ]
    routes = [(str(each.subnet), str(asker[here[0].name])) for each in networks if each not in here]
    sides = [
        Port(
            each.name,
            interfaces.get(each.name, f"far{number}"),
            (f"{asker[each.name]}/{each.subnet.prefixlen}",),
        )
        for number, each in enumerate(networks)
    ]
    hosts = (HostPlan(SERVER, tuple(ports), tuple(routes)), HostPlan(ASKER, tuple(sides)))
    return Topology(hosts, tuple(each.name for each in networks))


def _served_at(plan: Plan, network: SiteNetwork) -> tuple[IPv4Address, ...]:
    """Return the server's addresses on a network: its own, then those that profiles are served at."""
    sockets = (IPv4Address(each.address) for each in plan.provision.listeners)
    own = [network.address] if network.address in network.subnet else []
    return tuple(dict.fromkeys([*own, *(each for each in sockets if each in network.subnet)]))


def _taken(plan: Plan, network: SiteNetwork) -> Iterator[tuple[int, int]]:
    """Yield the ranges of addresses that clients of a network may get."""
    yield from ((int(low), int(high)) for low, high in network.pool)
    for phone in plan.site.phones:
        address = phone.declared.address
        if address is not None and address in network.subnet:
            yield int(address), int(address)


def _free_address(plan: Plan, network: SiteNetwork) -> IPv4Address:
    """Return an address that no client gets."""
    taken = [*_taken(plan, network), *((int(each), int(each)) for each in _served_at(plan, network))]
    for address in range(int(network.subnet.broadcast_address) - 1, int(network.subnet.network_address), -1):
        if not any(low <= address <= high for low, high in taken):
            return IPv4Address(address)
    raise LabError(f"every address of {network.name} is one that clients get: there is none to ask from")


def _adopter(host: Host, interfaces: Mapping[str, str]) -> Callable[[str, Sequence[int]], None]:
    """Return what lets a host take what is sent to some clients' addresses: it asks for all of them."""
    adopted: dict[str, Sequence[int]] = {}

    def adopt(network: str, addresses: Sequence[int]) -> None:
        with host.links() as links:
            for each in adopted.get(network, ()):
                links.remove_local(dotted(each), interfaces[network])
            for each in dict.fromkeys(addresses):
                links.add_local(dotted(each), interfaces[network])
        adopted[network] = tuple(dict.fromkeys(addresses))

    return adopt

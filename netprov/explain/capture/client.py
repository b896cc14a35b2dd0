"""Who is in a capture: the clients of DHCP, those who ask for the provisioning services, and our own checks.

A capture may hold any number of clients. Those that tell most are kept: whom the reader asks for or knows, phones by their
vendor class, who got furthest. The others are counted.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from netprov.dhcp import message as dhcp
from netprov.dhcp.contents import is_phone
from netprov.dhcp.option import table as code
from netprov.errors import Malformed
from netprov.explain.capture.packet import Packet
from netprov.hostport import DHCP_PORT
from netprov.mac import format_mac, parse_mac
from netprov.phone.action import Lease
from netprov.provision.event import PROBE

SERVICE_MARK = b"_ciscoprov-"
_AGENT = b"\r\nUser-Agent: Cisco-"
_MARK = f"\r\n{PROBE}: ".encode()
MOST_CLIENTS = 1000
"""Clients that are told of."""
MOST_OTHERS = 200_000
"""Clients that are counted; beyond them there are more than so many."""
MOST_PROBERS = 10_000
LONGEST_MESSAGE = 4096
"""Octets of a DHCP message that is looked at."""
MOST_OFFERS = 16
WINDOW = 4096
"""Messages within which those out of order are put in order, as captures of cards with several queues have them."""


@dataclass(slots=True)
class Client:
    """What DHCP said about one client since its last DISCOVER; `first` and `last` are its packets, without payload."""

    first: Packet | None = None
    last: Packet | None = None
    lease: Lease | None = None
    offered: Lease | None = None
    """What the last OFFER named."""
    address: str = ""
    vendor_class: str = ""
    requested: tuple[int, ...] = ()
    offers: list[str] = field(default_factory=list)
    refused: str = ""
    discovers: int = 0
    requests: int = 0
    boots: int = 0

    @property
    def tells(self) -> bool:
        """Whether it shows how a boot went: one DISCOVER that got its offer, and no more, shows nothing amiss."""
        return self.first is None or self.requests > 0 or self.discovers > 1 or not self.offers

    def note(self, message: dhcp.Message, packet: Packet) -> None:
        """Take in a message of it or to it."""
        self.last = packet._replace(payload=b"")
        self.first = self.first or self.last
        server = _dotted(message.options.get(code.SERVER_ID, b""))
        match message.type:
            case dhcp.Type.DISCOVER | dhcp.Type.REQUEST:
                self.vendor_class = message.options.get(code.VENDOR_CLASS, b"").decode("ascii", "replace")
                self.requested = tuple(message.options.get(code.REQUEST_LIST, b""))
                self.requests += message.type == dhcp.Type.REQUEST
                if message.type == dhcp.Type.DISCOVER:
                    self.discovers += 1
                    self.boots += self.discovers == 1
            case dhcp.Type.OFFER:
                self.offered = _lease_of(message, server)
                if server not in self.offers and len(self.offers) < MOST_OFFERS:
                    self.offers.append(server)
            case dhcp.Type.NAK:
                said = message.options.get(code.MESSAGE, b"").decode("ascii", "replace")
                self.refused = said or "without a reason"
            case dhcp.Type.ACK if message.yiaddr and self.lease is None:
                self.lease = _lease_of(message, server)
                self.address = self.lease.address


@dataclass(frozen=True, slots=True)
class Survey:
    """Who is told of: clients by MAC address, then those that only ask by address; and how many others there are."""

    clients: dict[str, Client]
    others: int
    packets: int = 0
    cut: int = 0
    dhcp_is_cut: bool = False


def survey(packets: Iterable[Packet], known: Collection[str] = ()) -> Survey:
    """Find who is in a capture; the MAC addresses in `known` come first."""
    web = _Web(known)
    table = _Table(known)
    ours: set[int] = set()
    for packet, message in _in_order(_messages(web.watch(packets))):
        if _is_probe(packet, message):
            _add(ours, message.xid)
            _add(web.probers, packet.source)
        if message.xid not in ours:
            table.add(packet, message)
    clients = table.telling()
    settled = {each.address for each in clients.values()} | table.addresses | web.probers
    for address, mac in web.askers.items():
        if address not in settled and mac not in clients:
            clients[mac or address] = Client(address=address)
    return Survey(clients, table.others + web.others, web.packets, web.cut, web.dhcp_is_cut)


class _Table:
    """DHCP's clients, of which the least telling are let go when there are too many."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._clients: dict[str, Client] = {}
        self._gone: set[bytes] = set()
        self.addresses: set[str] = set()
        """Addresses of clients that are not told of."""

    def add(self, packet: Packet, message: dhcp.Message) -> None:
        """Note a message for its client."""
        mac = format_mac(message.chaddr)
        client = self._clients.get(mac)
        if client is None:
            if len(self._clients) >= 2 * MOST_CLIENTS:
                self._let_go()
            client = self._clients[mac] = Client()
        elif message.type == dhcp.Type.DISCOVER and client.lease is not None:
            client = self._clients[mac] = Client(boots=client.boots)
        client.note(message, packet)

    def telling(self) -> dict[str, Client]:
        """Return the clients that tell something, in the order they came."""
        self._clients = {mac: each for mac, each in self._clients.items() if each.tells}
        if len(self._clients) > MOST_CLIENTS:
            self._let_go()
        return self._clients

    @property
    def others(self) -> int:
        """Return how many clients are not told of."""
        return sum(format_mac(mac) not in self._clients for mac in self._gone)

    def _let_go(self) -> None:
        ranked = sorted(self._clients, key=self._rank, reverse=True)
        for mac in ranked[MOST_CLIENTS:]:
            client = self._clients.pop(mac)
            if len(self._gone) < MOST_OTHERS:
                self._gone.add(parse_mac(mac))
            if client.address:
                _add(self.addresses, client.address)

    def _rank(self, mac: str) -> tuple[bool, ...]:
        client = self._clients[mac]
        got = client.lease is not None or bool(client.refused)
        return mac in self._known, is_phone(client.vendor_class), got, client.requests > 0, client.tells


class _Web:
    """Who asks for the provisioning services or names itself a phone, where DHCP was not captured; and our own checks."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self.packets = self.cut = 0
        self.dhcp_is_cut = False
        self.askers: dict[str, str] = {}
        self.probers: set[str] = set()
        self._gone: set[str] = set()

    @property
    def others(self) -> int:
        """Return how many are not told of."""
        return len(self._gone - self.probers)

    def watch(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """Pass packets on, and note who they are of."""
        for packet in packets:
            payload = packet.payload
            self.packets += 1
            if packet.cut:
                self.cut += 1
                self.dhcp_is_cut |= DHCP_PORT in {packet.sport, packet.dport}
            if packet.mac in self._known and packet.kind in {"tcp", "udp"} and packet.source != "0.0.0.0":
                self._ask(packet, 2 * MOST_CLIENTS)
            if packet.kind == "tcp" and payload:
                if _AGENT in payload:
                    self._ask(packet)
                if _MARK in payload:
                    _add(self.probers, packet.source)
            elif packet.kind == "udp":
                if packet.dport == 53 and SERVICE_MARK in payload:
                    self._ask(packet)
                if payload[:2] == b"\0\1" and PROBE.encode() in payload:
                    _add(self.probers, packet.source)
            yield packet

    def _ask(self, packet: Packet, most: int = MOST_CLIENTS) -> None:
        if packet.source in self.askers or len(self.askers) < most:
            self.askers.setdefault(packet.source, packet.mac)
        elif len(self._gone) < MOST_OTHERS:
            self._gone.add(packet.source)


def _messages(packets: Iterable[Packet]) -> Iterator[tuple[Packet, dhcp.Message]]:
    for packet in packets:
        if (
            packet.kind == "udp"
            and {packet.sport, packet.dport} <= {67, 68}
            and packet.size <= LONGEST_MESSAGE
        ):
            try:
                yield packet, dhcp.decode(packet.payload)
            except Malformed:
                continue


def _in_order(
    messages: Iterable[tuple[Packet, dhcp.Message]],
) -> Iterator[tuple[Packet, dhcp.Message]]:
    """Put messages into the order of their times, as far as a window of them shows it."""
    heap: list[tuple[float, int, Packet, dhcp.Message]] = []
    for place, (packet, message) in enumerate(messages):
        entry = (packet.time, place, packet, message)
        if len(heap) < WINDOW:
            heapq.heappush(heap, entry)
        else:
            _, _, earliest, said = heapq.heappushpop(heap, entry)
            yield earliest, said
    for _, _, packet, message in sorted(heap, key=lambda entry: entry[:2]):
        yield packet, message


def _lease_of(message: dhcp.Message, server: str) -> Lease:
    sname = message.sname.rstrip(b"\0").decode("ascii", "replace")
    return Lease(_dotted(message.yiaddr.to_bytes(4, "big")), server, dict(message.options), sname)


def _is_probe(packet: Packet, message: dhcp.Message) -> bool:
    """Tell whether a message is a DISCOVER of somebody who has an address already, and is no relay agent."""
    return (
        packet.dport == dhcp.SERVER_PORT
        and packet.source != "0.0.0.0"
        and message.type == dhcp.Type.DISCOVER
        and not message.giaddr
        and not message.ciaddr
    )


_T = TypeVar("_T", str, int)


def _add(found: set[_T], value: _T) -> None:
    if len(found) < MOST_PROBERS:
        found.add(value)


def _dotted(data: bytes) -> str:
    return ".".join(map(str, data))

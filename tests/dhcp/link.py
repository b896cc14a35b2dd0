"""A server and clients joined in memory, with a clock of their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from netprov.dhcp import message as dhcp
from netprov.dhcp.config import ClassConfig, DhcpConfig, NetworkConfig, PhoneConfig, ServerLimits, Setting
from netprov.dhcp.lease import Lease
from netprov.dhcp.match import Condition
from netprov.dhcp.message import Message, Type
from netprov.dhcp.server import Server
from netprov.machine import Datagram, Dropped, Endpoint, Event

MAC = bytes.fromhex("001234ab45de")
OTHER = bytes.fromhex("001234000001")
STRANGER = bytes.fromhex("020000000001")
CLIENT = Endpoint("0.0.0.0", 68, "lan0")


def ip(text: str) -> int:
    return int(IPv4Address(text))


def setting(code: int, data: bytes) -> Setting:
    return Setting(code, data, ("networks", "voice"))


SERVER_ID = ip("10.20.0.1")
VOICE = NetworkConfig(
    name="voice",
    prefix=ip("10.20.0.0"),
    mask=ip("255.255.255.0"),
    address=SERVER_ID,
    interface="lan0",
    pool=((ip("10.20.0.100"), ip("10.20.0.109")),),
    settings={
        1: setting(1, bytes([255, 255, 255, 0])),
        3: setting(3, SERVER_ID.to_bytes(4, "big")),
        6: setting(6, SERVER_ID.to_bytes(4, "big")),
        15: setting(15, b"example.com"),
    },
    probe=False,
)
FAR = replace(
    VOICE, name="far", prefix=ip("10.30.0.0"), interface="", pool=((ip("10.30.0.10"), ip("10.30.0.19")),)
)
CONFIG = DhcpConfig(
    networks=(VOICE, FAR),
    classes=(
        ClassConfig(
            "legacy", "dhcp", Condition(vendor_class=("CP-79*",)),
            {66: setting(66, b"10.20.0.1"), 150: setting(150, SERVER_ID.to_bytes(4, "big")), 160: setting(160, b"http://h/")},
            (160,),
        ),
    ),
    phones={
        MAC: PhoneConfig(MAC, ("phones", 0), network="voice", address=ip("10.20.0.50")),
        OTHER: PhoneConfig(OTHER, ("phones", 1)),
    },
    limits=ServerLimits(),
)  # fmt: skip

_xids = itertools.count(1)


class Lan:
    """One server, the time, and what it said last."""

    def __init__(self, config: DhcpConfig = CONFIG, leases: Iterable[Lease] = ()) -> None:
        self.server = Server(config, leases)
        self.now = 1000.0
        self.events: list[Event] = []

    def send(self, request: Message, source: Endpoint = CLIENT) -> list[Datagram]:
        """Give the server a request; return its replies."""
        return self.send_raw(dhcp.encode(request), source)

    def send_raw(self, data: bytes, source: Endpoint = CLIENT) -> list[Datagram]:
        self.server.receive(data, source, self.now)
        self.events += self.server.events()
        return self.server.datagrams_to_send()

    def ask(self, request: Message, source: Endpoint = CLIENT) -> Message:
        """Give the server a request that has exactly one reply."""
        (reply,) = self.send(request, source)
        return dhcp.decode(reply.data)

    def silent(self, request: Message, source: Endpoint = CLIENT) -> str:
        """Give the server a request that has no reply; return the reason, "" if it was taken in."""
        assert self.send(request, source) == []
        return next((e.reason for e in reversed(self.events) if isinstance(e, Dropped)), "")

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.server.handle_timer(self.now)
        self.events += self.server.events()

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def acquire(self, mac: bytes = MAC, **fields: Any) -> Message:
        """Walk DISCOVER to ACK."""
        offer = self.ask(request(Type.DISCOVER, mac, **fields))
        assert offer.type == Type.OFFER
        ack = self.ask(select(offer, mac, **fields))
        assert ack.type == Type.ACK
        return ack


def request(
    kind: Type | None, mac: bytes = MAC, options: Mapping[int, bytes] | None = None, **fields: Any
) -> Message:
    first = {53: bytes([kind])} if kind is not None else {}
    return Message(op=1, xid=next(_xids), chaddr=mac, options=first | dict(options or {}), **fields)


def select(
    offer: Message, mac: bytes = MAC, options: Mapping[int, bytes] | None = None, **fields: Any
) -> Message:
    chosen = {50: offer.yiaddr.to_bytes(4, "big"), 54: offer.options[54]}
    return request(Type.REQUEST, mac, chosen | dict(options or {}), **fields)


def octets(text: str) -> bytes:
    return IPv4Address(text).packed

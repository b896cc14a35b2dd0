"""How a server answers and whom: what the responder is told, what it knows of a client, what it decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from netprov.dns.message.query import Query
from netprov.dns.server.transfer import ZoneTransferred
from netprov.dns.server.tsig import Key

UDP_SIZE = 1232
"""Octets of the largest UDP reply: what fits every path unfragmented (DNS flag day 2020)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a server answers, whatever its zones.

    `version` and `identity` are what it tells of itself, `cookies` is the secret of its cookies (16 octets, none for no
    cookies), which strangers may be required to show over UDP; `forwards` says whether it relays for the LAN what is not
    its own, `blackhole` holds names below which nothing exists for the LAN.
    """

    version: str | None = None
    identity: str | None = None
    udp_size: int = UDP_SIZE
    cookies: bytes = field(default=b"", repr=False)
    cookies_required: bool = False
    forwards: bool = False
    blackhole: frozenset[bytes] = frozenset()

    @property
    def tells_apart(self) -> bool:
        """Whether the LAN's clients and others get different answers to one query."""
        return self.forwards or bool(self.blackhole) or self.cookies_required


@dataclass(frozen=True, slots=True)
class Access:
    """Who may transfer zones: pairs of packed address and key name, b"" for no key. Nobody by default."""

    keys: Mapping[bytes, Key] = field(default_factory=dict)
    secondaries: frozenset[tuple[bytes, bytes]] = frozenset()


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: packed address, whether of a network that is served here, over which transport.

    `doubted`: it has asked too much for one whose address may be forged, and must show a cookie or come over TCP.
    """

    address: bytes = b"\x7f\x00\x00\x01"
    local: bool = True
    tcp: bool = False
    doubted: bool = False


class Outcome(NamedTuple):
    """What to do with a query: send `reply`; send all of `stream` (over TCP alone); or `relay` it; or nothing.

    `keep`: the same query behind its ID gets the same reply behind its ID, whoever of the LAN asks, or whoever else if
    a stranger did. `known`: the client has shown by a cookie that its address is its own. `transferred` is true once
    all of `stream` is out.
    """

    reply: bytes | None = None
    keep: bool = False
    known: bool = False
    stream: Iterator[bytes] | None = None
    transferred: ZoneTransferred | None = None
    relay: Query | None = None

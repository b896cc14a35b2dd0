"""NOTIFY to secondaries, with retries until each has answered (RFC 1996 3.3 to 3.12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from netprov.dns.iana.flag import Flag
from netprov.dns.iana.opcode import SHIFT, Opcode, opcode
from netprov.dns.iana.rrtype import SOA
from netprov.dns.message.name import format_name
from netprov.dns.server import tsig
from netprov.dns.server.tsig import Key
from netprov.dns.zone.zone import Zone
from netprov.machine import Datagram, Dropped, Endpoint, Event

DELAYS = (2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds to wait for an answer, try by try (RFC 1996 3.6 leaves it to us); a secondary that missed them all asks by
itself when the SOA's refresh timer is up."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A secondary: where it is told, from which of our addresses, signed with which key."""

    address: str
    port: int = 53
    source: str = ""
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Notified:
    """A secondary has confirmed that it knows of a zone's new serial."""

    zone: str
    serial: int
    secondary: str
    event_kind: ClassVar[str] = "Notified"


@dataclass(frozen=True, slots=True)
class Unheard:
    """A secondary has not answered any NOTIFY of a zone; it asks by itself later."""

    zone: str
    serial: int
    secondary: str
    event_kind: ClassVar[str] = "Unheard"


@dataclass(slots=True)
class _Pending:
    peer: Peer
    origin: bytes
    soa: bytes
    ttl: int
    serial: int
    id: int
    tries: int
    due: float


class Notifier:
    """The machine that tells secondaries; `draw(n)` returns a random integer from 0 to n, for message IDs."""

    def __init__(self, draw: Callable[[int], int]) -> None:
        self._draw = draw
        self._pending: dict[tuple[str, int, bytes], _Pending] = {}
        self._events: list[Event] = []
        self._out: list[Datagram] = []

    def announce(self, zones: Iterable[Zone], peers: Sequence[Peer], now: float) -> None:
        """Tell every peer of these zones' serials; what was under way for a zone is replaced."""
        for zone in zones:
            soa = zone.soa
            for peer in peers:
                pending = _Pending(
                    peer, zone.origin, soa.rdatas[0], soa.ttl, zone.serial, self._draw(0xFFFF), 0, now
                )
                self._pending[peer.address, peer.port, zone.origin] = pending
        self.handle_timer(now)

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> None:  # noqa: ARG002 - the contract
        """Take in an answer: it must come from the secondary, with the ID and the zone of what was sent."""
        end = datagram.find(b"\x00", 12) + 1
        pending = self._pending.get((source.address, source.port, datagram[12:end].lower()))
        if (
            pending is None
            or not datagram[2] & 0x80
            or opcode(datagram[2] << 8) != Opcode.NOTIFY
            or int.from_bytes(datagram[:2], "big") != pending.id
        ):
            self._events.append(Dropped("not an answer to a NOTIFY of ours", source))
            return
        del self._pending[source.address, source.port, pending.origin]
        self._events.append(Notified(format_name(pending.origin), pending.serial, source.address))

    def handle_timer(self, now: float) -> None:
        """Send what is due, and give up on what has been sent often enough."""
        for place, pending in list(self._pending.items()):
            if pending.due > now:
                continue
            if pending.tries == len(DELAYS):
                del self._pending[place]
                unheard = Unheard(format_name(pending.origin), pending.serial, pending.peer.address)
                self._events.append(unheard)
                continue
            pending.due = now + DELAYS[pending.tries]
            pending.tries += 1
            self._out.append(_datagram(pending, now))

    def timer(self) -> float | None:
        """Return when the next try is due."""
        return min((pending.due for pending in self._pending.values()), default=None)

    def events(self) -> Sequence[Event]:
        """Return and forget who has answered and who has not."""
        events, self._events = self._events, []
        return events

    def datagrams_to_send(self) -> Sequence[Datagram]:
        """Return and forget what is to be sent."""
        out, self._out = self._out, []
        return out


def _datagram(pending: _Pending, now: float) -> Datagram:
    """Build a NOTIFY with the new SOA as a hint in the answer section (RFC 1996 3.7)."""
    question = pending.origin + SOA.to_bytes(2, "big") + b"\x00\x01"
    flags = Opcode.NOTIFY << SHIFT | Flag.AA
    counts = b"\x00\x01\x00\x01\x00\x00\x00\x00"
    message = pending.id.to_bytes(2, "big") + flags.to_bytes(2, "big") + counts + question
    head = SOA.to_bytes(2, "big") + b"\x00\x01" + pending.ttl.to_bytes(4, "big")
    message += b"\xc0\x0c" + head + len(pending.soa).to_bytes(2, "big") + pending.soa
    peer = pending.peer
    if peer.key:
        message, _ = tsig.sign(message, peer.key, now)
    return Datagram(message, Endpoint(peer.address, peer.port), peer.source)

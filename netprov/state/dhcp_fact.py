"""What DHCP's events tell of a client, for the device records: its lease, and why it got none.

Renewals say nothing new, and a client that is not served asks for ever: the same refusal is told once in ten minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netprov.dhcp.lease import Bound, Declined, Expired, Nak, Released
from netprov.dhcp.message import dotted
from netprov.mac import format_mac
from netprov.machine import Dropped, Event
from netprov.provision.standing import Fact

REPEAT_S = 600.0
_MOST = 10_000
"""Clients whose last refusal is remembered; beyond, all are forgotten and told anew."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A client asked, and got no answer."""

    mac: str
    interface: str
    reason: str
    event_kind: ClassVar[str] = "Unanswered"

    def __str__(self) -> str:
        return f"{self.mac} gets no answer: {self.reason}"


class DhcpFacts:
    """Picks the facts out of the events."""

    def __init__(self) -> None:
        self._refused: dict[str, tuple[str, float]] = {}

    def fact_of(self, event: Event, now: float) -> tuple[Event, Fact] | None:
        """Return what is to be kept of an event, and of whom; None for nothing."""
        match event:
            case Bound(lease, renewed):
                mac = format_mac(lease.mac)
                ended = self._refused.pop(mac, None) is not None
                return (event, Fact(dotted(lease.address), mac)) if ended or not renewed else None
            case Released(lease) | Expired(lease):
                return event, Fact(dotted(lease.address), format_mac(lease.mac))
            case Declined(lease):
                return event, Fact(mac=format_mac(lease.mac))
            case Nak(mac=octets, reason=reason):
                return self._once(event, format_mac(octets), reason, now)
            case Dropped(reason, source) if source.mac:
                mac = format_mac(source.mac)
                return self._once(Unanswered(mac, source.interface, reason), mac, reason, now)
            case _:
                return None

    def _once(self, event: Event, mac: str, reason: str, now: float) -> tuple[Event, Fact] | None:
        last, when = self._refused.get(mac, ("", 0.0))
        if last == reason and now - when < REPEAT_S:
            return None
        if len(self._refused) >= _MOST:
            self._refused.clear()
        self._refused[mac] = reason, now
        return event, Fact(mac=mac)

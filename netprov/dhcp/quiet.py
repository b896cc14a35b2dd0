"""Links on which nothing is offered for a while, and the clients that asked there a moment ago."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netprov.dhcp.reply import Incoming

HOLD_S = 4.0
"""How long a client waits for an offer before it asks anew (RFC 2131 4.1)."""

MOST_HELD = 256
"""Clients that are remembered."""


class QuietLinks:
    """Reasons by interface."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._held: dict[bytes, tuple[Incoming, float]] = {}

    @property
    def reasons(self) -> Mapping[str, str]:
        """The links on which nothing is offered, and why."""
        return self._reasons

    def hold(self, incoming: Incoming, now: float) -> str:
        """Return why a client on our own link gets no offer, "" if it may have one; it is remembered for a while."""
        if not self._reasons or incoming.request.giaddr:
            return ""
        interface = incoming.source.interface
        if interface not in self._reasons:
            return ""
        if incoming.key in self._held or len(self._held) < MOST_HELD:
            self._held[incoming.key] = incoming, now
        return f"nothing is offered on {interface}: {self._reasons[interface]}"

    def set(self, interface: str, reason: str, now: float) -> Iterator[Incoming]:
        """Offer nothing for a reason, or for none again; yield those who asked and still wait."""
        if reason:
            self._reasons[interface] = reason
            return
        if self._reasons.pop(interface, ""):
            held, self._held = self._held, {}
            for key, (incoming, when) in held.items():
                if incoming.source.interface != interface:
                    self._held[key] = incoming, when
                elif now - when < HOLD_S:
                    yield incoming

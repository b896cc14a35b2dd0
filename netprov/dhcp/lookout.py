"""Whether another DHCP server is on a link: asked at the start, listened for ever after, asked again until it is gone.

Beside another server nothing is offered: which of two offers a client takes is chance. Leases of ours are still confirmed.
"""

from __future__ import annotations

from netprov.dhcp.message import dotted

LOOK_S = 5.0
"""How long an answer may take: dnsmasq pings an address for three seconds before it offers it."""

AGAIN_S = 20.0
"""How often a server that was heard is asked whether it is still there."""

GONE_S = 3 * AGAIN_S + LOOK_S
"""A server that was silent for so long, three questions unanswered, is gone."""

MOST = 64
"""Servers that are remembered on one link."""


class Lookout:
    """One link. Who holds it sends a DISCOVER when `ask` says so, and tells of every answer that it hears."""

    def __init__(self, now: float) -> None:
        self._until = now + LOOK_S
        self._asked = now - LOOK_S
        self._suspected = True
        self._heard: dict[int, float] = {}

    def ask(self, now: float) -> bool:
        """Say whether to ask the link now; it counts as asked."""
        wait = AGAIN_S if self._heard and not self._suspected else LOOK_S
        due = (self._heard or self._suspected) and now - self._asked >= wait
        if due:
            self._asked, self._suspected = now, False
        return bool(due)

    def suspect(self) -> None:
        """Note that a client named a server that is not ours: the link is asked, for a client can say anything."""
        self._suspected = True

    def hear(self, server: int, now: float) -> bool:
        """Note that a server answered; return whether it is a new one."""
        new = server not in self._heard
        if not new or len(self._heard) < MOST:
            self._heard[server] = now
        return new

    @property
    def found(self) -> bool:
        """Say whether a server was heard that is not known to be gone."""
        return bool(self._heard)

    def reason(self, now: float) -> str:
        """Say why nothing is offered on the link at the moment, "" if there is no reason."""
        self._heard = {server: when for server, when in self._heard.items() if now - when < GONE_S}
        if self._heard:
            servers = ", ".join(dotted(server) for server in sorted(self._heard))
            return f"another DHCP server, {servers}, answers there"
        return "other DHCP servers are looked for" if now < self._until else ""

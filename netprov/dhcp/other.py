"""Other DHCP servers on our links, by what clients name when they choose (RFC 2131 3.1.4) or by their own answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netprov.dhcp.config import DhcpConfig
from netprov.dhcp.message import Message, Type, dotted
from netprov.dhcp.option import table as code
from netprov.mac import format_mac
from netprov.machine import Endpoint

AGAIN = 600.0
"""Seconds after which another server is told of again."""

MOST = 256
"""Other servers that are remembered."""

LOOK_S = 5.0
"""How long an answer may take: dnsmasq pings an address for three seconds before it offers it."""

TRIES, RETRY_S = 3, 1.0
"""How often the link is asked when it is looked at, and how far apart: a datagram may be lost."""

AGAIN_S = 20.0
"""How often a server that was heard is asked whether it is still there."""

GONE_S = 3 * AGAIN_S + LOOK_S
"""A server that was silent for so long, three questions unanswered, is gone."""

MOST_ON_LINK = 64
"""Servers that are remembered on one link."""


@dataclass(frozen=True, slots=True)
class OtherServer:
    """A client took the offer of another DHCP server on our network."""

    address: str
    mac: bytes
    interface: str
    event_kind: ClassVar[str] = "OtherServer"
    log_level: ClassVar[str] = "warning"

    def __str__(self) -> str:
        return f"another DHCP server, {self.address}, serves {format_mac(self.mac)} on {self.interface}"


class OtherServers:
    """Which other servers were told of, and when."""

    def __init__(self, config: DhcpConfig) -> None:
        self._ours = frozenset(network.address for network in config.networks)
        self._allowed = frozenset(network.interface for network in config.networks if network.others_allowed)
        self._told: dict[int, float] = {}

    def server(self, request: Message, source: Endpoint, now: float) -> OtherServer | None:
        """Return the other server that a request on our own link names, None if there is nothing new."""
        chosen = request.address(code.SERVER_ID)
        if request.type != Type.REQUEST or request.giaddr or not chosen or chosen in self._ours:
            return None
        if source.interface in self._allowed or now - self._told.get(chosen, -AGAIN) < AGAIN:
            return None
        if len(self._told) >= MOST:
            self._told.clear()
        self._told[chosen] = now
        return OtherServer(dotted(chosen), request.chaddr, source.interface)


class Lookout:
    """One link, asked at the start, listened to for ever after, asked again while another server is there.

    Beside it nothing is offered: which of two offers a client takes is chance. Leases of ours are still confirmed. Who holds it sends a DISCOVER when `ask` says so, and tells of every answer that it hears."""

    def __init__(self, now: float) -> None:
        self._until = now + LOOK_S
        self._asked = now - LOOK_S
        self._suspected = True
        self._left = 0
        self._heard: dict[int, float] = {}

    def ask(self, now: float) -> bool:
        """Say whether to ask the link now; it counts as asked."""
        since = now - self._asked
        if self._suspected and since >= LOOK_S:
            self._suspected, self._left = False, TRIES
        if self._heard and since >= AGAIN_S:
            self._left = 1
        if not self._left or since < RETRY_S:
            return False
        self._asked, self._left = now, self._left - 1
        return True

    def suspect(self) -> None:
        """Note that a client named a server that is not ours: the link is asked, for a client can say anything."""
        self._suspected = True

    def hear(self, server: int, now: float) -> bool:
        """Note that a server answered; return whether it is a new one."""
        new = server not in self._heard
        if not new or len(self._heard) < MOST_ON_LINK:
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

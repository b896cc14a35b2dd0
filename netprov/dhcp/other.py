"""Other DHCP servers, as clients on our link name them when they choose (RFC 2131 3.1.4)."""

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


@dataclass(frozen=True, slots=True)
class OtherServer:
    """A client took the offer of another DHCP server on our network."""

    address: str
    mac: bytes
    interface: str
    event_kind: ClassVar[str] = "OtherServer"
    severity: ClassVar[str] = "warning"

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

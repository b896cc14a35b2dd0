"""Questions put to both servers, and what came back, in one shape for DHCP and DNS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.compare.client import AskingClient


@dataclass(frozen=True, slots=True)
class DhcpQuestion:
    """One message of one client: `asks` is its option 55, None for a client without one."""

    client: AskingClient
    message: str
    """discover, request, rebind, inform or reboot: the message and the state it is sent in (RFC 2131 figure 5)."""
    asks: tuple[int, ...] | None

    def __str__(self) -> str:
        if self.asks is None:
            asked = "without a request list"
        elif len(self.asks) > 1:
            asked = "asking for everything"
        else:
            asked = f"asking for option {self.asks[0]} alone"
        return f"{self.client}, {self.message}, {asked}"


@dataclass(frozen=True, slots=True)
class DhcpAnswer:
    """A reply without what differs each time; `kind` is "" where none came."""

    kind: str = ""
    address: int = 0
    server: int = 0
    options: Mapping[int, bytes] = field(default_factory=dict)
    header: tuple[int, bytes, bytes] = (0, b"", b"")
    """siaddr, sname and file."""


@dataclass(frozen=True, slots=True)
class DnsQuestion:
    """One name and type, over one transport."""

    name: str
    type: str
    tcp: bool

    def __str__(self) -> str:
        return f"{self.name} {self.type} over {'TCP' if self.tcp else 'UDP'}"


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """A reply: its code, and its answer section as `(name, type, data)` with the TTLs apart; "" where none came."""

    status: str = ""
    records: tuple[tuple[str, str, str], ...] = ()
    ttls: tuple[int, ...] = ()
    authoritative: bool = False


Question = DhcpQuestion | DnsQuestion
Answer = DhcpAnswer | DnsAnswer

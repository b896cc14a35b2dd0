"""Questions put to both servers, and what came back, in one shape for DHCP, DNS and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.compare.client import AskingClient


@dataclass(frozen=True, slots=True)
class DhcpQuestion:
    """One message of one client: `asks` is its option 55, None for a client without one."""

    client: AskingClient
    message: str
    """discover, request, rebind, inform or reboot: the message and the state it is sent in (RFC 2131 figure 5);
    relayed: a DISCOVER through a relay agent; released and declined: one after RELEASE or DECLINE."""
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
    again: bool = False
    """Whether the address is the one that the client gave back or declined before."""


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


@dataclass(frozen=True, slots=True)
class WebQuestion:
    """One path, over TFTP, HTTP or HTTPS, at one socket of the plan."""

    scheme: str
    address: str
    port: int
    path: str
    host: str = ""
    """What the socket is reached by, as phones name it in `Host`; "" for its address."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """A reply: its status, or the trouble that came instead, the headers that phones go by, what the body is."""

    status: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    kind: str = ""
    """encrypted or certificates, for bodies of which each server has its own; "" for others."""
    names: tuple[str, ...] = ()
    """Names of the certificate that the server presented."""


Question = DhcpQuestion | DnsQuestion | WebQuestion
Answer = DhcpAnswer | DnsAnswer | WebAnswer

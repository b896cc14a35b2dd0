"""What the phone asks of the world, and what can come back: the two alphabets of the road.

An action is performed by a pump with real sockets (netprov.emulator.phone), by a table in a test, or by the plan alone
(netprov explain); a result says what came back, never how it was obtained.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address
from typing import TypeVar

from netprov.phone.rule.url import Url

MAX_FILE = 64 << 20
"""Octets of one file that a phone takes, by whatever protocol; loads of firmware are the largest."""


class Trouble(StrEnum):
    """Why an exchange came to nothing, as far as the phone can tell."""

    TIMEOUT = "no answer"
    DHCP_NAK = "the DHCP server refuses the address"
    DHCP_NO_ACK = "an address was offered but not confirmed"
    DHCP_UNSERVED = "the DHCP server does not answer this phone"
    DHCP_UNHEARD = "the DHCP server has heard nothing of this phone"
    STALLED = "the transfer stopped half-way"
    REFUSED = "connection refused"
    UNREACHABLE = "no route to the host"
    RESET = "connection closed by the server"
    UNTRUSTED = "certificate of an authority that the phone does not know"
    WRONG_NAME = "certificate for another name"
    EXPIRED = "certificate expired"
    NOT_YET = "certificate not yet valid"
    REJECTED = "certificate refused, for a reason that the alert does not tell"
    CLIENT_CERTIFICATE = "the server demands a certificate of the phone"
    NOT_TLS = "the answer is not TLS"
    TLS = "TLS handshake failed"
    NOT_FOUND = "file not found"
    TRANSFER = "transfer refused"
    GARBAGE = "answer not understood"
    NXDOMAIN = "no such name"
    NODATA = "name without such records"
    DNS_REFUSED = "the DNS server refuses to answer"
    DNS_FAILED = "the DNS server failed"
    NO_SERVER = "no DNS server known"
    ELSEWHERE = "not a server of the inventory"
    UNSEEN = "not captured"
    UNASKED = "values of its profile come from a source, which is not asked here"


@dataclass(frozen=True, slots=True)
class AskDhcp:
    """Obtain a lease, or confirm the one remembered."""

    vendor_class: str
    requested: tuple[int, ...]
    client_mac: str


@dataclass(frozen=True, slots=True)
class Lease:
    """What DHCP gave: `options` holds every option's octets, joined as RFC 3396 says.

    `sname` is the header field, which phones do not read; `rivals` are other servers that offered a lease.
    """

    address: str
    server: str
    options: Mapping[int, bytes] = field(default_factory=dict)
    sname: str = ""
    rivals: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """Option 15 without the NUL and the dot that some servers append."""
        return self.options.get(15, b"").rstrip(b"\0").decode("ascii", "replace").strip().rstrip(".")

    def reaches(self, address: str) -> bool:
        """Tell whether a phone has a way to an address: on its subnet (option 1), or through a router (option 3)."""
        mask = int.from_bytes(self.options.get(1, b""), "big")
        here, there = (int(IPv4Address(each)) for each in (self.address, address))
        return bool(self.options.get(3)) or not mask or here & mask == there & mask

    @property
    def dns(self) -> tuple[str, ...]:
        """Option 6."""
        return addresses(self.options.get(6, b""))


@dataclass(frozen=True, slots=True)
class Resolve:
    """Ask DNS for the records of one type, A or SRV."""

    name: str
    type: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SrvRecord:
    """One SRV record (RFC 2782); `target` without its trailing dot, "" for the root."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Found:
    """What DNS answered."""

    addresses: tuple[str, ...] = ()
    records: tuple[SrvRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: its name or address as the phone has it, and the answer to its challenge, "" for none yet."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask one server for one URL.

    `address` is where to connect: the server's, or the `proxy`'s. `verify` is the name that the certificate must carry, "" without TLS, and
    `anchors` the trust anchors in PEM; `tls13` says that the phone speaks TLS 1.3.
    """

    url: Url
    address: str
    verify: str = ""
    anchors: tuple[str, ...] = ()
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    client_certificate: str = ""
    client_key: str = ""
    tls13: bool = False
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What a server sent; TFTP has no status, so a file that came by it has 200."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        """Return a header's first value whatever its case, or ""."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass, in seconds; `why` is for people. One that `listens` ends early when something happens to the phone."""

    seconds: float
    why: str
    listens: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """A line that the phone shows or logs; `server` is where its syslog goes, "" for nowhere."""

    text: str
    server: str = ""
    failure: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """A wait or a line is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing usable came back."""

    trouble: Trouble
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.trouble}: {self.detail}" if self.detail else str(self.trouble)


Action = AskDhcp | Resolve | Fetch | Wait | Say
Result = Lease | Found | Response | Done | Failed

T = TypeVar("T")
Road = Generator[Action, Result, T]
"""A piece of the road: yields actions, is sent results, returns what it was for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its result: a line of the timeline.

    `started` and `seconds` are on the clock of whoever performed it; `asked` and `answered` are octets where known;
    `evidence` says where the fact is from: packet numbers, an inventory line, a record.
    """

    action: Action
    result: Result
    started: float = 0.0
    seconds: float = 0.0
    asked: int = 0
    answered: int = 0
    evidence: str = ""


def addresses(data: bytes) -> tuple[str, ...]:
    """Read a list of IPv4 addresses of four octets each; octets left over are ignored."""
    whole = len(data) - len(data) % 4
    return tuple(".".join(map(str, data[i : i + 4])) for i in range(0, whole, 4))

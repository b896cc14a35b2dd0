"""What the provisioning servers report: facts of the device record, each a sentence in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from netprov.hostport import Scheme
from netprov.provision.gate.handout import Proof
from netprov.provision.requester import Agent
from netprov.provision.syslog import PhoneStatement

PROBE = "netprov-probe"
"""The HTTP field, and the option of TFTP, by which our own probes say what they are: no phone has done what they do.

The value ends in the MAC address of the phone in whose name they ask: a path can name any phone too, so that nobody gets by
it what a path would not give.
"""


def _who(address: str, mac: str, *, proven: bool) -> str:
    """Return a sender and whom he is about; what he only claims is said to be a claim."""
    if not mac:
        return address
    return f"{address} ({mac})" if proven else f"{address} (claims {mac})"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and its answer: an HTTP status (for TFTP the one that means the same) and what was sent.

    `probe` says that a check of ours asked, in a phone's name. `address` is the sender, `mac` whom the request is about;
    `proven` says that they are one: by certificate, credentials, the inventory's address, a lease or the link. `why` is the id
    of a refusal's cause where it has one of its own.
    """

    scheme: Scheme
    address: str
    method: str
    path: str
    status: int
    kind: str = ""
    octets: int = 0
    mac: str = ""
    reason: str = ""
    agent: Agent | None = None
    probe: bool = False
    proven: bool = True
    why: str = ""
    event_kind: ClassVar[str] = "Asked"

    def __str__(self) -> str:
        who = _who(self.address, self.mac, proven=self.proven)
        what = f"{self.kind}, {self.octets} octets" if self.kind else self.reason or "nothing"
        probe = ", a probe of ours" if self.probe else ""
        return f"{who} {self.method} {self.scheme} {self.path}: {self.status} {what}{probe}"


def claimed(event: Asked) -> Asked:
    """Return a request of which the sender has not shown that he is the phone; `replace` takes thrice the time."""
    return Asked(
        event.scheme,
        event.address,
        event.method,
        event.path,
        event.status,
        event.kind,
        event.octets,
        event.mac,
        event.reason,
        event.agent,
        event.probe,
        proven=False,
        why=event.why,
    )


@dataclass(frozen=True, slots=True)
class KeyGiven:
    """The key or password of a phone's profile is about to leave: on record already, and by what the sender was known."""

    address: str
    mac: str
    proof: Proof
    times: int
    probe: bool = False
    event_kind: ClassVar[str] = "KeyGiven"

    def __str__(self) -> str:
        again = f", for the {self.times}th time" if self.times > 1 else ""
        return f"{self.address} ({self.mac}) is given the key of its profile, known by its {_KNOWN_BY[self.proof]}{again}"


_KNOWN_BY: Mapping[Proof, str] = {
    "certificate": "certificate",
    "port": "address, leased at a named port",
    "lease": "address",
}


@dataclass(frozen=True, slots=True)
class FileSent:
    """A TFTP transfer that came to its end."""

    address: str
    path: str
    octets: int
    seconds: float
    retransmissions: int
    everyday: ClassVar[bool] = True
    event_kind: ClassVar[str] = "FileSent"

    def __str__(self) -> str:
        return (
            f"{self.address} has {self.path}: {self.octets} octets in {self.seconds:.3f} s, "
            f"{self.retransmissions} sent again"
        )


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """A TFTP transfer that ended early: the phone's own error, or its silence."""

    address: str
    path: str
    reason: str
    event_kind: ClassVar[str] = "TransferFailed"

    def __str__(self) -> str:
        return f"{self.address} did not get all of {self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class TlsFailed:
    """A TLS handshake that came to nothing; an alert of the phone's, "unknown CA" say, tells what it disliked.

    `sent` is the request line of a client that spoke HTTP instead.
    """

    address: str
    reason: str
    server: str = ""
    sent: str = ""
    event_kind: ClassVar[str] = "TlsFailed"

    def __str__(self) -> str:
        sent = f": {self.sent}" if self.sent else ""
        return f"{self.address} TLS handshake failed: {self.reason}{sent}"


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """Something sent to a web server that is no request: without Host, with a blank in its path, of an odd version."""

    scheme: Scheme
    address: str
    status: int
    reason: str
    sent: str = ""
    event_kind: ClassVar[str] = "RequestRefused"

    def __str__(self) -> str:
        return f"{self.address} {self.scheme}: {self.status} {self.reason}: {self.sent}"


def alert_of(reason: str) -> str:
    """Return the alert that OpenSSL's symbol of a failure names (SSLV3_ALERT_BAD_CERTIFICATE), as `bad certificate`; "" for none."""
    return reason.lower().replace("_", " ").partition(" alert ")[2]


@dataclass(frozen=True, slots=True)
class Reported:
    """A phone's report; its fields are for the device record, not for the log."""

    address: str
    mac: str
    kind: str
    path: str
    fields: Mapping[str, str] = field(repr=False)
    proven: bool = True
    event_kind: ClassVar[str] = "Reported"

    def __str__(self) -> str:
        who = _who(self.address, self.mac or "unknown", proven=self.proven)
        return f"{who} {self.kind} report at {self.path}: {len(self.fields)} fields"


@dataclass(frozen=True, slots=True)
class Posted:
    """The body that a phone sent with its request for a profile (`--post`)."""

    address: str
    mac: str
    path: str
    body: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)
    proven: bool = True
    kind: ClassVar[str] = "posted"
    event_kind: ClassVar[str] = "Posted"

    def __str__(self) -> str:
        who = _who(self.address, self.mac or "unknown", proven=self.proven)
        return f"{who} posted {len(self.body)} octets at {self.path}"


@dataclass(frozen=True, slots=True)
class PhoneSaid:
    """A phone's own sentence about a resync or an upgrade, from syslog."""

    address: str
    mac: str
    told: PhoneStatement
    event_kind: ClassVar[str] = "PhoneSaid"

    def __str__(self) -> str:
        return f"{self.address} ({self.mac}) {self.told}"


@dataclass(frozen=True, slots=True)
class SyslogLine:
    """Any other syslog message: kept in the device record, not worth a line in our own log every time."""

    address: str
    severity: int
    text: str
    everyday: ClassVar[bool] = True
    event_kind: ClassVar[str] = "SyslogLine"

    def __str__(self) -> str:
        return f"{self.address} says: {self.text[:500]}"

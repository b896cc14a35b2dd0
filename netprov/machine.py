"""The one contract between protocol cores and the pumps that give them sockets, a clock and a disk.

A pump drains its socket, feeds every datagram to the machine, records all events durably in one commit,
then sends: durable before visible (RFC 2131 section 3.1). Time and randomness are arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, dataclass
from typing import Any, ClassVar, NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a datagram's way.

    `interface` is the name of the local interface that the datagram came in on or must leave by ("" where
    it does not matter). `mac` is set on a destination that has no address yet and must be reached at its
    link-layer address (RFC 2131 section 4.1), and on a source where the pump knows it.
    """

    address: str
    port: int
    interface: str = ""
    mac: bytes = b""
    broadcast: bool = False
    """On a source: the datagram came as a broadcast, so that its sender is on that interface's own link."""


class Datagram(NamedTuple):
    """Octets to send, and to whom; `source` is the local address to send from, "" for the system's choice.

    A named tuple, where other values are frozen dataclasses: it is made in a third of the time, at every reply.
    """

    data: bytes
    destination: Endpoint
    source: str = ""


class Event(Protocol):
    """A fact worth keeping: a frozen dataclass of the core that reports it.

    `event_kind` is what records, metrics and logs call it. It is written down beside the class and outlives the
    class's name: databases of earlier versions hold it.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    event_kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram that got no answer, and the reason, in words an operator can act on."""

    reason: str
    source: Endpoint
    event_kind: ClassVar[str] = "Dropped"


class Machine(Protocol):
    """Protocol state over time, without input or output. Remote garbage never raises out of `receive`."""

    def receive(self, datagram: bytes, source: Endpoint, now: float) -> None:
        """Take in one datagram; `now` is in seconds."""

    def handle_timer(self, now: float) -> None:
        """Do what is due at `now`."""

    def timer(self) -> float | None:
        """Return when `handle_timer` wants to be called, in seconds, or None."""

    def events(self) -> Sequence[Event]:
        """Return and forget what happened since the last call."""

    def datagrams_to_send(self) -> Sequence[Datagram]:
        """Return and forget what is to be sent, in order."""

"""What a running service is to its supervisor: start, prepare a change, stop, and the facts it reports."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from netprov.machine import Dropped, Event
from netprov.plan import Plan
from netprov.runtime.handover import Handover, Place


@dataclass(frozen=True, slots=True)
class Notice:
    """Something an operator should know of a service, in a sentence: an address that is not on this machine, say."""

    text: str
    severity: Literal["info", "warning", "error"] = "info"
    event_kind: ClassVar[str] = "Notice"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Events of one kind that came too fast to be reported one by one; `kind` is their `event_kind`."""

    kind: str
    count: int
    event_kind: ClassVar[str] = "Suppressed"

    def __str__(self) -> str:
        return f"{self.count} more {self.kind} in the last second"

    @property
    def everyday(self) -> bool:
        """Say whether one of them would be an everyday event."""
        return self.kind == Dropped.event_kind


@dataclass(frozen=True, slots=True)
class RoleContext:
    """What every service is given: where it keeps state, and whom it tells.

    `report` takes the service's name and an event of its core; it fans out to the log, the metrics and the
    device records, never blocks and never raises. `late` does the same for what happened at a time before. `handover` holds what other roles let go in the change under way.
    `inherited` returns the socket that the service manager has opened for a listener (whether it is UDP, its address, its port), if any.
    """

    state: Path
    report: Callable[[str, Event], None]
    handover: Handover = field(default_factory=Handover)
    late: Callable[[str, Event, float], None] | None = None
    inherited: Callable[[bool, str, int], socket.socket | None] = lambda *_: None

    def report_late(self, service: str, event: Event, at: float) -> None:
        """Report what happened in another process a moment ago; `at` is in seconds since the epoch."""
        if self.late is None:
            self.report(service, event)
        else:
            self.late(service, event, at)


@dataclass(frozen=True, slots=True)
class Sample:
    """A number that a service says of itself, for metrics: `total` if it only ever rises.

    A service that has any offers `samples() -> Iterable[Figure]`, quick to answer.
    """

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    total: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change that a service is ready for: exactly one of the two is awaited, once.

    `commit` takes the change over and cannot fail: what may, was done while it was prepared. `abort` lets go of what
    was bound, loaded and opened for it.
    """

    commit: Callable[[], Awaitable[None]]
    abort: Callable[[], Awaitable[None]]


class Service(Protocol):
    """One role of `netprov serve`; constructed with `RoleContext`, driven by an asyncio loop.

    An address that is not on this machine is passed over and waited for; the service tells which those are.
    """

    name: str

    async def start(self, plan: Plan) -> None:
        """Bind every socket and begin; raise `ServiceError` with a remedy if that cannot be."""

    def release(self, plan: Plan | None) -> Sequence[Place]:
        """Let other roles bind the TCP ports that a plan takes from this one, and return them; None: none any more.

        Called before any role prepares the plan, and with None once the change is over.
        """

    async def prepare(self, plan: Plan) -> Prepared:
        """Make ready for a new plan, or for the same one in a world that has changed, and change nothing yet.

        Raises `ServiceError` with a remedy if it cannot be served as a whole; nothing new stays open then. The
        commit loses no request. Called again only after the one before was committed or aborted.
        """

    async def stop(self) -> None:
        """Finish what is under way, at most a second of it, and close."""

    def listening(self) -> Sequence[str]:
        """Return what it listens on, one `udp 10.20.0.1:53` each, for people."""

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses and interfaces that are not on this machine."""


async def reload(service: Service, plan: Plan) -> None:
    """Swap one service to a new plan whole; on `ServiceError` the old plan keeps serving."""
    await (await service.prepare(plan)).commit()

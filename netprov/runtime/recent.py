"""What happened of late in one process: its last refusals, and every event for those who watch.

What a DNS server answers is no event: only what it refuses, drops and transfers is told.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from netprov.dhcp.lease import Bound, Nak, PoolUsedUp
from netprov.errors import ServiceError
from netprov.machine import Event
from netprov.provision.standing import Fact
from netprov.runtime.log import INFORMATION, describe, level_of
from netprov.runtime.operation import Asker, Fields
from netprov.state.dhcp_fact import Unanswered

KEPT: Final = 50
"""Refusals that are remembered."""
WATCHERS: Final = 8
"""Who may watch at a time: reloads have places left at the control socket."""
WAITING: Final = 1000
"""Events that wait for one who watches; who reads too slowly is told how many were missed."""
PAUSE_S: Final = 0.1
"""Seconds that an event may wait for others."""
BEAT_S: Final = 1.0
"""Seconds of silence after which it is said that there is nothing to say."""
LONGEST: Final = 500
"""Characters of an event's sentence."""
_REFUSALS: Final = frozenset({Nak.event_kind, PoolUsedUp.event_kind, Unanswered.event_kind})
"""DHCP's; of the other services, the fact says so."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told: whom it is about, "" where it is not known, and where that phone stands since."""

    time: float
    service: str
    event: str
    mac: str
    address: str
    stands: str
    refusal: bool
    text: str


class Recent:
    """Takes every event; `operations` has what may be asked of it."""

    def __init__(self) -> None:
        self._refusals: deque[Told] = deque(maxlen=KEPT)
        self._watchers: list[_Watcher] = []

    def take(self, service: str, event: Event, fact: Fact | None, mac: str, at: float) -> None:
        """Take one event of a time, with what it tells of a phone; never waits, never raises."""
        refusal = event.event_kind in _REFUSALS or (fact is not None and fact.refused and bool(fact.standing))
        if not refusal and (not self._watchers or (fact is None and level_of(event) < INFORMATION)):
            return
        told = Told(
            at,
            service,
            event.event_kind,
            mac,
            fact.address if fact else "",
            _stands(event, fact),
            refusal,
            describe(event)[:LONGEST],
        )
        if refusal:
            self._refusals.append(told)
        for watcher in self._watchers:
            watcher.take(told)

    def refusals(self) -> Sequence[Fields]:
        """Return the last refusals, the newest first."""
        return [asdict(each) for each in reversed(self._refusals)]

    async def watch(self, _: Asker, __: Fields) -> AsyncGenerator[Fields, None]:
        """Yield events as they come, several at a time, and how many were missed; without any, once a second that there are none."""
        if len(self._watchers) >= WATCHERS:
            raise ServiceError(f"{WATCHERS} watch already", "end one of them")
        watcher = _Watcher(deque(), 0)
        self._watchers.append(watcher)
        try:
            yield watcher.told()
            while True:
                silent = time.monotonic()
                while not watcher.events and time.monotonic() < silent + BEAT_S:  # noqa: ASYNC110 - events come from threads too
                    await asyncio.sleep(PAUSE_S)
                yield watcher.told()
        finally:
            self._watchers.remove(watcher)


@dataclass(slots=True, eq=False)
class _Watcher:
    """What one who watches has not been told yet."""

    events: deque[Told]
    missed: int

    def take(self, told: Told) -> None:
        if len(self.events) < WAITING:
            self.events.append(told)
        else:
            self.missed += 1

    def told(self) -> Fields:
        events = [asdict(self.events.popleft()) for _ in range(len(self.events))]
        missed, self.missed = self.missed, 0
        return {"events": events, "missed": missed}


def _stands(event: Event, fact: Fact | None) -> str:
    """Return where a phone stands after an event, "" if that is not new."""
    if type(event) is Bound and not event.renewed:
        return "has an address"
    if event.event_kind in _REFUSALS:
        return str(event)
    return fact.standing if fact is not None else ""

"""An emulated phone that lives on: resyncs, retries, upgrades and reports, in real or in compressed time.

The phone's clock counts from the midnight before it was switched on. An exchange takes the time that it takes; what the
phone lets pass on purpose is slept through `speed` times as fast, and counts in full on the phone's clock.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from netprov.emulator.failure import Timeouts
from netprov.emulator.phone import Link, Observer, Waiting, World
from netprov.phone.action import Action, Done, Result, Step, Wait
from netprov.phone.handset.identity import Identity
from netprov.phone.handset.memory import Behaviour, Handset
from netprov.phone.life import Tally, live

Sleep = Callable[[float], Awaitable[None]]


class Performer(Protocol):
    """The world around a phone."""

    async def perform(self, action: Action) -> Result:
        """Perform one action."""


@dataclass(slots=True)
class Pace:
    """How time passes: `lasts` is how long the phone lives, in its own seconds, None for ever."""

    speed: float = 1.0
    lasts: float | None = None
    sleep: Sleep = asyncio.sleep


@dataclass(slots=True)
class Life:
    """One phone, and what became of it so far."""

    handset: Handset
    tally: Tally
    began: float

    @property
    def seconds(self) -> float:
        """How long it has lived, in its own time."""
        return self.handset.now - self.began

    @property
    def current(self) -> bool:
        """Whether its last resync was fine."""
        return self.tally.resyncs > 0 and self.tally.row == 0


def switch_on(identity: Identity, behaviour: Behaviour, midnight_plus: float) -> Life:
    """Return a phone before its first step; `midnight_plus` is the time of day, in seconds."""
    handset = Handset(identity, random.randrange, behaviour, now=midnight_plus)
    return Life(handset, Tally(), midnight_plus)


async def stay(life: Life, world: Performer, pace: Pace, observe: Observer) -> None:
    """Let a phone live; return when it has lived long enough, or its parameters say that nothing follows."""
    handset = life.handset
    end = None if pace.lasts is None else life.began + pace.lasts
    road = live(handset, life.tally)
    try:
        action = next(road)
        while end is None or handset.now < end:
            began = handset.now
            result = await _perform(action, handset, world, pace, end)
            observe(Step(action, result, began, handset.now - began))
            action = road.send(result)
    except StopIteration:
        return


async def _perform(
    action: Action, handset: Handset, world: Performer, pace: Pace, end: float | None
) -> Result:
    if isinstance(action, Wait):
        seconds = action.seconds if end is None else min(action.seconds, end - handset.now)
        await pace.sleep(seconds / pace.speed)
        handset.now += seconds
        return Done()
    started = time.monotonic()
    result = await world.perform(action)
    handset.now += time.monotonic() - started
    return result


async def stay_on(
    link: Link,
    life: Life,
    timeouts: Timeouts,
    pace: Pace,
    observe: Observer,
    *,
    waiting: Waiting | None = None,
) -> None:
    """Let a phone live on a link, with sockets of its own."""
    world = World(life.handset, link, timeouts, waiting)
    try:
        await stay(life, world, pace, observe)
    finally:
        await world.close()

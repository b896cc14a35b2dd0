"""An emulated phone that lives on: the pump of `phone.life.machine`, in real or in compressed time.

The phone's clock counts from the midnight before it was switched on. An exchange takes the time that it takes; what the
phone lets pass on purpose is slept through `speed` times as fast, and counts in full on the phone's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from netprov.emulator.failure import Timeouts
from netprov.emulator.phone import Link, Observer, Performer, Waiting, World
from netprov.phone.action import Action, Done, Result, Step, Wait
from netprov.phone.handset.identity import Identity
from netprov.phone.handset.memory import Behaviour, Handset
from netprov.phone.life.input import Input
from netprov.phone.life.machine import LivingPhone

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Pace:
    """How time passes: `lasts` is how long the phone lives, in its own seconds, None for ever."""

    speed: float = 1.0
    lasts: float | None = None
    sleep: Sleep = asyncio.sleep


def switch_on(identity: Identity, behaviour: Behaviour, midnight_plus: float) -> LivingPhone:
    """Return a phone before its first step; `midnight_plus` is the time of day, in seconds."""
    return LivingPhone(Handset(identity, random.randrange, behaviour, now=midnight_plus))


class Stay:
    """Lets one phone live; `happen` is for whoever does something to it meanwhile, in the same event loop."""

    def __init__(self, phone: LivingPhone, world: Performer, pace: Pace, observe: Observer) -> None:
        self.phone = phone
        self._world = world
        self._pace = pace
        self._observe = observe
        self._began = self._started = 0.0
        self._news = asyncio.Event()
        self._rests = asyncio.Event()

    async def run(self) -> None:
        """Live; return when the phone has lived long enough."""
        pace, phone = self._pace, self.phone
        end = None if pace.lasts is None else phone.began + pace.lasts
        while end is None or phone.handset.now < end:
            action = phone.action
            self._began, self._started = phone.handset.now, time.monotonic()
            if phone.rests:
                self._rests.set()
            result = await self._perform(action, end)
            if phone.action is action:
                phone.answer(result, self._now(action, end))
                self._observe(Step(action, result, self._began, phone.handset.now - self._began))
            else:  # something happened meanwhile, and the phone is about something else
                self._observe(Step(action, Done(), self._began, max(0.0, phone.handset.now - self._began)))

    def happen(self, event: Input) -> None:
        """Do something to the phone."""
        self.phone.happen(event, self._passed(self.phone.action))
        self._rests.clear()
        self._news.set()

    async def rest(self) -> None:
        """Wait until the phone has done what it is about."""
        await self._rests.wait()

    async def _perform(self, action: Action, end: float | None) -> Result:
        """Perform an action as far as nothing happens that ends it."""
        task = asyncio.ensure_future(self._performed(action, end))
        try:
            while not task.done() and self.phone.action is action:
                self._news.clear()
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait((task, news), return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        return Done() if task.cancelled() else task.result()

    async def _performed(self, action: Action, end: float | None) -> Result:
        if isinstance(action, Wait):
            await self._pace.sleep(self._span(action, end) / self._pace.speed)
            return Done()
        return await self._world.perform(action)

    def _span(self, wait: Wait, end: float | None) -> float:
        return wait.seconds if end is None else min(wait.seconds, end - self._began)

    def _now(self, action: Action, end: float | None) -> float:
        """Return the phone's time when an action is done."""
        return self._began + self._span(action, end) if isinstance(action, Wait) else self._passed(action)

    def _passed(self, action: Action) -> float:
        """Return the phone's time in the middle of an action."""
        elapsed = time.monotonic() - self._started
        if isinstance(action, Wait):
            return self._began + min(elapsed * self._pace.speed, action.seconds)
        return self._began + elapsed


async def stay_on(
    link: Link,
    phone: LivingPhone,
    timeouts: Timeouts,
    pace: Pace,
    observe: Observer,
    *,
    waiting: Waiting | None = None,
) -> None:
    """Let a phone live on a link, with sockets of its own."""
    world = World(phone.handset, link, timeouts, waiting)
    try:
        await Stay(phone, world, pace, observe).run()
    finally:
        await world.close()

"""An emulated phone that lives on: the pump of `phone.life.machine`, in real or in compressed time.

The phone's clock counts from the midnight before it was switched on. An exchange takes the time that it takes; what the
phone lets pass on purpose is slept through `speed` times as fast, and counts in full on the phone's clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from netprov.emulator.phone import Observer, Performer
from netprov.phone.action import Action, Done, Result, Step, Wait
from netprov.phone.life.input import Input
from netprov.phone.life.machine import LivingPhone

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Pace:
    """How time passes: `lasts` is how long the phone lives, in its own seconds, None for ever."""

    speed: float = 1.0
    lasts: float | None = None
    sleep: Sleep = asyncio.sleep


class Stay:
    """Lets one phone live; `happen` is for whoever does something to it meanwhile, in the same event loop."""

    def __init__(self, phone: LivingPhone, world: Performer, pace: Pace, observe: Observer) -> None:
        self.phone = phone
        self._world = world
        self._pace = pace
        self._observe = observe
        self._started = 0.0
        self.at_rest: Callable[[], Awaitable[None]] | None = None
        """Called whenever the phone rests."""
        self._news = asyncio.Event()
        self._rests = asyncio.Event()

    async def run(self) -> None:
        """Live; return when the phone has lived long enough."""
        pace, phone = self._pace, self.phone
        end = None if pace.lasts is None else phone.began + pace.lasts
        while end is None or phone.handset.now < end:
            action = phone.action
            if phone.rests and self.at_rest is not None:
                await self.at_rest()
            if phone.rests and phone.action is action:
                self._rests.set()
            began, self._started = phone.handset.now, time.monotonic()
            result = await self._perform(action, end)
            if phone.action is action:
                phone.answer(result, self._now(action, end))
                self._observe(Step(action, result, began, phone.handset.now - began))
            else:  # something happened meanwhile, and the phone is about something else
                self._observe(Step(action, Done(), began, phone.handset.now - began))

    def happen(self, event: Input) -> bool:
        """Do something to the phone; False if it has too much before it."""
        before = self.phone.action
        if not self.phone.happen(event, self._passed(before)):
            return False
        if self.phone.action is not before:
            self._started = time.monotonic()
        self._rests.clear()
        self._news.set()
        return True

    async def rest(self) -> None:
        """Wait until the phone has done what it is about."""
        await self._rests.wait()

    async def _perform(self, action: Action, end: float | None) -> Result:
        """Perform an action as far as nothing happens that ends it."""
        task = asyncio.ensure_future(self._performed(action, end))
        news = asyncio.ensure_future(self._news.wait())
        try:
            while not task.done() and self.phone.action is action:
                await asyncio.wait((task, news), return_when=asyncio.FIRST_COMPLETED)
                if news.done():
                    self._news.clear()
                    news = asyncio.ensure_future(self._news.wait())
        finally:
            news.cancel()
            task.cancel()
            await asyncio.wait((task, news))
        return Done() if task.cancelled() else task.result()

    async def _performed(self, action: Action, end: float | None) -> Result:
        if isinstance(action, Wait):
            await self._pace.sleep(self._span(action, end) / self._pace.speed)
            return Done()
        return await self._world.perform(action)

    def _span(self, wait: Wait, end: float | None) -> float:
        return wait.seconds if end is None else min(wait.seconds, end - self.phone.since)

    def _now(self, action: Action, end: float | None) -> float:
        """Return the phone's time when an action is done."""
        return (
            self.phone.since + self._span(action, end) if isinstance(action, Wait) else self._passed(action)
        )

    def _passed(self, action: Action) -> float:
        """Return the phone's time in the middle of an action."""
        elapsed = time.monotonic() - self._started
        if isinstance(action, Wait):
            return self.phone.since + min(elapsed * self._pace.speed, action.seconds)
        return self.phone.since + elapsed

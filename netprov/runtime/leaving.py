"""Services that take nothing new in, and end when what is under way is over.

One that has something under way for longer than a moment offers `leave()` and `under_way()`; any other is stopped at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from netprov.runtime.role import Service

_LOOK_S = 0.05
_TELL_S = 0.2
"""Seconds between two words on what is still under way."""


@runtime_checkable
class Lasting(Protocol):
    """A service whose work lasts: connections, transfers, sessions."""

    async def leave(self) -> None:
        """Take nothing new in; what is under way goes on."""

    def under_way(self) -> int:
        """Return how much is under way."""


@dataclass(frozen=True, slots=True)
class Drained:
    """How much is under way, of each role that has something; in the end (`over`), how much was broken off."""

    under_way: Mapping[str, int]
    over: bool = False


class Leaving:
    """The services that leave, of those `started`; `changing` is held where none of them may be changed.

    `over` is told of those that have ended.
    """

    def __init__(
        self, started: list[Service], changing: asyncio.Lock, over: Callable[[Sequence[Service]], None]
    ) -> None:
        self._started = started
        self._changing = changing
        self._over = over
        self.services: list[Service] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def drain(self, roles: Sequence[str], seconds: float) -> AsyncGenerator[Drained, None]:
        """Let some roles take nothing new in, and stop each when nothing is under way any more, or its time is over.

        Yields how much is under way until then; it goes on also if nobody listens.
        """
        broken_off: dict[str, int] = {}
        task = asyncio.create_task(self._leave(roles, seconds, broken_off))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        while not task.done():
            yield Drained(self._under_way(roles))
            await asyncio.wait((task,), timeout=_TELL_S)
        task.result()
        yield Drained(broken_off, over=True)

    async def break_off(self) -> Sequence[Service]:
        """Wait for nobody any more; return those that have not ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return self.services

    async def _leave(self, roles: Sequence[str], seconds: float, broken_off: dict[str, int]) -> None:
        async with self._changing:
            going = [each for each in reversed(self._started) if each.name in roles]
            for service in going:
                self._started.remove(service)
                self.services.append(service)
                if isinstance(service, Lasting):
                    await service.leave()
                else:
                    await self._end(service)
        deadline = time.monotonic() + seconds
        while self._under_way(roles) and time.monotonic() < deadline:  # noqa: ASYNC110 - no request pays for an event at its end
            await asyncio.sleep(_LOOK_S)
        broken_off |= self._under_way(roles)
        for service in [each for each in going if each in self.services]:
            await self._end(service)
        self._over(going)

    async def _end(self, service: Service) -> None:
        await service.stop()
        self.services.remove(service)

    def _under_way(self, roles: Sequence[str]) -> Mapping[str, int]:
        """Return how much is under way, of each role that has something."""
        return {
            each.name: count
            for each in self.services
            if each.name in roles and isinstance(each, Lasting) and (count := each.under_way())
        }

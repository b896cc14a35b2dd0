"""An epoll loop in a thread of its own, for a service whose every datagram waits for the one before.

A turn of asyncio's loop costs more than a TFTP block; a turn of this one is a system call. Everything that the
service keeps is touched in the thread only: others ask by `call`.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any, TypeVar

from netprov.runtime.net.poll import call_back

_BATCH = 64
_T = TypeVar("_T")


class PollThread:
    """Calls back, in its thread, for every registered file descriptor that is ready.

    `turn` is called with the time (of `time.monotonic`) after every batch, and returns when it wants to be called
    again at the latest, None for no matter when.
    """

    def __init__(self, name: str, turn: Callable[[float], float | None]) -> None:
        self._turn = turn
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._calls: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._stopping = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.register(self._wake, select.EPOLLIN, self._take_calls)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def register(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Watch a file descriptor."""
        self._callbacks[fd] = callback
        self._epoll.register(fd, events)

    def unregister(self, fd: int) -> None:
        """Watch no longer; do this before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    async def call(self, function: Callable[[], _T]) -> _T:
        """Run a function in the thread, between two batches; return or raise what it does."""
        done: Future[Any] = Future()
        self._calls.append((function, done))
        os.eventfd_write(self._wake, 1)
        return await asyncio.wrap_future(done)

    async def close(self) -> None:
        """End the thread; what is registered stays open."""
        if self._stopping:
            return
        await self.call(self._stop)
        self._thread.join()
        self._epoll.close()
        os.close(self._wake)

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        due: float | None = None
        while not self._stopping:
            ready = self._epoll.poll(-1 if due is None else max(0.0, due - monotonic()), _BATCH)
            call_back(self._callbacks, ready)
            due = self._turn(monotonic())

    def _take_calls(self, _events: int) -> None:
        os.eventfd_read(self._wake)
        while self._calls:
            function, done = self._calls.popleft()
            waited_for = done.set_running_or_notify_cancel()
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                if waited_for:
                    done.set_exception(error)
            else:
                if waited_for:
                    done.set_result(result)

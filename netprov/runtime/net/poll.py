"""Many sockets behind one file descriptor: an epoll of our own inside the asyncio loop.

asyncio spends a handle and a context switch on every ready socket; here one callback of the loop drains all
that are ready, a bounded number at a time, so that timers and other services get their turn.
"""

from __future__ import annotations

import asyncio
import logging
import select
from collections.abc import Callable, Iterable, Mapping

READ = select.EPOLLIN
WRITE = select.EPOLLOUT

_BATCH = 512
_ROUNDS = 4


def call_back(callbacks: Mapping[int, Callable[[int], None]], ready: Iterable[tuple[int, int]]) -> None:
    """Call what waits for each file descriptor that is ready, with its events."""
    for fd, events in ready:
        callback = callbacks.get(fd)
        if callback is None:
            continue
        try:
            callback(events)
        except Exception:
            # One connection's accident must not take the others along; its socket is left to its deadline.
            logging.getLogger("netprov").exception("unexpected error on a socket")


class Poller:
    """Calls back, with the ready events, for every registered file descriptor that is ready."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._loop.add_reader(self._epoll.fileno(), self._ready)

    def __len__(self) -> int:
        return len(self._callbacks)

    def register(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Watch a file descriptor."""
        self._callbacks[fd] = callback
        self._epoll.register(fd, events)

    def hand_over(self, fd: int, callback: Callable[[int], None]) -> None:
        """Call somebody else from now on."""
        self._callbacks[fd] = callback

    def modify(self, fd: int, events: int) -> None:
        """Wait for other events."""
        self._epoll.modify(fd, events)

    def unregister(self, fd: int) -> None:
        """Watch no longer; do this before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def close(self) -> None:
        """Stop; what is registered stays open."""
        self._loop.remove_reader(self._epoll.fileno())
        self._callbacks.clear()
        self._epoll.close()

    def _ready(self) -> None:
        callbacks = self._callbacks
        for _ in range(_ROUNDS):
            ready = self._epoll.poll(0, _BATCH)
            if not ready:
                return
            call_back(
                callbacks, ready
            )  # meanwhile others have come: to ask costs less than a turn of the loop
            if self._epoll.closed:
                return

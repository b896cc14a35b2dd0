"""Wakes a pump when datagrams have come; while they keep coming, only so often, so that many are taken in at once.

One turn of the loop, one commit and one fsync then serve for all that has gathered. A datagram that comes alone
is taken in at once.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence

GATHER_S = 0.016
"""The least time between two turns, in seconds."""


class Gatherer:
    """Calls `drain` when one of the sockets is readable; `drain` returns whether it left something in them."""

    def __init__(self, drain: Callable[[], bool]) -> None:
        self._drain = drain
        self._sockets: Sequence[socket.socket] = ()
        self._drained = 0.0
        self._pause: asyncio.TimerHandle | None = None

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Listen to sockets."""
        self._sockets = sockets
        self._hear()

    def stop(self) -> None:
        """Listen no more."""
        self._turn_deaf()
        self._sockets = ()

    def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.add_reader(sock, self._readable)

    def _turn_deaf(self) -> None:
        """Leave datagrams to the kernel's queues for a while."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock)
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None

    def _readable(self) -> None:
        wait = self._drained + GATHER_S - time.monotonic()
        if wait <= 0:
            self._turn()
            return
        self._turn_deaf()
        self._pause = asyncio.get_running_loop().call_later(wait, self._after_pause)

    def _after_pause(self) -> None:
        self._pause = None
        self._turn()
        self._hear()

    def _turn(self) -> None:
        self._drained = 0.0 if self._drain() else time.monotonic()

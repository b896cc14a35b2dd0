"""Wakes a pump when datagrams have come; while they keep coming, only so often, so that many are taken in at once.

One turn of the loop, one commit and one fsync then serve for all that has gathered. A datagram that comes alone
is taken in at once. What comes while a turn writes and answers gathers by itself; a turn that was short is followed by a
pause only as long as keeps the commits' share of the CPU small. While datagrams keep coming, the sockets are not
registered with the loop at all: that would cost more than to look (asyncio's `add_reader` and `remove_reader`, for each
socket, at each turn).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from enum import Enum, auto

GATHER_S = 0.030
"""The longest time from one turn to the next while there is something to do, in seconds."""

COMMIT_SHARE = 64.0
"""Turns begin so many times the CPU time of a commit apart, which leaves commits a sixty-fourth of the CPU at the most.

A commit takes the longer the more is in it, so the distance grows with the load: some 12 ms at 100 exchanges a second,
`GATHER_S` from 1,000 on, where what a turn costs counts more than a delay that no phone notices.
"""

_SMOOTH = 0.1


class Flow(Enum):
    """What a turn found in the sockets."""

    NOTHING = auto()
    SOME = auto()
    MORE = auto()
    """It took as much as it does at once, and left the rest."""


class BatchReader:
    """Calls `drain` when one of the sockets is readable, and again until it finds nothing."""

    def __init__(self, drain: Callable[[], Flow], period: Callable[[], float]) -> None:
        """`period` says how far apart turns are to begin at least, in seconds."""
        self._drain = drain
        self._period = period
        self._sockets: Sequence[int] = ()
        self._next: asyncio.TimerHandle | None = None

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Listen to sockets."""
        self._sockets = [sock.fileno() for sock in sockets]
        self._hear()

    def stop(self) -> None:
        """Listen no more."""
        self._turn_deaf()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._sockets = ()

    def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.add_reader(sock, self._readable)

    def _turn_deaf(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock)

    def _readable(self) -> None:
        self._turn_deaf()
        self._turn()

    def _turn(self) -> None:
        self._next = None
        loop = asyncio.get_running_loop()
        began = loop.time()
        match self._drain():
            case Flow.NOTHING:
                self._hear()
            case Flow.SOME:
                self._next = loop.call_at(began + self._period(), self._turn)
            case Flow.MORE:
                self._next = loop.call_later(0, self._turn)


class CommitCost:
    """The CPU time that a commit takes, whatever is in it, as lately measured."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def note(self, seconds: float) -> None:
        """Take in one more commit."""
        self._seconds += _SMOOTH * (seconds - self._seconds)

    def period(self) -> float:
        """Return how far apart commits are to begin."""
        return min(GATHER_S, COMMIT_SHARE * self._seconds)

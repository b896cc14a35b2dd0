"""The open connections of a web server: each has its time, and when there are too many the greediest host's has to go."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from netprov.runtime.web.stream import Stream

_SWEEP: Final = 1.0
_FEW: Final = 4
"""Connections that one host may have before it is the first to lose some."""


@dataclass(slots=True)
class _Connection:
    """A connection: whose it is, when it must have sent a request, how many are under way."""

    address: str
    deadline: float
    busy: int = 0


class Connections:
    """The connections of one server; whoever is closed leaves at once.

    `vouch` says whether an address is a phone's; it is asked only when places get scarce.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        most: int,
        first: float,
        following: float,
        vouch: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._clock = clock
        self._most = most
        self._first = first
        self._following = following
        self._vouch = vouch
        self._connections: dict[Stream, _Connection] = {}
        self._of: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, stream: Stream, address: str, *, answered: bool = False) -> None:
        """Take in a new connection, which has `first` seconds for its first request, headers and all.

        One whose first request was `answered` at once has time for the next.
        """
        if len(self._connections) >= self._most:
            self._make_room(address)
        seconds = self._following if answered else self._first
        self._connections[stream] = _Connection(address, self._clock() + seconds)
        self._of[address] += 1

    def discard(self, stream: Stream) -> None:
        """Forget a connection that is closed."""
        connection = self._connections.pop(stream, None)
        if connection is None:
            return
        self._of[connection.address] -= 1
        if not self._of[connection.address]:
            self._of.pop(connection.address)  # Counter's own `del` is slow

    def answered(self, stream: Stream) -> None:
        """Note that a request was answered at once: the connection has time for the next."""
        connection = self._connections.pop(stream, None)
        if connection is not None:
            connection.deadline = self._clock() + self._following
            self._connections[stream] = connection  # the order is that of the last request

    @contextmanager
    def request(self, stream: object) -> Iterator[None]:
        """Note that a request of a connection is being answered."""
        connection = self._connections.get(stream) if isinstance(stream, Stream) else None
        if connection is None:
            yield
            return
        connection.busy += 1
        try:
            yield
        finally:
            connection.busy -= 1
            self.answered(stream)  # type: ignore[arg-type]

    async def sweep(self) -> None:
        """Close what is overdue, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP)
            now = self._clock()
            for stream, connection in tuple(self._connections.items()):
                if not connection.busy and connection.deadline <= now:
                    self._close(stream)

    def close(self) -> None:
        """Close all that are idle; those that are busy end with their request."""
        for stream, connection in tuple(self._connections.items()):
            if not connection.busy:
                self._close(stream)

    def _make_room(self, newcomer: str) -> None:
        """Close the one that is the least loss: the greediest host's, then strangers', then phones'; idle before busy."""
        held = self._of.copy()
        held[newcomer] += 1
        greedy, most = held.most_common(1)[0]
        if most <= _FEW:
            greedy = ""
        best, victim = 6, None
        for stream in self._connections:
            worth = self._worth(greedy, stream)
            if worth < best:
                best, victim = worth, stream
                if worth == (0 if greedy else 2):
                    break
        if victim is not None:
            self._close(victim)

    def _worth(self, greedy: str, stream: Stream) -> int:
        """Rank a connection; of equals the one that has been silent longest is found first."""
        each = self._connections[stream]
        if each.address == greedy:
            return 1 if each.busy else 0
        if self._vouch(each.address):
            return 5 if each.busy else 4
        return 3 if each.busy else 2

    def _close(self, stream: Stream) -> None:
        self.discard(stream)
        stream.abort()  # a client that does not read would keep a mere close() waiting

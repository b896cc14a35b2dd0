"""Replies that leave a few at a time, so that a relay agent's receive buffer holds what comes at once.

A turn of the DHCP server under load has hundreds of replies, and under load they mostly go to one relay agent. Linux
gives a socket 212,992 octets for what has not been read, and counts some 1,280 for a reply: 166 of them. Sent all at
once, one to four in a hundred were lost there (`make bench-dhcp`, RcvbufErrors of the load's host).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from netprov.machine import Datagram

BURST = 32
"""Replies sent at once."""
PAUSE_S = 0.001
"""Seconds from one burst to the next: some 30,000 replies a second, three times what one server reaches."""
MOST = 256
"""Replies that may wait; when there are more, bursts follow each other at once."""


class Pacer:
    """Hands datagrams to `send` in bursts, in order."""

    def __init__(self, send: Callable[[Datagram], None]) -> None:
        self._send = send
        self._waiting: deque[Datagram] = deque()
        self._next: asyncio.TimerHandle | None = None

    def send(self, datagrams: Iterable[Datagram]) -> None:
        """Send the first burst now and the rest soon."""
        self._waiting.extend(datagrams)
        while len(self._waiting) > MOST:
            self._send(self._waiting.popleft())
        if self._next is None:
            self._burst()

    def one(self) -> None:
        """Send one that waits: for whoever is about to keep the loop busy for longer than the pause."""
        if self._waiting:
            self._send(self._waiting.popleft())

    def finish(self) -> None:
        """Send all that waits."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        while self._waiting:
            self._send(self._waiting.popleft())

    def _burst(self) -> None:
        self._next = None
        for _ in range(min(BURST, len(self._waiting))):
            self._send(self._waiting.popleft())
        if self._waiting:
            self._next = asyncio.get_running_loop().call_later(PAUSE_S, self._burst)

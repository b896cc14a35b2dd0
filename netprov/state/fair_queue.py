"""A bounded queue that is fair between sources: a flood from one takes no other's room, and what is shed is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

STRANGERS = 64
"""Lanes that all sources share that are not known; a stranger may have any number of addresses."""


class FairQueue(Generic[T]):
    """Holds `each` items of every known source, `each` in every lane of strangers, and about `most` in all.

    One thread may put while another takes.
    """

    def __init__(self, *, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._lanes: dict[Hashable, deque[T]] = {}
        self._size = 0
        self._shed = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._size

    def put(self, item: T, source: str, *, known: bool) -> bool:
        """Let an item wait, and say whether it does; if its lane is full, it is shed: what came first tells more of how
        something began.
        """
        with self._lock:
            return self._put(item, source if known else hash(source) % STRANGERS)

    def _put(self, item: T, source: Hashable) -> bool:
        lane = self._lanes.setdefault(source, deque())
        # A source that has nothing waiting gets its one place even when others have taken all; twice as many are the end.
        if len(lane) >= self._each or self._size >= self._most << (not lane):
            self._shed += 1
            if not lane:
                del self._lanes[source]
            return False
        lane.append(item)
        self._size += 1
        return True

    def take(self, count: int) -> list[T]:
        """Take out so many at the most, one of each source in turn, each source's in their order."""
        with self._lock:
            return self._take(count)

    def _take(self, count: int) -> list[T]:
        taken: list[T] = []
        while self._lanes and len(taken) < count:
            source, lane = next(iter(self._lanes.items()))
            taken.append(lane.popleft())
            del self._lanes[source]
            if lane:
                self._lanes[source] = lane  # at the end: the others' turn
        self._size -= len(taken)
        return taken

    def shed(self) -> int:
        """Return and forget how many were shed."""
        shed, self._shed = self._shed, 0
        return shed

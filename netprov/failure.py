"""How often something may fail: counted by phone and by sender, so that nobody learns by trying.

The clock is an argument. Who has failed too often is not looked at until his minute is over; what is counted is bounded, and
when more is to be counted than there is room for, the oldest is forgotten.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 5
"""Failures in one window: a phone with a wrong key tries again after minutes."""
WINDOW_S: Final = 60.0
_COUNTED: Final = 4096


class FailureLimit:
    """Counts failures by any name: a MAC address, an IP address."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[float, int]] = {}

    def is_over(self, names: tuple[str, ...], now: float) -> bool:
        """Say whether one of these has failed too often in its window."""
        return any(self._count(name, now) >= MOST for name in names)

    def count(self, names: tuple[str, ...], now: float) -> None:
        """Count a failure of each of these."""
        for name in names:
            count = self._count(name, now)
            before = self._failed.pop(name, None)
            began = before[0] if before and count else now
            while len(self._failed) >= _COUNTED:
                del self._failed[next(iter(self._failed))]
            self._failed[name] = (began, count + 1)

    def _count(self, name: str, now: float) -> int:
        began, count = self._failed.get(name, (now, 0))
        return count if 0 <= now - began < WINDOW_S else 0

"""How many messages are looked at, by client and in all: counted in windows of one second, in bounded memory."""

from __future__ import annotations

MOST_CLIENTS = 8192
"""Clients counted in one window; beyond it their counts are forgotten and begin anew."""


class RateLimit:
    """Messages each second; 0 in all is no limit in all."""

    def __init__(self, per_client: int, total: int) -> None:
        self._per_client = per_client
        self._total = total
        self._window = 0
        self._seen = 0
        self._counts: dict[bytes | str, int] = {}

    def admit(self, client: bytes | str, now: float) -> bool:
        """Count one message, and say whether it may be looked at."""
        window = int(now)
        if window != self._window:
            self._window, self._seen = window, 0
            self._counts.clear()
        self._seen += 1
        if self._total and self._seen > self._total:
            return False
        count = self._counts.get(client, 0) + 1
        if count == 1 and len(self._counts) >= MOST_CLIENTS:
            self._counts.clear()
        self._counts[client] = count
        return count <= self._per_client

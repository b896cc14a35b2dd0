"""Whose requests are looked at when more come than can be answered: those of phones, and of each only so many."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Final

from netprov.rate import RateLimit
from netprov.runtime.net.known import KnownAddresses

BUSY: Final = 1000
"""Requests a second up to which everybody's are looked at: a quarter of a core."""
OF_ONE: Final = 100
"""Requests a second of one known address that are looked at beyond: it may be forged too."""


class Admission:
    """Counts requests; a phone has a lease of ours, or has acknowledged what it was sent."""

    def __init__(self, state: Path) -> None:
        self._known = KnownAddresses(state, monotonic)
        self._all = RateLimit(BUSY, 0)
        self._of_one = RateLimit(OF_ONE, 0)

    def admit(self, address: str, now: float) -> bool:
        """Say whether a request of an address is looked at."""
        return self._all.admit("", now) or (address in self._known and self._of_one.admit(address, now))

    def proved(self, address: str) -> None:
        """Note that something was acknowledged from an address, so that it is nobody else's."""
        self._known.answered(address)

"""Reports a service's events one by one; of a flood, how many there were of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from netprov.machine import Event
from netprov.runtime.role import Suppressed

EACH_SECOND = 100
"""Events reported one by one; a flood beyond that would cost more to log than to answer."""


class Throttle:
    """Tells `report` of events; `settle`, called each second, of those that were too many."""

    def __init__(self, service: str, report: Callable[[str, Event], None]) -> None:
        self._service = service
        self._report = report
        self._told = 0
        self._untold: Counter[str] = Counter()

    def tell(self, events: Iterable[Event]) -> None:
        """Report events, or count them."""
        for event in events:
            if self._told < EACH_SECOND:
                self._told += 1
                self._report(self._service, event)
            else:
                self._untold[event.event_kind] += 1

    def settle(self) -> None:
        """Report the numbers of those that were counted only, and begin anew."""
        self._told = 0
        for kind, count in self._untold.items():
            self._report(self._service, Suppressed(kind, count))
        self._untold.clear()

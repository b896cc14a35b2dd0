"""Reports a service's events one by one; of a flood, how many there were of each kind."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Final

from netprov.machine import Event
from netprov.runtime.role import Suppressed

EACH_SECOND: Final = 100
"""Events of a kind reported one by one; a flood beyond that would cost more to log than to answer."""
WINDOW_S: Final = 1.0
EACH_SENDER: Final = 50
"""Lines of one sender that the log takes in a second: a phone that boots says some twenty."""
STRANGERS: Final = 200
"""Lines that it takes in a second of all senders together that are no phones of the inventory."""


class Throttle:
    """Tells `report` of events; `settle`, called each second, of those that were too many.

    Each sort of event has its own room, `each` if it has no other one in `more`: who is refused very often takes no room
    from what others are given. The sort is the kind of event, unless `sort` tells more apart.
    """

    def __init__(
        self,
        service: str,
        report: Callable[[str, Event], None],
        *,
        each: int = EACH_SECOND,
        more: Mapping[str, int] | None = None,
        sort: Callable[[Event], str] = attrgetter("event_kind"),
    ) -> None:
        self._service = service
        self._report = report
        self._each = each
        self._more = more or {}
        self._sort = sort
        self._told: Counter[str] = Counter()
        self._untold: Counter[str] = Counter()

    def tell(self, events: Iterable[Event]) -> None:
        """Report events, or count them."""
        for event in events:
            sort = self._sort(event)
            if self._told[sort] < self._more.get(sort, self._each):
                self._told[sort] += 1
                self._report(self._service, event)
            else:
                self._untold[event.event_kind] += 1

    def settle(self) -> None:
        """Report the numbers of those that were counted only, and begin anew."""
        self._told.clear()
        for kind, count in self._untold.items():
            self._report(self._service, Suppressed(kind, count))
        self._untold.clear()


class LineThrottle:
    """Lets so many lines of each sender into the log in a second, and of all strangers together; counts the rest.

    What no sender has caused is always let in. Metrics and records take all, as far as they do.
    """

    def __init__(
        self, log: Callable[[str, Event], None], known: Callable[[str], bool], *, window: float = WINDOW_S
    ) -> None:
        self._log = log
        self._known = known
        self._window_s = window
        self._window: asyncio.TimerHandle | None = None
        self._senders: Counter[str] = Counter()
        self._strangers = 0
        self._untold: Counter[tuple[str, str]] = Counter()

    def __call__(self, service: str, event: Event) -> None:
        """Log one event, or count it."""
        address = getattr(event, "address", "")
        if address and not self._admits(address):
            self._untold[service, event.event_kind] += 1
        else:
            self._log(service, event)

    def settle(self) -> None:
        """Log the numbers of those that were counted only, and begin anew."""
        if self._window is not None:
            self._window.cancel()
            self._window = None
        self._senders.clear()
        self._strangers = 0
        for (service, kind), count in self._untold.items():
            self._log(service, Suppressed(kind, count))
        self._untold.clear()

    def _admits(self, address: str) -> bool:
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(self._window_s, self.settle)
        if self._known(address):
            self._senders[address] += 1
            return self._senders[address] <= EACH_SENDER
        if self._strangers >= STRANGERS or self._senders[address] >= EACH_SENDER:
            return False
        self._strangers += 1
        self._senders[address] += 1
        return True

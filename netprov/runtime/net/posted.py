"""What phones posted with earlier requests for their profiles: by the device records, and of the last moments by memory.

Records are written up to half a second later, and a phone asks for its next profile at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from netprov.errors import ServiceError
from netprov.machine import Event
from netprov.provision.event import Posted
from netprov.provision.report import usable_fields
from netprov.provision.requester import Fields
from netprov.state.device import load_posted

KEPT: Final = 1000
"""Phones that are remembered until their records are written: at most 4 MiB."""


class PostedBefore:
    """Knows what each phone posted last, as far as its sender was proven; ask in one thread at a time."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._recent: OrderedDict[str, tuple[float, Mapping[str, str]]] = OrderedDict()

    def note(self, event: Event, now: float) -> None:
        """Remember what a phone has just posted; `now` is in seconds since 1970."""
        if isinstance(event, Posted) and event.mac and event.proven:
            self._recent.pop(event.mac, None)
            self._recent[event.mac] = now, event.fields
            if len(self._recent) > KEPT:
                self._recent.popitem(last=False)

    def of(self, mac: str) -> Fields:
        """Return the fields that a phone posted last; none where nobody knows, as templates have to do without them anyway."""
        kept = self._recent.get(mac)
        with suppress(ServiceError, ValueError):
            recorded = load_posted(self._state, mac)
            kept = max((each for each in (kept, recorded) if each), key=_time, default=None)
        if kept is None or not isinstance(kept[1], Mapping):
            return ()
        # Every role writes records: what is there is judged as what comes over the network.
        return tuple(usable_fields((str(name), str(value)) for name, value in kept[1].items()))


def _time(kept: tuple[float, Mapping[str, str]]) -> float:
    return kept[0]

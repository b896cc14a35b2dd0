"""What running processes tell of events, followed: who goes is told, and followed again when it is back."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from netprov.errors import ServiceError
from netprov.runtime.control import place
from netprov.runtime.control.client import nobody, peers
from netprov.runtime.process import WATCH
from netprov.runtime.recent import Told

LOOK_S: Final = 0.5
"""Seconds between two looks for processes that are new or back."""
SILENCE_S: Final = 5.0
"""Seconds after which a process that says nothing is lost: it says something once a second."""
TURN_S: Final = 0.2
"""Seconds after which whoever follows gets a turn, also if nothing has happened."""
SELF: Final = "watch"
"""The service of what is told by us."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a process has said, or, with a `trouble`, that it says no more."""

    roles: tuple[str, ...]
    answer: Mapping[str, Any] | None = None
    trouble: str = ""


class Follower:
    """Follows every process of a state directory; `up` are the roles that are heard at the moment."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._heard: queue.SimpleQueue[_Heard] = queue.SimpleQueue()
        self._asked: set[tuple[str, ...]] = set()
        self._troubles: dict[tuple[str, ...], str] = {}
        self._looks = 0.0
        self.up: set[str] = set()

    def events(self) -> Iterator[Told | None]:
        """Yield events for ever, and None where nothing more has happened yet. Raises `ServiceError` if nothing runs at first."""
        if not self._look():
            raise nobody(self._state, ())
        while True:
            try:
                turn = time.monotonic() + TURN_S
                yield from self._told(self._heard.get(timeout=TURN_S))
                while time.monotonic() < turn:
                    yield from self._told(self._heard.get_nowait())
            except queue.Empty:
                self._look()
            yield None

    def _look(self) -> bool:
        """Begin to follow what is not followed; say whether there is anything."""
        if time.monotonic() >= self._looks:
            self._looks = time.monotonic() + LOOK_S
            for name in place.names(self._state):
                roles = place.roles(name)
                if roles not in self._asked:
                    self._asked.add(roles)
                    threading.Thread(target=self._follow, args=(roles,), daemon=True).start()
        return bool(self._asked)

    def _follow(self, roles: tuple[str, ...]) -> None:
        """Listen to one process until it says no more; runs in a thread."""
        trouble = "nothing runs there"
        try:
            with peers(self._state, roles[:1], patience=SILENCE_S) as found:
                for peer in found:
                    trouble = "it has ended"
                    for answer in peer.call(WATCH):
                        self._heard.put(_Heard(roles, answer))
        except ServiceError as error:
            trouble = error.message
        self._heard.put(_Heard(roles, trouble=trouble))

    def _told(self, heard: _Heard) -> Iterator[Told]:
        names = " ".join(heard.roles)
        if heard.answer is None:
            self._asked.discard(heard.roles)
            self.up -= set(heard.roles)
            if self._troubles.get(heard.roles) != heard.trouble:
                self._troubles[heard.roles] = heard.trouble
                yield _note("Lost", f"{names}: not heard any more: {heard.trouble}")
            return
        if self._troubles.pop(heard.roles, None) is not None:
            yield _note("Back", f"{names}: heard again")
        self.up |= set(heard.roles)
        for fields in heard.answer["events"]:
            yield Told(**fields)
        if missed := heard.answer["missed"]:
            yield _note("Missed", f"{names}: {missed} events came too fast to be told")


def _note(event: str, text: str) -> Told:
    return Told(time.time(), SELF, event, "", "", "", refusal=False, text=text)

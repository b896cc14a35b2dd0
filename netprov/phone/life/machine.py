"""The phone's life as a machine without input or output: one action after the other, and what happens meanwhile.

    machine = LivingPhone(handset)
    while True:
        result = perform(machine.action)          # a pump's: sockets, or a clock for `Wait`
        machine.answer(result, now)               # or, while it is being performed:
        machine.happen(CallPlaced(), now)         # `action` is another one then: what was going on is given up

Time is an argument, in the phone's own seconds. What happens while the phone is about something waits until it has done
it; the power, the cable and a factory reset do not.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from netprov.phone.action import Action, Done, Result, Wait
from netprov.phone.handset.memory import Handset
from netprov.phone.life.agenda import Tally
from netprov.phone.life.input import (
    CallEnded,
    CallPlaced,
    ConnectionRequested,
    Input,
    LinkChanged,
    PowerCycled,
    Queued,
    ResetToFactory,
)
from netprov.phone.life.live import MAX_INBOX, Life, live

KNOCKS: Final = 10
KNOCKS_S: Final = 60.0
"""So many connection requests are taken in so many seconds (TR-069 section 3.2.2 leaves the figures to the CPE)."""


class LivingPhone:
    """One phone under power; `action` is what it wants done now, `since` when it began to want it."""

    def __init__(self, handset: Handset, began: float | None = None) -> None:
        handset.lives = True
        self.life = Life(handset)
        self.began = handset.now if began is None else began
        self._knocks: deque[float] = deque(maxlen=KNOCKS)
        self._road = live(self.life)
        self.action: Action = next(self._road)
        self.since = handset.now

    @property
    def handset(self) -> Handset:
        """What the phone remembers."""
        return self.life.handset

    @property
    def tally(self) -> Tally:
        """What its life was so far."""
        return self.life.tally

    @property
    def seconds(self) -> float:
        """How long it has lived, in its own time."""
        return self.handset.now - self.began

    @property
    def current(self) -> bool:
        """Whether its last resync was fine."""
        return self.tally.resyncs > 0 and self.tally.row == 0

    @property
    def rests(self) -> bool:
        """Whether it waits for the time or for somebody, and is about nothing."""
        return isinstance(self.action, Wait) and self.action.listens

    def answer(self, result: Result, now: float) -> None:
        """Take in what came of the action."""
        self.handset.now = self.since = now
        self.action = self._road.send(result)

    def takes(self, event: Input) -> bool:
        """Tell whether the phone would see to something, or has too much before it."""
        return not isinstance(event, Queued) or len(self.life.inbox) < MAX_INBOX

    def happen(self, event: Input, now: float) -> bool:
        """Take in what happened to the phone; False if it has too much before it, and will not see to it."""
        if not self.takes(event) or (isinstance(event, ConnectionRequested) and self._is_besieged(now)):
            return False
        self.handset.now = now
        match event:
            case CallPlaced():
                self.handset.calls += 1
            case CallEnded():
                self.handset.calls = max(0, self.handset.calls - 1)
            case PowerCycled() | LinkChanged():
                self._start_again()
                return True
            case ResetToFactory():
                self.handset.reset()
                self.life = Life(self.handset, self.life.tally)
                self._start_again()
                return True
            case ConnectionRequested():
                self._knocks.append(now)
                if event not in self.life.inbox:  # however many come in a session, one more follows it
                    self.life.inbox.append(event)
            case _:
                self.life.inbox.append(event)
        if self.rests:
            self.answer(Done(), now)
        return True

    def _is_besieged(self, now: float) -> bool:
        return len(self._knocks) == KNOCKS and now - self._knocks[0] < KNOCKS_S

    def _start_again(self) -> None:
        self._road.close()
        self.life.inbox.clear()
        self.life.power_off()
        self._road = live(self.life)
        self.action = next(self._road)
        self.since = self.handset.now

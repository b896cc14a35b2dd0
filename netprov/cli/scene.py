"""What `netprov watch` shows: phones by where they stand, and the last events, cut to the screen that there is."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.cells import cell_len, set_cell_size

from netprov.runtime.recent import Told
from netprov.text import visible

KEPT_EVENTS: Final = 200
KEPT_PHONES: Final = 2000
"""Phones that are shown at the most: strangers can be many. Who was heard of longest ago goes."""


@dataclass(slots=True)
class Row:
    """A phone, and since when it stands where it does."""

    mac: str
    name: str = ""
    address: str = ""
    model: str = ""
    stands: str = "asked"
    since: float = 0.0


@dataclass(slots=True)
class Scene:
    """Everything that may be shown; `names` are the inventory's, by MAC address."""

    title: str
    names: Mapping[str, str] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    """By MAC address, who was heard of last at the end."""
    events: deque[Told] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))

    def take(self, told: Told) -> None:
        """Take one event in."""
        self.events.append(told)
        if not told.mac:
            return
        row = self.rows.pop(told.mac, None) or Row(told.mac, self.names.get(told.mac, ""))
        row.address = told.address or row.address
        if told.stands and told.stands != row.stands:
            row.stands, row.since = told.stands, told.time
        row.since = row.since or told.time
        self.rows[told.mac] = row
        while len(self.rows) > KEPT_PHONES:
            del self.rows[next(iter(self.rows))]

    def lines(self, up: Sequence[str], *, width: int, height: int, now: float) -> list[str]:
        """Return the lines of a screen, each at most `width` cells, `height` at the most."""
        heard = f"{' '.join(up)}" if up else "nothing is heard: waits"
        lines = [f"{_clock(now)}  {self.title}  {heard}", self._stages(), ""]
        room = max(0, height - len(lines) - 1)
        phones = min(len(self.rows), (room * 2 + 2) // 3)
        newest = list(reversed(self.rows.values()))[:phones]
        lines += [self._phone(each, width) for each in newest]
        left = max(0, height - len(lines) - 1)
        shown = list(self.events)[-left:] if left else []
        if shown:
            lines += ["", *(line_of(each) for each in shown)]
        return [_cut(line, width) for line in lines[:height]]

    def _stages(self) -> str:
        counts = Counter(_stage(each.stands) for each in self.rows.values())
        return ", ".join(f"{count} {stage}" for stage, count in counts.most_common()) or "no phone yet"

    def _phone(self, row: Row, width: int) -> str:
        cells = [row.mac, f"{row.address:15}", _clock(row.since), row.stands]
        if width >= _WIDE:
            cells.insert(1, f"{visible(row.name)[:16]:16}")
        return "  ".join(cells)


_WIDE: Final = 100
"""Columns from which on phones are shown with their names."""


def line_of(told: Told) -> str:
    """Return an event as one line."""
    return f"{_clock(told.time)} {told.service:6} {told.text}"


def _stage(stands: str) -> str:
    """Return the first words of where a phone stands, by which like ones are counted together."""
    return stands.partition(":")[0].partition(" over ")[0]


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment)) if moment else "--:--:--"


def _cut(line: str, width: int) -> str:
    """Return a line of at most so many cells, of which a terminal obeys nothing."""
    line = visible(line)
    return line if cell_len(line) <= width else set_cell_size(line, max(0, width - 1)) + "…"

"""Device records in SQLite: what each phone asked, was answered and reported, and where it stands; read here.

Several processes may write one file (`DeviceFile`) while others read it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from netprov.provision.event import Posted
from netprov.state.place import RECORDS
from netprov.state.sqlite import Database

FILE = f"{RECORDS}/devices.sqlite"

LATE_S: Final = 2.0
"""Seconds that processes may write apart what happened in another order: each collects for half a second."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS device (
    mac TEXT PRIMARY KEY, address TEXT NOT NULL, model TEXT NOT NULL, firmware TEXT NOT NULL,
    standing TEXT NOT NULL, since REAL NOT NULL, first REAL NOT NULL, last REAL NOT NULL,
    profiles INTEGER NOT NULL, refusals INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY, time REAL NOT NULL, mac TEXT NOT NULL, address TEXT NOT NULL,
    service TEXT NOT NULL, text TEXT NOT NULL, kind TEXT NOT NULL DEFAULT '', fields TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS history_of ON history (mac, id);
CREATE INDEX IF NOT EXISTS history_at ON history (address, id);
CREATE TABLE IF NOT EXISTS report (
    mac TEXT NOT NULL, kind TEXT NOT NULL, time REAL NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (mac, kind));
"""
DATABASE = Database(
    "device records:",
    "It may be moved away: it is only history.",
    (_SCHEMA,),
    synchronous="NORMAL",
    busy_s=1.0,
    shared=True,
)


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """One phone; times are seconds since 1970."""

    mac: str
    address: str
    model: str
    firmware: str
    standing: str
    since: float
    first: float
    last: float
    profiles: int
    refusals: int


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Something that happened: the sentence for people; the kind of event and its fields for programs."""

    time: float
    address: str
    service: str
    text: str
    kind: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


def load_devices(state: Path) -> tuple[DeviceRecord, ...]:
    """Return every phone on record, the one heard of last first. Raises `ServiceError`."""
    rows = _query(state, "SELECT * FROM device ORDER BY last DESC", ())
    return tuple(DeviceRecord(*row) for row in rows)  # type: ignore[arg-type]


def load_history(state: Path, mac: str, limit: int = 100) -> tuple[HistoryLine, ...]:
    """Return what happened to a phone, the newest last; "" for senders that are not known."""
    rows = _query(
        state,
        "SELECT time, address, service, text, kind, fields FROM history WHERE mac = ? ORDER BY id DESC LIMIT ?",
        (mac, limit),
    )
    return _in_order(
        HistoryLine(*row, json.loads(str(fields)))  # type: ignore[arg-type, call-arg]
        for *row, fields in reversed(rows)
    )


def _in_order(lines: Iterable[HistoryLine]) -> tuple[HistoryLine, ...]:
    """Put lines in the order of their times where several processes wrote them a moment apart.

    What differs by more was written by a clock that has been set since: the order of writing tells.
    """
    ordered: list[HistoryLine] = []
    for line in lines:
        place = len(ordered)
        while place and 0 < ordered[place - 1].time - line.time < LATE_S:
            place -= 1
        ordered.insert(place, line)
    return tuple(ordered)


def count_history(state: Path) -> dict[str, int]:
    """Return how many lines are on record of each phone."""
    rows = _query(state, "SELECT mac, count(*) FROM history WHERE mac != '' GROUP BY mac", ())
    return {str(mac): int(str(count)) for mac, count in rows}


def load_reports(state: Path, mac: str) -> tuple[tuple[str, float, Mapping[str, str]], ...]:
    """Return a phone's newest report of each kind: kind, time, fields."""
    rows = _query(state, "SELECT kind, time, fields FROM report WHERE mac = ? ORDER BY kind", (mac,))
    return tuple((str(kind), float(str(when)), json.loads(str(fields))) for kind, when, fields in rows)


def load_posted(state: Path, mac: str) -> tuple[float, Mapping[str, str]] | None:
    """Return what a phone posted last, and when; None if it never did. Raises `ServiceError`."""
    rows = _query(state, "SELECT time, fields FROM report WHERE mac = ? AND kind = ?", (mac, Posted.kind))
    return next(((float(str(when)), json.loads(str(fields))) for when, fields in rows), None)


def _query(state: Path, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
    path = state / FILE
    if not path.exists():
        return []
    try:
        with closing(DATABASE.read(path)) as database:
            return list(database.execute(sql, values))
    except sqlite3.Error as error:
        raise DATABASE.problem(path, error) from error

"""Keys that were given, in SQLite: on disk before the answer that holds one leaves, so that a crash gives none twice."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

from netprov.provision.gate.handout import HandOut, Wanted
from netprov.state.place import KEYS, make_room
from netprov.state.sqlite import Database

FILE = f"{KEYS}/given.sqlite"

DATABASE = Database(
    "the record of keys that were given,",
    "Restore it from a backup. Moving it away opens every key once more.",
    (
        """CREATE TABLE given (mac TEXT PRIMARY KEY, time REAL NOT NULL, address TEXT NOT NULL, proof TEXT NOT NULL,
            times INTEGER NOT NULL, opened INTEGER NOT NULL);""",
    ),
)
_READ = "SELECT mac, time, address, proof, times, opened FROM given"
_PUT = "INSERT OR REPLACE INTO given VALUES (?, ?, ?, ?, ?, ?)"


class KeyLedger:
    """The one writer of the record; its methods may be called from any thread."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def of(self, mac: str) -> HandOut | None:
        """Return what is on record of a phone's key. Raises `ServiceError`: who cannot read it gives nothing."""
        with self._lock:
            try:
                return _one(self._open(), mac)
            except sqlite3.Error as error:
                raise DATABASE.problem(self._path, error) from error

    def give(self, wanted: Wanted, now: float) -> HandOut | None:
        """Put on disk that a key is given, and return that; None where it is not to be given. Raises `ServiceError`."""
        with self._lock:
            try:
                database = self._open()
                database.execute("BEGIN IMMEDIATE")
                try:
                    before = _one(database, wanted.mac)
                    after = wanted.judge(before, now)
                    if after is not None and after != before:
                        database.execute(_PUT, astuple(after))
                    database.execute("COMMIT")
                except BaseException:
                    if database.in_transaction:
                        database.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise DATABASE.problem(self._path, error) from error
            return after

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = DATABASE.open(make_room(self._path), threads=True)
        return self._database


def given(state: Path) -> dict[str, HandOut]:
    """Return what is on record of every phone's key, {} while none was given. Raises `ServiceError`."""
    path = state / FILE
    try:
        if not path.exists():
            return {}
        with closing(DATABASE.read(path)) as database:
            rows = database.execute(_READ).fetchall() if DATABASE.is_made(database) else []
    except (OSError, sqlite3.Error) as error:
        raise DATABASE.problem(path, error) from error
    return {row[0]: _hand_out(row) for row in rows}


def unlock(state: Path, mac: str) -> bool:
    """Let a phone's key be given once more; return whether it was locked. Raises `ServiceError`."""
    path = state / FILE
    if not path.exists():
        return False
    try:
        with closing(DATABASE.append(path)) as database, database:
            return database.execute("UPDATE given SET opened = 1 WHERE mac = ?", (mac,)).rowcount > 0
    except sqlite3.Error as error:
        raise DATABASE.problem(path, error) from error


def _one(database: sqlite3.Connection, mac: str) -> HandOut | None:
    row = database.execute(f"{_READ} WHERE mac = ?", (mac,)).fetchone()
    return _hand_out(row) if row else None


def _hand_out(row: tuple[object, ...]) -> HandOut:
    mac, time, address, proof, times, opened = row
    return HandOut(str(mac), float(str(time)), str(address), proof, int(str(times)), bool(opened))  # type: ignore[arg-type]

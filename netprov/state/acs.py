"""The ACS's records of its devices in SQLite: written before the answer that they are about leaves."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import asdict, fields
from pathlib import Path

from netprov.cwmp.device import Device
from netprov.errors import ServiceError
from netprov.state.place import ACS, make_room
from netprov.state.sqlite import Database, is_short

FILE = f"{ACS}/acs.sqlite3"

DATABASE = Database(
    "the ACS's records in",
    "It may be moved away: phones Inform again.",
    (
        "CREATE TABLE IF NOT EXISTS device (key TEXT PRIMARY KEY, informed_at REAL NOT NULL, record TEXT NOT NULL);",
    ),
)
_KEEP = "INSERT INTO device VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET informed_at = ?2, record = ?3"
_LOAD = "SELECT record FROM device ORDER BY informed_at DESC LIMIT ?"
_FIELDS = {each.name for each in fields(Device)}


class AcsStore:
    """Device records in one file; several answers that wait at once share one commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: dict[str, Device] = {}
        self._kept: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._database: sqlite3.Connection | None = None
        with suppress(sqlite3.Error):  # no room now: phones are answered 503 until there is, the others serve
            self._database = self._open()

    def load(self, limit: int) -> list[Device]:
        """Return the records of the devices that Informed last, the oldest first. Raises `ServiceError`."""
        try:
            rows = self._read(limit)
        except sqlite3.Error as error:
            raise DATABASE.problem(self._path, error) from error
        return [_decode(record) for (record,) in reversed(rows)]

    async def keep(self, records: Iterable[Device]) -> None:
        """Return once the records are on disk. Raises `sqlite3.Error` if they cannot be."""
        changed = {record.key: record for record in records}
        if not changed:
            return
        self._waiting.update(changed)
        if self._kept is None:
            self._kept = asyncio.get_running_loop().create_future()
        kept = self._kept
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(kept)

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()

    def _open(self) -> sqlite3.Connection:
        """Open the file. Raises `ServiceError`, or `sqlite3.Error` if that is for want of room alone."""
        try:
            return DATABASE.open(make_room(self._path), threads=True)
        except ServiceError as error:
            if is_short(error) and isinstance(error.__cause__, sqlite3.Error):
                raise error.__cause__ from None
            raise

    def _read(self, limit: int) -> list[tuple[str]]:
        if self._database is not None:
            return self._database.execute(_LOAD, (limit,)).fetchall()
        with closing(DATABASE.read(self._path)) as database:
            return database.execute(_LOAD, (limit,)).fetchall() if DATABASE.is_made(database) else []

    async def _write(self) -> None:
        while self._kept is not None:
            batch, self._waiting = self._waiting, {}
            kept, self._kept = self._kept, None
            try:
                await asyncio.to_thread(self._store, tuple(batch.values()))
            except sqlite3.Error as error:
                kept.set_exception(error)
            except Exception as error:  # noqa: BLE001 - who waits for the batch is told, and the next one is written
                kept.set_exception(sqlite3.DataError(f"a record that cannot be written: {error!r}"))
            else:
                kept.set_result(None)
        self._writer = None

    def _store(self, records: tuple[Device, ...]) -> None:
        rows = [(record.key, record.informed_at, json.dumps(asdict(record))) for record in records]
        database = self._database = self._database or self._open()
        database.execute("BEGIN")
        try:
            database.executemany(_KEEP, rows)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # a full disk rolls back by itself
                database.execute("ROLLBACK")
            raise


def _decode(text: str) -> Device:
    """Read a record, also one that an older or newer version wrote."""
    values = {name: value for name, value in json.loads(text).items() if name in _FIELDS}
    return Device(**{**values, "codes": tuple(values.get("codes", ()))})

"""What an ACS keeps, in SQLite: its devices, what operators ask of them, and the values that they reported.

Written before the answer that it is about leaves. What has ended is kept so long as there is room in `History`.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from netprov.cwmp import rpc
from netprov.cwmp.acs import Changes
from netprov.cwmp.device import Device
from netprov.cwmp.transaction import Transaction
from netprov.errors import Malformed, ServiceError
from netprov.state.acs import transaction_record
from netprov.state.place import ACS, make_room
from netprov.state.sqlite import Database, is_short

FILE = f"{ACS}/acs.sqlite3"

DATABASE = Database(
    "the ACS's records in",
    "It may be moved away: phones Inform again.",
    (
        "CREATE TABLE IF NOT EXISTS device (key TEXT PRIMARY KEY, informed_at REAL NOT NULL, record TEXT NOT NULL);",
        """
        CREATE TABLE asked (
            number INTEGER PRIMARY KEY, device TEXT NOT NULL, live INTEGER NOT NULL, record TEXT NOT NULL
        );
        CREATE INDEX asked_device ON asked (device, number);
        CREATE INDEX asked_live ON asked (live, number);
        CREATE TABLE value (
            device TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL, at REAL NOT NULL,
            PRIMARY KEY (device, name)
        ) WITHOUT ROWID;
        """,
    ),
)
_KEEP = "INSERT INTO device VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET informed_at = ?2, record = ?3"
_LOAD = "SELECT record FROM device ORDER BY informed_at DESC LIMIT ?"
_ASK = "INSERT INTO asked VALUES (?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET live = ?3, record = ?4"
_REPORT = "INSERT INTO value VALUES (?, ?, ?, ?, ?) ON CONFLICT (device, name) DO UPDATE SET type = ?3, value = ?4, at = ?5"
_OLD_OF_DEVICE = (
    "DELETE FROM asked WHERE live = 0 AND device = ?1 AND number <= "
    "(SELECT number FROM asked WHERE live = 0 AND device = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)"
)
_OLD = (
    "DELETE FROM asked WHERE live = 0 AND number <= "
    "(SELECT number FROM asked WHERE live = 0 ORDER BY number DESC LIMIT 1 OFFSET ?)"
)
_OLD_VALUES = (
    "DELETE FROM value WHERE device = ?1 AND name IN "
    "(SELECT name FROM value WHERE device = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)"
)
_FIELDS = {each.name for each in fields(Device)}


@dataclass(frozen=True, slots=True)
class History:
    """How much is kept: transactions that have ended, of a device and in all; values of a device."""

    of_device: int = 50
    in_all: int = 100_000
    values: int = 4000


@dataclass(frozen=True, slots=True)
class Reported:
    """A parameter as a device reported it, and when, in seconds since the epoch."""

    value: rpc.ParameterValue
    at: float


class AcsStore:
    """All of it in one file; several answers that wait at once share one commit."""

    def __init__(self, path: Path, history: History | None = None) -> None:
        self._path = path
        self._history = history or History()
        self._waiting = _Batch()
        self._kept: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._database: sqlite3.Connection | None = None
        with suppress(sqlite3.Error):  # no room now: phones are answered 503 until there is, the others serve
            self._database = self._open()

    def load(self, limit: int) -> list[Device]:
        """Return the records of the devices that Informed last, the oldest first. Raises `ServiceError`."""
        return [_decode(record) for (record,) in reversed(self._read(_LOAD, (limit,), version=1))]

    def live(self) -> tuple[Transaction, ...]:
        """Return the transactions that have not ended. Raises `ServiceError`."""
        return self._asked("SELECT record FROM asked WHERE live = 1 ORDER BY number", ())

    def following(self) -> int:
        """Return the number of the next transaction. Raises `ServiceError`."""
        [(last,)] = self._read("SELECT max(number) FROM asked", ()) or [(None,)]
        return (last or 0) + 1

    def history(self, device: str, limit: int) -> tuple[Transaction, ...]:
        """Return the newest transactions of a device, or of all where it is "", newest first. Raises `ServiceError`."""
        query = "SELECT record FROM asked WHERE device = ?1 OR ?1 = '' ORDER BY number DESC LIMIT ?2"
        return self._asked(query, (device, limit))

    def asked(self, first: int, last: int) -> tuple[Transaction, ...]:
        """Return the transactions with these numbers and between. Raises `ServiceError`."""
        return self._asked(
            "SELECT record FROM asked WHERE number BETWEEN ? AND ? ORDER BY number", (first, last)
        )

    def values(self, device: str) -> tuple[Reported, ...]:
        """Return what a device reported last, by name. Raises `ServiceError`."""
        query = "SELECT name, value, type, at FROM value WHERE device = ? ORDER BY name"
        return tuple(
            Reported(rpc.ParameterValue(name, value, kind), at)
            for name, value, kind, at in self._read(query, (device,))
        )

    async def keep(self, changes: Changes, now: float) -> None:
        """Return once the changes are on disk. Raises `sqlite3.Error` if they cannot be."""
        if not (changes.devices or changes.transactions or changes.reported):
            return
        self._waiting.add(changes, now)
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

    def _asked(self, query: str, values: tuple[object, ...]) -> tuple[Transaction, ...]:
        try:
            return tuple(transaction_record.decode(record) for (record,) in self._read(query, values))
        except Malformed as error:
            raise DATABASE.problem(self._path, error) from error

    def _read(self, query: str, values: tuple[object, ...], *, version: int = 2) -> list[tuple[Any, ...]]:
        """Return rows; none of a file that has not been brought to the version whose tables are read."""
        try:
            with closing(DATABASE.read(self._path)) as database:
                [(made,)] = database.execute("PRAGMA user_version")
                return database.execute(query, values).fetchall() if made >= version else []
        except sqlite3.Error as error:
            raise DATABASE.problem(self._path, error) from error

    async def _write(self) -> None:
        while self._kept is not None:
            batch, self._waiting = self._waiting, _Batch()
            kept, self._kept = self._kept, None
            try:
                await asyncio.to_thread(self._store, batch)
            except sqlite3.Error as error:
                kept.set_exception(error)
            except Exception as error:  # noqa: BLE001 - who waits for the batch is told, and the next one is written
                kept.set_exception(sqlite3.DataError(f"a record that cannot be written: {error!r}"))
            else:
                kept.set_result(None)
        self._writer = None

    def _store(self, batch: _Batch) -> None:
        database = self._database = self._database or self._open()
        database.execute("BEGIN")
        try:
            database.executemany(_KEEP, batch.device_rows())
            database.executemany(_ASK, batch.transaction_rows())
            database.executemany(_REPORT, batch.value_rows())
            self._forget(database, batch)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:  # a full disk rolls back by itself
                database.execute("ROLLBACK")
            raise

    def _forget(self, database: sqlite3.Connection, batch: _Batch) -> None:
        """Forget the oldest of what there is too much of."""
        ended = {each.device for each in batch.transactions.values() if each.ended}
        database.executemany(_OLD_OF_DEVICE, [(device, self._history.of_device) for device in ended])
        if ended:
            database.execute(_OLD, (self._history.in_all,))
        for device in {device for device, _ in batch.values}:
            [(count,)] = database.execute("SELECT count(*) FROM value WHERE device = ?", (device,))
            if count > self._history.values:
                database.execute(_OLD_VALUES, (device, self._history.values))


@dataclass(slots=True)
class _Batch:
    """What waits to be written, each thing once, as it is now."""

    devices: dict[str, Device] = field(default_factory=dict)
    transactions: dict[int, Transaction] = field(default_factory=dict)
    values: dict[tuple[str, str], Reported] = field(default_factory=dict)

    def add(self, changes: Changes, now: float) -> None:
        self.devices.update((each.key, each) for each in changes.devices)
        self.transactions.update((each.number, each) for each in changes.transactions)
        for device, values in changes.reported:
            self.values.update(((device, each.name), Reported(each, now)) for each in values)

    def device_rows(self) -> list[tuple[str, float, str]]:
        return [(each.key, each.informed_at, json.dumps(asdict(each))) for each in self.devices.values()]

    def transaction_rows(self) -> list[tuple[int, str, bool, str]]:
        return [
            (each.number, each.device, not each.ended, transaction_record.encode(each))
            for each in self.transactions.values()
        ]

    def value_rows(self) -> list[tuple[str, str, str, str, float]]:
        return [
            (device, name, each.value.type, transaction_record.hide(each.value).value, each.at)
            for (device, name), each in self.values.items()
        ]


def _decode(text: str) -> Device:
    """Read a record, also one that an older or newer version wrote."""
    values = {name: value for name, value in json.loads(text).items() if name in _FIELDS}
    return Device(**{**values, "codes": tuple(values.get("codes", ()))})

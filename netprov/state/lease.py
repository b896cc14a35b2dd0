"""The lease store: SQLite with a write-ahead log; one commit, one fsync, for a whole batch of events.

Another process follows it with `LeaseReader`: a counter that changes when a named lease does, and the query.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path
from sys import intern
from typing import Any

from netprov.dhcp.lease import Bound, Lease, LeaseEvent, LeaseState
from netprov.errors import ServiceError
from netprov.state.clock import Anchor
from netprov.state.place import LEASES, make_room
from netprov.state.reserve import EVERY_S, Reserve
from netprov.state.sqlite import Database, is_short, is_still

FILE = f"{LEASES}/leases.db"
LOCK = f"{LEASES}/leases.lock"

MIGRATIONS: Sequence[str] = (
    """
    CREATE TABLE lease (
        address INTEGER PRIMARY KEY,
        network TEXT NOT NULL,
        client BLOB NOT NULL,
        mac BLOB NOT NULL,
        state INTEGER NOT NULL,
        started REAL NOT NULL,
        expires REAL NOT NULL,
        hostname TEXT NOT NULL,
        vendor_class TEXT NOT NULL,
        relay BLOB NOT NULL,
        device TEXT NOT NULL
    );
    CREATE INDEX named ON lease (hostname) WHERE hostname <> '';
    CREATE TABLE position (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        lease_time REAL NOT NULL,
        boot_time REAL NOT NULL,
        boot_id TEXT NOT NULL,
        wall_time REAL NOT NULL,
        synchronised INTEGER NOT NULL,
        name_changes INTEGER NOT NULL
    );
    CREATE TABLE release_wish (address INTEGER PRIMARY KEY);
    INSERT INTO position VALUES (1, 0, 0, '', 0, 0, 0);
    """,
)
"""Each brings the schema from the version of its index to the next (`PRAGMA user_version`)."""

DATABASE = Database(
    "the lease file",
    f"Restore {FILE} from a backup, or try `sqlite3 {FILE} .recover`; moving it away begins without leases, and addresses in "
    "use may then be offered until their conflict checks find them.",
    MIGRATIONS,
    mode=0o640,
)

_COLUMNS = "address, network, client, mac, state, started, expires, hostname, vendor_class, relay, device"
_PUT = f"INSERT OR REPLACE INTO lease ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_POSITION = "lease_time, boot_time, boot_id, wall_time, synchronised"
_KEEP = f"UPDATE position SET ({_POSITION}, name_changes) = (?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_SEPARATOR = "\x1f"

PART = 64
"""Leases in a commit to a full disk."""

KEEP_EVERY_S = 1.0
"""How old the kept position of the lease clock may get while leases are written; it is exact within one boot all the
same (`LeaseClock`), and at every commit it would cost as much as five leases."""


class LeaseStore:
    """The one writer of a lease file; `open_store` opens it."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, lock: int, reserve: Reserve | None = None
    ) -> None:
        self.path = path
        self._lock = lock
        self._reserve = reserve or Reserve(path)
        self._connection = connection
        self._pending: dict[int, Lease] = {}
        self._named: dict[int, str] = {}
        self._name_changes = 0
        self._kept = (-KEEP_EVERY_S, 0)
        self._seen = -1

    def load(self) -> Iterator[Lease]:
        """Yield every lease on record."""
        for row in self._connection.execute(f"SELECT {_COLUMNS} FROM lease"):  # noqa: S608 - constants
            lease = _lease(row)
            if lease.hostname and lease.state is LeaseState.BOUND:
                self._named[lease.address] = lease.hostname
            yield lease

    def anchor(self) -> Anchor | None:
        """Return where the lease clock was at the last commit, None in a new store."""
        *kept, self._name_changes = self._connection.execute(
            f"SELECT {_POSITION}, name_changes FROM position"  # noqa: S608 - constants
        ).fetchone()
        return _anchor(kept)

    def commit(self, events: Iterable[LeaseEvent], anchor: Anchor) -> None:
        """Write what happened, and return when it is on disk.

        Raises `ServiceError` if it cannot be written; nothing of the batch is lost, the next commit writes it.
        """
        for event in events:
            lease = event.lease
            self._pending[lease.address] = lease
            name = lease.hostname if type(event) is Bound else ""
            if self._named.get(lease.address, "") != name:
                self._name_changes += 1
                if name:
                    self._named[lease.address] = name
                else:
                    del self._named[lease.address]
        if not self._pending:
            return
        try:
            self._put(self._pending.values(), anchor)
            self._pending.clear()
        except sqlite3.Error as error:
            if not is_short(error) or not (
                self._put_in_parts(anchor) or (self._reserve.give_up() and self._put_in_parts(anchor))
            ):
                raise DATABASE.problem(self.path, error) from error
        self._reserve.keep(self._connection)

    def release_wishes(self) -> list[int]:
        """Return and forget the addresses whose leases an operator wants ended; cheap while there are none."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._seen:
            return []
        try:
            wishes = [
                row[0] for row in self._connection.execute("DELETE FROM release_wish RETURNING address")
            ]
        except sqlite3.Error as error:
            raise DATABASE.problem(self.path, error) from error
        self._seen = version
        return wishes

    @property
    def behind(self) -> bool:
        """Say whether something could not be written yet."""
        return bool(self._pending)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        os.close(self._lock)

    def _put(self, leases: Iterable[Lease], anchor: Anchor) -> None:
        """Write leases in one commit, or none of them. Raises `sqlite3.Error`."""
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(_PUT, map(_row, leases))
            due = (anchor.lease_time, self._name_changes)
            if due[0] - self._kept[0] >= KEEP_EVERY_S or due[1] != self._kept[1]:
                cursor.execute(_KEEP, (*astuple(anchor), self._name_changes))
                self._kept = due
            cursor.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            self._kept = (-KEEP_EVERY_S, 0)
            raise

    def _put_in_parts(self, anchor: Anchor) -> bool:
        """Write what waits a few leases at a time, each time from the start of the log; say whether all could be."""
        try:
            while self._pending:
                some = list(islice(self._pending.values(), PART))
                self._reserve.reuse(self._connection)
                self._put(some, anchor)
                for lease in some:
                    del self._pending[lease.address]
        except sqlite3.Error:
            return False
        return True

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # SQLite rolls back by itself after most errors; the next BEGIN tells if it could not.
            return


def open_store(directory: Path, *, every: float = EVERY_S) -> LeaseStore:
    """Open the lease file in the state directory, made if need be; raise `ServiceError` with a remedy.

    `every`: seconds between looks whether room is kept for more leases.
    """
    path = make_room(directory / FILE)
    lock = _lock(directory / LOCK)
    reserve = Reserve(path, every)
    try:
        connection = _connect_somehow(path, reserve)
        return LeaseStore(connection, path, lock, reserve)
    except (OSError, sqlite3.Error) as error:
        os.close(lock)
        raise DATABASE.problem(path, error) from error
    except ServiceError:
        os.close(lock)
        raise


def _lock(path: Path) -> int:
    """Keep other servers off the lease file for as long as this process lives."""
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise DATABASE.problem(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        remedy = "Stop it, or give this one another directory with --state."
        raise ServiceError(f"another netprov serves DHCP from {path.parent}", remedy) from error
    return lock


def _connect_somehow(path: Path, reserve: Reserve) -> sqlite3.Connection:
    """Connect, on a full disk in the room that was kept for a start; then see to it that there is room again."""
    try:
        connection = _connect(path)
    except (ServiceError, sqlite3.Error) as error:
        if not is_short(error) or not reserve.give_up():
            raise
        connection = _connect(path)
    reserve.keep(connection)
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = DATABASE.open(path)
    try:
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise ServiceError(f"the lease file {path} is damaged: {found}", DATABASE.damaged)
        # A write that changes nothing: a file or disk that cannot be written is told now, not at the first lease.
        connection.execute("UPDATE position SET id = 1")
    except BaseException:
        connection.close()
        raise
    return connection


@dataclass(frozen=True, slots=True)
class NamedLease:
    """A lease whose client told its name; `expires` is in lease time."""

    hostname: str
    address: int
    network: str
    mac: bytes
    expires: float


class LeaseReader:
    """Follows a lease file that another process writes; opens it anew for each question but `holder`.

    It needs to read the file and the two beside it (`leases.db-wal`, `leases.db-shm`).
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._kept: tuple[tuple[int, int, bool], sqlite3.Connection] | None = None

    def close(self) -> None:
        """Close what `holder` keeps open."""
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    def changes(self) -> int:
        """Return a number that differs when names of leases have changed; -1 while there is no lease file."""
        rows = self._query("SELECT name_changes FROM position")
        return int(rows[0][0]) if rows else -1

    def anchor(self) -> Anchor | None:
        """Return where the writer's lease clock was, for `LeaseClock`."""
        rows = self._query(f"SELECT {_POSITION} FROM position")  # noqa: S608 - constants
        return _anchor(rows[0]) if rows else None

    def named(self, now: float) -> tuple[NamedLease, ...]:
        """Return the active leases that have a name, the earliest first; `now` is lease time."""
        rows = self._query(
            "SELECT hostname, address, network, mac, expires FROM lease "
            "WHERE hostname <> '' AND state = 1 AND expires > ? ORDER BY started, address",
            (now,),
        )
        return tuple(NamedLease(*row) for row in rows)

    def holder(self, address: int) -> bytes:
        """Return the hardware address of the client that an address is leased to, b"" if it is not.

        Asked at every request, so the file is kept open; ask in one thread at a time.
        """
        try:
            connection = self._standing()
            if connection is None:
                return b""
            sql = "SELECT mac FROM lease WHERE address = ? AND state = 1"
            row = connection.execute(sql, (address,)).fetchone()
        except sqlite3.Error as error:
            self.close()
            raise DATABASE.problem(self._path, error) from error
        return bytes(row[0]) if row else b""

    def _standing(self) -> sqlite3.Connection | None:
        """Return the connection that is kept, to the file that is there now; None while there is none."""
        try:
            status = self._path.stat()
        except OSError:
            self.close()
            return None
        file = (status.st_dev, status.st_ino, is_still(self._path))
        if self._kept is not None and self._kept[0] == file:
            return self._kept[1]
        self.close()
        connection = DATABASE.read(self._path, threads=True)
        self._kept = (file, connection)
        if not DATABASE.is_made(connection):
            self.close()
            return None
        return connection

    def held(self) -> frozenset[int]:
        """Return the addresses that are leased to somebody."""
        return frozenset(row[0] for row in self._query("SELECT address FROM lease WHERE state = 1"))

    def relay(self, address: int) -> bytes:
        """Return option 82 as it came with the request for an address that is leased, b"" without one."""
        rows = self._query("SELECT relay FROM lease WHERE address = ? AND state = 1", (address,))
        return bytes(rows[0][0]) if rows else b""

    def leases(self) -> tuple[Lease, ...]:
        """Return every lease on record by address."""
        return tuple(map(_lease, self._query(f"SELECT {_COLUMNS} FROM lease ORDER BY address")))  # noqa: S608

    def wish_release(self, address: int) -> None:
        """Ask the server to end a lease; it does within a second, or when it starts."""
        try:
            with closing(DATABASE.append(self._path)) as connection, connection:
                connection.execute("INSERT OR IGNORE INTO release_wish VALUES (?)", (address,))
        except sqlite3.Error as error:
            raise DATABASE.problem(self._path, error) from error

    def _query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        if not self._path.exists():
            return []
        try:
            with closing(DATABASE.read(self._path)) as connection:
                return connection.execute(sql, parameters).fetchall() if DATABASE.is_made(connection) else []
        except sqlite3.Error as error:
            raise DATABASE.problem(self._path, error) from error


def _anchor(row: Sequence[Any]) -> Anchor | None:
    lease_time, boot_time, boot_id, wall_time, synchronised = row
    if not lease_time:
        return None
    return Anchor(lease_time, boot_time, boot_id, wall_time, bool(synchronised))


def _row(lease: Lease) -> tuple[object, ...]:
    """Return the columns of a lease: its fields, in their order."""
    device = _SEPARATOR.join(lease.device) if lease.device else ""
    return (*lease[:4], int(lease.state), *lease[5:10], device)


_STATES = {int(state): state for state in LeaseState}


def _lease(row: tuple[Any, ...]) -> Lease:
    address, network, key, mac, state, started, expires, hostname, vendor_class, relay, device = row
    return Lease(
        address, intern(network), key, mac, _STATES[state], started, expires, hostname,
        intern(vendor_class), relay, tuple(device.split(_SEPARATOR)) if device else (),
    )  # fmt: skip

"""Opens SQLite files: private, with a write-ahead log as private, of a known version; says what to do if it cannot."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from netprov.errors import ServiceError
from netprov.pki.disk import is_shared

SHARED_WRITE = 0o060

_NO_ROOM = "Free some space: writing goes on as soon as there is room."

LEAST = 64 << 10
"""Octets without which SQLite cannot make the files beside its own; it says no more than that it failed."""

BUSY_S = 2.0
"""Seconds that another writer is waited for."""


@dataclass(frozen=True, slots=True)
class Database:
    """A kind of file: what to call it, what to do about a damaged one, its versions.

    Each of `migrations` brings the schema from the version of its index to the next (`PRAGMA user_version`).
    """

    what: str
    damaged: str
    migrations: Sequence[str]
    mode: int = 0o600
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    """FULL: the log is synced at every commit, so that what is committed survives a power cut."""
    busy_s: float = BUSY_S
    shared: bool = False
    """Written by several roles: by the group of its directory, where that is prepared for it (`is_shared`)."""

    def open(self, path: Path, *, threads: bool = False) -> sqlite3.Connection:
        """Return a connection to a file, made if need be; transactions are the caller's. Raises `ServiceError`."""
        connection: sqlite3.Connection | None = None
        try:
            self._make_private(path)
            connection = sqlite3.connect(
                path, isolation_level=None, timeout=self.busy_s, check_same_thread=not threads
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self.synchronous}")
            self._migrate(connection, path)
        except (OSError, sqlite3.Error) as error:
            if connection is not None:
                connection.close()
            raise self.problem(path, error) from error
        except ServiceError:
            if connection is not None:
                connection.close()
            raise
        return connection

    def read(self, path: Path, *, threads: bool = False) -> sqlite3.Connection:
        """Return a connection that cannot write; errors are SQLite's, for `problem`.

        To a file that `is_still` it is good only as long as that is so.
        """
        return _connect(path, "ro", self.busy_s, threads=threads)

    def append(self, path: Path) -> sqlite3.Connection:
        """Return a connection to a file that another program has made; errors are SQLite's, for `problem`."""
        return _connect(path, "rw", self.busy_s)

    def is_made(self, connection: sqlite3.Connection) -> bool:
        """Tell whether a file has its tables: its maker may be about to write them."""
        return bool(connection.execute("PRAGMA user_version").fetchone()[0])

    def problem(self, path: Path, error: Exception) -> ServiceError:
        """Return why a file cannot be used, with the remedy."""
        return ServiceError(f"{self.what} {path} cannot be used: {error}", self._remedy(path, error))

    def _make_private(self, path: Path) -> None:
        """Make the file before SQLite does: the files beside it (-wal, -shm) get the rights that it has."""
        mode = self.mode | SHARED_WRITE if self.shared and is_shared(path.parent) else self.mode
        if not path.exists():
            path.touch(mode=mode)
            path.chmod(mode)  # whatever the umask is
        for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            with suppress(OSError):  # not there; or another user's, who has seen to it
                if each.stat().st_mode & 0o777 & ~mode:
                    each.chmod(mode)

    def _migrate(self, connection: sqlite3.Connection, path: Path) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(self.migrations):
            raise ServiceError(
                f"{self.what} {path} is of version {version}, newer than this netprov ({len(self.migrations)})",
                f"Run the newer netprov, or move the file away. {self.damaged}",
            )
        for number in range(version, len(self.migrations)):
            connection.executescript(
                f"BEGIN IMMEDIATE; {self.migrations[number]} PRAGMA user_version = {number + 1}; COMMIT;"
            )

    def _remedy(self, path: Path, error: Exception) -> str:
        code = getattr(error, "sqlite_errorcode", None)
        match None if code is None else code & 0xFF:  # the primary code, without what further tells it apart
            case sqlite3.SQLITE_FULL:
                return _NO_ROOM
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return (
                    "Another program holds it: stop that, or give one of them another directory with --state."
                )
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return self.damaged
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return f"Let the user that serves write {path.parent} (user {os.geteuid()})."
            case None if isinstance(error, OSError):
                return f"Let the user that serves write {path.parent} (user {os.geteuid()})."
            case _ if _is_full(path.parent):
                return _NO_ROOM
            case _:
                return "Look at the disk (dmesg); writing goes on as soon as it can."


_SHORT = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
"""What SQLite says of a full disk, or of a quota that is used up (IOERR), or of a file that it cannot make."""


def is_short(error: Exception) -> bool:
    """Say whether more room on the disk may help against an error of SQLite, or against the `problem` made of it."""
    cause = error.__cause__ if isinstance(error, ServiceError) else error
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SHORT


def _is_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < LEAST


def is_still(path: Path) -> bool:
    """Say whether nobody writes a file now, and this process cannot make the log that SQLite reads along with it.

    It may not; or the disk has no room for it, where an empty log may be left of who tried.
    """
    log = path.with_name(f"{path.name}-wal")
    if not os.access(path.parent, os.W_OK):
        return not log.exists()
    return _is_full(path.parent) and not _size(log)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def open_foreign(path: Path, busy_s: float) -> sqlite3.Connection:
    """Open a database that is somebody else's to write, and may change; errors are SQLite's."""
    return _connect(path, "ro", busy_s, threads=True)


def snapshot(path: Path) -> bytes:
    """Return a database as it is now, whoever writes it meanwhile; errors are SQLite's."""
    with tempfile.TemporaryDirectory() as folder, closing(_connect(path, "ro", BUSY_S)) as source:
        copy = Path(folder) / "copy"
        with closing(_connect(copy, "rwc", BUSY_S)) as target:
            source.backup(target)
        return copy.read_bytes()


def _connect(
    path: Path, mode: Literal["ro", "rw", "rwc"], busy_s: float, *, threads: bool = False
) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    if mode == "ro" and is_still(path):
        uri += "&immutable=1"
    return sqlite3.connect(uri, uri=True, timeout=busy_s, check_same_thread=not threads)

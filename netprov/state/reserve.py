"""Room that is kept for leases, so that they are written on a disk that others have filled.

A commit of SQLite takes blocks for its log and for pages that the file grows by. Both are kept where they are used: the
log's blocks are allocated ahead, and the log begins again from its start once it is copied into the file; and the file
has free pages. A log is made anew at each start, and cannot begin again while somebody reads from it: for that there is
a file that is given up. On file systems that never write in place (btrfs, ZFS) that file alone is left.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

LOG = 4 << 20
"""Octets of the log that are allocated; a commit of 256 leases takes a fourth of them at the most."""

FREE = 1 << 20
"""Octets of free pages: 3,000 leases and more that were not on record before. What is renewed needs none."""

SPARE = LOG + FREE
"""Octets of the file that is given up: a log for the start, and what the log must be copied to."""

EVERY_S = 10.0
"""Seconds between looks whether all is there."""

FILE = "reserve"


class Reserve:
    """What is kept beside and inside one SQLite file that has a write-ahead log."""

    def __init__(self, path: Path, every: float = EVERY_S) -> None:
        """`every`: seconds between looks."""
        self._every = every
        self._log = path.with_name(f"{path.name}-wal")
        self._spare = path.with_name(FILE)
        self._folder = path.parent
        self._looked = -math.inf

    def keep(self, connection: sqlite3.Connection) -> None:
        """Allocate what is not there, if it is time; what there is no room for is tried again later."""
        now = time.monotonic()
        if now - self._looked < self._every:
            return
        self._looked = now
        with suppress(OSError):
            _allocate(self._log, LOG, os.O_RDWR)
        with suppress(OSError, sqlite3.Error):
            self._grow(connection)
        with suppress(OSError):
            _allocate(self._spare, SPARE, os.O_RDWR | os.O_CREAT)

    def reuse(self, connection: sqlite3.Connection) -> None:
        """Copy the log into the file, so that it begins again from its start: nobody is waited for."""
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def give_up(self) -> bool:
        """Free the room of the spare file; say whether there was any."""
        try:
            self._spare.unlink()
        except OSError:
            return False
        return True

    def _grow(self, connection: sqlite3.Connection) -> None:
        """Let the file have free pages, where the disk has twice the room: a log that cannot be copied cannot be reused."""
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        disk = os.statvfs(self._folder)
        if free * size >= FREE // 2 or disk.f_bavail * disk.f_frsize < 2 * FREE:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("DROP TABLE IF EXISTS spare")  # of a process that was killed here
            connection.execute("CREATE TABLE spare (octets BLOB)")
            connection.execute("INSERT INTO spare VALUES (zeroblob(?))", (FREE,))
            connection.execute("COMMIT")
            self.reuse(connection)
            connection.execute("DROP TABLE spare")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _allocate(path: Path, octets: int, flags: int) -> None:
    handle = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(handle, 0, octets)
    finally:
        os.close(handle)

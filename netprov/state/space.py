"""Room on the disk of the state, and what stops when it runs short: records first, then reports, leases never."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path

RECORDS_RESERVE, REPORTS_RESERVE = 64 << 20, 32 << 20
"""Octets that are left free by records, and by reports; more than one commit of either takes."""
RECORDS_PART, REPORTS_PART = 8, 16
"""On a small disk: this part of it, where that is less."""


class Room(IntEnum):
    """What there is room for, besides leases."""

    NOTHING = 0
    REPORTS = 1
    ALL = 2


class Space:
    """Judges by what is free on a directory's disk; what has stopped goes on when there is a quarter more than needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.room = Room.ALL
        self.free = 0
        self.reserve = RECORDS_RESERVE
        """Octets that records leave free."""

    def look(self) -> bool:
        """Look at the disk; say whether there is room for other things than before."""
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return False  # whoever writes there is told what is wrong
        size, self.free = disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize
        self.reserve = min(RECORDS_RESERVE, size // RECORDS_PART)
        before, self.room = self.room, Room.NOTHING
        for room, reserve in (
            (Room.REPORTS, min(REPORTS_RESERVE, size // REPORTS_PART)),
            (Room.ALL, self.reserve),
        ):
            if self.free >= (reserve if before >= room else reserve + reserve // 4):
                self.room = room
        return self.room is not before

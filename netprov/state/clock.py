"""The lease clock: seconds that look like wall time and never step.

It starts from wall time and then advances with CLOCK_BOOTTIME, which counts through sleep and ignores every
setting of the clock. Its position is kept with the leases, so that a restart goes on where it was: after a
restart of the server exactly, after a reboot by the wall time that has passed, if the clock was synchronised
before and is now; a clock that no one set may be years off, and leases held too long harm no one.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5

SYNCHRONISED_EVERY_S = 60
"""Seconds between questions to the kernel whether its clock is synchronised."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The lease clock's position at a moment of one boot."""

    lease_time: float
    boot_time: float
    boot_id: str
    wall_time: float
    synchronised: bool


@dataclass(frozen=True, slots=True)
class Sources:
    """The machine's clocks at one moment."""

    wall: float
    boot_time: float
    boot_id: str
    synchronised: bool


class LeaseClock:
    """Tells the lease time; resumes from where it was kept."""

    def __init__(self, kept: Anchor | None, sources: Sources | None = None) -> None:
        self._sources = sources or read_sources()
        self._offset = _resume(kept, self._sources) - self._sources.boot_time
        self._checked = self._sources.boot_time

    def now(self) -> float:
        """Return the lease time in seconds."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self._offset

    def anchor(self) -> Anchor:
        """Return the position to keep."""
        boot_time = time.clock_gettime(time.CLOCK_BOOTTIME)
        if boot_time - self._checked > SYNCHRONISED_EVERY_S:
            self._checked, self._sources = boot_time, read_sources()
        sources = self._sources
        return Anchor(boot_time + self._offset, boot_time, sources.boot_id, time.time(), sources.synchronised)


def read_sources() -> Sources:
    """Read the machine's clocks."""
    try:
        boot_id = _BOOT_ID.read_text().strip()
    except OSError:
        boot_id = ""
    return Sources(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME), boot_id, is_synchronised())


def is_synchronised() -> bool:
    """Say whether the kernel believes its clock to be set by NTP or the like (adjtimex(2))."""
    buffer = ctypes.create_string_buffer(256)
    return int(ctypes.CDLL(None).adjtimex(buffer)) not in {-1, _TIME_ERROR}


def _resume(kept: Anchor | None, sources: Sources) -> float:
    if kept is None:
        return sources.wall
    if kept.boot_id == sources.boot_id and sources.boot_time >= kept.boot_time:
        return kept.lease_time + sources.boot_time - kept.boot_time
    if kept.synchronised and sources.synchronised:
        return kept.lease_time + max(0.0, sources.wall - kept.wall_time)
    return kept.lease_time

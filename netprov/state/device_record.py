"""Records what services report of devices: gathered in memory, written together a moment later, in a thread.

No phone waits for a disk, and a crash loses at most that moment.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from netprov.errors import ServiceError
from netprov.machine import Dropped, Event
from netprov.provision.event import Asked, Posted, Reported
from netprov.provision.standing import Fact, fact_of
from netprov.state.acs.fact import acs_fact
from netprov.state.device_file import DeviceFile, Noted, RecordLimits
from netprov.state.dhcp_fact import DhcpFacts
from netprov.state.fair_queue import FairQueue
from netprov.state.space import Room, Space
from netprov.state.sqlite import is_short

_QUEUE, _EACH = 20_000, 64
"""Facts that wait for the disk: in all, and of one source."""
Keep = Callable[[str, Callable[[], Coroutine[object, object, None]]], asyncio.Task[None]]
"""Runs what is named until it is cancelled, whatever happens to it."""
_BATCH = 500
"""Facts written in one commit."""
_PAUSE = 0.5
_STOP_S = 1.0
"""Seconds for what waits when the service stops."""


class DeviceRecords:
    """Writes the records; `observe` is one of those whom events are reported to."""

    def __init__(
        self,
        state: Path,
        complain: Callable[[str], None] = lambda _: None,
        *,
        keep: Keep | None = None,
        limits: RecordLimits | None = None,
    ) -> None:
        self._file = DeviceFile(state, limits or RecordLimits(), complain)
        self._keep = keep or _task
        self.own: frozenset[str] = frozenset()
        """Addresses of the servers themselves: what comes from there is no phone."""
        self._complain = complain
        self._trouble = ""
        self._space = Space(self._file.path.parent)
        self._spared = 0
        self._waiting: FairQueue[Noted] = FairQueue(most=_QUEUE, each=_EACH)
        self._batch: list[Noted] = []
        self._dhcp = DhcpFacts()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted = asyncio.Event()
        self._writing = threading.Lock()

    async def start(self) -> None:
        """Open the file. Raises `ServiceError`, but not for want of room: services go on without records."""
        try:
            self._file.open()
        except ServiceError as error:
            if not is_short(error):
                raise
            self._complain_once(str(error))
            self._wanted.set()
        self._loop = asyncio.get_running_loop()
        self._task = self._keep("writing device records", self._write_often)

    async def stop(self) -> None:
        """Write what waits, as far as it can be written in a second, and close."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        if await asyncio.to_thread(self._flush, time.monotonic() + _STOP_S):
            self._file.close()
        self._tell_shed()
        if lost := len(self._waiting) + len(self._batch):
            self._complain(f"device records: {lost} facts could not be written before the end")

    def observe(self, service: str, event: Event, at: float | None = None) -> tuple[Event, Fact, str] | None:
        """Take note of an event, which happened now or at a time before; never waits, never raises.

        Return what it tells, and of which phone, "" for nobody known.
        """
        if isinstance(event, Dropped) and event.source.address in self.own:
            return None  # asked from here in a phone's name
        now = time.time() if at is None else at
        fact = fact_of(event) or acs_fact(event)
        if fact is None and service == "dhcp":
            found = self._dhcp.fact_of(event, now)
            event, fact = found or (event, None)
        if fact is not None and self._is_ours(event, fact):
            fact = Fact()
        if fact is not None:
            if fact.mac and fact.address and fact.proven:
                self._file.remember(fact.address, fact.mac)
            mac = fact.mac or self._file.macs.get(fact.address, "")
            self._waiting.put(
                Noted(now, service, event, fact),
                mac or fact.address,
                known=mac in self._file.known or mac in self._file.listed,
            )
            self._wanted.set()
            return event, fact, mac
        return None

    def follow(self, *, own: frozenset[str] = frozenset(), listed: frozenset[str] = frozenset()) -> None:
        """Take the servers' own addresses, and the MAC addresses of the inventory's phones, from now on."""
        self.own, self._file.listed = own, listed

    def knows(self, address: str) -> bool:
        """Say whether a phone of the inventory is known to have an address."""
        return self._file.macs.get(address, "") in self._file.listed

    def _is_ours(self, event: Event, fact: Fact) -> bool:
        """Tell whether a check of ours has caused an event, so that no phone is to be known by it."""
        return (isinstance(event, Asked) and event.probe) or fact.address in self.own

    async def _write_often(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(_PAUSE)
            self._wanted.clear()
            await asyncio.to_thread(self._flush)
            if self._file.forgotten:
                self._complain(
                    f"device records: {self._file.forgotten} phones of no inventory were forgotten, there are too many"
                )
                self._file.forgotten = 0
            self._tell_shed()

    def _tell_shed(self) -> None:
        if shed := self._waiting.shed():
            self._complain(f"device records: {shed} facts were not kept, they came too fast from one source")

    def _flush(self, deadline: float | None = None) -> bool:
        """Write batch after batch until nothing waits; say whether the file is free."""
        until = time.monotonic() + _STOP_S * 10 if deadline is None else deadline
        if not self._writing.acquire(timeout=max(0.0, until - time.monotonic())):
            return False
        try:
            while self._has_work() and time.monotonic() < until and self._write_batch():
                pass
        finally:
            self._writing.release()
        return True

    def _has_work(self) -> bool:
        return bool(self._batch or self._waiting or not self._file.is_open)

    def _write_batch(self) -> bool:
        """Write one batch in one commit; if it cannot be, it is the next one again, and that is told."""
        self._batch = self._batch or self._waiting.take(_BATCH)
        self._spare()
        if not self._batch and self._file.is_open:
            return True
        try:
            if not self._file.is_open:
                self._file.open()
            self._file.write(self._batch)
        except ServiceError as error:
            self._complain_once(str(error))
            self._wanted_later()
            return False
        except sqlite3.Error as error:  # a full disk, a lock held long: later perhaps
            self._complain_once(f"device records cannot be written: {error}; it is tried again")
            self._wanted_later()
            return False
        if self._trouble:
            self._trouble = ""
            self._complain("device records are written again")
        self._batch = []
        return True

    def _complain_once(self, trouble: str) -> None:
        if self._trouble != trouble:
            self._trouble = trouble
            self._complain(trouble)

    def _spare(self) -> None:
        """Let go of what the disk has no room for, so that leases have it; what stops and goes on is told once."""
        changed = self._space.look()
        room = self._space.room
        if room is not Room.ALL:
            kept = [each for each in self._batch if room is Room.REPORTS and _is_report(each.event)]
            self._spared += len(self._batch) - len(kept)
            self._batch = kept
        if not changed:
            return
        if room is Room.ALL:
            self._complain(f"device records are written again: {self._spared} facts were not kept meanwhile")
            self._spared = 0
            return
        what = "records stop, reports go on" if room is Room.REPORTS else "records and reports stop"
        self._complain(
            f"device records: the disk of {self._file.path.parent} has {self._space.free >> 20} MiB free, and "
            f"{self._space.reserve >> 20} MiB are left to leases: {what}; free some space"
        )

    def _wanted_later(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)


def _is_report(event: Event) -> bool:
    return isinstance(event, Reported | Posted)


def _task(name: str, body: Callable[[], Coroutine[object, object, None]]) -> asyncio.Task[None]:
    return asyncio.create_task(body(), name=name)

"""Device records in SQLite: what each phone asked, was answered and reported, and where it stands.

Facts are gathered in memory and written together a moment later, in a thread: no phone waits for a disk, and a
crash loses at most that moment. Several processes may write one file.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

from netprov.dhcp.lease import Bound
from netprov.errors import ServiceError
from netprov.machine import Dropped, Event
from netprov.provision.event import Asked, Posted, Reported
from netprov.provision.standing import Fact, fact_of
from netprov.state.acs_fact import acs_fact
from netprov.state.dhcp_fact import DhcpFacts
from netprov.state.fair_queue import FairQueue
from netprov.state.place import RECORDS, make_room
from netprov.state.space import Room, Space
from netprov.state.sqlite import Database, is_short

FILE = f"{RECORDS}/devices.sqlite"

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
_UPSERT = """
INSERT INTO device VALUES (:mac, :address, :model, :firmware, :standing, :now, :now, :now, :profiles, :refusals)
ON CONFLICT (mac) DO UPDATE SET
    address = CASE WHEN excluded.address = '' THEN address ELSE excluded.address END,
    model = CASE WHEN excluded.model = '' THEN model ELSE excluded.model END,
    firmware = CASE WHEN excluded.firmware = '' THEN firmware ELSE excluded.firmware END,
    standing = CASE WHEN excluded.standing = '' THEN standing ELSE excluded.standing END,
    since = CASE WHEN excluded.standing IN ('', standing) THEN since ELSE excluded.since END,
    last = excluded.last,
    profiles = profiles + excluded.profiles,
    refusals = refusals + excluded.refusals
"""
_FORGET = """
DELETE FROM history WHERE mac = ? AND id <= (SELECT id FROM history WHERE mac = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
"""
_LATER = ("kind TEXT NOT NULL DEFAULT ''", "fields TEXT NOT NULL DEFAULT '{}'")
"""Columns of `history` that files of earlier versions lack."""
_KEEP = 200_000
"""Lines of history that are kept in all."""
_KEEP_STRANGERS = 20_000
"""Lines that are kept of senders nobody knows, so that they do not push out what phones did."""
_KEEP_EACH = 5_000
"""Lines that are kept of one phone that says very much."""
_QUEUE, _EACH = 20_000, 64
"""Facts that wait for the disk: in all, and of one source."""
_ADDRESSES = 50_000
"""Phones and addresses that are told apart from strangers: anybody may say that he is a phone."""
Keep = Callable[[str, Callable[[], Coroutine[object, object, None]]], asyncio.Task[None]]
"""Runs what is named until it is cancelled, whatever happens to it."""
_POISON = (
    *(ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError),
    *(sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError),
)
"""What a fact raises that can never be written; anything else is the disk's or the file's."""
_NEWEST = "SELECT mac FROM device ORDER BY last DESC LIMIT ?"
_ADDRESS = "SELECT address FROM device WHERE mac = ?"
_REPORTS = "SELECT CAST(total(length(fields)) AS INTEGER) FROM report"
_OLDEST_REPORT = "SELECT mac, kind, length(fields) FROM report ORDER BY time LIMIT 1"
_TEXT, _FIELD = 2000, 500
"""Characters of a line of history, and of each of its fields."""
_BATCH = 500
"""Facts written in one commit."""
_PAUSE = 0.5
_STOP_S = 1.0
"""Seconds for what waits when the service stops."""
_BOUND_INDEX = "CREATE INDEX IF NOT EXISTS history_bound ON history (address, id) WHERE kind = 'Bound'"


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """What is kept: phones beside those of the inventory, as anybody may invent MAC addresses; characters of all
    reports, of which the oldest go.
    """

    unlisted: int = 4096
    report_octets: int = 64 << 20


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


@dataclass(frozen=True, slots=True)
class _Waiting:
    now: float
    service: str
    event: Event
    fact: Fact


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
        self._path = state / FILE
        self._limits = limits or RecordLimits()
        self._keep = keep or _task
        self.own: frozenset[str] = frozenset()
        """Addresses of the servers themselves: what comes from there is no phone."""
        self.listed: frozenset[str] = frozenset()
        """MAC addresses of the inventory's phones: what strangers say of others is kept only so far."""
        self._complain = complain
        self._report_octets = 0
        self._forgotten = 0
        self._trouble = ""
        self._is_open = False
        self._space = Space(self._path.parent)
        self._spared = 0
        self._waiting: FairQueue[_Waiting] = FairQueue(most=_QUEUE, each=_EACH)
        self._batch: list[_Waiting] = []
        self._macs: dict[str, str] = {}
        self._known: set[str] = set()
        self._dhcp = DhcpFacts()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted = asyncio.Event()
        self._writing = threading.Lock()

    async def start(self) -> None:
        """Open the file. Raises `ServiceError`, but not for want of room: services go on without records."""
        try:
            self._open()
        except ServiceError as error:
            if not is_short(error):
                raise
            self._complain_once(str(error))
            self._wanted.set()
        self._loop = asyncio.get_running_loop()
        self._task = self._keep("writing device records", self._write_often)

    def _open(self) -> None:
        database = DATABASE.open(make_room(self._path), threads=True)
        try:
            self._extend(database)
            database.execute(_BOUND_INDEX)
            self._report_octets = next(database.execute(_REPORTS))[0]
            self._known.update(mac for (mac,) in database.execute(_NEWEST, (_ADDRESSES,)))
            macs = dict(database.execute("SELECT address, mac FROM device WHERE address != ''"))
        except sqlite3.Error as error:
            database.close()
            raise DATABASE.problem(self._path, error) from error
        database.isolation_level = "DEFERRED"  # a batch is one transaction, which `with` ends
        self._macs = macs | self._macs
        self._database, self._is_open = database, True

    async def stop(self) -> None:
        """Write what waits, as far as it can be written in a second, and close."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        if await asyncio.to_thread(self._flush, time.monotonic() + _STOP_S) and self._is_open:
            self._database.close()
        self._tell_shed()
        if lost := len(self._waiting) + len(self._batch):
            self._complain(f"device records: {lost} facts could not be written before the end")

    def observe(self, service: str, event: Event) -> None:
        """Take note of an event; never waits, never raises."""
        if isinstance(event, Dropped) and event.source.address in self.own:
            return  # asked from here in a phone's name
        now = time.time()
        fact = fact_of(event) or acs_fact(event)
        if fact is None and service == "dhcp":
            found = self._dhcp.fact_of(event, now)
            event, fact = found or (event, None)
        if fact is not None and self._is_ours(event, fact):
            fact = Fact()
        if fact is not None:
            if fact.mac and fact.address and fact.proven:
                self._remember(fact.address, fact.mac)
            mac = fact.mac or self._macs.get(fact.address, "")
            self._waiting.put(
                _Waiting(now, service, event, fact),
                mac or fact.address,
                known=mac in self._known or mac in self.listed,
            )
            self._wanted.set()

    def knows(self, address: str) -> bool:
        """Say whether a phone of the inventory is known to have an address."""
        return self._macs.get(address, "") in self.listed

    def _is_ours(self, event: Event, fact: Fact) -> bool:
        """Tell whether a check of ours has caused an event, so that no phone is to be known by it."""
        return (isinstance(event, Asked) and event.probe) or fact.address in self.own

    def _remember(self, address: str, mac: str) -> None:
        if len(self._macs) < _ADDRESSES or address in self._macs:
            self._macs[address] = mac

    def _extend(self, database: sqlite3.Connection) -> None:
        """Bring a file of an earlier version up to date."""
        there = {row[1] for row in database.execute("PRAGMA table_info(history)")}
        for column in _LATER:
            if column.split()[0] not in there:
                database.execute(f"ALTER TABLE history ADD COLUMN {column}")

    async def _write_often(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(_PAUSE)
            self._wanted.clear()
            await asyncio.to_thread(self._flush)
            if self._forgotten:
                self._complain(
                    f"device records: {self._forgotten} phones of no inventory were forgotten, there are too many"
                )
                self._forgotten = 0
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
        return bool(self._batch or self._waiting or not self._is_open)

    def _write_batch(self) -> bool:
        """Write one batch in one commit; if it cannot be, it is the next one again, and that is told."""
        self._batch = self._batch or self._waiting.take(_BATCH)
        self._spare()
        if not self._batch and self._is_open:
            return True
        try:
            if not self._is_open:
                self._open()
            with self._database:
                for each in self._batch:
                    self._write_fact(each)
                self._trim()
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
            f"device records: the disk of {self._path.parent} has {self._space.free >> 20} MiB free, and "
            f"{self._space.reserve >> 20} MiB are left to leases: {what}; free some space"
        )

    def _wanted_later(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wanted.set)

    def _trim(self) -> None:
        """Forget the oldest lines: of all, of strangers, of who has said most just now."""
        self._forget_strangers()
        said = Counter(each.fact.mac or self._macs.get(each.fact.address, "") for each in self._batch)
        self._database.execute("DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?", (_KEEP,))
        for mac, count in said.most_common(3):
            if count >= _EACH // 2:
                self._database.execute(_FORGET, (mac, mac, _KEEP_EACH if mac else _KEEP_STRANGERS))

    def _write_fact(self, each: _Waiting) -> None:
        """Write one fact; what no database takes loses itself alone, and that is told."""
        try:
            self._write(each)
        except _POISON as error:
            kind = each.event.event_kind
            self._complain(f"device records: a fact ({kind}) was not kept, it cannot be written: {error!r}")

    def _write(self, each: _Waiting) -> None:
        fact = each.fact
        mac = fact.mac or self._macs.get(fact.address) or self._leased(fact.address)
        proven = self._is_proven(fact, mac)
        if mac and fact.address and proven:
            self._remember(fact.address, mac)
        self._database.execute(
            "INSERT INTO history (time, mac, address, service, text, kind, fields) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(each.now, mac, fact.address, each.service, str(each.event)[:_TEXT]),
                *(each.event.event_kind, json.dumps(_plain(each.event))),
            ),
        )
        if each.service == "dhcp":
            # Other clients have leases too: a phone is who asks for provisioning.
            self._database.execute("UPDATE device SET last = ? WHERE mac = ?", (each.now, mac))
            return
        if not mac or not (proven or self._may_claim(mac)):
            return
        if (
            not proven
        ):  # it is on record what was said, and by whom; where the phone stands is not changed by it
            fact = Fact(mac=mac)
        self._database.execute(
            _UPSERT,
            {
                "mac": mac,
                "address": fact.address,
                "model": fact.model,
                "firmware": fact.firmware,
                "standing": fact.standing,
                "now": each.now,
                "profiles": int(fact.got_profile),
                "refusals": int(fact.refused),
            },
        )
        if len(self._known) < _ADDRESSES:
            self._known.add(mac)
        if isinstance(each.event, Reported | Posted) and proven:
            self._keep_report(mac, each.event, each.now)

    def _keep_report(self, mac: str, event: Reported | Posted, now: float) -> None:
        """Keep the newest report of a kind; all together have a bound, and the oldest go."""
        fields = json.dumps(dict(event.fields))
        self._database.execute(
            "INSERT OR REPLACE INTO report VALUES (?, ?, ?, ?)", (mac, event.kind, now, fields)
        )
        self._report_octets += len(fields)
        if self._report_octets <= self._limits.report_octets:
            return
        self._report_octets = next(self._database.execute(_REPORTS))[0]  # what was replaced counted twice
        while self._report_octets > self._limits.report_octets:
            mac, kind, octets = next(self._database.execute(_OLDEST_REPORT))
            self._database.execute("DELETE FROM report WHERE mac = ? AND kind = ?", (mac, kind))
            self._report_octets -= octets

    def _forget_strangers(self) -> None:
        """Forget the phones of no inventory that were heard of longest ago, if those are too many."""
        recorded = next(self._database.execute("SELECT count(*) FROM device"))[0]
        excess = recorded - self._limits.unlisted - len(self.listed)
        if excess <= 0:
            return
        oldest = self._database.execute("SELECT mac FROM device ORDER BY profiles > 0, last")
        gone = [row for row in islice(oldest, excess + len(self.listed)) if row[0] not in self.listed][
            :excess
        ]
        for table in ("device", "report"):
            self._database.executemany(f"DELETE FROM {table} WHERE mac = ?", gone)  # noqa: S608 - ours
        self._known.difference_update(mac for (mac,) in gone)
        self._forgotten += len(gone)

    def _is_proven(self, fact: Fact, mac: str) -> bool:
        """Say whether the sender of a fact is the phone that it is about, or nothing that is known speaks against it."""
        if fact.proven is not None or not fact.address:
            return fact.proven is not False
        owner = self._macs.get(fact.address) or self._leased(fact.address)
        if owner:
            return owner == mac
        # The address is nobody's. If that phone has another one, this is somebody else.
        known = next(self._database.execute(_ADDRESS, (mac,)), ("",))[0]
        return known in {"", fact.address}

    def _may_claim(self, mac: str) -> bool:
        """Say whether a phone that somebody only claims to be gets a record: one of the inventory, or one that has one."""
        return mac in self.listed or mac in self._known

    def _leased(self, address: str) -> str:
        """Return who last got an address from DHCP, by the records of its process; "" if nobody did."""
        rows = self._database.execute(
            "SELECT mac FROM history WHERE address = ? AND kind = ? ORDER BY id DESC LIMIT 1",
            (address, Bound.event_kind),
        )
        return str(next(rows, ("",))[0]) if address else ""


def _is_report(event: Event) -> bool:
    return isinstance(event, Reported | Posted)


def _task(name: str, body: Callable[[], Coroutine[object, object, None]]) -> asyncio.Task[None]:
    return asyncio.create_task(body(), name=name)


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
    return tuple(
        HistoryLine(*row, json.loads(str(fields)))  # type: ignore[arg-type, call-arg]
        for *row, fields in reversed(rows)
    )


def load_reports(state: Path, mac: str) -> tuple[tuple[str, float, Mapping[str, str]], ...]:
    """Return a phone's newest report of each kind: kind, time, fields."""
    rows = _query(state, "SELECT kind, time, fields FROM report WHERE mac = ? ORDER BY kind", (mac,))
    return tuple((str(kind), float(str(when)), json.loads(str(fields))) for kind, when, fields in rows)


@lru_cache(maxsize=256)
def _shown(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind) if each.repr)


def _plain(value: object) -> object:
    """Return an event as JSON takes it, without the fields declared `repr=False`, which may be long or secret."""
    if isinstance(value, str):
        return str(value)[:_FIELD]
    if value is None or isinstance(value, int | float):
        return value
    if dataclasses.is_dataclass(kind := type(value)):
        return {name: _plain(getattr(value, name)) for name in _shown(kind)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, bytes):
        return value.hex(":")
    return str(value)[:_FIELD]


def _query(state: Path, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
    path = state / FILE
    if not path.exists():
        return []
    try:
        with closing(DATABASE.read(path)) as database:
            return list(database.execute(sql, values))
    except sqlite3.Error as error:
        raise DATABASE.problem(path, error) from error

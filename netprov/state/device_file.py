"""Writes device records: a batch of facts in one commit, each of the phone that it is proven to be about.

What grows has a bound: lines of history, of one phone and of strangers; phones of no inventory; reports.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from netprov.dhcp.lease import Bound
from netprov.machine import Event
from netprov.provision.event import Posted, Reported
from netprov.provision.standing import Fact
from netprov.state.device import DATABASE, FILE
from netprov.state.place import make_room

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
ADDRESSES = 50_000
"""Phones and addresses that are told apart from strangers: anybody may say that he is a phone."""
MUCH = 32
"""Facts of one phone in a batch from which on its lines are counted."""
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
_BOUND_INDEX = "CREATE INDEX IF NOT EXISTS history_bound ON history (address, id) WHERE kind = 'Bound'"


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """What is kept: phones beside those of the inventory, as anybody may invent MAC addresses; characters of all
    reports, of which the oldest go.
    """

    unlisted: int = 4096
    report_octets: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact and the event that it follows from; `now` in seconds since 1970."""

    now: float
    service: str
    event: Event
    fact: Fact


class DeviceFile:
    """The writing end of one file; `complain` hears of facts that can never be written."""

    def __init__(self, state: Path, limits: RecordLimits, complain: Callable[[str], None]) -> None:
        self.path = state / FILE
        self.listed: frozenset[str] = frozenset()
        """MAC addresses of the inventory's phones: what strangers say of others is kept only so far."""
        self.macs: dict[str, str] = {}
        """Whose each address is, as far as is known."""
        self.known: set[str] = set()
        """Phones on record."""
        self.forgotten = 0
        """Phones of no inventory that there was no room for."""
        self.is_open = False
        self._limits = limits
        self._complain = complain
        self._report_octets = 0
        self._database: sqlite3.Connection

    def open(self) -> None:
        """Open the file, or make it. Raises `ServiceError`."""
        database = DATABASE.open(make_room(self.path), threads=True)
        try:
            _extend(database)
            database.execute(_BOUND_INDEX)
            self._report_octets = next(database.execute(_REPORTS))[0]
            self.known.update(mac for (mac,) in database.execute(_NEWEST, (ADDRESSES,)))
            macs = dict(database.execute("SELECT address, mac FROM device WHERE address != ''"))
        except sqlite3.Error as error:
            database.close()
            raise DATABASE.problem(self.path, error) from error
        database.isolation_level = "DEFERRED"  # a batch is one transaction, which `with` ends
        self.macs = macs | self.macs
        self._database, self.is_open = database, True

    def close(self) -> None:
        """Close the file, if it is open."""
        if self.is_open:
            self._database.close()

    def write(self, batch: Sequence[Noted]) -> None:
        """Write facts in one commit, or none of them. Raises `sqlite3.Error`, which a later try may not."""
        with self._database:
            for each in batch:
                self._write_fact(each)
            self._trim(batch)

    def remember(self, address: str, mac: str) -> None:
        """Note whose an address is."""
        if len(self.macs) < ADDRESSES or address in self.macs:
            self.macs[address] = mac

    def _trim(self, batch: Sequence[Noted]) -> None:
        """Forget the oldest lines: of all, of strangers, of who has said most just now."""
        self._forget_strangers()
        said = Counter(each.fact.mac or self.macs.get(each.fact.address, "") for each in batch)
        self._database.execute("DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - ?", (_KEEP,))
        for mac, count in said.most_common(3):
            if count >= MUCH:
                self._database.execute(_FORGET, (mac, mac, _KEEP_EACH if mac else _KEEP_STRANGERS))

    def _write_fact(self, each: Noted) -> None:
        """Write one fact; what no database takes loses itself alone, and that is told."""
        try:
            self._write(each)
        except _POISON as error:
            kind = each.event.event_kind
            self._complain(f"device records: a fact ({kind}) was not kept, it cannot be written: {error!r}")

    def _write(self, each: Noted) -> None:
        fact = each.fact
        mac = fact.mac or self.macs.get(fact.address) or self._leased(fact.address)
        proven = self._is_proven(fact, mac)
        if mac and fact.address and proven:
            self.remember(fact.address, mac)
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
        if len(self.known) < ADDRESSES:
            self.known.add(mac)
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
        self.known.difference_update(mac for (mac,) in gone)
        self.forgotten += len(gone)

    def _is_proven(self, fact: Fact, mac: str) -> bool:
        """Say whether the sender of a fact is the phone that it is about, or nothing that is known speaks against it."""
        if fact.proven is not None or not fact.address:
            return fact.proven is not False
        owner = self.macs.get(fact.address) or self._leased(fact.address)
        if owner:
            return owner == mac
        # The address is nobody's. If that phone has another one, this is somebody else.
        known = next(self._database.execute(_ADDRESS, (mac,)), ("",))[0]
        return known in {"", fact.address}

    def _may_claim(self, mac: str) -> bool:
        """Say whether a phone that somebody only claims to be gets a record: one of the inventory, or one that has one."""
        return mac in self.listed or mac in self.known

    def _leased(self, address: str) -> str:
        """Return who last got an address from DHCP, by the records of its process; "" if nobody did."""
        rows = self._database.execute(
            "SELECT mac FROM history WHERE address = ? AND kind = ? ORDER BY id DESC LIMIT 1",
            (address, Bound.event_kind),
        )
        return str(next(rows, ("",))[0]) if address else ""


def _extend(database: sqlite3.Connection) -> None:
    """Bring a file of an earlier version up to date."""
    there = {row[1] for row in database.execute("PRAGMA table_info(history)")}
    for column in _LATER:
        if column.split()[0] not in there:
            database.execute(f"ALTER TABLE history ADD COLUMN {column}")


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

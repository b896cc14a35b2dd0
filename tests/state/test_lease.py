"""The lease store: what was committed is there, what could not be is not lost."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.dhcp.lease import Bound, Declined, Expired, Lease, LeaseState, Released
from netprov.errors import ServiceError
from netprov.state.clock import Anchor
from netprov.state.lease import DATABASE, FILE, MIGRATIONS, LeaseReader, LeaseStore, open_store
from netprov.state.place import make_room

ANCHOR = Anchor(5000.0, 10.0, "boot", 5000.0, synchronised=True)
LEASE = Lease(
    0x0A140064, "voice", b"\x01\x00\x12\x34\xab\x45\xde", b"\x00\x12\x34\xab\x45\xde", LeaseState.BOUND, 1000.0, 9000.0,
    "desk", "CP-8851-3PCC", b"\x01\x01p", ("001122", "S1", ""),
)  # fmt: skip


def other(number: int, **changes: object) -> Lease:
    return LEASE._replace(address=number, key=number.to_bytes(2, "big"), **changes)  # type: ignore[arg-type]


def test_leases_and_clock_survive(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.anchor() is None
    store.commit([Bound(LEASE), Declined(other(7, state=LeaseState.DECLINED), "client")], ANCHOR)
    store.close()
    again = open_store(tmp_path)
    assert list(again.load()) == [other(7, state=LeaseState.DECLINED), LEASE]
    assert again.anchor() == ANCHOR
    again.close()


def test_last_word_on_an_address_stands(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    ended = LEASE._replace(state=LeaseState.RELEASED, expires=2000.0)
    store.commit([Bound(LEASE), Released(ended)], ANCHOR)
    assert list(store.load()) == [ended]
    store.close()


def test_reader_is_told_when_names_change(tmp_path: Path) -> None:
    reader = LeaseReader(tmp_path)
    assert reader.changes() == -1
    store = open_store(tmp_path)
    list(store.load())
    store.anchor()
    seen = [reader.changes()]
    for event in (
        Bound(LEASE),
        Bound(LEASE._replace(expires=9999.0), renewed=True),
        Bound(other(9, hostname="")),
        Bound(LEASE._replace(hostname="door")),
        Expired(LEASE._replace(hostname="door", state=LeaseState.EXPIRED)),
    ):
        store.commit([event], ANCHOR)
        seen.append(reader.changes())
    assert seen == [0, 1, 1, 1, 2, 3]
    assert reader.named(2000.0) == ()
    store.commit([Bound(LEASE)], ANCHOR)
    (named,) = reader.named(2000.0)
    assert (named.hostname, named.address, named.expires) == ("desk", LEASE.address, 9000.0)
    assert reader.named(9000.0) == ()
    store.close()


def test_name_changes_are_counted_on_after_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        store = open_store(tmp_path)
        list(store.load())
        store.anchor()
        store.commit([Bound(LEASE._replace(hostname=f"n{expected}"))], ANCHOR)
        assert LeaseReader(tmp_path).changes() == expected
        store.close()


def test_full_disk_is_told_and_nothing_is_lost_when_there_is_room_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    connection = store._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    with pytest.raises(ServiceError) as caught:
        for count in range(10_000):
            store.commit([Bound(other(count, vendor_class="x" * 200))], ANCHOR)
    assert "full" in caught.value.message
    assert "Free some space" in caught.value.remedy
    written = len(list(store.load()))
    with pytest.raises(ServiceError):
        store.commit([Bound(LEASE)], ANCHOR)
    assert len(list(store.load())) == written
    connection.execute("PRAGMA max_page_count = 1000000")
    store.commit([], ANCHOR)
    assert not store.behind
    assert len(list(store.load())) == written + 2
    store.close()


def test_damaged_file_is_refused_with_the_way_out(tmp_path: Path) -> None:
    make_room(tmp_path / FILE).write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(ServiceError) as caught:
        open_store(tmp_path)
    assert "not a database" in caught.value.message
    assert "backup" in caught.value.remedy


def test_damaged_page_is_found_at_start(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.commit([Bound(other(number)) for number in range(2000)], ANCHOR)
    store.close()
    path = make_room(tmp_path / FILE)
    data = bytearray(path.read_bytes())
    data[8192 : 8192 + 4096] = os.urandom(4096)
    path.write_bytes(data)
    with pytest.raises(ServiceError) as caught:
        open_store(tmp_path)
    assert "damaged" in caught.value.message or "malformed" in caught.value.message


def test_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(make_room(tmp_path / FILE))) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(ServiceError) as caught:
        open_store(tmp_path)
    assert "newer than this netprov" in caught.value.message


def test_schema_is_brought_up_to_date_step_by_step(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.commit([Bound(LEASE)], ANCHOR)
    store.close()
    later = (*MIGRATIONS, "CREATE TABLE extra (x INTEGER);", "ALTER TABLE extra ADD COLUMN y TEXT;")
    path = make_room(tmp_path / FILE)
    newer = replace(DATABASE, migrations=later).open(path)
    store = LeaseStore(newer, path, os.open(os.devnull, os.O_RDONLY))
    assert list(store.load()) == [LEASE]
    assert store._connection.execute("PRAGMA user_version").fetchone() == (len(later),)
    assert store._connection.execute("SELECT x, y FROM extra").fetchall() == []
    store.close()


def test_second_server_on_the_same_file_is_told(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        store._connection.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(ServiceError) as caught:
            store.commit([Bound(LEASE)], ANCHOR)
    assert "stop that" in caught.value.remedy
    store.commit([], ANCHOR)
    assert list(store.load()) == [LEASE]
    store.close()


def test_wish_to_release_is_found_once(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.release_wishes() == []
    LeaseReader(tmp_path).wish_release(LEASE.address)
    assert store.release_wishes() == [LEASE.address]
    assert store.release_wishes() == []
    store.close()


def test_every_commit_is_synced(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_position_of_the_clock_is_kept_each_second_and_when_names_change(tmp_path: Path) -> None:
    store = open_store(tmp_path)

    def kept(lease_time: float, hostname: str = "") -> float:
        anchor = replace(ANCHOR, lease_time=lease_time)
        store.commit([Bound(other(7, hostname=hostname))], anchor)
        found = store.anchor()
        assert found is not None
        return found.lease_time

    assert [kept(time) for time in (1000.0, 1000.5, 1001.0, 1001.5)] == [1000.0, 1000.0, 1001.0, 1001.0]
    assert kept(1001.6, "desk") == 1001.6
    assert kept(1001.7, "desk") == 1001.6
    store.close()

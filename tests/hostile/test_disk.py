"""A disk that fills up: records stop first, then reports; leases go on."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netprov.cwmp.acs import Changes
from netprov.cwmp.device import Device
from netprov.dhcp.lease import Bound
from netprov.errors import ServiceError
from netprov.provision.event import Reported, SyslogLine
from netprov.state.acs.store import AcsStore
from netprov.state.device import load_reports
from netprov.state.device_record import DeviceRecords
from netprov.state.lease import open_store
from tests.lab.conftest import needs
from tests.state.test_lease import ANCHOR, other

MIB = 1 << 20
SIZE = 64 * MIB
MAC, IP = "00:12:34:ab:45:de", "10.20.0.100"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a directory on a disk of its own, of 64 MiB: records leave 8 of them free, reports 4."""
    folder = tmp_path / "state"
    folder.mkdir()
    mount = [needs("mount"), "-t", "tmpfs", "-o", f"size={SIZE}", "netprov-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield folder
    subprocess.run([needs("umount"), "-l", str(folder)], check=True)


def free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def leave(folder: Path, octets: int) -> None:
    """Fill the disk until so many octets are free."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free(folder) - octets)


def test_records_stop_then_reports_and_leases_go_on(small_disk: Path) -> None:
    said: list[str] = []
    store = open_store(small_disk)

    async def told(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.01)

    def report(records: DeviceRecords, kind: str) -> None:
        records.observe("http", Reported(IP, MAC, kind, "/r", {"A": "1"}))

    def kinds() -> list[str]:
        return [kind for kind, _, _ in load_reports(small_disk, MAC)]

    async def run() -> None:
        records = DeviceRecords(small_disk, said.append)
        records.follow(listed=frozenset({MAC}))
        await records.start()
        leave(small_disk, 14 * MIB)
        for number in range(20_000):
            line = SyslogLine(f"10.20.{number % 250}.{number // 250 % 250}", 6, "x" * 2000)
            records.observe("syslog", line)
        await told(lambda: any("records stop, reports go on" in each for each in said))
        report(records, "first")
        await told(lambda: kinds() == ["first"])
        leave(small_disk, 3 * MIB)
        report(records, "second")
        await told(lambda: any("records and reports stop" in each for each in said))
        for number in range(200):
            store.commit([Bound(other(number))], ANCHOR)
        assert len(list(store.load())) == 200
        assert kinds() == ["first"]
        (small_disk / "ballast").unlink()
        report(records, "third")
        await told(lambda: kinds() == ["first", "third"])
        await records.stop()

    asyncio.run(run())
    store.close()
    assert sum("are left to leases" in each for each in said) == 2
    assert sum("written again" in each for each in said) == 1


def on_disk(folder: Path, elsewhere: Path) -> int:
    """Return how many leases are in a copy of the files: what is left of a server that is killed."""
    shutil.copytree(folder / "leases", elsewhere / "leases")
    store = open_store(elsewhere)
    try:
        return len(list(store.load()))
    finally:
        store.close()
        shutil.rmtree(elsewhere)


def test_leases_go_on_when_the_last_octet_is_gone(small_disk: Path, tmp_path: Path) -> None:
    store = open_store(small_disk, every=0.0)
    store.commit([Bound(other(number)) for number in range(200)], ANCHOR)
    leave(small_disk, 0)
    assert free(small_disk) == 0
    for turn in range(300):  # some 25 MiB of log, were it not begun again
        renewed = [Bound(other(number, expires=10_000.0 + turn)) for number in range(200)]
        store.commit(renewed, ANCHOR)
    for number in range(200, 2200):
        store.commit([Bound(other(number))], ANCHOR)
    assert {lease.expires for lease in store.load() if lease.key < (200).to_bytes(2, "big")} == {10_299.0}
    assert on_disk(small_disk, tmp_path / "copy") == 2200
    store.close()
    leave(small_disk, 0)
    again = open_store(small_disk, every=0.0)
    again.commit([Bound(other(number)) for number in range(2200, 2400)], ANCHOR)
    assert on_disk(small_disk, tmp_path / "copy") == 2400
    again.close()


def test_what_is_committed_is_on_disk_also_when_all_that_was_kept_is_used_up(
    small_disk: Path, tmp_path: Path
) -> None:
    store = open_store(small_disk, every=0.0)
    leave(small_disk, 0)
    done = 0
    with pytest.raises(ServiceError) as caught:
        for number in range(65_000):
            store.commit([Bound(other(number, vendor_class="x" * 200))], ANCHOR)
            done += 1
    assert done >= 2000
    assert "Free some space" in caught.value.remedy
    assert on_disk(small_disk, tmp_path / "copy") == done
    (small_disk / "ballast").unlink()
    store.commit([], ANCHOR)
    assert on_disk(small_disk, tmp_path / "copy") == done + 1
    leave(small_disk, 0)
    store.commit([Bound(other(number)) for number in range(60_000, 60_500)], ANCHOR)
    assert on_disk(small_disk, tmp_path / "copy") == done + 501
    store.close()


def test_acs_starts_without_room_and_writes_when_there_is(small_disk: Path) -> None:
    path = small_disk / "acs" / "acs.sqlite3"
    one, two = Device("one"), Device("two")

    async def run() -> None:
        before = AcsStore(path)
        await before.keep(Changes((one,)), 0)
        before.close()
        leave(small_disk, 0)
        store = AcsStore(path)
        assert store.load(10) == [one]
        with pytest.raises(sqlite3.Error):
            await store.keep(Changes((two,)), 0)
        (small_disk / "ballast").unlink()
        await store.keep(Changes((two,)), 0)
        assert {each.key for each in store.load(10)} == {"one", "two"}
        store.close()

    asyncio.run(run())

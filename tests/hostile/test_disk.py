"""A disk that fills up: records stop first, then reports; leases go on."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netprov.dhcp.lease import Bound
from netprov.provision.event import Reported, SyslogLine
from netprov.state.device import DeviceRecords, load_reports
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
        records.listed = frozenset({MAC})
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

"""One bad octet stops no writer: not at the door, not in the queue, not in a task."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from netprov.provision.event import Asked, SyslogLine
from netprov.runtime import task
from netprov.runtime.role import Notice
from netprov.state.device import load_devices, load_history
from netprov.state.device_record import DeviceRecords
from netprov.tftp.packet import TftpRequest, decode
from tests.hostile.site import PHONES, Site, plain, request, serve

MAC = PHONES[0]


@pytest.mark.parametrize(
    "octets",
    [
        request(f"/{plain(MAC)}.cfg", b"User-Agent: Cisco-CP-8851-3PCC/11.3.1\xff (001234ab4500)"),
        request(f"/{plain(MAC)}.cfg", b"X-\xff: \xff\xfe"),
        request(f"/{plain(MAC)}.cfg", b"Authorization: Digest username=\xff"),
        request("/nothing").replace(b"/nothing", b"/noth\xffing"),
        request(f"/report/{plain(MAC)}.xml", b"Content-Encoding: \xff", method="PUT", body=b"<a/>"),
    ],
    ids=["agent", "field", "authorization", "path", "coding"],
)
def test_octets_that_are_no_utf_8_stop_no_record(tmp_path: Path, octets: bytes) -> None:
    async def scenario(site: Site) -> None:
        await site.say(octets)
        assert {line[9:12] for line in await site.honest()} == {b"200"}

    site = serve(tmp_path, scenario)
    assert site.complaints == []
    for event in site.events:
        str(event).encode()
    assert {device.mac for device in load_devices(tmp_path)} >= set(PHONES)


def test_names_of_tftp_are_text_that_can_be_written() -> None:
    packet = decode(b"\0\x01/\xff\xc3.cfg\0octet\0\xfe\0\xfd\0")
    assert isinstance(packet, TftpRequest)
    assert packet.filename == "/\ufffd\ufffd.cfg"
    "".join((packet.filename, *packet.options, *packet.options.values())).encode()


def test_fact_that_cannot_be_written_loses_itself_alone(tmp_path: Path) -> None:
    complaints: list[str] = []

    async def run() -> None:
        records = DeviceRecords(tmp_path, complaints.append)
        await records.start()
        for number, mac in enumerate(PHONES):
            records.observe("http", Asked("http", f"10.20.0.{number}", "GET", "/x", 200, "profile", mac=mac))
            if number == 10:
                records.observe("syslog", SyslogLine("10.20.0.10", 6, "\udcff"))
        await records.stop()

    asyncio.run(run())
    assert {device.mac for device in load_devices(tmp_path)} == set(PHONES)
    assert len(load_history(tmp_path, PHONES[10])) == 1
    (complaint,) = complaints
    assert "SyslogLine" in complaint


def test_task_that_fails_is_told_of_and_begins_again() -> None:
    told: list[Notice] = []
    runs: list[int] = []

    async def run() -> None:
        going = asyncio.Event()

        async def body() -> None:
            runs.append(1)
            if len(runs) < 3:
                "\udcff".encode()
            going.set()
            await asyncio.Event().wait()

        kept = task.keep("writing records", body, told.append, first_pause=0.01)
        async with asyncio.timeout(20):
            await going.wait()
        kept.cancel()
        await asyncio.gather(kept, return_exceptions=True)
        assert kept.cancelled()

    asyncio.run(run())
    assert len(runs) == 3
    assert [notice.severity for notice in told] == ["error", "error"]
    assert all("writing records" in str(notice) and "UnicodeEncodeError" in str(notice) for notice in told)


def test_service_keeps_no_task_that_may_fail_in_silence() -> None:
    """Long-lived tasks are begun by `keep`; those of one request are listed here, their owner awaits or asks them."""
    package = Path(__file__).parents[2] / "netprov" / "runtime"
    found = {
        str(path.relative_to(package)) for path in package.rglob("*.py") if "create_task(" in path.read_text()
    }
    of_requests = {
        "cwmp/desk.py",
        "dns/tcp.py",
        "dns/udp.py",
        "dns/forward.py",
        "leaving.py",
        "provision/pool.py",
        "provision/worker.py",
        "source/pool.py",
        "tftp/service.py",
    }
    assert found == {"task.py", "supervise.py"} | of_requests

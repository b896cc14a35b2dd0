"""Device records: what events leave behind."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.event import Asked, PhoneSaid, Posted, Reported, SyslogLine, TlsFailed, TransferFailed
from netprov.provision.requester import Agent
from netprov.provision.syslog import PhoneStatement
from netprov.state.device import FILE, load_devices, load_history, load_reports
from netprov.state.device_record import DeviceRecords
from netprov.state.place import make_room

MAC = "00:12:34:ab:45:de"
IP = "10.20.0.50"
AGENT = Agent("CP-8851-3PCC", "11.3.1", MAC)


def record(state: Path, *events: Event) -> None:
    async def run() -> None:
        records = DeviceRecords(state)
        await records.start()
        for event in events:
            records.observe("http", event)
        await records.stop()

    asyncio.run(run())


def test_what_another_process_told_late_stands_where_it_happened(tmp_path: Path) -> None:
    """A clock that was set back an hour in between is no lateness."""
    told = [(5000.5, "b"), (5000.75, "d"), (5000.0, "a"), (5000.625, "c"), (1400.0, "e"), (1401.0, "f")]

    async def run() -> None:
        records = DeviceRecords(tmp_path)
        await records.start()
        for at, path in told:
            records.observe("http", Asked("http", IP, "GET", f"/{path}", 200, "profile", mac=MAC), at)
        await records.stop()

    asyncio.run(run())
    assert [line.fields["path"] for line in load_history(tmp_path, MAC)] == [f"/{each}" for each in "abcdef"]


@pytest.mark.parametrize(
    ("events", "standing", "counts"),
    [
        ([Asked("http", IP, "GET", "/x", 404, mac=MAC)], "", (0, 1)),
        ([Asked("http", IP, "GET", "/x", 200, "bootstrap", mac=MAC)], "bootstrapped over http", (0, 0)),
        ([Asked("tftp", IP, "RRQ", "/x", 200, "profile", mac=MAC)], "provisioned over tftp", (1, 0)),
        ([Asked("http", IP, "GET", "/x", 401, mac=MAC, reason="why")], "refused /x: 401 why", (0, 1)),
        (
            [Asked("http", IP, "GET", "/x", 404, mac=MAC), TlsFailed(IP, "unknown ca")],
            "TLS failed: unknown ca",
            (0, 2),
        ),
        (
            [Asked("http", IP, "GET", "/x", 200, "profile", mac=MAC), TransferFailed(IP, "f", "no answer")],
            "TFTP of f ended early: no answer",
            (1, 0),
        ),
        (
            [PhoneSaid(IP, MAC, PhoneStatement(MAC, "CP-8851-3PCC", "resync", "failed", error="x"))],
            "resync failed: x",
            (0, 0),
        ),
        ([Posted(IP, MAC, "/x", "body", {})], "", (0, 0)),
    ],
)
def test_events_decide_where_a_phone_stands(
    tmp_path: Path, events: list[Event], standing: str, counts: tuple[int, int]
) -> None:
    record(tmp_path, *events)
    (device,) = load_devices(tmp_path)
    assert (device.mac, device.address, device.standing) == (MAC, IP, standing)
    assert (device.profiles, device.refusals) == counts
    assert len(load_history(tmp_path, MAC)) == len(events)


def test_what_is_known_stays_known(tmp_path: Path) -> None:
    record(tmp_path, Asked("http", IP, "GET", "/x", 200, "profile", mac=MAC, agent=AGENT))
    record(tmp_path, SyslogLine(IP, 6, "hello"), Asked("https", "", "GET", "/y", 404, mac=MAC))
    (device,) = load_devices(tmp_path)
    assert (device.address, device.model, device.firmware) == (IP, "CP-8851-3PCC", "11.3.1")
    assert device.standing == "provisioned over http"
    assert [line.text for line in load_history(tmp_path, MAC)][1] == f"{IP} says: hello"


def test_newest_report_of_each_kind_is_kept(tmp_path: Path) -> None:
    record(
        tmp_path,
        Reported(IP, MAC, "full", "/r", {"A": "1"}),
        Reported(IP, MAC, "full", "/r", {"A": "2"}),
        Posted(IP, MAC, "/x", "room=1", {"room": "1"}),
        Reported(IP, MAC, "status", "/r", {"System_Information/Software_Version": "12.0.1"}),
    )
    assert [(kind, dict(fields)) for kind, _, fields in load_reports(tmp_path, MAC)] == [
        ("full", {"A": "2"}),
        ("posted", {"room": "1"}),
        ("status", {"System_Information/Software_Version": "12.0.1"}),
    ]
    assert load_devices(tmp_path)[0].firmware == "12.0.1"


def test_strangers_have_a_history_but_no_record(tmp_path: Path) -> None:
    record(tmp_path, Asked("http", IP, "GET", "/x", 404), Dropped("x", Endpoint(IP, 1)))
    assert load_devices(tmp_path) == ()
    assert len(load_history(tmp_path, "")) == 1


def test_no_records_yet_are_none(tmp_path: Path) -> None:
    assert load_devices(tmp_path) == ()


def test_damaged_file_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    make_room(tmp_path / FILE).write_bytes(b"not a database" * 1000)
    with pytest.raises(ServiceError, match="moved away"):
        record(tmp_path)
    with pytest.raises(ServiceError, match="cannot be used"):
        load_devices(tmp_path)


def observed(state: Path, service: str, *events: Event) -> None:
    """Let the records of a server with the address 10.20.0.1 observe events."""

    async def run() -> None:
        records = DeviceRecords(state)
        records.follow(own=frozenset({"10.20.0.1"}))
        await records.start()
        for event in events:
            records.observe(service, event)
        await records.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    "event",
    [
        Asked("http", "10.20.0.1", "GET", "/x", 200, "profile", mac=MAC, agent=AGENT),
        Asked("http", IP, "GET", "/x", 200, "profile", mac=MAC, agent=AGENT, probe=True),
        Asked("tftp", IP, "RRQ", "/x", 404, mac=MAC, probe=True),
        TlsFailed("10.20.0.1", "unknown ca"),
    ],
)
def test_a_check_of_ours_is_on_record_and_is_no_phone(tmp_path: Path, event: Event) -> None:
    observed(tmp_path, "http", event)
    assert load_devices(tmp_path) == ()
    assert load_history(tmp_path, MAC) == ()
    assert [line.kind for line in load_history(tmp_path, "")] == [event.event_kind]


def test_a_discover_of_ours_leaves_no_refusal_and_hides_none(tmp_path: Path) -> None:
    octets = bytes.fromhex(MAC.replace(":", ""))
    ours = Dropped("not served", Endpoint("10.20.0.1", 68, "lan0", octets))
    observed(tmp_path, "dhcp", ours)
    assert load_history(tmp_path, MAC) == ()
    observed(tmp_path, "dhcp", ours, Dropped("not served", Endpoint("0.0.0.0", 68, "lan0", octets)))
    assert [line.kind for line in load_history(tmp_path, MAC)] == ["Unanswered"]


def with_records(
    state: Path, test: Callable[[DeviceRecords], Awaitable[None]], said: list[str] | None = None
) -> None:
    async def run() -> None:
        records = DeviceRecords(state, (said if said is not None else []).append)
        await records.start()
        try:
            await test(records)
        finally:
            await records.stop()

    asyncio.run(asyncio.wait_for(run(), 60))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_phone_is_recorded_while_a_stranger_floods_and_what_was_shed_is_told(tmp_path: Path) -> None:
    """Each line of a stranger walked that address's whole history, and the queue was one for all."""
    said: list[str] = []

    async def test(records: DeviceRecords) -> None:
        for number in range(50_000):
            records.observe("syslog", SyslogLine("10.20.0.250", 6, f"flood {number}"))
        records.observe("http", Asked("http", IP, "GET", "/x", 200, "profile", mac=MAC))
        await until(lambda: bool(load_devices(tmp_path)))
        await until(lambda: any("were not kept" in text for text in said))

    with_records(tmp_path, test, said)
    assert len(load_history(tmp_path, "", 100_000)) < 1000


def test_who_has_an_address_is_found_in_an_index_whatever_else_was_said_there(tmp_path: Path) -> None:
    record(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        plan = database.execute(
            "EXPLAIN QUERY PLAN SELECT mac FROM history WHERE address = ? AND kind = 'Bound' "
            "ORDER BY id DESC LIMIT 1",
            ("x",),
        ).fetchall()
    assert [row[3] for row in plan] == ["SEARCH history USING INDEX history_bound (address=?)"]


def test_what_cannot_be_written_is_told_once_and_written_later(tmp_path: Path) -> None:
    said: list[str] = []

    async def test(records: DeviceRecords) -> None:
        with closing(sqlite3.connect(tmp_path / FILE)) as other:
            other.execute("BEGIN IMMEDIATE")
            records.observe("http", Asked("http", IP, "GET", "/x", 200, "profile", mac=MAC))
            await until(lambda: bool(said))
            other.rollback()
        await until(lambda: bool(load_devices(tmp_path)))

    with_records(tmp_path, test, said)
    assert ["cannot be written" in said[0], *said[1:]] == [True, "device records are written again"]


def test_stop_does_not_wait_for_a_file_that_another_holds(tmp_path: Path) -> None:
    said: list[str] = []
    with closing(sqlite3.connect(tmp_path / "hold", isolation_level=None)) as other:

        async def test(records: DeviceRecords) -> None:
            other.execute(f"ATTACH '{tmp_path / FILE}' AS held")
            other.execute("BEGIN IMMEDIATE")
            other.execute("DELETE FROM held.report")
            records.observe("http", Asked("http", IP, "GET", "/x", 200, "profile", mac=MAC))

        with_records(tmp_path, test, said)
    assert said[-1] == "device records: 1 facts could not be written before the end"

"""Device records: what events leave behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from netprov.errors import ServiceError
from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.event import Asked, PhoneSaid, Posted, Reported, SyslogLine, TlsFailed, TransferFailed
from netprov.provision.requester import Agent
from netprov.provision.syslog import PhoneStatement
from netprov.state.device import FILE, DeviceRecords, load_devices, load_history, load_reports

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
        ([Posted(IP, MAC, "/x", "body")], "", (0, 0)),
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
        Reported(IP, MAC, "status", "/r", {"System_Information/Software_Version": "12.0.1"}),
    )
    assert [(kind, dict(fields)) for kind, _, fields in load_reports(tmp_path, MAC)] == [
        ("full", {"A": "2"}),
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
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    with pytest.raises(ServiceError, match="moved away"):
        record(tmp_path)
    with pytest.raises(ServiceError, match="cannot be read"):
        load_devices(tmp_path)


def observed(state: Path, service: str, *events: Event) -> None:
    """Let the records of a server with the address 10.20.0.1 observe events."""

    async def run() -> None:
        records = DeviceRecords(state)
        records.own = frozenset({"10.20.0.1"})
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

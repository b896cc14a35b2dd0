"""Nothing that a remote says is obeyed by a terminal, makes a line or a row, or is a formula in a spreadsheet."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli.table import print_table
from netprov.cli.verb.service import phones
from netprov.dhcp.lease import Bound, Lease, LeaseState
from netprov.dhcp.lease_file import format_csv, format_isc, format_kea
from netprov.machine import Event
from netprov.provision.event import Asked, Reported, RequestRefused, SyslogLine, TlsFailed, TransferFailed
from netprov.provision.requester import Agent
from netprov.runtime.log import EventLog
from netprov.state.clock import LeaseClock
from netprov.state.device_record import DeviceRecords
from netprov.state.lease import open_store
from netprov.text import visible

ATTACKS = {
    "escape": "a\x1b[2J\x1b]0;owned\x07b",
    "return": "a\rforged",
    "line": "a\nforged row",
    "c1": "a\x9b31mb",
    "bidi": "a\u202egnp.exe\u2066",
    "width": "a\u200b\u200d\ufeffb",
    "paragraph": "a\u2028b\u2029c\x85d",
    "nul": "a\x00b\x7f\x08",
    "tag": "a\U000e0041b",
}
MAC = "00:12:34:ab:45:de"
SITE = f"""
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
phones: [{{mac: {MAC}, name: desk1}}]
"""


def is_harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_table_has_a_row_for_each_row_and_nothing_that_a_terminal_obeys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, attack: str, *, terminal: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    print_table(("name", "state"), [(attack, "bound"), ("desk2", attack)])
    shown = capsys.readouterr().out
    if terminal:
        assert "\x1b[1m" in shown
        shown = re.sub(r"\x1b\[[0-9;]*m", "", shown)  # our own bold head
    assert is_harmless(shown)
    assert len(shown.splitlines()) == 3
    assert visible(attack) in shown


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("journal", [False, True])
def test_log_has_one_line_an_event(attack: str, *, journal: bool) -> None:
    events: list[Event] = [
        Asked("tftp", "10.20.0.9", "RRQ", f"/{attack}", 404, reason=attack, agent=Agent(attack, attack)),
        RequestRefused("http", "10.20.0.9", 400, attack, attack),
        TlsFailed("10.20.0.9", attack, sent=attack),
        TransferFailed("10.20.0.9", attack, attack),
        SyslogLine("10.20.0.9", 6, attack),
        Reported("10.20.0.9", MAC, attack, attack, {}),
    ]
    stream = io.StringIO()
    log = EventLog(stream, journal=journal, verbose=True)
    for event in events:
        log("http", event)
    lines = stream.getvalue().split("\n")
    assert len(lines) == len(events) + 1
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_phone_is_shown_harmlessly_whatever_was_said_of_it(tmp_path: Path, attack: str) -> None:
    (tmp_path / "site.yaml").write_text(SITE)

    async def record() -> None:
        records = DeviceRecords(tmp_path)
        await records.start()
        agent = Agent(f"CP-{attack}", attack, MAC)
        records.observe("http", Asked("http", "10.20.0.50", "GET", "/x", 403, "", 0, MAC, attack, agent))
        records.observe("http", Reported("10.20.0.50", MAC, "full", "/report", {attack: attack}))
        await records.stop()

    asyncio.run(record())
    place = ["-f", str(tmp_path / "site.yaml"), "--state", str(tmp_path)]
    for verb in (["list"], ["show", "desk1"], ["list", "--json"], ["show", "desk1", "--json"]):
        result = CliRunner().invoke(phones.command, [*verb, *place], standalone_mode=False)
        assert result.exception is None
        assert is_harmless(result.stdout)
        assert "desk1" in result.stdout or MAC in result.stdout


def a_lease(text: str) -> Lease:
    key = bytes.fromhex("01001234ab45de")
    return Lease(0x0A140032, "voice", key, key[1:], LeaseState.BOUND, 0.0, 3600.0, text, text)


@pytest.mark.parametrize(
    "formula", ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x")']
)
def test_no_cell_of_an_export_is_a_formula(formula: str) -> None:
    text = format_csv([a_lease(formula)], to_wall=0.0)
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["hostname"] == f"'{formula}"
    assert row["vendor_class"] == f"'{formula}"


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_exports_have_no_more_lines_than_leases_give_them(attack: str) -> None:
    plain, hostile = [a_lease("desk1")], [a_lease(attack)]
    for text, expected in (
        (format_csv(hostile, to_wall=0.0), format_csv(plain, to_wall=0.0)),
        (format_kea(hostile, ["voice"], to_wall=0.0), format_kea(plain, ["voice"], to_wall=0.0)),
        (format_isc(hostile, to_wall=0.0), format_isc(plain, to_wall=0.0)),
    ):
        assert is_harmless(text)
        assert text.count("\n") == expected.count("\n")


def test_host_name_ends_no_quotation_of_dhcpd_and_no_field_of_kea() -> None:
    text = format_isc([a_lease('x"; binding state free; } lease 10.20.0.1 {')], to_wall=0.0)
    assert 'client-hostname "x\\042; binding state free; } lease 10.20.0.1 {";' in text
    row = format_kea([a_lease('a,b"c')], ["voice"], to_wall=0.0).splitlines()[1]
    assert row.split(",")[8] == "a&#x2cb&#x22c"
    assert len(row.split(",")) == 11


@pytest.mark.parametrize(
    "attack", [*ATTACKS.values(), "=1+1", "a,b", '"'], ids=[*ATTACKS, "formula", "comma", "quote"]
)
def test_stranger_is_listed_harmlessly_and_nothing_that_it_says_gets_into_the_inventory(
    tmp_path: Path, attack: str
) -> None:
    file, sheet = tmp_path / "site.yaml", tmp_path / "phones.csv"
    file.write_text(
        f"{SITE.partition('phones:')[0]}phones: {{csv: phones.csv}}\nserver: {{state: {tmp_path}}}\n"
    )
    sheet.write_text("mac,model\n")
    store = open_store(tmp_path)
    lease = Lease(
        0x0A140064, "voice", b"k", bytes(5) + b"\x02", LeaseState.BOUND, 1, 2, attack, attack, attack.encode()
    )
    store.commit([Bound(lease)], LeaseClock(None).anchor())
    store.close()
    shown = CliRunner().invoke(phones.command, ("adopt", "-f", str(file)), standalone_mode=False)
    assert is_harmless(shown.output)
    assert len(shown.output.splitlines()) == 2
    taken = CliRunner().invoke(phones.command, ("adopt", "-f", str(file), "--all"), standalone_mode=False)
    assert is_harmless(taken.output)
    assert sheet.read_text() == "mac,model\n00:00:00:00:00:02,\n"

"""`netprov phones add`: what a scanner types, what is told, what is in the file afterwards."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from netprov.cli import group
from netprov.inventory.load import load

SITE = """domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
classes: {mpp: {match: {vendor_class: "CP-*-3PCC*"}}}
"""
FIRST = "001234AB45DE\nFCH2048A1B2\nCP-8851-3PCC-K9=\n"
SECOND = "CP-7841-3PCC,SN:FCH2048A1B3,MAC:00 12 34 AB 45 DF\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.yaml"
    file.write_text(SITE + f"server: {{state: {tmp_path}}}\n")
    return file


def add(site: Path, typed: str, *words: str) -> Result:
    given = ("phones", "add", "-f", str(site), *words)
    return CliRunner().invoke(group, given, input=typed, standalone_mode=False)


def listed(site: Path) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(each.mac, each.model, each.serial, each.class_) for each in load(str(site)).inventory.phones]


BOTH = [
    ("00:12:34:ab:45:de", "CP-8851-3PCC", "FCH2048A1B2", None),
    ("00:12:34:ab:45:df", "CP-7841-3PCC", "FCH2048A1B3", None),
]


def test_scanned_phones_are_in_the_inventory_with_what_was_scanned(site: Path) -> None:
    result = add(site, FIRST + SECOND, "--create")
    assert result.return_value == 0, result.output
    assert listed(site) == BOTH
    assert "added   00:12:34:ab:45:de CP-8851-3PCC FCH2048A1B2" in result.output
    assert f"2 phones are added to {site.parent}/phones.csv" in result.output
    assert "\a" not in result.output


def test_without_a_file_it_is_said_how_one_comes_to_be(site: Path) -> None:
    error = str(add(site, FIRST).exception)
    assert "names no CSV file of phones" in error
    assert "--create" in error
    assert not (site.parent / "phones.csv").exists()


def test_a_file_that_the_inventory_names_and_that_is_not_there_is_made(site: Path) -> None:
    site.write_text(site.read_text() + "phones: {csv: staged.csv}\n")
    assert add(site, SECOND, "--class", "mpp").return_value == 0
    assert listed(site) == [(*BOTH[1][:3], "mpp")]


def test_who_is_listed_in_yaml_or_by_its_serial_number_is_told_and_not_written(site: Path) -> None:
    site.write_text(site.read_text() + "phones: [{mac: 0012.34ab.45de, serial: FCH2048A1B3}]\n")
    result = add(site, FIRST + SECOND, "--create")
    assert result.return_value == 1
    assert f"known   00:12:34:ab:45:de is listed already, at {site}:5:10" in result.output
    assert "its serial number FCH2048A1B3 is that of 00:12:34:ab:45:de" in result.output
    assert "0 phones are added" in result.output
    assert len(listed(site)) == 1


def test_half_a_phone_at_the_end_is_told_and_not_written(site: Path) -> None:
    result = add(site, FIRST + "001234AB45DF\n", "--create")
    assert result.return_value == 1
    assert listed(site) == BOTH[:1]
    told = "half a phone: MAC address 00:12:34:ab:45:df, without serial number and model"
    assert told in result.output


def test_a_class_that_there_is_not_is_refused_before_anything_is_scanned(site: Path) -> None:
    result = add(site, FIRST, "--create", "--class", "mmp")
    assert "there is no class mmp: mpp" in str(result.exception)


def test_each_outcome_is_an_object_for_programs(site: Path) -> None:
    result = add(site, SECOND + SECOND + "hello\n", "--create", "--json")
    said = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["result"] for each in said] == ["added", "known", "refused"]
    assert {key: said[0][key] for key in ("mac", "model", "serial", "class", "line")} == {
        "mac": BOTH[1][0],
        "model": BOTH[1][1],
        "serial": BOTH[1][2],
        "class": "",
        "line": 2,
    }
    assert len({frozenset(each) - {"file", "line"} for each in said}) == 1


def test_what_check_finds_with_the_new_phones_is_told(site: Path) -> None:
    text = "profiles: {desk: {values: {Proxy_1_: example.com}}}\nphones: {csv: phones.csv}\n"
    site.write_text(site.read_text() + text)
    (site.parent / "phones.csv").write_text("mac,model,serial,profile,name\n00:12:34:ab:45:01,,,desk,\n")
    fine = add(site, FIRST, "--quiet")
    assert (fine.return_value, fine.output) == (0, "")
    strange = add(site, "MAC:001234AB45DF SN:FCH2048A1B3 PID:CP-8851-K9\n")
    assert "CP-8851" in strange.output.partition("added to")[2]


def test_reload_says_where_nothing_runs(site: Path) -> None:
    result = add(site, SECOND, "--create", "--reload")
    assert "nothing that plays any role runs" in str(result.exception)
    assert listed(site) == BOTH[1:]


def _on_a_terminal(site: Path, *words: str, colour: bool = True) -> tuple[subprocess.Popen[bytes], int]:
    near, far = pty.openpty()
    environment = {key: each for key, each in os.environ.items() if key != "NO_COLOR"}
    environment |= {"TERM": "xterm"} | ({} if colour else {"NO_COLOR": "1"})
    command = [sys.executable, "-m", "netprov", "phones", "add", "-f", str(site), "--create", *words]
    process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=environment)
    os.close(far)
    return process, near


def _read_until(near: int, words: bytes) -> bytes:
    said = b""
    while words not in said:
        said += os.read(near, 4096)
    return said


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_beeps_and_colours_by_what_came_of_a_phone(site: Path, colour: bool) -> None:
    process, near = _on_a_terminal(site, colour=colour)
    _read_until(near, b"Ctrl-D")
    os.write(near, SECOND.encode())
    added = _read_until(near, b"\a")
    os.write(near, SECOND.encode())
    known = _read_until(near, b"\a\a")
    os.write(near, b"hello\n")
    refused = _read_until(near, b"\a\a\a")
    os.write(near, b"\x04")
    assert process.wait(30) == 1
    os.close(near)
    found = [f"\x1b[{code}m".encode() in said for code, said in ((32, added), (33, known), (31, refused))]
    assert found == [colour] * 3


def test_a_terminal_is_told_what_a_phone_that_is_begun_lacks(site: Path) -> None:
    process, near = _on_a_terminal(site)
    _read_until(near, b"Ctrl-D")
    os.write(near, b"FCH2048A1B3\n")
    _read_until(near, b"then MAC address, model")
    os.write(near, b"001234AB45DF\n")
    _read_until(near, b"then model")
    os.write(near, b"7841\n\x04")
    assert b"added" in _read_until(near, b"\a")
    assert process.wait(30) == 0
    os.close(near)
    assert listed(site) == BOTH[1:]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_it_what_was_told_as_added_is_in_the_file(site: Path, how: signal.Signals) -> None:
    process, near = _on_a_terminal(site)
    _read_until(near, b"Ctrl-D")
    os.write(near, SECOND.encode() + b"001234AB45DE\n")
    _read_until(near, b"added")
    process.send_signal(how)
    assert process.wait(30) == {signal.SIGINT: 130, signal.SIGKILL: -9}[how]
    os.close(near)
    assert listed(site) == BOTH[1:]

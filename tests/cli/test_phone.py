"""`netprov phone` without a LAN: what it takes, what it refuses, what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner

from netprov.cli.verb.lab.phone import command
from netprov.errors import InventoryError, ServiceError

MAC = "00:12:34:ab:45:de"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.return_value, result.output


def test_without_dhcp_a_phone_asks_the_servers_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = run(MAC, "--option", "160=http://127.0.0.1:9/p.xml", "--model", "7841")
    assert code == 1
    assert "CP-7841-3PCC" in output
    assert "GET http://127.0.0.1:9/p.xml" in output
    assert "connection refused" in output
    assert "customization state: Aborted" in output


def test_json_holds_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (trip,) = json.loads(run(MAC, "--option", "66=http://127.0.0.1:9/p", "--json")[1])
    assert not trip["provisioned"]
    assert [step["kind"] for step in trip["steps"]].count("http") == 3
    assert any(step.get("trouble") == "refused" for step in trip["steps"])


def test_phones_of_the_inventory_are_known_by_name(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "domain: example.com\nnetworks: {v: {interface: lan0, subnet: 10.20.0.0/24}}\n"
        "phones: [{mac: '00:12:34:ab:45:de', model: CP-8841-3PCC, name: desk1, firmware: 12.0.1}]\n"
    )
    output = run("desk1", "-f", str(path), "--option", "66=http://127.0.0.1:9/p")[1]
    assert "CP-8841-3PCC  sip88xx.12-0-1MPP" in output
    assert (
        run("--all", "-f", str(path), "--option", "66=http://127.0.0.1:9/p")[1].count("customization state")
        == 1
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name a phone"),
        (("nonsense",), "there is no phone 'nonsense'"),
        ((MAC,), "say where"),
        ((MAC, "--option", "66"), "write a number"),
        ((MAC, "--option", "150=abc"), "150"),
        (("--count", "3"), "--count needs --interface"),
        (("--count", "3", "--stay"), "leave --stay out"),
        ((MAC, "--step", "--stay"), "leave --stay out"),
        ((MAC, "--console", "s"), "--console is for phones that live on: add --stay"),
        ((MAC, "--keep", "flash"), "add --stay"),
        ((MAC, "--speed", "2"), "add --stay"),
        ((MAC, "--for", "1d"), "add --stay"),
    ],
)
def test_wrong_arguments_say_what_is_right(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((UsageError, InventoryError), match=words):
        run(*arguments)


def test_a_phone_stays_for_as_long_as_it_is_told_and_says_what_its_life_came_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = (
        MAC,
        "--option",
        "66=http://127.0.0.1:9/p.xml",
        "--stay",
        "--speed",
        "1000000",
        "--for",
        "3h",
    )
    code, output = run(*arguments)
    assert code == 1
    assert "day 1" in output
    assert "failures in a row" in output
    lines = [json.loads(line) for line in run(*arguments, "--json")[1].splitlines()]
    assert {line["mac"] for line in lines} == {MAC}
    assert lines[-1]["resyncs"] == lines[-1]["failures"] >= 3
    assert lines[-1]["customization"] == "Aborted"


@pytest.mark.parametrize(
    "arguments", [("--for", "soon"), ("--speed", "0"), ("--speed", "nan"), ("--speed", "inf")]
)
def test_times_that_are_none_are_usage_errors(arguments: tuple[str, str]) -> None:
    with pytest.raises(UsageError):
        run(MAC, "--option", "66=http://127.0.0.1:9/p.xml", "--stay", *arguments)


def test_a_rule_that_is_entered_by_hand_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, output = run(MAC, "--domain", "example.com", "--rule", "http://127.0.0.1:9/own.xml")
    assert "GET http://127.0.0.1:9/own.xml" in output
    assert "customization state: Aborted" in output


def test_what_a_phone_has_written_down_is_there_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stays = ("--domain", "example.com", "--stay", "--for", "1s", "--keep", "flash")
    run(MAC, *stays, "--rule", "http://127.0.0.1:9/own.xml", "--speed", "100000")
    kept = tmp_path / "flash" / "001234ab45de.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert json.loads(kept.read_text())["mac"] == MAC
    stays = (*stays[:4], "1h", *stays[5:])
    run(MAC, *stays, "--rule", "http://127.0.0.1:9/own.xml", "--speed", "100000")
    assert "GET http://127.0.0.1:9/own.xml" in run(MAC, *stays, "--speed", "100000")[1]
    assert json.loads(kept.read_text())["parameters"]["Profile_Rule"] == "http://127.0.0.1:9/own.xml"
    acs = {"url": "http://acs/", "port": 99999999, "values": {}, "notifications": {}}
    strange = json.dumps({**json.loads(kept.read_text()), "acs": acs})
    for damaged in ("{}", "", "[" * 100_000, strange):
        kept.write_text(damaged)
        with pytest.raises(ServiceError, match="remove it"):
            run(MAC, *stays)


def test_a_place_that_keeps_nothing_is_told_before_the_phone_is_switched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for place in ("file/flash", "/proc/flash"):
        with pytest.raises(ServiceError, match="--keep DIR"):
            run(MAC, "--domain", "example.com", "--stay", "--for", "1s", "--keep", place)
    assert "dhcp" not in capsys.readouterr().out


@pytest.mark.parametrize("scheme", ["tftp", "http", "https"])
def test_an_address_that_went_with_its_interface_is_a_failure_of_the_fetch(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = run(MAC, "--option", f"66={scheme}://127.0.0.1/x.xml", "--address", "192.0.2.55")
    assert code == 1
    assert "cannot assign requested address" in output.lower()

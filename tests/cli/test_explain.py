"""`netprov explain`, over captures, inventories and the servers' records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from netprov.cli.verb.answer.explain import command
from netprov.errors import InventoryError
from tests.explain.test_captures import CAPTURES

MAC = "00:12:34:ab:45:de"
MINIMAL = """domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.return_value, result.output


def test_capture_tells_cause_evidence_and_fix() -> None:
    code, output = run("capture", str(CAPTURES / "failed" / "cert-wildcard.pcap"), "--road")
    assert code == 1
    for words in ("tls-wrong-name", "*.example.com", "evidence  packets", "fix", "SRV _ciscoprov-https._tls"):
        assert words in output


def test_capture_of_a_healthy_phone_says_nothing_wrong() -> None:
    code, output = run("capture", str(CAPTURES / "healthy" / "srv-https.pcap"), MAC)
    assert code == 0
    assert "it was sent a file that cannot be read here, from https://pr1.example.com:5060/" in output
    assert "cause" not in output


def test_capture_as_json_and_for_a_phone_that_is_not_in_it() -> None:
    path = str(CAPTURES / "failed" / "http-503.pcap")
    (story,) = json.loads(run("capture", path, "--json")[1])
    assert (story["cause"]["rule"], story["mac"]) == ("server-error", MAC)
    assert any(step.get("status") == 503 for step in story["steps"])
    assert "no phone in this capture" in run("capture", path, "00:00:00:00:00:01")[1]


@pytest.mark.parametrize(
    ("extra", "arguments", "code", "words"),
    [
        ("", (), 0, "it has a profile"),
        ("", ("--trusting",), 0, "from https://netprov.example.com/Cisco/001234ab45de.cfg"),
        (
            "classes: {c: {match: {mac: '00:12'}, method: srv}}\nsrv: {https: [{target: pr1, port: 443}], http: []}\nhosts: {pr1: 10.20.0.9}\n",
            (),
            1,
            "tls-untrusted",
        ),
        (
            "phones: [{mac: '00:12:34:ab:45:de', method: dhcp, options: {160: 'http://10.20.0.250/x'}}]\n",
            (),
            1,
            "a server that is not",
        ),
        (
            "classes: {c: {match: {mac: '00:12'}, method: dhcp, options: {160: 'http://10.20.0.1/nothing.xml'}}}\n",
            (),
            0,
            "option 160",
        ),
    ],
)
def test_inventory_alone_tells_what_a_phone_will_do(
    tmp_path: Path, extra: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    path = tmp_path / "netprov.yaml"
    path.write_text(MINIMAL + extra)
    found, output = run("phone", MAC, "-f", str(path), "--state", str(tmp_path), *arguments)
    assert words in output
    assert code == found


def test_every_listed_phone_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "netprov.yaml"
    path.write_text(
        MINIMAL + f"phones: [{{mac: '{MAC}', model: CP-8841-3PCC}}, {{mac: '00:12:34:ab:45:df'}}]\n"
    )
    stories = json.loads(run("phone", "-f", str(path), "--state", str(tmp_path), "--json")[1])
    assert [story["mac"] for story in stories] == [MAC, "00:12:34:ab:45:df"]


def test_nobody_has_heard_of_a_phone_without_records(tmp_path: Path) -> None:
    code, output = run("records", MAC, "--state", str(tmp_path))
    assert code == 1
    assert "no server has heard of it" in output


@pytest.mark.parametrize("text", ["001234ab45de", "00-12-34-AB-45-DE", "0012.34ab.45de", "SEP001234AB45DE"])
def test_capture_finds_a_phone_in_any_notation(text: str) -> None:
    code, output = run("capture", str(CAPTURES / "healthy" / "srv-https.pcap"), text)
    assert code == 0
    assert MAC in output


def test_capture_refuses_what_is_no_phone() -> None:
    with pytest.raises(InventoryError, match="no phone 'lobby'"):
        run("capture", str(CAPTURES / "healthy" / "srv-https.pcap"), "lobby")


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "and no inventory is named (-f FILE)"), (("-f", "site.yaml"), "and the inventory lists none")],
)
def test_records_of_nobody_say_so_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yaml").write_text(MINIMAL)
    code, output = run("records", "--state", str(tmp_path / "state"), *words)
    assert code == 0
    assert output.startswith(f"no phone is on record in {tmp_path}/state, {said}")
    assert "plug one in while `netprov serve` runs" in output

"""Import: sample configurations become the drafts beside them, which load; nonsense never raises anything else."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from netprov.check import check
from netprov.cli import group
from netprov.convert.draft import Draft, format_draft
from netprov.convert.form import FORMATS, guess
from netprov.errors import InventoryError
from netprov.inventory.load import load, parse
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.flow import flow

HERE = Path(__file__).parent / "import"
SAMPLES = ("dnsmasq.conf", "dhcpd.conf", "kea-dhcp4.conf", "phones.csv", "hosts.ini", "hosts.yaml")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.chdir(HERE)
    return CliRunner().invoke(group, ["import", *arguments], standalone_mode=False)


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_becomes_the_draft_beside_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, name)
    assert result.return_value == 0
    assert (HERE / f"{name}.expected.yaml").read_text() == result.stdout


@pytest.mark.parametrize("name", SAMPLES)
def test_draft_loads_without_an_error_but_what_was_assumed(name: str) -> None:
    document = load(HERE / f"{name}.expected.yaml")
    errors = {problem.rule for problem in check(document.inventory, 0) if problem.severity == "error"}
    assert errors <= {"relay-without-listener", "server-address-unknown", "option-host-unknown"}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_not_carried_over_is_on_the_terminal_and_in_the_draft(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(monkeypatch, name)
    told = [line for line in result.stderr.splitlines() if line.startswith(f"{name}:") and ":1: " in line]
    assert told
    assert [f"#   {line}" for line in told] == result.stdout.splitlines()[-len(told) :]


@pytest.mark.parametrize(
    ("name", "form"),
    list(zip(SAMPLES, ("dnsmasq", "dhcpd", "kea", "csv", "ansible", "ansible"), strict=True)),
)
def test_format_is_found_out(name: str, form: str) -> None:
    assert guess(name, (HERE / name).read_text()) == form


def test_existing_file_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "netprov.yaml"
    assert run(monkeypatch, "phones.csv", "-o", str(target)).return_value == 0
    assert run(monkeypatch, "phones.csv", "-o", str(target)).exception is not None


@pytest.mark.fuzz
@pytest.mark.parametrize("form", FORMATS)
@given(
    text=st.text(
        alphabet=st.sampled_from('abz019.:-=,;{}[]"#/\n \tdhcp_option subnet netmask host mac'), max_size=200
    )
)
def test_fuzz_nonsense_is_a_draft_that_can_be_read_or_a_problem(form: str, text: str) -> None:
    read: Callable[[str, str], Draft] = FORMATS[form]
    try:
        draft = read(text, "file")
    except InventoryError:
        return
    draft.complete()
    written = compose(format_draft(draft), "draft")
    assert written.problems == ()
    sections = {"networks": draft.networks, "hosts": draft.hosts, "classes": draft.classes}
    for name, section in sections.items():
        assert not section or set(written.value[name]) == set(section)
    told = [(each.get("mac"), each.get("address"), each.get("name")) for each in draft.phones]
    read_back = written.value.get("phones", [])
    assert told == [(each.get("mac"), each.get("address"), each.get("name")) for each in read_back]
    assert all(0 < each.place.line <= text.count("\n") + 1 for each in draft.leftovers)


def test_text_over_two_lines_stays_in_its_comment() -> None:
    draft = FORMATS["dhcpd"]('"\nphones: []\n";', "file")
    assert [each.text for each in draft.leftovers] == ['" phones: [] "']
    assert "phones" not in compose(format_draft(draft), "draft").value


@pytest.mark.fuzz
@given(st.text())
def test_fuzz_any_text_is_read_back_as_it_was_written(text: str) -> None:
    assert compose(f"{{{flow(text)}: [{flow(text)}]}}", "draft").value == {text: [text]}


def test_dnsmasq_takes_the_sample() -> None:
    program = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("dnsmasq is not installed")
    subprocess.run([program, "--test", "-C", str(HERE / "dnsmasq.conf")], check=True, capture_output=True)


def test_texts_are_written_so_that_they_are_read_back() -> None:
    values = [
        "no",
        "1:20",
        "007",
        "a: b",
        "- x",
        "#x",
        "",
        "true",
        "null",
        "x, y",
        "[a]",
        "{a}",
        "ä",
        'a"b',
        "a\nb",
        "~",
    ]
    site = "domain: example.com\nnetworks: {v: {subnet: 10.0.0.0/24}}\nprofiles: {p: {values: {%s}}}\n"
    inline = ", ".join(f"V{number}: {flow(value)}" for number, value in enumerate(values))
    found = parse(site % inline, "site.yaml").inventory.profiles["p"].values
    assert list(found.values()) == values

"""`--json` of every verb: one shape, and the words of docs/output.md; exit codes in one table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from netprov.cli import EXIT_CODES, group
from tests.cli.test_colour import ALL

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "output.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
STAGING = str(ROOT / "config" / "staging.yaml")
LIMITED = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24, pool: 10.20.0.5-10.20.0.9}}\n"

LISTS: dict[str, str] = {
    "check": "check {site} --json",
    "plan": "plan -f {other} --against {site} --json",
    "phones list": "phones list -f {site} --state {state} --json",
    "phones adopt": "phones adopt -f {site} --state {state} --json",
    "cert show": "cert show -f {site} --state {state} --json",
    "files": "files 00:12:34:ab:45:de -f {site} --state {state} --json",
    "profile lint": "profile lint {profile} --json",
    "cloud": "cloud --allow-list --json",
}
OBJECTS: dict[str, str] = {"status": "status -f {site} --state {state} --json"}
ELSEWHERE: dict[str, str] = {
    "leases list": "tests/cli/test_dhcp_verbs.py",
    "phones show": "tests/cli/test_provisioning.py",
    "phones add": "tests/cli/test_phones_add.py: an object a line",
    "watch": "tests/lab/test_watch.py: an object a line",
    "log": "tests/lab/test_control.py",
    "doctor": "tests/lab/test_doctor.py",
    "compare": "tests/lab/test_compare.py: one comparison",
    "phone": "tests/cli/test_phone.py: roads, step by step",
    "rule": "tests/cli/test_rule.py: what one rule means",
    "explain phone": "tests/cli/test_explain.py: stories",
    "explain records": "tests/cli/test_explain.py: stories",
    "explain capture": "tests/cli/test_explain.py: stories",
    "explain dhcp": "tests/cli/test_dhcp_verbs.py: one offer",
}
"""Verbs that need a network, a server or a phone, or tell a story, and the tests that look at their JSON."""


PASSES_ON = ("handset",)
"""What its options are, the phone says."""


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    tmp_path = tmp_path_factory.mktemp("output")
    other, state, profile = tmp_path / "other.yaml", tmp_path / "state", tmp_path / "p.xml"
    other.write_text(LIMITED)
    profile.write_text("<flat-profile><No_Such_Parameter>1</No_Such_Parameter></flat-profile>")
    state.mkdir()
    made = CliRunner().invoke(group, ["cert", "init", "-f", STAGING, "--state", str(state)])
    assert made.exit_code == 0, made.output
    return {"site": STAGING, "other": str(other), "state": str(state), "profile": str(profile)}


def run(words: str, names: dict[str, str]) -> Result:
    return CliRunner().invoke(group, words.format(**names).split(), standalone_mode=False)


def found(words: str, names: dict[str, str]) -> Any:
    result = run(words, names)
    assert result.exception is None, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("verb", LISTS)
def test_list_is_an_array_of_objects_in_the_words_of_the_page(verb: str, names: dict[str, str]) -> None:
    said = found(LISTS[verb], names)
    assert isinstance(said, list)
    assert said or verb == "phones adopt"
    assert {key for each in said for key in each} - WORDS == set()


@pytest.mark.parametrize("verb", OBJECTS)
def test_one_thing_is_one_object_in_the_words_of_the_page(verb: str, names: dict[str, str]) -> None:
    said = found(OBJECTS[verb], names)
    assert isinstance(said, dict)
    assert set(said) - WORDS == set()


def command_of(words: tuple[str, ...]) -> click.Command:
    command: click.Command = group
    for word in words:
        assert isinstance(command, click.Group)
        below = command.get_command(click.Context(command), word)
        assert below is not None
        command = below
    return command


def test_every_verb_with_json_is_looked_at() -> None:
    """The verbs of the ACS have tests of their own."""
    offered = {
        " ".join(words) for words in ALL if any("--json" in each.opts for each in command_of(words).params)
    }
    known = {*LISTS, *OBJECTS, *ELSEWHERE}
    assert {each for each in offered if not each.startswith("acs")} == known
    assert all((ROOT / where.partition(":")[0]).is_file() for where in ELSEWHERE.values())


def test_exit_codes_of_the_page_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == dict(EXIT_CODES)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("schema", 0),
        ("check {other}", 0),
        ("plan -f {other} --against {site} --exit-code", 1),
        ("profile lint {profile} --strict", 1),
        ("leases show 10.20.0.9 -f {site} --state {state}", 3),
        ("phones show 00:12:34:ab:45:de -f {site} --state {state}", 4),
        ("watch -f {site} --state {state}", 3),
        ("log -f {site} --state {state}", 3),
        ("drain -f {site} --state {state}", 3),
        ("reload --state {state}", 3),
        ("log debug nobody -f {site} --state {state}", 2),
    ],
)
def test_exit_code_means_what_the_page_says(words: str, code: int, names: dict[str, str]) -> None:
    assert exit_code(words, names) == code


def exit_code(words: str, names: dict[str, str]) -> int:
    """Run the program as a shell does."""
    return subprocess.run(
        [sys.executable, "-m", "netprov", *words.format(**names).split()], capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("words", [each for each in ALL if each and each != PASSES_ON], ids=" ".join)
def test_option_that_there_is_not_is_usage_for_every_verb(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(group, [*words, "--no-such-option"])
    assert result.exit_code == 2
    assert "No such option" in result.output or "--no-such-option" in result.output

"""`--color` and NO_COLOR, for every verb and wherever the option stands."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from netprov.cli import VERBS, group

RED_NETWORK = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, pool: 10.20.0.100-10.20.0.102}}
phones: [{mac: "00:12:34:ab:45:de", model: CP-8851-3PCC, address: 10.21.0.5}]
"""


@pytest.fixture
def site(tmp_path: Path) -> str:
    file = tmp_path / "site.yaml"
    file.write_text(RED_NETWORK)
    return str(file)


def printed(words: list[str], *, terminal: bool = False, **environment: str) -> bytes:
    """Run the program with its output on a terminal, or in a pipe; return what it printed, escapes and all."""
    near, far = pty.openpty() if terminal else os.pipe()
    kept = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "netprov", *words],
        stdout=far,
        stderr=subprocess.DEVNULL,
        env=kept | {"TERM": "xterm"} | environment,
    )
    os.close(far)
    data = b""
    with suppress(OSError):  # a terminal whose program has ended
        while chunk := os.read(near, 65536):
            data += chunk
    os.close(near)
    assert process.wait(60) == 1
    return data


@pytest.mark.parametrize("place", [0, 1, 2])
def test_option_wins_over_everything_wherever_it_stands(site: str, place: int) -> None:
    for choice, coloured in (("always", True), ("never", False)):
        words = ["check", site]
        words[place:place] = ["--color", choice]
        assert (b"\x1b[" in printed(words, NO_COLOR="1")) == coloured
        assert (b"\x1b[" in printed(words, terminal=True)) == coloured


def test_terminal_gets_colours_unless_they_are_not_wanted_and_a_pipe_none(site: str) -> None:
    words = ["check", site]
    assert b"\x1b[" in printed(words, terminal=True)
    assert b"\x1b[" in printed(words, terminal=True, NO_COLOR="")
    assert b"\x1b[" not in printed(words, terminal=True, NO_COLOR="1")
    assert b"\x1b[" in printed([*words, "--color", "auto"], terminal=True)
    assert b"\x1b[" not in printed(words)


def every_command(command: click.Command, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [words]
    context = click.Context(command)
    found = [words]
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        found += every_command(below, (*words, name))
    return found


ALL = every_command(group, ())


def test_every_verb_is_walked() -> None:
    assert {words[0] for words in ALL if words} == set(VERBS)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_verb_has_the_option_and_says_so(words: tuple[str, ...]) -> None:
    said = CliRunner().invoke(group, [*words, "--help"])
    assert said.exit_code == 0
    assert "--color" in said.output

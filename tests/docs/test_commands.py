"""Every command that README.md and the pages print: it parses as printed, and what sends nothing also runs.

A command that needs a network, a server or root is asked for with `--help` in place of its execution, after its own
parser has taken every word of it: a verb, a subcommand or an option that is no longer there fails.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from netprov.cli import group

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE = {"check.md", "causes.md", "inventory.md"}
"""Pages that `netprov` itself writes; what they print in blocks are inventories."""

RUN = {"rule", "decode", "schema"}
"""Verbs that read nothing and send nothing: they are run as printed."""

EXCEPTIONS = {
    "netprov serves example.com:": "what `make demo` says",
    "netprov decode 43 011d68747470733a2f2f…": "the octets are cut short in print",
}
"""Commands that are not printed whole, and why."""


def printed(page: Path) -> list[str]:
    """Return the commands of a page: indented lines and inline code that begin with `netprov` and a verb."""
    text = page.read_text()
    blocks = re.findall(r"(?m)^ {4}(?:\S.* )?(netprov (?:[a-z]|--)(?:[^\n]*\\\n)*[^\n]*)$", text)
    lines = [
        re.split(r"\s{2,}(?=\S)|\s+# |\s+>\s|\s&&\s", each.replace("\\\n", " ").strip()) for each in blocks
    ]
    joined = [_whole(each, parts) for each, parts in zip(blocks, lines, strict=True)]
    inline = re.findall(r"`(netprov [a-z][^`\n…]*)`", text)
    return list(dict.fromkeys([*joined, *inline]))


def _whole(block: str, parts: list[str]) -> str:
    """Return a command without its explanation, with the lines that continue it."""
    return " ".join(block.replace("\\\n", " ").split()) if "\\\n" in block else parts[0]


COMMANDS = [
    pytest.param(command, id=f"{page.name}: {command}")
    for page in PAGES
    if page.name not in MADE
    for command in printed(page)
    if command not in EXCEPTIONS
]


def words_of(command: str) -> list[str]:
    """Return the words; of what a synopsis leaves open (`[X]`, `A|B`, `…`) the first choice."""
    text = re.sub(r"\s\[[^\]']*\](?:\.\.\.)?(?=\s|$)", "", command)
    return [each.split("|")[0] if "'" not in each else each for each in shlex.split(text)][1:]


@pytest.mark.parametrize("command", COMMANDS)
def test_printed_command_is_one_that_there_is(command: str) -> None:
    words = words_of(command)
    found: click.Command = group
    context = click.Context(group, info_name="netprov")
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        inner = found.get_command(context, words.pop(0))
        assert inner is not None
        context = click.Context(inner, parent=context, info_name=inner.name)
        found = inner
    known = {name for each in found.get_params(context) for name in (*each.opts, *each.secondary_opts)}
    used = [each.split("=")[0] for each in words if re.match(r"--?[a-zA-Z]", each)]
    assert [each for each in used if each not in known] == []


@pytest.mark.parametrize("command", [each for each in COMMANDS if str(each.values[0]).split()[1] in RUN])
def test_printed_command_that_touches_nothing_runs(command: str) -> None:
    result = CliRunner().invoke(group, words_of(command), standalone_mode=False)
    assert result.exception is None, result.output


def test_make_targets_that_are_printed_are_there() -> None:
    rules = re.findall(r"(?m)^([a-z%-]+):", (ROOT / "Makefile").read_text())
    known = {re.compile(each.replace("%", r"[a-z]+")) for each in rules}
    printed_targets = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^ {4})make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)
    }
    assert printed_targets
    assert {each for each in printed_targets if not any(rule.fullmatch(each) for rule in known)} == set()


def test_there_are_commands_on_the_pages() -> None:
    assert len(COMMANDS) > 60


def test_every_exception_is_still_printed() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert [each for each in EXCEPTIONS if each not in text] == []

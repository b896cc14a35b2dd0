"""CONTRIBUTING.md is true: a copy of the tree gets every example of the page, and does what the page says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from netprov.cli import VERBS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCK = r":\n\n((?:    .*\n|\n(?=\n*    ))+)"
INSERTED = re.compile(r"[Ii]n\s`([^`]+)`,\safter\s`([^`]+)`" + BLOCK)
MADE = re.compile(r"The new `([^`]+)`" + BLOCK)
SHOWN = re.compile(r"^    \$ netprov (.+)\n    (.+)\n", re.MULTILINE)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tree with every example of the page in it."""
    root = tmp_path_factory.mktemp("contributing")
    for folder in ("netprov", "tests", "docs", "config"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for path, anchor, block in INSERTED.findall(PAGE):
        insert(root / path, anchor, dedent(block))
    for path, block in MADE.findall(PAGE):
        assert not (root / path).exists()
        (root / path).write_text(dedent(block))
    return root


def insert(path: Path, anchor: str, block: str) -> None:
    """Put the block below the one line that begins so, as far in as that line."""
    lines = path.read_text().splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.lstrip().startswith(anchor.lstrip()))
    margin = " " * (len(lines[at]) - len(lines[at].lstrip()))
    lines[at + 1 : at + 1] = [f"{margin}{each}".rstrip() for each in block.rstrip().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the copy."""
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=tree, capture_output=True, text=True, check=False, timeout=100
    )


def test_examples_are_found() -> None:
    assert len(INSERTED.findall(PAGE)) == 7
    assert len(MADE.findall(PAGE)) == 3
    assert len(SHOWN.findall(PAGE)) == 4


@pytest.mark.parametrize(("command", "expected"), SHOWN.findall(PAGE))
def test_what_was_added_does_what_the_page_shows(tree: Path, command: str, expected: str) -> None:
    done = run(tree, "netprov", *shlex.split(command))
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


def test_event_of_the_example_is_one(tree: Path) -> None:
    code = "from netprov.provision.event import Greeted"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; e = Greeted('10.20.0.50'); print(e.event_kind, e)"],
        cwd=tree, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "Greeted 10.20.0.50 said hello\n", done.stderr


def test_the_tree_s_own_tests_hold_with_the_examples(tree: Path) -> None:
    made = run(tree, "netprov", "check", "--markdown", "check")
    (tree / "docs" / "check.md").write_text(made.stdout)
    tests = ("tests/test_layers.py", "tests/test_event_kinds.py", "tests/check/test_rules.py")
    chosen = "lease-odd or the_map or the_page or ids or kind or map_names"
    done = run(tree, "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *tests)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:netprov|tests|docs)/[^`*\s]+)`", PAGE))))
def test_every_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists() or path in {made for made, _ in MADE.findall(PAGE)}


def test_every_command_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", PAGE)) <= targets
    assert set(
        re.findall(r"netprov ([a-z]+)\b(?! stands)", " ".join(re.findall(r"`netprov [^`]+`", PAGE)))
    ) <= set(VERBS) | {"hello"}


def test_it_is_a_page() -> None:
    assert len(PAGE.splitlines()) < 160

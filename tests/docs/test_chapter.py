"""docs/chapter.md: every test that it names is there, and no statement of the chapter is without a row."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "chapter.md"
CHAPTER = ROOT.parent / "shared" / "reference" / "provisioning-chapter.txt"
"""The chapter itself, which is not ours to give away: beside the checkout where somebody has it."""

NO_STATEMENT = (
    "Before you begin",
    "Procedure",
    "Field",
    "Description",
    "Example SRV Configurations",
    "HTTP Status Code\t",
)
UNSHOWN = ("nothing to do", "a pointer to another document", "cannot be shown here", "the rows below")
"""How a row begins that needs no test."""


@dataclass(frozen=True)
class Row:
    """One row of the page."""

    number: str
    statements: tuple[str, ...]
    what: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    found = []
    for line in PAGE.read_text().splitlines():
        if re.match(r"\| \d", line):
            _, number, statements, what, tests, _ = (each.strip() for each in re.split(r"(?<!\\)\|", line))
            named = tuple(re.findall(r"`([^`]+)`", tests))
            found.append(Row(number, tuple(unescape(statements).split(" / ")), what, named))
    return found


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def plain(text: str) -> str:
    """Return a text without what two ways of printing it may differ in."""
    return re.sub(r"[^a-z0-9]+", " ", text.lower().replace('ua="na"', "")).strip()


def begins(text: str, start: str) -> bool:
    """Tell whether a row's words begin a statement; fewer than three have to be all of it."""
    return text == start or (len(start.split()) >= 3 and text.startswith(f"{start} "))


def headings() -> set[str]:
    return {plain(each) for each in re.findall(r"(?m)^## \d+\. (.*)$", PAGE.read_text())}


def statements() -> list[str]:
    """Return the chapter sentence by sentence; what a line of a table or of an example says is one."""
    found, code = [], False
    for raw in CHAPTER.read_text().splitlines():
        line = re.sub(r"\[([^\]]*)\]\(#\)", r"\1", raw.strip())
        if line.startswith("```"):
            code = not code
            continue
        line = re.sub(r"</?code>|\*\*|`", "", re.sub(r"^(?:-|\d+\.|#+)(?:\s+|$)", "", line))
        if not plain(line) or re.fullmatch(r"[^.]*, on page \d+", line) or line.startswith(NO_STATEMENT):
            continue
        whole = code or re.match(r"\d(?:xx|\d\d) ?", line)  # a line of an example; of the table of statuses
        parts = [line] if whole else re.split(r"(?<=[.!?:])\s+(?=[A-Z“])|\t", line)
        found += [each.strip() for each in parts if plain(each)]
    return found


def test_every_row_names_tests_that_there_are_or_says_why_none() -> None:
    wrong = []
    for row in rows():
        for name in row.tests:
            path, _, test = name.partition("::")
            if not (ROOT / "tests" / path).is_file() or test not in named_in(path):
                wrong.append(f"{row.number}: {name}")
        if not row.tests and not row.what.startswith(UNSHOWN):
            wrong.append(f"{row.number}: no test, and no word why")
    assert wrong == []


def test_numbers_are_in_order_and_each_is_there_once() -> None:
    numbers = [tuple(map(int, row.number.split("."))) for row in rows()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 100


def test_every_statement_of_the_chapter_has_a_row() -> None:
    if not CHAPTER.is_file():
        pytest.skip("the chapter is not beside the checkout")
    begun = [plain(each) for row in rows() for each in row.statements]
    titles = headings()
    missing = [
        each
        for each in statements()
        if plain(each) not in titles and not any(begins(plain(each), start) for start in begun)
    ]
    assert missing == []


def test_every_row_is_of_the_chapter() -> None:
    if not CHAPTER.is_file():
        pytest.skip("the chapter is not beside the checkout")
    said = [plain(each) for each in statements()]
    invented = [
        f"{row.number}: {each}"
        for row in rows()
        for each in row.statements
        if not any(begins(text, plain(each)) for text in said)
    ]
    assert invented == []

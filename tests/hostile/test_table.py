"""The threat model of docs/security.md: a row for every module of attacks, a module for every row, a test for every attack."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ATTACKS = 60
"""As many are tried at least."""


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_row_has_its_attacks_and_every_attack_its_row() -> None:
    named = set(re.findall(r"\| `(test_\w+\.py)` \|$", PAGE, re.MULTILINE))
    assert named == {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}


def test_every_attack_names_a_test_that_there_is() -> None:
    named = re.findall(r"\| `([\w/]+\.py)::(\w+)` \|$", PAGE, re.MULTILINE)
    attacks = re.findall(r"^\| .* \| `(\S+)` \|$", PAGE.partition("## Each attack")[2], re.MULTILINE)
    assert len(set(attacks)) == len(attacks) >= ATTACKS
    absent = [
        f"{file}::{name}"
        for file, name in named
        if name not in functions(ROOT / file if "/" in file else HERE / file)
    ]
    assert absent == []


def test_every_module_of_attacks_is_in_the_table_of_attacks() -> None:
    named = set(re.findall(r"\| `(test_\w+\.py)::", PAGE))
    assert named == {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}


def test_every_setting_names_a_test() -> None:
    table = PAGE.partition("## What each setting gives")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows
    assert [row for row in rows if not re.search(r"\| `[\w/]+\.py::\w+` \|$", row)] == []

"""The threat model of docs/security.md has a row for every module of attacks, and a module for every row."""

from __future__ import annotations

import re
from pathlib import Path


def test_every_row_has_its_attacks_and_every_attack_its_row() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\| `(test_\w+\.py)` \|$", page, re.MULTILINE))
    assert named == {path.name for path in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}

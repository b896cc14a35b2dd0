"""docs/enrolment.md: its commands show what the page shows."""

from __future__ import annotations

from pathlib import Path

from tests.docs.page import blocks, said, steps

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "enrolment.md"


def test_scanned_phones_are_told_as_the_page_shows(tmp_path: Path) -> None:
    site, pallet, *_ = blocks(PAGE)
    (tmp_path / "site.yaml").write_text("\n".join((*site, "")))
    (tmp_path / "pallet.txt").write_text("\n".join((*pallet, "")))
    ((command, shown), *_) = steps(PAGE)
    assert said(command, tmp_path) == (shown, 1)

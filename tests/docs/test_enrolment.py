"""docs/enrolment.md: its commands show what the page shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.page import blocks, steps

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "enrolment.md"


def test_scanned_phones_are_told_as_the_page_shows(tmp_path: Path) -> None:
    site, pallet, *_ = blocks(PAGE)
    (tmp_path / "site.yaml").write_text("\n".join((*site, "")))
    (tmp_path / "pallet.txt").write_text("\n".join((*pallet, "")))
    ((command, shown), *_) = steps(PAGE)
    program, _, words = command.partition(" ")
    assert program == "netprov"
    found = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m netprov {words} 2>&1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.stdout.splitlines() == shown
    assert found.returncode == 1

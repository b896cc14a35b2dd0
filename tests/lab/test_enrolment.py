"""A phone that nobody has listed: it boots, is listed as a stranger, is taken in as docs/enrolment.md shows, and is provisioned."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from netprov.lab.server import start_server
from tests.docs.page import blocks, steps
from tests.lab.conftest import PYTHON, ROOT, MakeLan, wait_until

pytestmark = pytest.mark.lab

PAGE = ROOT / "docs" / "enrolment.md"
STRANGER = "00:12:34:ab:45:de"


def without_times(text: str) -> list[str]:
    """Return lines without what is another at each run: times of day, and how much is on record."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-27 09:00:00", text)
    return re.sub(r"(?m)(09:00:00  )\d+$", r"\1 9", text).splitlines()


def test_a_stranger_is_adopted_as_the_page_shows_and_provisioned(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[STRANGER])
    (inventory,) = [each for each in blocks(PAGE) if any("Lobby" in line for line in each)]
    (tmp_path / "lan.yaml").write_text("\n".join((*inventory, "")))
    state = tmp_path / "state"
    start_server(lan["server"], tmp_path / "lan.yaml", state)
    phone = lan["client0"]
    boot = [PYTHON, "-m", "netprov", "phone", STRANGER, "--model", "8851", "-i", phone.interface]

    def run(words: str) -> str:
        program = f'cd {tmp_path} && exec "{PYTHON}" -m {words} 2>&1'
        return lan["server"].run(["sh", "-c", program], timeout=90).stdout

    def standing() -> str:
        return run("netprov phones list -f lan.yaml")

    def booted() -> subprocess.CompletedProcess[str]:
        return phone.run(boot, timeout=90)

    first = booted()
    assert first.returncode == 0, first.stdout
    wait_until(lambda: "bootstrapped over https" in standing(), what="the record of its boot", timeout=20)
    session = [(command, shown) for command, shown in steps(PAGE) if "lan.yaml" in command]
    assert len(session) >= 3
    for command, shown in session[:-1]:
        assert without_times(run(command)) == without_times("\n".join(shown)), command
    second = booted()
    assert second.returncode == 0, second.stdout
    wait_until(lambda: "provisioned over https" in standing(), what="the record of its boot", timeout=20)
    command, shown = session[-1]
    assert without_times(run(command)) == without_times("\n".join(shown)), command

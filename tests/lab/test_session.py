"""The session that docs/session.md prints: its commands are run on a LAN, and show what the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from netprov.lab.process import Process
from tests.docs.page import blocks, steps
from tests.lab import foreign
from tests.lab.conftest import PYTHON, ROOT, MakeLan

pytestmark = pytest.mark.lab

PAGE = ROOT / "docs" / "session.md"


def timeless(text: str) -> list[str]:
    return re.sub(r"day \d+ \d\d:\d\d:\d\d", "day 1 09:00:00", text).splitlines()


def spawned(command: str, folder: Path) -> list[str]:
    words = shlex.split(command)
    return ["sh", "-c", f'cd {folder} && exec "$@"', "sh", PYTHON, "-u", "-m", *words]


def test_every_command_of_the_page_shows_what_the_page_shows(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(server=["10.20.0.1/24", "10.20.0.11/24", "10.20.0.12/24"], clients=[foreign.MAC])
    inventory, running, *_ = blocks(PAGE)
    (tmp_path / "site.yaml").write_text("\n".join((*inventory, "")))
    factory = foreign.authority()
    (tmp_path / "factory.pem").write_text(factory.leaf.pem())
    (tmp_path / "rc.pem").write_bytes(foreign.certificate(factory, ("rc.example.com",)).encode())
    processes: list[Process] = []
    for command, host, ready in zip(
        running,
        ("server", "server", "client0"),
        ("Ready", "standing in", "Enter activation code"),
        strict=True,
    ):
        processes.append(lan[host].spawn(spawned(command, tmp_path)))
        processes[-1].wait_for(ready, timeout=60)
    session = steps(PAGE)
    assert len(session) > 8
    for command, shown in session:
        found = subprocess.run(
            [PYTHON, "-m", *shlex.split(command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (command, timeless(found.stdout + found.stderr)) == (command, timeless("\n".join(shown)))

"""The session that docs/session.md prints: its commands are run on a LAN, and show what the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from netprov.lab.process import Process
from tests.lab import foreign
from tests.lab.conftest import PYTHON, ROOT, MakeLan

pytestmark = pytest.mark.lab

PAGE = ROOT / "docs" / "session.md"


@dataclass(frozen=True)
class Shown:
    """One command of the page, and what it shows."""

    command: str
    lines: tuple[str, ...]


def blocks() -> list[list[str]]:
    """Return the page's blocks of code."""
    found: list[list[str]] = [[]]
    for line in PAGE.read_text().splitlines():
        if line.startswith("    "):
            found[-1].append(line[4:])
        elif found[-1]:
            found.append([])
    return [each for each in found if each]


def session() -> list[Shown]:
    """Return the commands after a `$`, each with what follows it."""
    steps = []
    for block in blocks():
        for line in block:
            if line.startswith("$ "):
                steps.append(Shown(line[2:], ()))
            elif block[0].startswith("$ "):
                steps[-1] = Shown(steps[-1].command, (*steps[-1].lines, line))
    return steps


def timeless(text: str) -> list[str]:
    return re.sub(r"day \d+ \d\d:\d\d:\d\d", "day 1 09:00:00", text).splitlines()


def spawned(command: str, folder: Path) -> list[str]:
    words = shlex.split(command)
    return ["sh", "-c", f'cd {folder} && exec "$@"', "sh", PYTHON, "-u", "-m", *words]


def test_every_command_of_the_page_shows_what_the_page_shows(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(server=["10.20.0.1/24", "10.20.0.11/24", "10.20.0.12/24"], clients=[foreign.MAC])
    inventory, running, *_ = blocks()
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
    steps = session()
    assert len(steps) > 8
    for step in steps:
        found = subprocess.run(
            [PYTHON, "-m", *shlex.split(step.command)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (step.command, timeless(found.stdout + found.stderr)) == (
            step.command,
            timeless("\n".join(step.lines)),
        )

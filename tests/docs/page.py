"""Blocks of code on pages of the documentation, and the commands in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def blocks(page: Path) -> list[list[str]]:
    """Return a page's blocks of code; a line that is empty does not end one."""
    found: list[list[str]] = [[]]
    for line in page.read_text().splitlines():
        if line.startswith("    "):
            found[-1].append(line[4:])
        elif line:
            found.append([])
        elif found[-1]:
            found[-1].append("")
    return [_without_end(each) for each in found if each]


def _without_end(lines: list[str]) -> list[str]:
    while lines[-1] == "":
        lines = lines[:-1]
    return lines


def steps(page: Path) -> list[tuple[str, list[str]]]:
    """Return the commands after a `$`, each with what follows it in its block."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks(page):
        for line in block:
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif block[0].startswith("$ "):
                found[-1][1].append(line)
    return found


def said(command: str, folder: Path) -> tuple[list[str], int]:
    """Run a command of netprov's in a folder; return the lines that it says, and its exit code."""
    program, _, words = command.partition(" ")
    assert program == "netprov"
    found = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m netprov {words} 2>&1"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return found.stdout.splitlines(), found.returncode

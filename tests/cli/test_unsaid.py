"""Output that cannot be written: it is told where that is possible, and never by a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NETPROV = [sys.executable, "-m", "netprov"]


def run(words: list[str], folder: Path, output: int, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*NETPROV, *words],
        cwd=folder,
        input=said,
        stdout=output,
        stderr=subprocess.PIPE,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "words", [["schema"], ["phones", "add", "-f", "site.yaml", "--create", "--items", "mac"]]
)
def test_full_disk_is_told_once(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "site.yaml").write_text(
        "domain: a.example\nnetworks: {v: {interface: lan0, subnet: 10.20.0.0/24}}\n"
    )
    with Path("/dev/full").open("wb") as full:
        result = run(words, tmp_path, full.fileno(), b"001234AB45DE\n")
    *_, what, remedy = result.stderr.decode().splitlines()
    assert what == "netprov: what it says cannot be written: No space left on device"
    assert remedy.startswith("    make room")
    assert b"Traceback" not in result.stderr
    assert result.returncode == 3


def test_reader_that_has_heard_enough_is_no_fault(tmp_path: Path) -> None:
    with subprocess.Popen(["true"], stdin=subprocess.PIPE) as reader:
        reader.wait()
        assert reader.stdin is not None
        result = run(["schema"], tmp_path, reader.stdin.fileno())
    assert (result.returncode, result.stderr) == (1, b"")

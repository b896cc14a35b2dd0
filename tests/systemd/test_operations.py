"""docs/operations.md followed to the letter on a bare Debian 12 under systemd: its commands are taken from the page.

The machine has no network but its LAN: what pip and git fetch comes from folders beside it, as its settings say.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import ROOT
from tests.systemd.debian import CannotBootError, Machine, booted, disk
from tests.systemd.test_package import EVERYTHING, LAN, provisioned, up

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "operations.md").read_text()
CLONE = "/root/netprov"
INVENTORY = (
    "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24, ntp: 10.20.0.1}}\n"
)
PIP = "[global]\nno-index = true\nfind-links = /mnt/wheels\n"


def block(section: str, number: int = 0) -> str:
    """Return the commands of a section of the page: its first block, or a later one."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)
    return re.sub("(?m)^    ", "", found[number])


def follow(machine: Machine, commands: str) -> None:
    """Type the commands at a root shell in the clone; the first that fails ends it."""
    machine.run("bash", "-c", f"set -exuo pipefail; cd {CLONE}\n{commands}", seconds=900)


@pytest.fixture
def folders(tmp_path: Path) -> dict[Path, str]:
    """Return a folder of the wheels that the locks name, and one with the repository, each with its place in the machine."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the wheels are fetched for Debian 12's Python, 3.11")
    wheels = tmp_path / "wheels"
    locks = [word for lock in ("requirements.lock", "requirements-build.lock") for word in ("-r", lock)]
    fetch = [
        "pip",
        "download",
        "-qq",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "-d",
        str(wheels),
        *locks,
    ]
    done = subprocess.run(
        [sys.executable, "-m", *fetch], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        pytest.skip(f"the wheels of the locks cannot be had here: {done.stderr[-300:]}")
    origin = tmp_path / "origin"
    subprocess.run(
        ["git", "clone", "--quiet", "--no-local", "--depth", "1", f"file://{ROOT}", origin], check=True
    )
    return {wheels: "/mnt/wheels", origin: "/mnt/origin"}


@pytest.fixture
def machine(folders: dict[Path, str]) -> Iterator[Machine]:
    """A machine with a LAN and a clone in which there is an inventory."""
    try:
        with disk() as tree, booted(folders, on=tree) as found:
            found.write("/etc/pip.conf", PIP)
            found.run("git", "config", "--global", "--add", "safe.directory", "*")
            found.run("git", "clone", "--quiet", "/mnt/origin", CLONE)
            found.write(f"{CLONE}/my-site.yaml", INVENTORY)
            found.run("sh", "-e", "-c", LAN)
            yield found
    except CannotBootError as error:
        pytest.skip(str(error))


def test_the_page_installs_by_hand_upgrades_and_removes_without_a_trace(machine: Machine) -> None:
    before = set(machine.run("sh", "-c", EVERYTHING).splitlines())
    follow(machine, block("Install without the package"))
    up(machine)
    provisioned(machine)
    follow(machine, block("Upgrade"))
    up(machine)
    provisioned(machine)
    follow(machine, block("Remove"))
    left = set(machine.run("sh", "-c", EVERYTHING).splitlines()) - before
    # What was made is gone but for a directory that is the system's.
    assert {path for path in left if not path.startswith((CLONE, "/root/.cache"))} <= {"/etc/sysusers.d"}
    assert "netprov" not in machine.run("cat", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
    assert machine.run("systemctl", "is-system-running").strip() == "running"

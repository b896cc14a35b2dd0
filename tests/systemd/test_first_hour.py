"""docs/first-hour.md, typed by a new user on a bare Debian 12 under systemd: each step does what the page says.

`make systemd` runs this, and prints the minutes that stand on the page.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab.conftest import ROOT
from tests.systemd.debian import CannotBootError, Machine, booted, disk
from tests.systemd.test_package import NEW, SERVICES, kept, packages, up

__all__ = ["packages"]

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "first-hour.md").read_text()
DESK = "/root/desk"
PROMPT = re.compile(r"^(?P<command>.*?)(?: +# exit code (?P<code>\d+))?$")

SAYS: Mapping[str, tuple[str, ...]] = {
    "Install": ("nothing runs yet. Next: netprov init",),
    "The inventory": ("Wrote /etc/netprov/netprov.yaml", "https-without-time"),
    "The first phone": ("Custom CA Info: Installed", "provisioned by srv from https://netprov.example.com/"),
    "A phone that fails, and why": (
        "connection refused",
        "doctor-port-closed",
        "the phone has an address, but asks our servers for nothing",
        "provisioned by srv",
    ),
    "A change, with a plan": ("+ 00:12:34:ab:45:de: profile", "profiles: +desk", "provisioned by srv"),
    "An upgrade": ("provisioned by srv",),
}
"""What a step prints, as the page tells it."""


def steps() -> Iterator[tuple[str, str]]:
    """Yield each section of the page, and its commands as a script that fails where one ends otherwise than the page says."""
    for section in re.findall(r"(?ms)^## (.*?)(?=^## |\Z)", PAGE):
        title, _, text = section.partition("\n")
        yield title, script(re.sub("(?m)^    ", "", "".join(re.findall(r"(?m)^    .*\n", text))))


def script(commands: str) -> str:
    lines, inside = ["set -e", f"cd {DESK}"], ""
    for line in commands.splitlines():
        found = PROMPT.match(line)
        assert found
        inside = "END" if line.endswith("<<END") else "" if line == "END" else inside
        code = found["code"]
        if code and not inside:
            lines.append(f'ended=0; {found["command"]} || ended=$?; [ "$ended" = {code} ]')
        else:
            lines.append(line)
    return "\n".join(lines)


@pytest.fixture
def machine(packages: Path) -> Iterator[Machine]:
    try:
        with disk() as tree, booted({packages: "/mnt/packages"}, on=tree) as found:
            yield found
    except CannotBootError as error:
        pytest.skip(str(error))


def test_each_step_of_the_first_hour_does_what_the_page_says(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.run("sh", "-ec", f"mkdir {DESK}; cp /mnt/packages/old.deb {DESK}/netprov_1_all.deb")
    spent = []
    for title, commands in steps():
        if title == "An upgrade":
            machine.run("cp", "/mnt/packages/new.deb", f"{DESK}/netprov_1_all.deb")
            held = kept(machine)
        begun = time.monotonic()
        told = machine.run("bash", "-c", f"exec 2>&1\n{commands}", seconds=600)
        spent.append((title, time.monotonic() - begun))
        missing = [words for words in SAYS.get(title, ()) if words not in told]
        assert not missing, f"{title}: {missing}\n{told}"
    up(machine)
    assert kept(machine) == held
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "netprov") == NEW
    assert machine.run("systemctl", "is-active", *SERVICES).split() == ["active"] * len(SERVICES)
    with capsys.disabled():
        told = "; ".join(f"{title} {seconds:.0f} s" for title, seconds in spent)
        print(f"\n{told}: {sum(seconds for _, seconds in spent) / 60:.1f} minutes")


def test_a_command_that_ends_otherwise_than_the_page_says_is_seen() -> None:
    bash = shutil.which("bash")
    assert bash

    def ends(line: str) -> int:
        text = script(line).replace(f"cd {DESK}", ":")
        return subprocess.run([bash, "-c", text], check=False).returncode

    assert ends("exit 3") == 3
    assert ends("false        # exit code 1") == 0
    assert ends("true         # exit code 1") != 0
    assert ends("sh -c 'exit 2'  # exit code 1") != 0

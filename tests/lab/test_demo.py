"""`netprov demo` shows every phone being provisioned, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.conftest import PYTHON, ROOT, needs, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab_allowed")]

LABS = sorted((ROOT / "config" / "labs").glob("*.yaml"))
MARK = "NETPROV_TEST_MARK"

Start = Callable[..., "Demo"]


def network_namespaces() -> dict[int, str]:
    """Return the network namespace of every process."""
    found = {}
    for process in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            found[int(process)] = os.readlink(f"/proc/{process}/ns/net")
    return found


class Demo:
    """One run of the demo, and what it can leave behind: processes, namespaces, files."""

    def __init__(self, folder: Path, *arguments: str, wrapper: tuple[str, ...] = ()) -> None:
        self._mark = f"{MARK}={uuid.uuid4()}"
        self._folder = folder
        self._places = [folder, Path("/run/netns"), Path("/mnt"), Path("/var/lib/netprov")]
        self._before = self._files()
        self.inside: set[int] = set()
        key, _, value = self._mark.partition("=")
        self.process = subprocess.Popen(
            [*wrapper, PYTHON, "-m", "netprov", "demo", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={
                **os.environ,
                key: value,
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(folder),
                "HOME": str(folder),
            },
        )

    def _files(self) -> set[str]:
        return {str(path) for place in self._places if place.exists() for path in place.rglob("*")}

    def running(self) -> dict[int, str]:
        """Return the network namespace of every process of this run that is alive."""
        found = {}
        homes = network_namespaces()
        for process, home in homes.items():
            with suppress(OSError):
                if self._mark.encode() in Path(f"/proc/{process}/environ").read_bytes():
                    found[process] = home
        ours = set(found.values()) - {os.readlink("/proc/self/ns/net")}
        self.inside |= {process for process, home in homes.items() if home in ours}
        return found

    def wait_for(self, pattern: str) -> str:
        """Read on until a line matches."""
        assert self.process.stdout is not None
        read = ""
        for line in self.process.stdout:
            read += line
            if re.search(pattern, line):
                return read
        raise AssertionError(read)

    def wait_for_phones(self) -> None:
        """Wait until phones are booting: this process, the server's and theirs each have a namespace."""
        self.wait_for("phones power up")
        wait_until(lambda: len(set(self.running().values())) >= 4, what="phones in namespaces of their own")

    def end(self) -> tuple[int, str]:
        """Wait for the end; return exit code and output."""
        out, _ = self.process.communicate(timeout=90)
        return self.process.returncode, out

    def assert_nothing_left(self) -> None:
        """Assert that no process, namespace or file of this run exists."""
        wait_until(lambda: not self.running(), what="the end of every process")
        assert self._files() == self._before
        # Not by the number of the namespace: the kernel gives it to the next one, maybe of another test.
        wait_until(
            lambda: not self.inside & set(network_namespaces()),
            what="the end of every process in their namespaces",
        )


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a starter of runs; a run that a failing test leaves is ended."""
    started: list[Demo] = []

    def run(*arguments: str, wrapper: tuple[str, ...] = ()) -> Demo:
        started.append(Demo(tmp_path, *arguments, wrapper=wrapper))
        return started[-1]

    yield run
    for demo in started:
        demo.process.kill()
        demo.process.communicate()


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """Return an inventory whose phones take seconds to boot: every frame of theirs is long under way."""
    inventory = tmp_path / "slow.yaml"
    inventory.write_text(
        "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"
        "lab: {phones: 3, cable: {delay: 400ms}}\n"
    )
    return str(inventory)


def test_every_phone_of_the_staging_inventory_is_provisioned(start: Start) -> None:
    demo = start()
    code, out = demo.end()
    assert code == 0, out
    assert "5 of 5 phones provisioned" in out
    assert "SRV _ciscoprov-https._tls.example.com" in out
    # The guide's order: pr2 has the lower weight.
    assert "https://pr2.example.com:5060/8851-3PCC.xml" in out
    demo.assert_nothing_left()


@pytest.mark.parametrize("lab", LABS, ids=lambda path: path.stem)
def test_every_example_lab_ends_as_it_says(start: Start, lab: Path) -> None:
    demo = start("-f", str(lab))
    code, out = demo.end()
    assert code == 0, out


def test_ctrl_c_leaves_nothing_behind(start: Start, slow: str) -> None:
    demo = start("-f", slow)
    demo.wait_for_phones()
    os.killpg(demo.process.pid, signal.SIGINT)
    code, out = demo.end()
    assert code == 130, out
    demo.assert_nothing_left()


def test_kill_9_leaves_nothing_behind(start: Start, slow: str) -> None:
    demo = start("-f", slow)
    demo.wait_for_phones()
    demo.process.kill()
    demo.end()
    demo.assert_nothing_left()


def test_inventory_without_a_place_for_its_server_fails_with_the_reason(start: Start, tmp_path: Path) -> None:
    inventory = tmp_path / "site.yaml"
    inventory.write_text("domain: example.com\nnetworks: {voice: {subnet: 10.20.0.0/24}}\n")
    demo = start("-f", str(inventory))
    code, out = demo.end()
    assert code == 3, out
    assert "no network of the inventory has an interface" in out
    assert not demo.running()


def test_wrong_inventory_is_reported_before_anything_is_made(start: Start, tmp_path: Path) -> None:
    inventory = tmp_path / "site.yaml"
    inventory.write_text("domain: example.com\nnetwork: {}\n")
    code, out = start("-f", str(inventory)).end()
    assert code == 2
    assert "site.yaml:2:1: error[unknown-key]" in out


def test_lan_that_is_kept_can_be_entered(start: Start) -> None:
    demo = start("--keep")
    out = demo.wait_for("# phone5")
    line = next(line for line in out.splitlines() if line.endswith("# phone1"))
    enter = line.split("#")[0].split()
    shown = subprocess.run([*enter, needs("busybox"), "ifconfig"], capture_output=True, text=True, timeout=20)
    assert "00:12:34:AB:45:DE" in shown.stdout
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.end()[0] == 0
    demo.assert_nothing_left()


def test_without_capabilities_the_demo_runs_in_a_user_namespace(start: Start) -> None:
    # CAP_SETFCAP stays: without it the kernel lets nobody map uid 0, which this test may well run as.
    demo = start(wrapper=(needs("setpriv"), "--bounding-set=-all,+setfcap", "--inh-caps=-all"))
    code, out = demo.end()
    assert code == 0, out
    demo.assert_nothing_left()


def test_phones_of_the_demo_live_on_and_each_says_what_its_life_came_to(start: Start, tmp_path: Path) -> None:
    inventory = tmp_path / "site.yaml"
    inventory.write_text(
        "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\nlab: {phones: 2}\n"
        "profiles: {common: {values: {Resync_Periodic: '600'}}}\n"
    )
    demo = start("-f", str(inventory), "--stay", "--speed", "3600", "--for", "3h")
    code, out = demo.end()
    assert code == 0, out
    for name in ("guest1", "guest2"):
        (life,) = (line for line in out.splitlines() if line.startswith(name) and "resyncs" in line)
        found = re.search(r"resyncs (\d+), failures 0", life)
        assert found, life
        assert int(found[1]) >= 2
    demo.assert_nothing_left()


def test_ctrl_c_while_phones_live_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    inventory = tmp_path / "site.yaml"
    inventory.write_text(
        "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\nlab: {phones: 1}\n"
    )
    demo = start("-f", str(inventory), "--stay")
    said = demo.wait_for(r"^guest1 .*DISCOVER")
    line = next(line for line in said.splitlines() if "netprov handset" in line)
    enter, _, words = line.partition(": ")[2].partition(" netprov ")
    command = [*enter.split(), PYTHON, "-m", "netprov", *words.replace("NAME", "guest1").split()]
    shown = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert "Customization state" in shown.stdout, shown
    demo.running()
    os.killpg(demo.process.pid, signal.SIGINT)
    code, out = demo.end()
    assert code == 0, out
    assert "Switched off." in out
    demo.assert_nothing_left()

"""The offline bundle and the wheel: installed where there is no network, and what they bring works from there.

`make systemd` runs this; a build fetches what requirements.lock names.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.conftest import ROOT, needs
from tests.systemd.debian import CannotBootError, Machine, booted, disk
from tests.systemd.test_package import EVERYTHING, LAN, provisioned, up

pytestmark = pytest.mark.slow

CONTAINERFILE = (ROOT / "Containerfile").read_text()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the bundle, and nothing else."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [ROOT / "bundle" / "build", sys.prefix, folder], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
    )  # fmt: skip
    if "Could not find a version" in done.stderr or "NewConnectionError" in done.stderr:
        pytest.skip(f"the wheels of requirements.lock cannot be had here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    assert [Path(done.stdout.strip())] == list(folder.iterdir())
    return folder


@pytest.fixture
def unpacked(bundle: Path, tmp_path: Path) -> Path:
    """Return a folder with what is in the bundle."""
    (file,) = bundle.iterdir()
    with tarfile.open(file) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / file.name.removesuffix(".tar")


@pytest.fixture
def machine(bundle: Path) -> Iterator[Machine]:
    """A bare Debian without any network but its LAN, with the bundle."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("a bundle for Debian 12 is built with its Python, 3.11")
    try:
        with disk() as tree, booted({bundle: "/mnt/dist"}, on=tree) as found:
            yield found
    except CannotBootError as error:
        pytest.skip(str(error))


def offline(
    *command: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command where there is no network at all, not even loopback that is up."""
    if os.geteuid():
        pytest.skip("only root can take the network away from a command")
    return subprocess.run(
        [needs("unshare"), "--net", *command], cwd=cwd, env={**os.environ, **(environment or {})},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def works(program: Path, folder: Path) -> None:
    """The program knows its version, has its examples and units, and provisions phones in a lab."""
    assert re.fullmatch(r"netprov \d+\.\d+\.\d+\n", offline(program, "--version").stdout)
    package = next(program.parent.parent.glob("lib/python3*/site-packages/netprov"))
    assert (package / "units" / "netprov-.service.d" / "10-common.conf").is_file()
    rendered = offline(program, "render", "zones", "-f", package / "examples/staging.yaml", "-o", folder)
    assert rendered.returncode == 0, rendered.stderr
    zones = {path.name: path.read_text() for path in (folder / "zones").iterdir()}
    assert zones == {path.name: path.read_text() for path in (ROOT / "zones").iterdir()}
    demo = offline(program, "demo", cwd=folder)
    assert (demo.returncode, "5 of 5 phones provisioned" in demo.stdout) == (0, True), demo.stdout


def test_the_bundle_installs_without_a_network(unpacked: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "opt"
    python = {"PYTHON": sys.executable}
    for _ in ("installed", "upgraded"):
        done = offline("sh", unpacked / "install.sh", prefix, environment=python)
        assert done.returncode == 0, done.stdout + done.stderr
        works(prefix / "bin" / "netprov", tmp_path)
    site = next(prefix.glob("lib/python3*/site-packages"))
    assert not [name for name in ("pip", "pytest", "scapy", "mypy") if (site / name).exists()]


def test_a_bundle_that_was_changed_on_its_way_is_refused(unpacked: Path, tmp_path: Path) -> None:
    wheel = next((unpacked / "wheels").glob("click-*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"x")
    done = offline("sh", unpacked / "install.sh", tmp_path / "opt", environment={"PYTHON": sys.executable})
    assert (done.returncode, (tmp_path / "opt").exists()) == (3, False)
    assert f"wheels/{wheel.name}: FAILED" in done.stdout
    assert "copy it here again" in done.stderr


def test_another_python_is_told_which_one_is_needed(unpacked: Path, tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho 3.9\n")
    other.chmod(0o755)
    done = offline("sh", unpacked / "install.sh", tmp_path / "opt", environment={"PYTHON": str(other)})
    assert (done.returncode, (tmp_path / "opt").exists()) == (2, False)
    assert f"has packages for 3.{sys.version_info.minor}" in done.stderr


def test_the_wheel_installs_as_pipx_does_it(unpacked: Path, tmp_path: Path) -> None:
    """A fresh environment, in which pip itself finds what the wheel says it depends on."""
    (wheel,) = (unpacked / "wheels").glob("netprov-*.whl")
    assert offline(sys.executable, "-m", "venv", tmp_path / "venv").returncode == 0
    pip = (tmp_path / "venv/bin/python", "-m", "pip", "--isolated", "install", "--quiet")
    done = offline(*pip, "--no-index", "--find-links", unpacked / "wheels", wheel)
    assert done.returncode == 0, done.stderr
    works(tmp_path / "venv/bin/netprov", tmp_path)


def test_a_bare_machine_serves_from_the_bundle_and_is_bare_again(machine: Machine) -> None:
    before = set(machine.run("sh", "-c", EVERYTHING).splitlines())
    machine.run("sh", "-e", "-c", LAN)
    machine.run("sh", "-e", "-c", "cd /tmp && tar -xf /mnt/dist/netprov-*.tar && sh netprov-*/install.sh")
    machine.run("/opt/netprov/bin/netprov", "install", "--apply")
    machine.run("netprov", "init", "--domain", "example.com")
    machine.run("netprov", "check")
    machine.run("systemctl", "start", "netprov.target")
    up(machine)
    provisioned(machine)
    # A newer bundle: the same again, and what runs is restarted by hand.
    machine.run("sh", "-e", "-c", "sh /tmp/netprov-*/install.sh")
    assert "nothing to do" in machine.run("netprov", "install", "--apply")
    machine.run("systemctl", "restart", "netprov.target")
    up(machine)
    provisioned(machine)
    machine.run("netprov", "uninstall", "--purge", "--apply")
    machine.run("rm", "-r", "/opt/netprov")
    left = set(machine.run("sh", "-c", EVERYTHING).splitlines()) - before
    assert left <= {"/etc/sysusers.d"}
    assert "netprov" not in machine.run("cat", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
    assert machine.run("systemctl", "is-system-running").strip() == "running"


def test_the_commands_of_the_container_image_give_a_program_that_serves(machine: Machine) -> None:
    """No builder of images is needed: its commands are run in the tree, but for apt's, which needs a network."""
    for copied, place in re.findall(r"(?m)^COPY dist/(\S+) (\S+)$", CONTAINERFILE):
        machine.run("sh", "-e", "-c", f"cp /mnt/dist/{copied} {place}")
    commands = [each for each in re.findall(r"(?m)^RUN (.*)$", CONTAINERFILE) if "apt-get" not in each]
    assert len(commands) == 2
    for command in commands:
        machine.run("sh", "-e", "-c", command)
    machine.run("sh", "-e", "-c", LAN)
    machine.run("netprov", "init", "--domain", "example.com")
    entry, words = (re.findall(rf"(?m)^{name} \[(.*)\]$", CONTAINERFILE) for name in ("ENTRYPOINT", "CMD"))
    command = [word.strip(' "') for each in (*entry, *words) for word in each.split(",")]
    machine.run("systemd-run", "--quiet", "--unit=container", "-p", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_NET_RAW", *command)  # fmt: skip
    machine.run(
        "timeout", "60", "sh", "-c", "until netprov status --state /var/lib/netprov; do sleep 0.2; done"
    )
    provisioned(machine)

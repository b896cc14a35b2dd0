"""The Debian package on Debian 12 under systemd: installed, upgraded, purged; built twice, it is the same.

`make systemd` runs this; a build takes a minute.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netprov.runtime.roles import ROLES
from tests.lab.conftest import ROOT, needs
from tests.systemd.debian import CannotBootError, Machine, booted, disk

pytestmark = pytest.mark.slow

OLD, NEW = "0.0.9", "0.1.0"
MAC = "00:12:34:ab:45:de"
FILE = "/etc/netprov/netprov.yaml"
SERVICES = tuple(f"netprov-{role}.service" for role in ROLES)
LAN = """ip netns add phones
    ip link add lan0 type veth peer name eth0 netns phones
    ip link set lan0 up && ip -n phones link set eth0 up && ip -n phones link set lo up
    ip address add 10.20.0.1/24 dev lan0"""
"""A LAN with nothing on it yet but this machine, 10.20.0.1; phones are plugged in at eth0 of another namespace."""
EVERYTHING = "find / -xdev -not -path '/proc*' -not -path '/run/*' -not -path '/tmp/*' -not -path '/var/log/*' -not -path '/var/cache/*'"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a package of this checkout, and the same called older."""
    needs("dpkg-deb")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("a package for Debian 12 is built with its Python, 3.11")
    folder = tmp_path_factory.mktemp("packages")
    new = built(folder)
    subprocess.run(["dpkg-deb", "--raw-extract", new, folder / "old"], check=True)
    control = folder / "old" / "DEBIAN" / "control"
    control.write_text(control.read_text().replace(f"Version: {NEW}\n", f"Version: {OLD}\n"))
    old = [
        needs("dpkg-deb"),
        "--root-owner-group",
        "-Znone",
        "--build",
        str(folder / "old"),
        str(folder / "old.deb"),
    ]
    subprocess.run(old, check=True, capture_output=True)
    subprocess.run(["rm", "-r", folder / "old"], check=True)
    return folder


def built(folder: Path) -> Path:
    """Build the package, and move it to a folder."""
    environment = {**os.environ, "DEB_VERSION": NEW}
    done = subprocess.run(
        [ROOT / "deb" / "build", sys.prefix, folder], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=900
    )  # fmt: skip
    if "Could not find a version" in done.stderr or "NewConnectionError" in done.stderr:
        pytest.skip(f"the wheels of requirements.lock cannot be had here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip()).replace(folder / "new.deb")


@pytest.fixture
def tree() -> Iterator[Path]:
    try:
        with disk() as found:
            yield found
    except CannotBootError as error:
        pytest.skip(str(error))


def install(machine: Machine, name: str) -> str:
    return machine.run("dpkg", "--install", f"/mnt/packages/{name}.deb")


def provisioned(machine: Machine) -> str:
    """Boot a phone on the LAN; return its timeline. It was provisioned in the end."""
    boot = ("netprov", "phone", MAC, "--model", "CP-8851-3PCC", "-i", "eth0")
    told = machine.run("timeout", "60", "ip", "netns", "exec", "phones", *boot)
    assert "provisioned by srv from https://netprov.example.com/" in told
    return told


def started(machine: Machine) -> None:
    """Start everything on a LAN, with the inventory that is proposed."""
    machine.run("sh", "-e", "-c", LAN)
    machine.run("netprov", "init", "--domain", "example.com")
    machine.run("systemctl", "start", "netprov.target")
    up(machine)


def up(machine: Machine) -> None:
    """Wait until every service is up."""
    names = " ".join(SERVICES)
    machine.run("timeout", "60", "sh", "-c", f"until systemctl is-active --quiet {names}; do sleep 0.1; done")
    assert machine.run("systemctl", "is-active", *SERVICES).split() == ["active"] * len(SERVICES)


def kept(machine: Machine) -> tuple[str, ...]:
    """Return what an upgrade must not change: the CA, and who has which address."""
    leases = machine.run("netprov", "leases", "list", "--format", "json", "--state", "/var/lib/netprov")
    assert MAC in leases
    return machine.run("sha256sum", "/var/lib/netprov/pki/ca.pem"), *sorted(
        line for line in leases.splitlines() if '"address"' in line or '"mac"' in line
    )


def test_lintian_has_nothing_to_say(packages: Path) -> None:
    lintian = [
        needs("lintian"),
        "--no-cfg",
        "--allow-root",
        "--fail-on",
        "error,warning",
        str(packages / "new.deb"),
    ]
    done = subprocess.run(lintian, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_second_build_is_the_same_file(packages: Path, tmp_path: Path) -> None:
    again = built(tmp_path)
    assert sha256(again) == sha256(packages / "new.deb")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_nothing_runs_before_there_is_an_inventory_and_purge_leaves_nothing(
    packages: Path, tree: Path
) -> None:
    with booted({packages: "/mnt/packages"}, on=tree) as machine:
        before = machine.run("sh", "-c", EVERYTHING).splitlines()
        assert "netprov init" in install(machine, "new")
        assert machine.run("systemctl", "is-active", "netprov.target", *SERVICES, check=False).split() == [
            "inactive"
        ] * (1 + len(SERVICES))
        assert machine.run("sh", "-c", "systemctl start netprov.target || echo refused").strip() == "refused"
        assert machine.run("systemctl", "is-system-running").strip() == "running"
        started(machine)
        provisioned(machine)
        machine.run("dpkg", "--purge", "netprov")
        left = set(machine.run("sh", "-c", EVERYTHING).splitlines()) - set(before)
        assert {path for path in left if not path.startswith("/var/lib/dpkg/")} == set()
        assert "netprov" not in machine.run("cat", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow")
        assert "netprov" not in machine.run("ps", "-e", "-o", "args", check=False)
        assert not machine.run("systemctl", "list-units", "--all", "--no-legend", "netprov*").strip()
        assert machine.run("systemctl", "is-system-running").strip() == "running"


def test_an_upgrade_restarts_what_runs_and_keeps_leases_and_ca_and_so_does_a_boot(
    packages: Path, tree: Path
) -> None:
    with booted({packages: "/mnt/packages"}, on=tree) as machine:
        install(machine, "old")
        started(machine)
        provisioned(machine)
        held = kept(machine)
        processes = machine.run("systemctl", "show", "-P", "MainPID", *SERVICES).split()
        install(machine, "new")
        up(machine)
        assert machine.run("dpkg-query", "-W", "-f", "${Version}", "netprov") == NEW
        assert set(processes).isdisjoint(machine.run("systemctl", "show", "-P", "MainPID", *SERVICES).split())
        assert kept(machine) == held
        provisioned(machine)
    with booted({packages: "/mnt/packages"}, on=tree) as machine:
        up(machine)
        assert kept(machine) == held
        machine.run("sh", "-e", "-c", LAN)  # an address that comes after the services
        provisioned(machine)
        assert kept(machine) == held

"""The Debian package on Debian 12 under systemd: installed, upgraded, purged; built twice, it is the same.

`make systemd` runs this; a build takes a minute.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import time
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


def provisioned(machine: Machine, *words: str) -> str:
    """Boot a phone on the LAN; return its timeline. It was provisioned in the end."""
    boot = ("netprov", "phone", MAC, "--model", "CP-8851-3PCC", "-i", "eth0", *words)
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


def test_a_phone_is_provisioned_soon_after_the_first_command(
    packages: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Install, init, start, and a phone that was plugged in: the time is told, and stands in docs/operations.md."""
    with booted({packages: "/mnt/packages"}, on=tree) as machine:
        machine.run("sh", "-e", "-c", LAN)
        steps = [time.monotonic()]
        for command in (
            ("apt-get", "install", "--yes", "/mnt/packages/new.deb"),
            ("netprov", "init", "--domain", "example.com"),
            ("netprov", "check"),
            ("systemctl", "start", "netprov.target"),
        ):
            machine.run(*command)
            steps.append(time.monotonic())
        provisioned(machine)
        steps.append(time.monotonic())
    spent = [f"{after - before:.1f}" for before, after in itertools.pairwise(steps)]
    with capsys.disabled():
        print(f"\ninstall, init, check, start, phone: {' + '.join(spent)} = {steps[-1] - steps[0]:.1f} s")


def test_roles_that_are_killed_or_hang_are_there_again(packages: Path, tree: Path) -> None:
    with booted({packages: "/mnt/packages"}, on=tree) as machine:
        install(machine, "new")
        started(machine)
        provisioned(machine)
        held = kept(machine)
        for service in SERVICES:
            again(machine, service, "KILL")
        machine.write(
            "/etc/systemd/system/netprov-dns.service.d/90-soon.conf",
            "[Service]\nWatchdogSec=12\nTimeoutAbortSec=1\n",
        )
        machine.run("sh", "-c", "systemctl daemon-reload && systemctl restart netprov-dns")
        again(machine, "netprov-dns.service", "STOP")
        machine.run("sed", "-i", "s/^version: 1$/&\\ndns: {workers: 2}/", FILE)
        machine.run("systemctl", "restart", "netprov-dns")
        again(machine, "netprov-dns.service", "STOP", worker=True)
        assert "self-check: no answer in 2 s from DNS worker" in machine.run(
            "journalctl", "-u", "netprov-dns"
        )
        up(machine)
        assert kept(machine) == held
        provisioned(machine)


def again(machine: Machine, service: str, signal: str, *, worker: bool = False) -> None:
    """Send a signal to a service, or to its worker, and wait until another process is in the service's place, ready."""
    before = machine.run("systemctl", "show", "-P", "MainPID", service).strip()
    find = f"grep -l spawn_main $(printf '/proc/%s/cmdline ' $(cat /proc/{before}/task/*/children)) | cut -d/ -f3"
    machine.run("sh", "-c", f"kill -s {signal} {f'$({find})' if worker else before}")
    ready = (
        f'[ "$(systemctl show -P MainPID {service})" != {before} ] && systemctl is-active --quiet {service}'
    )
    machine.run("timeout", "60", "sh", "-c", f"until {ready}; do sleep 0.1; done")


def test_every_unit_reloads_as_its_own_user_and_a_broken_inventory_is_refused(
    packages: Path, tree: Path
) -> None:
    with booted({packages: "/mnt/packages"}, on=tree) as machine:
        install(machine, "new")
        started(machine)
        provisioned(machine)
        good = machine.run("cat", FILE)
        processes = machine.run("systemctl", "show", "-P", "MainPID", *SERVICES)
        for serial, service in enumerate(SERVICES, 1):
            machine.write(FILE, good.replace("version: 1\n", f"version: 1\ndns: {{serial: {serial}}}\n"))
            machine.run("systemctl", "reload", service)
        machine.write("/root/good.yaml", good)
        machine.write(FILE, good.replace("domain: example.com", "domain: -"))
        for service in SERVICES:
            assert "refused" in machine.run("sh", "-c", f"systemctl reload {service} || echo refused")
        assert machine.run("systemctl", "show", "-P", "MainPID", *SERVICES) == processes
        up(machine)
        provisioned(machine, "-f", "/root/good.yaml")

"""`netprov install` and `uninstall` on another machine's tree, with systemd's own programs; a booted one is in tests/systemd."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from netprov.runtime.roles import ROLES
from tests.lab.conftest import ROOT, needs

PROGRAM = "/opt/netprov/bin/netprov"
UNITS = Path("etc/systemd/system")
SOURCES = {path.relative_to(ROOT / "systemd") for path in (ROOT / "systemd").rglob("*") if path.is_file()}
DNS = UNITS / "netprov-dns.service"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A tree in which there is the program, and nothing else."""
    if os.geteuid():
        pytest.skip("only root can make files that belong to others")
    needs("systemd-sysusers")
    root = tmp_path / "machine"
    program(root, PROGRAM)
    root.chmod(0o755)
    return root


def program(root: Path, path: str) -> None:
    there = root / path.lstrip("/")
    there.parent.mkdir(parents=True)
    there.write_text("#!/bin/sh\n")


def run(
    root: Path, verb: str, *words: str, called: str = PROGRAM, path: str = os.environ["PATH"]
) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "netprov", verb, "--root", root, "--program", called, *words], cwd=ROOT,
        env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def everything(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return each file of a tree with its mode, owner, group and contents."""
    found = {}
    for path in root.rglob("*"):
        facts = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(facts.st_mode) else b""
        found[str(path.relative_to(root))] = (facts.st_mode, facts.st_uid, facts.st_gid, content)
    return found


def names(root: Path, base: str) -> dict[str, int]:
    lines = (root / "etc" / base).read_text().splitlines()
    return {line.split(":")[0]: int(line.split(":")[2]) for line in lines}


def test_it_says_what_it_would_do_and_changes_nothing(machine: Path) -> None:
    before = everything(machine)
    code, said = run(machine, "install")
    assert (code, everything(machine)) == (0, before)
    assert "write    /etc/systemd/system/netprov-dns.service\n" in said
    assert re.search("users    .*netprov-dhcp", said)
    assert "nothing was changed" in said


def test_it_makes_units_users_and_directories_once(machine: Path) -> None:
    assert run(machine, "install", "--apply")[0] == 0
    there = {path.relative_to(machine / UNITS) for path in (machine / UNITS).rglob("netprov*/*.conf")}
    there |= {
        path.relative_to(machine / UNITS) for path in (machine / UNITS).glob("netprov*") if path.is_file()
    }
    assert there == SOURCES - {Path("netprov.sysusers"), Path("netprov.tmpfiles")}
    users, groups = names(machine, "passwd"), names(machine, "group")
    assert {f"netprov-{role}" for role in ROLES} <= set(users)
    leases = (machine / "var/lib/netprov/leases").stat()
    assert (leases.st_uid, leases.st_gid) == (users["netprov-dhcp"], groups["netprov"])
    assert stat.S_IMODE(leases.st_mode) == 0o750
    assert (machine / UNITS / "netprov.target.wants/netprov-dhcp.service").is_symlink()
    assert (machine / "usr/local/bin/netprov").readlink() == Path(PROGRAM)
    before = everything(machine)
    code, said = run(machine, "install", "--apply")
    assert (code, said) == (0, "nothing to do: all of it is there\n")
    assert everything(machine) == before


def test_the_list_of_what_it_wrote_is_one_that_sha256sum_reads(machine: Path) -> None:
    run(machine, "install", "--apply")
    text = (machine / "usr/local/lib/netprov/installed.sha256").read_text()
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet"], input=text.replace("  /", f"  {machine}/"), text=True, check=False, capture_output=True
    )  # fmt: skip
    assert (done.returncode, done.stdout, len(text.splitlines())) == (0, "", len(SOURCES))


def test_what_somebody_changed_is_kept_and_the_rest_is_renewed(machine: Path) -> None:
    run(machine, "install", "--apply")
    changed = (machine / DNS).read_text() + "# ours\n"
    (machine / DNS).write_text(changed)
    program(machine, "/srv/netprov/bin/netprov")
    code, said = run(machine, "install", "--apply", called="/srv/netprov/bin/netprov")
    assert code == 0
    assert "keep     /etc/systemd/system/netprov-dns.service: it is not as netprov installed it" in said
    assert "renew    /etc/systemd/system/netprov-http.service" in said
    assert (machine / DNS).read_text() == changed
    assert (
        "ExecStart=/srv/netprov/bin/netprov serve http"
        in (machine / UNITS / "netprov-http.service").read_text()
    )


def test_a_unit_that_was_disabled_or_masked_stays_so(machine: Path) -> None:
    (machine / UNITS).mkdir(parents=True)
    masked = machine / UNITS / "netprov-tftp.service"
    masked.symlink_to("/dev/null")
    run(machine, "install", "--apply")
    assert masked.is_symlink()
    wanted = machine / UNITS / "netprov.target.wants/netprov-acs.service"
    wanted.unlink()
    program(machine, "/srv/netprov/bin/netprov")
    run(machine, "install", "--apply", called="/srv/netprov/bin/netprov")
    assert masked.is_symlink()
    assert not wanted.is_symlink()


def test_what_was_broken_off_is_done_when_it_is_called_again(machine: Path, tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "systemd-sysusers"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no space left >&2\nexit 1\n")
    broken.chmod(0o755)
    code, said = run(machine, "install", "--apply", path=f"{broken.parent}:{os.environ['PATH']}")
    assert (code, "failed: no space left" in said) == (3, True)
    assert run(machine, "install", "--apply")[0] == 0
    assert (machine / UNITS / "netprov.target.wants/netprov-dhcp.service").is_symlink()
    assert "netprov-dhcp" in names(machine, "passwd")


def test_uninstall_leaves_state_inventory_users_and_what_an_operator_added(machine: Path) -> None:
    run(machine, "install", "--apply")
    kept = [
        machine / "etc/netprov/netprov.yaml",
        machine / "var/lib/netprov/pki/ca.pem",
        machine / UNITS / "netprov-.service.d/90-own.conf",
    ]
    for path in kept:
        path.write_text("x")
    before = everything(machine)
    code, said = run(machine, "uninstall")
    assert (code, everything(machine)) == (0, before)
    assert "remove   /etc/systemd/system/netprov-dns.service" in said
    assert run(machine, "uninstall", "--apply")[0] == 0
    assert all(path.read_text() == "x" for path in kept)
    assert "netprov-dhcp" in names(machine, "passwd")
    left = {path for path in (machine / UNITS).rglob("*") if not path.is_dir()}
    assert left == {kept[2]}
    assert run(machine, "uninstall", "--apply")[1] == "nothing to do: nothing of it is here\n"


def test_uninstall_keeps_a_unit_that_somebody_changed(machine: Path) -> None:
    run(machine, "install", "--apply")
    (machine / DNS).write_text("[Service]\n")
    assert "keep     /etc/systemd/system/netprov-dns.service" in run(machine, "uninstall", "--apply")[1]
    assert (machine / DNS).read_text() == "[Service]\n"


def test_purge_leaves_nothing(machine: Path) -> None:
    run(machine, "install", "--apply")
    (machine / "var/lib/netprov/pki/ca.key").write_text("x")
    (machine / DNS).write_text("[Service]\n")
    assert run(machine, "uninstall", "--purge", "--apply")[0] == 0
    left = {path for path in everything(machine) if "netprov" in path}
    assert left == {"opt/netprov", "opt/netprov/bin", "opt/netprov/bin/netprov"}
    assert not any("netprov" in name for base in ("passwd", "group") for name in names(machine, base))


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/root/.local/bin/netprov", "their units hide /root"),
        ("/home/kim/venv/bin/netprov", "their units hide /home"),
        ("/tmp/venv/bin/netprov", "their units hide /tmp"),
        ("/srv/closed/netprov", "only its owner can enter"),
        ("/nowhere/netprov", "there is no"),
    ],
)
def test_a_program_that_services_cannot_reach_is_refused(machine: Path, path: str, why: str) -> None:
    if path != "/nowhere/netprov":
        program(machine, path)
        (machine / path.lstrip("/")).parent.chmod(0o700 if "closed" in path else 0o755)
    before = everything(machine)
    code, said = run(machine, "install", "--apply", called=path)
    assert (code, everything(machine)) == (3, before)
    assert why in said


def test_a_machine_with_the_debian_package_is_refused(machine: Path) -> None:
    unit = machine / "usr/lib/systemd/system/netprov.target"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Unit]\n")
    code, said = run(machine, "install", "--apply")
    assert (code, "the Debian package is installed" in said) == (3, True)
    assert not (machine / "etc").exists()


def test_what_cannot_be_written_is_told(machine: Path) -> None:
    (machine / "usr").write_text("a file where a directory belongs")
    code, said = run(machine, "install", "--apply")
    assert code == 3
    assert f"cannot change {machine}/usr/local/" in said
    assert "run it as root" in said

"""A Debian 12 tree with systemd, booted as PID 1 of a container: for tests of what only an init system shows.

The tree is made once by debootstrap, from its own mirror, in a folder that git ignores; each boot has it below an overlay
in memory, so that whatever happens in there is gone afterwards. A booted tree has a network of its own, without a way out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lab.conftest import ROOT

PACKAGES = ("systemd", "python3", "iproute2", "python3-venv", "make", "git")
"""What the units need; then what docs/operations.md uses."""
CACHE = ROOT / ".setup" / f"debian-12-{sha256(' '.join(PACKAGES).encode()).hexdigest()[:8]}"
BOOT_S, STOP_S, MAKE_S = 90.0, 20.0, 900.0
_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "HOME=/root",
)
_UP = {"running", "degraded"}


class CannotBootError(Exception):
    """Why no tree can be booted here."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A booted tree; `leader` is its PID 1 as seen from outside."""

    leader: int

    def run(self, *command: str, check: bool = True, given: str = "", seconds: float = 120) -> str:
        """Run a command as root in the machine, and return what it prints; with `check`, it has to succeed."""
        enter = ("nsenter", f"--target={self.leader}", *_SPACES, "--wdns=/", "env", "-i", *_ENVIRONMENT)
        done = subprocess.run(
            [*enter, *command], input=given, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert not check or not done.returncode, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file in the machine, with the directories that lead to it."""
        self.run("sh", "-c", f"mkdir -p {os.path.dirname(path)} && cat > {path}", given=text)


_SPACES = ("--mount", "--uts", "--ipc", "--net", "--pid")


def tree() -> Path:
    """Return the tree, made if need be. Raises `CannotBootError`."""
    if os.geteuid() != 0:
        raise CannotBootError("only root can boot a tree")
    for program in ("systemd-nspawn", "nsenter"):
        if shutil.which(program) is None:
            raise CannotBootError(f"there is no {program}: apt-get install systemd-container")
    CACHE.parent.mkdir(exist_ok=True)
    with CACHE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not CACHE.is_dir():
            if not os.environ.get("NETPROV_DEBIAN"):
                raise CannotBootError("there is no tree yet: `make systemd` makes it, in some minutes")
            _make()
    return CACHE


@contextmanager
def disk() -> Iterator[Path]:
    """Yield a tree that keeps what is written to it from one boot to the next; all of it is gone afterwards."""
    lower = tree()
    with TemporaryDirectory(prefix="disk.", dir=CACHE.parent) as folder:
        upper, work, merged = (Path(folder) / name for name in ("upper", "work", "merged"))
        for each in (upper, work, merged):
            each.mkdir(mode=0o755)
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(merged)], check=True)
        try:
            yield merged
        finally:
            subprocess.run(["umount", str(merged)], check=True)


@contextmanager
def booted(binds: Mapping[Path, str] | None = None, *, on: Path | None = None) -> Iterator[Machine]:
    """Boot the tree, or the `disk` that is given, with directories of this machine bound into it, read-only.

    Raises `CannotBootError` if it does not boot.
    """
    command = [
        "systemd-nspawn", "--quiet", f"--directory={on or tree()}", f"--machine=netprov-{os.getpid()}", "--boot",
        *(() if on else ("--volatile=overlay",)), "--private-network", "--register=no", "--keep-unit", "--link-journal=no",
        *(f"--bind-ro={source}:{target}" for source, target in (binds or {}).items()),
    ]  # fmt: skip
    log = CACHE.with_suffix(f".{os.getpid()}.log")
    with log.open("wb") as out:
        nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            yield _up(nspawn, log)
        finally:
            nspawn.terminate()
            try:
                nspawn.wait(STOP_S)
            except subprocess.TimeoutExpired:
                nspawn.kill()
                nspawn.wait()
            log.unlink()


def netprov_binds() -> Mapping[Path, str]:
    """Return what a machine needs bound to run this checkout, as installed in /opt/netprov: see `install`."""
    return {ROOT: "/mnt/netprov", Path(sysconfig.get_paths()["purelib"]): "/mnt/packages"}


def install(machine: Machine) -> None:
    """Put this checkout where the units expect it, and the units where docs/operations.md says."""
    if sys.version_info[:2] != (3, 11):
        raise CannotBootError("the packages of this environment are not of Debian 12's Python, 3.11")
    program = (
        '#!/bin/sh\nexport PYTHONPATH=/mnt/netprov:/mnt/packages\nexec /usr/bin/python3 -B -m netprov "$@"\n'
    )
    machine.write("/opt/netprov/bin/netprov", program)
    machine.run("chmod", "755", "/opt", "/opt/netprov", "/opt/netprov/bin", "/opt/netprov/bin/netprov")
    machine.run("/opt/netprov/bin/netprov", "install", "--program", "/opt/netprov/bin/netprov", "--apply")


def _make() -> None:
    if shutil.which("debootstrap") is None:
        raise CannotBootError("there is no debootstrap: apt-get install debootstrap")
    unfinished = CACHE.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        "bookworm",
        str(unfinished),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAKE_S, check=False)
    except subprocess.TimeoutExpired:
        raise CannotBootError("debootstrap did not end") from None
    if done.returncode:
        raise CannotBootError(f"debootstrap: {(done.stdout + done.stderr)[-500:]}")
    shutil.rmtree(unfinished / "var" / "cache" / "apt", ignore_errors=True)
    unfinished.rename(CACHE)


def _up(nspawn: subprocess.Popen[bytes], log: Path) -> Machine:
    deadline = time.monotonic() + BOOT_S
    while time.monotonic() < deadline and nspawn.poll() is None:
        leader = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children").read_text().split()
        if leader:
            machine = Machine(int(leader[0]))
            if machine.run("systemctl", "is-system-running", "--wait", check=False).strip() in _UP:
                return machine
        time.sleep(0.05)
    raise CannotBootError(f"the tree does not boot: {log.read_text(errors='replace')[-1000:]}")

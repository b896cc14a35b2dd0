"""A place where everything vanishes with the program that made it: user, PID, mount and network namespaces.

The kernel cleans up, not the program: when process 1 of a PID namespace ends, however it ends, every process
in it is killed, then the namespaces and the file system that only they held go. Nothing is left behind even
after kill -9.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

from netprov.errors import LabError
from netprov.lab import kernel

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_SCRATCH = ("/mnt", "/media", "/srv", "/var/tmp", "/tmp")  # noqa: S108 - places to cover, not files


def become_root() -> None:
    """Move this process into a user namespace in which it is root; it must have one thread only."""
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        if error.errno in kernel.REFUSALS:
            raise kernel.forbidden("make a user namespace") from error
        raise LabError(f"cannot make a user namespace: {error}") from error


def run_enclosed(work: Callable[[Path], int], *, visible: Iterable[Path] = ()) -> int:
    """Run `work` in an enclosure and return its exit code; it is given an empty directory for its files.

    The caller's process only waits, and passes on SIGTERM, SIGHUP and SIGQUIT; a Ctrl-C reaches both. The
    directory covers one of the machine's own that holds none of the `visible` paths.
    """
    _unshare()
    scratch = _coverable(visible)
    child = os.fork()
    if child == 0:
        code = _inside(work, scratch)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return _attend(child)


def _unshare() -> None:
    """Leave the machine's namespaces: as root directly, else as root of a user namespace first."""
    flags = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
    try:
        try:
            kernel.unshare(flags)
        except PermissionError:
            become_root()
            kernel.unshare(flags)
    except OSError as error:
        if error.errno in kernel.REFUSALS:
            raise kernel.forbidden("make namespaces") from error
        raise LabError(f"cannot make namespaces: {error}") from error


def _inside(work: Callable[[Path], int], scratch: Path) -> int:
    """Be process 1: set the house up, work, turn signals into exits."""
    kernel.die_with_parent(signal.SIGKILL)
    for number in _FORWARDED:
        signal.signal(number, _stop)
    try:
        kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
        kernel.mount("netprov", str(scratch), "tmpfs", 0, "mode=0755")
        os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
        return work(scratch)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1


def _stop(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _attend(child: int) -> int:
    """Wait for process 1, passing signals on; return its exit code."""

    def forward(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _, status = os.waitpid(child, 0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _coverable(visible: Iterable[Path]) -> Path:
    needed = [Path(each).resolve() for each in (*visible, Path.cwd())]
    for place in _SCRATCH:
        path = Path(place)
        if path.is_dir() and not any(each.is_relative_to(path.resolve()) for each in needed):
            return path
    raise LabError(f"no directory to work in: every one of {', '.join(_SCRATCH)} holds files of this run")

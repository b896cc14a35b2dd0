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
from netprov.lab.netns import links_here

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
GRACE_S = 5
"""How long the work may take to end after a signal, in seconds."""

_SCRATCH = ("/dev/shm", "/mnt", "/media", "/srv", "/var/tmp", "/tmp")  # noqa: S108 - places to cover, not files


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


def stand_apart() -> None:
    """Move this process into network and mount namespaces of its own, as root there; the way back is closed.

    For a test run without root: only from such a namespace may a process enter others and return.
    """
    become_root()
    try:
        kernel.unshare(kernel.CLONE_NEWNET | kernel.CLONE_NEWNS)
        kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    except OSError as error:
        raise LabError(f"cannot make namespaces: {error}") from error
    with links_here() as links:
        links.up("lo")


def run_enclosed(work: Callable[[Path], int], *, visible: Iterable[Path] = ()) -> int:
    """Run `work` in an enclosure and return its exit code; it is given an empty directory for its files.

    The caller's process only waits, and passes on SIGINT, SIGTERM, SIGHUP and SIGQUIT. The directory covers one of the machine's own that holds none of the `visible` paths.
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
    for number in _ENDING:
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
    """End the work, once: a second signal must not disturb what the first one set going."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _attend(child: int) -> int:
    """Wait for process 1, passing signals on; return its exit code.

    A signal that Python loses (an exception in an at-fork callback is ignored) costs `GRACE_S`: then process 1
    is killed, and the kernel does the rest.
    """
    received: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        os.kill(child, number)
        signal.alarm(GRACE_S)

    def give_up(_number: int, _frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)

    before = {number: signal.signal(number, forward) for number in _ENDING}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, give_up)
    try:
        _, status = os.waitpid(child, 0)
    finally:
        signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    return 128 + received[0] if received else 128 - code


def _coverable(visible: Iterable[Path]) -> Path:
    needed = [Path(each).resolve() for each in (*visible, Path.cwd())]
    for place in _SCRATCH:
        path = Path(place)
        if path.is_dir() and not any(each.is_relative_to(path.resolve()) for each in needed):
            return path
    raise LabError(f"no directory to work in: every one of {', '.join(_SCRATCH)} holds files of this run")

"""The Linux calls that a lab needs and Python 3.11 lacks: unshare(2), setns(2), mount(2), prctl(2)."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from netprov.errors import LabError

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_REC = 0x4000
MS_PRIVATE = 1 << 18

PR_SET_PDEATHSIG = 1

_LIBC = ctypes.CDLL(None, use_errno=True)

_SWITCHES = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
"""Settings that forbid user namespaces: file, the forbidding value, what `sysctl -w` must be told."""


def unshare(flags: int) -> None:
    """Move this thread into new namespaces; raise OSError as unshare(2) does."""
    _call("unshare", flags)


def setns(descriptor: int, kind: int) -> None:
    """Move this thread into the namespace behind a descriptor; raise OSError as setns(2) does."""
    _call("setns", descriptor, kind)


def mount(source: str, target: str, filesystem: str, flags: int = 0, options: str = "") -> None:
    """Mount; raise OSError as mount(2) does."""
    _call(
        "mount",
        source.encode(),
        target.encode(),
        filesystem.encode(),
        ctypes.c_ulong(flags),
        options.encode(),
    )


def die_with_parent(signal: int) -> None:
    """Have the kernel send this process a signal when its parent ends, however it ends."""
    _call("prctl", PR_SET_PDEATHSIG, signal, 0, 0, 0)


def forbidden(what: str) -> LabError:
    """Return the error for an operation that the kernel did not permit, with the commands that would allow it."""
    lines = [f"cannot {what}: not permitted"]
    settings = [setting for file, value, setting in _SWITCHES if _read(file) == value]
    if settings:
        lines.append(f"allow it with: sysctl -w {' '.join(settings)}")
        lines.append("or run the same command as root (sudo)")
    elif os.geteuid() == 0:
        lines.append(
            "this root shell has no right to make namespaces; in a container, start it with --privileged"
        )
    else:
        lines.append("run the same command as root (sudo), or below: unshare -Urnm")
    return LabError("\n    ".join(lines))


def _read(file: str) -> str | None:
    try:
        return Path(file).read_text().strip()
    except OSError:
        return None


def _call(name: str, *arguments: object) -> None:
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EINVAL, errno.ENOSYS)
"""What unshare(2) answers where namespaces are not allowed; ENOSPC is the limit of user.max_*_namespaces."""

"""One process a role on a state directory: two that wrote the same records would undo each other's work."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from netprov.errors import ServiceError

DIRECTORY = "control"


def hold(state: Path, roles: Sequence[str]) -> None:
    """Hold roles for this process until it ends. Raises `ServiceError` if another one plays one of them."""
    folder = state / DIRECTORY
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
        for role in roles:
            _hold(folder / f"{role}.lock", role, state)
    except OSError as error:
        raise ServiceError(
            f"the state directory {state} is not usable: {error.strerror}", "it must be this user's"
        ) from error


def _hold(path: Path, role: str, state: Path) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        os.close(handle)
        raise ServiceError(
            f"{role} is served with the state directory {state} already, by process {holder or 'unknown'}",
            f"`netprov reload {role}` lets that one take a changed inventory; a second server needs a --state of its own",
        ) from None
    with suppress(OSError):  # a full disk: the lock holds without a number
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

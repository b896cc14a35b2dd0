"""Where the control sockets of a state directory are: one a process, named after its roles.

A socket's path may have 107 octets at most (unix(7)), which a state directory may not leave; so it is reached through its
open directory.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

DIRECTORY = "control"
SUFFIX = ".sock"
_GROUP_MAY_ENTER, _GROUP_MAY_CONNECT = 0o750, 0o660


def bind(state: Path, roles: Sequence[str]) -> socket.socket:
    """Return a listening socket for a process that plays these roles and holds them. Raises OSError."""
    name = "+".join(roles) + SUFFIX
    folder = directory(state)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        with _open(folder) as entered:
            with suppress(FileNotFoundError):
                os.unlink(f"{entered}/{name}")  # of a process that was killed: nobody else holds these roles
            sock.bind(f"{entered}/{name}")
            os.chmod(f"{entered}/{name}", _GROUP_MAY_CONNECT)
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


def connect(state: Path, name: str) -> socket.socket | None:
    """Return a connection to a control socket, None if nobody listens there any more. Raises OSError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with _open(state / DIRECTORY) as entered:
            sock.connect(f"{entered}/{name}")
    except (ConnectionRefusedError, FileNotFoundError):
        sock.close()
        return None
    except OSError:
        sock.close()
        raise
    return sock


def names(state: Path) -> tuple[str, ...]:
    """Return the control sockets of a state directory, also those that were left behind. Raises OSError."""
    try:
        return tuple(sorted(name for name in os.listdir(state / DIRECTORY) if name.endswith(SUFFIX)))
    except FileNotFoundError:
        return ()


def roles(name: str) -> tuple[str, ...]:
    """Return the roles that the process of a control socket plays, by the socket's name."""
    return tuple(name.removesuffix(SUFFIX).split("+"))


def directory(state: Path) -> Path:
    """Return the directory of the control sockets, made if need be. Raises OSError."""
    folder = state / DIRECTORY
    with suppress(FileExistsError):
        folder.mkdir(mode=_GROUP_MAY_ENTER)
        folder.chmod(_GROUP_MAY_ENTER)
    return folder


@contextmanager
def _open(folder: Path) -> Iterator[str]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)

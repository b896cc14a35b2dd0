"""Gives root up: a process that root has started goes on as another user, with the capabilities that its sockets need.

capabilities(7), prctl(2). It is done before threads are started, for capabilities are a thread's; what is started later has them
too, other programs by the ambient set. Addresses that come later and reloads find what they need.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import netprov
from netprov.errors import ServiceError
from netprov.state.hold import DIRECTORY as CONTROL
from netprov.state.place import FOLDERS, FORMER, SECRETS

KEPT = {"CAP_NET_BIND_SERVICE": 10, "CAP_NET_RAW": 13}
"""What is kept, by its number in linux/capability.h: ports below 1024; packet sockets, ping and binding to an interface."""

_SET_KEEPCAPS, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT, _AMBIENT_RAISE = 8, 24, 38, 47, 2
_VERSION_3 = 0x20080522
_MOST = 64


_PROGRAM = (Path(sys.executable), Path(os.__file__), Path(netprov.__file__))
"""What a process reads as it goes on: its interpreter, the standard library, netprov. They may be in root's home."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def user_to_be(wanted: str | None, environment: dict[str, str]) -> tuple[str, bool]:
    """Return the user that a process is to become, "" for none, and whether somebody insists on it.

    That is the inventory's, else whom sudo was called by; a process that is not root's stays what it is.
    """
    if os.geteuid() != 0 or wanted == "root":
        return "", False
    return (wanted, True) if wanted else (environment.get("SUDO_USER", ""), False)


def obstacle(user: str, state: Path, reads: Sequence[Path], program: Sequence[Path] = _PROGRAM) -> str:
    """Give a state directory that is all root's to a user; return why the user could not serve from it, "" if it can.

    `program` is what a process goes on reading.
    """
    try:
        who = pwd.getpwnam(user)
    except KeyError:
        return f"there is no user {user}"
    if who.pw_uid == 0:
        return f"{user} is root"
    _give(state, who)
    with _acting_as(who):
        for path in (*program, *reads):
            if not os.access(path, os.R_OK, effective_ids=True):
                return f"{user} may not read {path}"
        if not os.access(state, os.W_OK | os.X_OK, effective_ids=True):
            return f"{user} may not write {state}"
    return ""


NET_ADMIN: Final = {"CAP_NET_ADMIN": 12}
"""What is kept besides, where the table of neighbours is held to the leases."""


def become(user: str, kept: Mapping[str, int] = KEPT) -> None:
    """Go on as a user, with these capabilities and no others, for good. Raises `ServiceError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    who = pwd.getpwnam(user)
    try:
        for number in range(_MOST):
            if number not in kept.values():
                libc.prctl(_CAPBSET_DROP, number, 0, 0, 0)  # a number that there is not is refused
        _check(libc.prctl(_SET_KEEPCAPS, 1, 0, 0, 0))
        os.initgroups(user, who.pw_gid)
        os.setresgid(who.pw_gid, who.pw_gid, who.pw_gid)
        os.setresuid(who.pw_uid, who.pw_uid, who.pw_uid)
        mask = sum(1 << number for number in kept.values())
        sets = (_Sets * 2)(_Sets(mask, mask, mask), _Sets())
        _check(libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), sets))
        for number in kept.values():
            _check(libc.prctl(_CAP_AMBIENT, _AMBIENT_RAISE, number, 0, 0))
        _check(libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    except OSError as error:
        raise ServiceError(
            f"this process cannot become {user}: {error.strerror}", "`server: {user: root}` lets it stay root"
        ) from error
    os.environ["HOME"], os.environ["USER"] = who.pw_dir, user


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


@contextmanager
def _acting_as(who: pwd.struct_passwd) -> Iterator[None]:
    """Look at files as a user would: by its user, its groups, and without root's rights."""
    groups = os.getgroups()
    group = os.getegid()
    os.setgroups(os.getgrouplist(who.pw_name, who.pw_gid))
    os.setegid(who.pw_gid)
    os.seteuid(who.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _give(state: Path, who: pwd.struct_passwd) -> None:
    """Let a state directory be a user's, if it holds nothing but state, and all of it is root's.

    Whoever owned a part of it could have put a link there; and a directory of something else is not ours to give.
    """
    entries = [state, *state.rglob("*")]
    known = {*FOLDERS, *FORMER, CONTROL, SECRETS}
    if {each.name for each in state.iterdir()} - known or any(each.lstat().st_uid != 0 for each in entries):
        return
    for each in reversed(entries):
        os.lchown(each, who.pw_uid, who.pw_gid)

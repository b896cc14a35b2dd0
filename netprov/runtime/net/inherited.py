"""Listening sockets that the service manager has opened before this process began (sd_listen_fds(3)).

Each is found by what it is: UDP or TCP, its address, its port. They stay open as long as the process does, for the manager
keeps its own copy, beside which nothing can be bound: what a reload gives up and another takes again is the same socket.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Final

from netprov.hostport import format_hostport
from netprov.runtime.address import is_here
from netprov.runtime.role import Notice

FIRST: Final = 3
"""The first descriptor that is passed (SD_LISTEN_FDS_START)."""
_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_Key = tuple[bool, str, int]
"""Whether it is UDP, the address, the port."""


class Inherited:
    """The sockets that were passed; `unfit` says what else was, which is closed."""

    def __init__(self, descriptors: Mapping[_Key, int], unfit: tuple[str, ...] = ()) -> None:
        self._descriptors = dict(descriptors)
        self._unfit = unfit
        self._claimed: set[_Key] = set()

    def claim(self, datagrams: bool, address: str, port: int) -> socket.socket | None:
        """Return a socket for a planned listener, non-blocking, if one was passed; None: bind it.

        One whose address has not come yet (FreeBind=) is left until it has.
        """
        key = (datagrams, address, port)
        held = self._descriptors.get(key)
        if held is None or not is_here(address):
            return None
        self._claimed.add(key)
        sock = socket.socket(fileno=os.dup(held))
        sock.setblocking(False)
        return sock

    def settle(self, waiting: frozenset[str]) -> list[Notice]:
        """Close what no listener has claimed, but for addresses that are waited for; say what that was."""
        notices = [
            Notice(f"was passed a socket that nothing here serves: {each}; it is closed", "warning")
            for each in self._unfit
        ]
        for key in sorted(self._descriptors.keys() - self._claimed):
            if key[1] not in waiting:
                os.close(self._descriptors.pop(key))
                notices.append(
                    Notice(
                        f"was passed a socket that is not in the inventory: {_shown(key)}; it is closed",
                        "warning",
                    )
                )
        self._unfit = ()
        return notices


def inherit(environ: MutableMapping[str, str], *, first: int = FIRST) -> Inherited:
    """Take over what was passed to this process, if anything was, and let no process of ours believe that it was meant."""
    given = {name: environ.pop(name, "") for name in _VARIABLES}
    count = given["LISTEN_FDS"]
    if given["LISTEN_PID"] != str(os.getpid()) or not count.isdecimal():
        return Inherited({})
    names = given["LISTEN_FDNAMES"].split(":")
    found: dict[_Key, int] = {}
    unfit: list[str] = []
    for index in range(int(count)):
        fd, name = first + index, names[index] if index < len(names) else ""
        what = _look(fd)
        if isinstance(what, str) or what in found:
            unfit.append(
                f"{name or 'descriptor'} ({fd} is {what if isinstance(what, str) else _shown(what)})"
            )
            with suppress(OSError):  # there may be none of that number
                os.close(fd)
        else:
            found[what] = fd
    return Inherited(found, tuple(unfit))


def _look(fd: int) -> _Key | str:
    """Return what a descriptor is: what it can be claimed by, or in words what it is instead."""
    try:
        os.set_inheritable(fd, False)
        sock = socket.socket(fileno=fd)
    except OSError:
        return "no socket"
    try:
        if sock.family not in {socket.AF_INET, socket.AF_INET6}:
            return "no internet socket"
        if sock.type not in {socket.SOCK_DGRAM, socket.SOCK_STREAM}:
            return "neither UDP nor TCP"
        host, port = sock.getsockname()[:2]
        return sock.type == socket.SOCK_DGRAM, str(host), int(port)
    finally:
        sock.detach()


def _shown(key: _Key) -> str:
    return f"{'udp' if key[0] else 'tcp'} {format_hostport(*key[1:])}"

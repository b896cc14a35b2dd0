"""Binds the planned sockets whose address is on this machine; one inventory serves several machines."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from netprov.errors import ServiceError
from netprov.provision.config import Listener
from netprov.runtime.net.poll import READ
from netprov.runtime.role import Notice, RoleContext

_BACKLOG = 1024
_UDP_BUFFER = 4 * 1024 * 1024


class Watcher(Protocol):
    """What tells when a socket is ready: a `Poller`, or a `PollThread` from inside its thread."""

    def register(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Watch a file descriptor."""

    def unregister(self, fd: int) -> None:
        """Watch no longer."""


class SocketSet:
    """The bound sockets of one service, which follow the plan."""

    def __init__(self, service: str, poller: Watcher, *, context: RoleContext) -> None:
        self._service = service
        self._poller = poller
        self._report = context.report
        self._sockets: dict[Listener, socket.socket] = {}
        self._absent: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._sockets)

    def bind(self, wanted: Sequence[Listener], ready: Callable[[Listener, socket.socket], None]) -> None:
        """Bind what is new, then close what is not wanted any more; on `ServiceError` all is as before.

        `ready` is called with a listener and its socket when there is something to read or accept.
        """
        fresh: dict[Listener, socket.socket] = {}
        absent: list[Listener] = []
        try:
            for listener in wanted:
                if listener in self._sockets:
                    continue
                sock = bind(listener)
                if sock is None:
                    absent.append(listener)
                else:
                    fresh[listener] = sock
            if not fresh and not any(each in self._sockets for each in wanted):
                raise none_bound(self._service, wanted)
        except ServiceError:
            for sock in fresh.values():
                sock.close()
            raise
        for listener in [each for each in self._sockets if each not in wanted]:
            self._close(self._sockets.pop(listener))
        for listener, sock in fresh.items():
            self._sockets[listener] = sock
            self._poller.register(sock.fileno(), READ, partial(_ready, ready, listener, sock))
        for listener in absent:
            if listener not in self._absent:
                text = f"{listener} is not on this machine: another one serves it"
                self._report(self._service, Notice(text))
        self._absent = set(absent)

    def close(self) -> None:
        """Close them all."""
        for sock in self._sockets.values():
            self._close(sock)
        self._sockets.clear()

    def listening(self) -> tuple[str, ...]:
        """Return what they are, for people."""
        return tuple(map(str, self._sockets))

    def _close(self, sock: socket.socket) -> None:
        self._poller.unregister(sock.fileno())
        sock.close()


def _ready(
    ready: Callable[[Listener, socket.socket], None], listener: Listener, sock: socket.socket, _events: int
) -> None:
    ready(listener, sock)


def bind(listener: Listener) -> socket.socket | None:
    """Return a bound, non-blocking socket, listening if it is TCP; None if the address is not on this machine.

    Raises `ServiceError` with the remedy for everything else.
    """
    family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
    datagrams = listener.is_datagram
    sock = socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if datagrams:
            enlarge(sock)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((listener.address, listener.port))
        if not datagrams:
            sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRNOTAVAIL:
            return None
        raise _refused(listener, error) from error
    return sock


def enlarge(sock: socket.socket) -> None:
    """Ask for room for a burst of requests; the kernel gives what it allows."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER)


def none_bound(service: str, listeners: Iterable[Listener]) -> ServiceError:
    """Return the error for a machine that has none of the planned addresses."""
    addresses = ", ".join(dict.fromkeys(each.address for each in listeners)) or "none"
    return ServiceError(
        f"{service}: no address of the inventory is on this machine (wanted: {addresses})",
        "add one to an interface, `ip address add 10.20.0.1/24 dev lan0`, or correct `networks:` and `hosts:`",
    )


def _refused(listener: Listener, error: OSError) -> ServiceError:
    match error.errno:
        case errno.EADDRINUSE:
            protocol = "u" if listener.is_datagram else "t"
            remedy = f"see what holds it: `ss -ln{protocol}p sport = :{listener.port}`, and stop it or move one of the two"
            return ServiceError(f"{listener} is taken by another program", remedy)
        case errno.EACCES | errno.EPERM:
            remedy = "run as root, or with the capability CAP_NET_BIND_SERVICE as the units in systemd/ do"
            return ServiceError(f"{listener} may not be bound by this user", remedy)
        case _:
            return ServiceError(f"{listener} cannot be bound: {os.strerror(error.errno or 0)}")

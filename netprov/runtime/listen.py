"""Binds the planned sockets whose address is on this machine; one inventory serves several machines."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from contextlib import suppress

from netprov.errors import ServiceError
from netprov.provision.config import Listener

_BACKLOG = 1024
_UDP_BUFFER = 4 * 1024 * 1024


def bind(listener: Listener) -> socket.socket | None:
    """Return a bound, non-blocking socket, listening if it is TCP; None if the address is not on this machine.

    Raises `ServiceError` with the remedy for everything else.
    """
    family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
    datagrams = listener.scheme == "tftp"
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
            protocol = "u" if listener.scheme == "tftp" else "t"
            remedy = f"see what holds it: `ss -ln{protocol}p sport = :{listener.port}`, and stop it or move one of the two"
            return ServiceError(f"{listener} is taken by another program", remedy)
        case errno.EACCES | errno.EPERM:
            remedy = "run as root, or with the capability CAP_NET_BIND_SERVICE as the units in systemd/ do"
            return ServiceError(f"{listener} may not be bound by this user", remedy)
        case _:
            return ServiceError(f"{listener} cannot be bound: {os.strerror(error.errno or 0)}")

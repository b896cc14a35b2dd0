"""Which MAC address is behind an IP address: the kernel's neighbour table, for networks we are on ourselves.

Asked for one entry (SIOCGARP, arp(7)), not read whole: a stranger who invents addresses fills the table, and every
request is looked up.
"""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Callable
from typing import Final

from netprov.mac import format_mac

_SIOCGARP: Final = 0x8954
_COMPLETE: Final = 0x2
_REQUEST: Final = struct.Struct("@H2x4s8xH14si16x16s")
"""`struct arpreq`: protocol address, hardware address, flags, netmask, device."""
_NOBODY: Final = bytes(6)
_LOOK_S: Final = 1.0
"""Seconds until interfaces are listed anew, which takes longer than to ask: a new one has no neighbours yet."""


class Neighbours:
    """Asks the kernel each time, through one socket; close it at the end. `clock` counts seconds.

    It is of the network namespace in which it is asked first.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._socket: socket.socket | None = None
        self._interfaces: tuple[str, ...] = ()
        self._looked = float("-inf")

    def mac(self, address: str) -> str:
        """Return the MAC address of a neighbour, with colons, or "" if the kernel does not know it."""
        try:
            wanted = socket.inet_pton(socket.AF_INET, address)
            if self._socket is None:
                self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for name in self._listed():
                if mac := _at(self._socket, wanted, name):
                    return format_mac(mac)
        except OSError:
            return ""
        return ""

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _listed(self) -> tuple[str, ...]:
        now = self._clock()
        if now >= self._looked + _LOOK_S:
            self._interfaces, self._looked = (
                tuple(name for _, name in socket.if_nameindex() if name != "lo"),
                now,
            )
        return self._interfaces


def _at(sock: socket.socket, address: bytes, interface: str) -> bytes:
    """Return what is behind an address on one interface, b"" if that is not known."""
    request = _REQUEST.pack(socket.AF_INET, address, 0, b"", 0, interface.encode())
    try:
        answer = fcntl.ioctl(sock, _SIOCGARP, request)
    except OSError:  # ENXIO: no entry; ENODEV: the interface has gone
        return b""
    *_, hardware, flags, _ = _REQUEST.unpack(answer)
    mac = hardware[:6]
    return mac if flags & _COMPLETE and mac != _NOBODY else b""

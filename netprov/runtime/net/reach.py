"""Which hosts a packet reaches at once: those whose hardware address the kernel knows, and those behind a router (arp(7)).

A packet to any other host of the link waits in the kernel for an answer to ARP, for three seconds where there is no such host
(RFC 1122 2.3.2.2 wants one packet kept; Linux keeps 208 KiB of them), and takes of its socket's send buffer meanwhile.

Asked by ioctl(2), as netdevice(7) has it: netlink tells more, also of IPv6, but a unit would have to be allowed it.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Final

from netprov.runtime.net.arp import Neighbours

_SIOCGIFCONF, _SIOCGIFNETMASK = 0x8912, 0x891B
_IFREQ: Final = struct.Struct("@16sH2x4s16x")
"""`struct ifreq` of netdevice(7): name, family, port, address."""
_IFCONF: Final = struct.Struct("@iP")
"""`struct ifconf`: octets, and where they are."""
_MOST: Final = 256
"""Addresses of this machine that are looked at."""
_FRESH_S: Final = 0.25


class Reach:
    """Asks the kernel of hosts one by one; that one is reached is remembered for a quarter of a second.

    That one is not is asked again each time: who asks something for the first time was asked for its address just before. No host
    of IPv6 is known to be reached.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._read_at = float("-inf")
        self._links: list[tuple[int, int]] = []
        self._reached: set[int] = set()
        self._neighbours = Neighbours(clock)

    def at_once(self, origin: int | bytes) -> bool:
        """Say whether a packet leaves for a host at once; a host is named as `Batch.origins` names it."""
        if not isinstance(origin, int):
            return False
        now = self._clock()
        if now - self._read_at >= _FRESH_S:
            self._read_at = now
            own = tuple(_own())
            self._links = [(number & mask, mask) for number, mask in own]
            self._reached = {int.from_bytes(number.to_bytes(4, "big"), sys.byteorder) for number, _ in own}
        if origin in self._reached:
            return True
        packed = origin.to_bytes(4, sys.byteorder)
        number = int.from_bytes(packed, "big")
        on_link = any(number & mask == link for link, mask in self._links)
        if on_link and not self._neighbours.mac(socket.inet_ntoa(packed)):
            return False
        self._reached.add(origin)
        return True

    def close(self) -> None:
        """Close what it asks by."""
        self._neighbours.close()


def _own() -> Iterator[tuple[int, int]]:
    """Yield this machine's IPv4 addresses, each with its link's mask, but for loopback, which is no link."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        for name, address in _addresses(sock):
            try:
                # An interface may have several addresses: the kernel looks for this one.
                told = fcntl.ioctl(sock, _SIOCGIFNETMASK, _IFREQ.pack(name, socket.AF_INET, address))
            except OSError:
                continue  # it has gone
            *_, mask = _IFREQ.unpack(told)
            yield int.from_bytes(address, "big"), int.from_bytes(mask, "big")


def _addresses(sock: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    """Yield the IPv4 addresses of this network namespace, each behind its interface's name."""
    room = ctypes.create_string_buffer(_MOST * _IFREQ.size)
    asked = _IFCONF.pack(len(room), ctypes.addressof(room))
    length, _ = _IFCONF.unpack(fcntl.ioctl(sock, _SIOCGIFCONF, asked))
    for name, family, address in _IFREQ.iter_unpack(room.raw[:length]):
        if family == socket.AF_INET and name.rstrip(b"\0") != b"lo":
            yield name, address

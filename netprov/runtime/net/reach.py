"""Which hosts a packet reaches at once: those whose hardware address the kernel knows, and those behind a router (rtnetlink(7)).

A packet to any other host of the link waits in the kernel for an answer to ARP or neighbour discovery, for three seconds where
there is no such host (RFC 4861 7.2.2 and 10, which Linux applies to ARP too), and takes of its socket's send buffer meanwhile.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_RTM_NEWADDR, _RTM_GETADDR, _RTM_NEWNEIGH, _RTM_GETNEIGH = 20, 22, 28, 30
_REQUEST, _DUMP = 0x1, 0x300
_ERROR, _DONE = 2, 3
_IFA_ADDRESS, _IFA_LOCAL, _NDA_DST, _NDA_LLADDR = 1, 2, 1, 2
_SCOPE_HOST: Final = 254
_NUD_NOARP: Final = 0x40
_VALID: Final = 0x02 | 0x04 | 0x08 | 0x10 | _NUD_NOARP | 0x80
"""NUD_REACHABLE, STALE, DELAY, PROBE, NOARP, PERMANENT of neighbour.h."""

_FRESH_S: Final = 0.25
_HEADER, _NDMSG, _IFADDRMSG = 16, 12, 8


@dataclass(frozen=True, slots=True)
class _Link:
    """The addresses that one interface is on a link with, the first to the last."""

    interface: int
    low: int
    high: int


class Reach:
    """Asks the kernel of hosts of one address family, one by one; that one is reached is remembered for a quarter of a second.

    That one is not is asked again each time: who asks something for the first time was asked for its address just before.
    """

    def __init__(self, family: socket.AddressFamily, clock: Callable[[], float]) -> None:
        self._family = family
        self._clock = clock
        self._read_at = float("-inf")
        self._links: list[_Link] = []
        self._own: set[bytes] = set()
        self._reached: set[int | bytes] = set()
        self._socket: socket.socket | None = None
        self._serial = 0

    def at_once(self, origin: int | bytes) -> bool:
        """Say whether a packet leaves for a host at once; a host is named as `Batch.origins` names it."""
        now = self._clock()
        if now - self._read_at >= _FRESH_S:
            self._read_at = now
            self._read()
        if origin in self._reached:
            return True
        packed = origin.to_bytes(4, sys.byteorder) if isinstance(origin, int) else origin
        number = int.from_bytes(packed, "big")
        links = [each.interface for each in self._links if each.low <= number <= each.high]
        if (
            links
            and packed not in self._own
            and not any(self._is_known(interface, packed) for interface in links)
        ):
            return False
        self._reached.add(origin)
        return True

    def close(self) -> None:
        """Close what it asks by."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        """Read again which links there are; where the kernel does not tell, all hosts are on one, and none is known."""
        bits = 32 if self._family == socket.AF_INET else 128
        self._reached.clear()
        self._links, self._own = [_Link(0, 0, (1 << bits) - 1)], set()
        with suppress(OSError):
            told = list(self._ask(_RTM_GETADDR, _RTM_NEWADDR, bytes(_IFADDRMSG - 1), dump=True))
            here = [(message, address) for message in told if (address := _address(message)) is not None]
            self._links = [_span(message, address, bits) for message, address in here]
            self._own = {address for _, address in here}

    def _is_known(self, interface: int, packed: bytes) -> bool:
        """Say whether the kernel knows the hardware address of a host, or needs none."""
        body = struct.pack("=3xiHBBHH", interface, 0, 0, 0, 4 + len(packed), _NDA_DST) + packed
        with suppress(OSError):
            for message in self._ask(_RTM_GETNEIGH, _RTM_NEWNEIGH, body):
                (state,) = struct.unpack_from("=H", message, 8)
                there = _NDA_LLADDR in _attributes(message, _NDMSG)
                return bool(state & _VALID and (there or state & _NUD_NOARP))
        return False

    def _ask(self, ask: int, answer: int, body: bytes, *, dump: bool = False) -> Iterator[bytes]:
        """Yield the body of each message of an answer. Raises `OSError`, also for what there is not."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            self._socket.settimeout(1)
        flags = _REQUEST | (_DUMP if dump else 0)
        size = _HEADER + 1 + len(body)
        self._serial += 1
        self._socket.send(struct.pack("=IHHIIB", size, ask, flags, self._serial, 0, self._family) + body)
        while True:
            data, at = self._socket.recv(1 << 16), 0
            while at + _HEADER <= len(data):
                length, kind, _, serial = struct.unpack_from("=IHHI", data, at)
                if length < _HEADER:
                    raise OSError("the kernel's answer is none")
                if serial == self._serial:  # else the answer to a question that was given up
                    if kind == _DONE:
                        return
                    if kind == _ERROR:
                        raise OSError("the kernel does not know")
                    if kind == answer:
                        yield data[at + _HEADER : at + length]
                        if not dump:
                            return
                at += length + 3 & ~3


def _address(message: bytes) -> bytes | None:
    """Return an address of this machine; None where it has no link (loopback)."""
    found = _attributes(message, _IFADDRMSG)
    return None if message[3] == _SCOPE_HOST else found.get(_IFA_LOCAL, found.get(_IFA_ADDRESS))


def _span(message: bytes, address: bytes, bits: int) -> _Link:
    rest = bits - message[1]
    low = int.from_bytes(address, "big") >> rest << rest
    (interface,) = struct.unpack_from("=I", message, 4)
    return _Link(interface, low, low + (1 << rest) - 1)


def _attributes(message: bytes, at: int) -> dict[int, bytes]:
    """Return the attributes of a message behind its fixed part."""
    found: dict[int, bytes] = {}
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if length < 4:
            break
        found[kind] = message[at + 4 : at + length]
        at += length + 3 & ~3
    return found

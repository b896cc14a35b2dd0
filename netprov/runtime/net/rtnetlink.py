"""Addresses, routes and neighbours of one interface, by the kernel's own messages (rtnetlink(7)).

pyroute2 does the same and more, but takes milliseconds a call, which ten thousand phones cannot afford.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Network

RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE = 20, 21, 24, 25
RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x01, 0x04, 0x100, 0x200, 0x400
NLM_F_DUMP = 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
IFA_ADDRESS, IFA_LOCAL = 1, 2
NDA_DST, NDA_LLADDR, NDA_PROTOCOL = 1, 2, 12
NUD_PERMANENT = 0x80
NEIGHBOUR_HEADER = 12
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
RT_TABLE_MAIN, RTPROT_BOOT, RTPROT_DHCP, RTN_UNICAST = 254, 3, 16, 1
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253

_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.ESRCH, errno.ENODEV, errno.ENOENT})
_REMOVE = frozenset({RTM_DELADDR, RTM_DELROUTE, RTM_DELNEIGH})
_HEADER = 16


class Interface:
    """One interface in the network namespace where this is made; close it at the end. Calls raise `OSError`."""

    def __init__(self, name: str) -> None:
        self._index = socket.if_nametoindex(name)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._serial = 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def add_address(self, address: str, length: int) -> bool:
        """Add an address; False if it was there already."""
        return self._ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, self._address(address, length))

    def remove_address(self, address: str, length: int) -> None:
        """Remove an address, if it is there."""
        self._ask(RTM_DELADDR, 0, self._address(address, length))

    def add_route(self, to: IPv4Network, via: str = "") -> bool:
        """Add a route through this interface, on the link or via a router; False if there is one already."""
        return self._ask(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, self._to(to, via))

    def remove_route(self, to: IPv4Network, via: str = "") -> None:
        """Remove such a route, if it is there."""
        self._ask(RTM_DELROUTE, 0, self._to(to, via))

    def pin_neighbour(self, address: int, mac: bytes) -> None:
        """Enter a neighbour for good, marked as DHCP's (since Linux 5.0), whatever was entered before."""
        mark = struct.pack("=HHB3x", 5, NDA_PROTOCOL, RTPROT_DHCP)
        body = self._neighbour(address) + mark + _attribute(NDA_LLADDR, mac)
        self._ask(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body)

    def unpin_neighbour(self, address: int) -> None:
        """Remove a neighbour's entry, if it is there."""
        self._ask(RTM_DELNEIGH, 0, self._neighbour(address))

    def pinned_neighbours(self) -> list[int]:
        """Return the neighbours that are entered for good, and marked as DHCP's."""
        return [
            int.from_bytes(found[NDA_DST], "big")
            for message in self._list(
                RTM_GETNEIGH, struct.pack("=BxxxiHBB", socket.AF_INET, self._index, 0, 0, 0)
            )
            if struct.unpack_from("=i", message, 4)[0] == self._index
            if (found := _attributes(message, NEIGHBOUR_HEADER)).get(NDA_PROTOCOL) == bytes([RTPROT_DHCP])
        ]

    def _neighbour(self, address: int) -> bytes:
        header = struct.pack("=BxxxiHBB", socket.AF_INET, self._index, NUD_PERMANENT, 0, 0)
        return header + _attribute(NDA_DST, address.to_bytes(4, "big"))

    def _address(self, address: str, length: int) -> bytes:
        packed = socket.inet_aton(address)
        header = struct.pack("=BBBBI", socket.AF_INET, length, 0, RT_SCOPE_UNIVERSE, self._index)
        return header + _attribute(IFA_LOCAL, packed) + _attribute(IFA_ADDRESS, packed)

    def _to(self, to: IPv4Network, via: str) -> bytes:
        scope = RT_SCOPE_UNIVERSE if via else RT_SCOPE_LINK
        header = struct.pack(
            "=BBBBBBBBI",
            *(socket.AF_INET, to.prefixlen, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST, 0),
        )
        parts = _attribute(RTA_DST, to.network_address.packed) if to.prefixlen else b""
        parts += _attribute(RTA_OIF, struct.pack("=I", self._index))
        return header + parts + (_attribute(RTA_GATEWAY, socket.inet_aton(via)) if via else b"")

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        self._serial += 1
        size = _HEADER + len(body)
        self._socket.send(struct.pack("=IHHII", size, kind, NLM_F_REQUEST | flags, self._serial, 0) + body)

    def _list(self, kind: int, body: bytes) -> Iterator[bytes]:
        """Ask for all there is of a kind, and yield the body of each message."""
        self._send(kind, NLM_F_DUMP, body)
        while True:
            data, at = self._socket.recv(1 << 16), 0
            while at + _HEADER <= len(data):
                length, found = struct.unpack_from("=IH", data, at)
                if length < _HEADER:
                    raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
                if found == NLMSG_DONE:
                    return
                if found == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", data, at + _HEADER)[0]
                    raise OSError(code, os.strerror(code))
                yield data[at + _HEADER : at + length]
                at += length + 3 & ~3

    def _ask(self, kind: int, flags: int, body: bytes) -> bool:
        """Send one message and read its acknowledgement; False for one that changes nothing."""
        self._send(kind, NLM_F_ACK | flags, body)
        answer = self._socket.recv(4096)
        code = -struct.unpack_from("=i", answer, 16)[0]
        if code == errno.EEXIST or (kind in _REMOVE and code in _ABSENT):
            return False
        if code:
            raise OSError(code, os.strerror(code))
        return True


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


def _attribute(kind: int, data: bytes) -> bytes:
    """Return a routing attribute; addresses and indexes need no padding."""
    return struct.pack("=HH", 4 + len(data), kind) + data

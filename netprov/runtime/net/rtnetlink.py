"""Addresses and routes of one interface, by the kernel's own messages (rtnetlink(7)).

pyroute2 does the same and more, but takes milliseconds a call, which ten thousand phones cannot afford.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from ipaddress import IPv4Network

RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE, RTM_DELROUTE = 20, 21, 24, 25
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x01, 0x04, 0x200, 0x400
IFA_ADDRESS, IFA_LOCAL = 1, 2
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
RT_TABLE_MAIN, RTPROT_BOOT, RTN_UNICAST = 254, 3, 1
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253

_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.ESRCH, errno.ENODEV})


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

    def _ask(self, kind: int, flags: int, body: bytes) -> bool:
        """Send one message and read its acknowledgement; False for one that changes nothing."""
        self._serial += 1
        length = 16 + len(body)
        header = struct.pack("=IHHII", length, kind, NLM_F_REQUEST | NLM_F_ACK | flags, self._serial, 0)
        self._socket.send(header + body)
        answer = self._socket.recv(4096)
        code = -struct.unpack_from("=i", answer, 16)[0]
        if code == errno.EEXIST or (kind in {RTM_DELADDR, RTM_DELROUTE} and code in _ABSENT):
            return False
        if code:
            raise OSError(code, os.strerror(code))
        return True


def _attribute(kind: int, data: bytes) -> bytes:
    """Return a routing attribute; addresses and indexes need no padding."""
    return struct.pack("=HH", 4 + len(data), kind) + data

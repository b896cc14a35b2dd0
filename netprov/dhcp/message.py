"""The DHCP message: fixed header, magic cookie, options (RFC 2131 section 2, RFC 2132, RFC 3396).

Addresses are unsigned 32-bit integers, 0 for none. A message without option 53 is BOOTP (RFC 1534).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from struct import Struct
from types import MappingProxyType
from typing import NamedTuple

from netprov.dhcp.option import table as code
from netprov.errors import LocalViolation, Malformed

HEADER = Struct(">BBBBIHHIIII16s64s128sI")
"""op htype hlen hops xid secs flags ciaddr yiaddr siaddr giaddr chaddr sname file cookie: 240 octets."""

HEAD = Struct(">BBBBIHHIIII16s")
"""The first 44 octets of it, which differ from reply to reply."""

REST = bytes(192) + bytes.fromhex("63825363")
"""The other 196: sname and file, empty, and the cookie."""

_FIXED = Struct(">BBBBIHHIIII16s192xI")
"""The same without sname and file, which are empty in almost every message."""

COOKIE = 0x63825363
MINIMUM = 300
"""The least size of a message that BOOTP relays and clients accept (RFC 1542 section 2.1)."""

BOOTREQUEST, BOOTREPLY = 1, 2
BROADCAST = 0x8000
SERVER_PORT, CLIENT_PORT = 67, 68

_FILE, _SNAME = 1, 2


class Type(IntEnum):
    """Values of option 53 (RFC 2132 9.6; the rest, IANA's registry, are never answered)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


_NOTHING: Mapping[int, bytes] = MappingProxyType({})


class Message(NamedTuple):
    """One message; `options` are in the order they were met, fragments joined (RFC 3396).

    A named tuple, where other values are frozen dataclasses: it is made in a sixth of the time, at every datagram.
    """

    op: int
    xid: int
    chaddr: bytes
    """The hardware address: `hlen` octets."""
    htype: int = 1
    hops: int = 0
    secs: int = 0
    flags: int = 0
    ciaddr: int = 0
    yiaddr: int = 0
    siaddr: int = 0
    giaddr: int = 0
    sname: bytes = b""
    file: bytes = b""
    options: Mapping[int, bytes] = _NOTHING

    @property
    def type(self) -> int:
        """Option 53, or 0 for BOOTP."""
        data = self.options.get(code.MESSAGE_TYPE)
        return data[0] if data else 0

    def address(self, option: int) -> int:
        """Return an option that holds one address as an integer, 0 if it is absent or of another length."""
        data = self.options.get(option)
        return int.from_bytes(data, "big") if data and len(data) == 4 else 0


def decode(data: bytes) -> Message:
    """Decode a message; raise `Malformed` for anything that is none.

    Options in `file` and `sname` are read when option 52 says so, in the order options, file, sname (RFC 3396
    section 5); the fields are then empty.
    """
    size = len(data)
    if size < 240:
        raise Malformed(f"{size} octets are no DHCP message: 240 at least")
    op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr, cookie = (
        _FIXED.unpack_from(data)
    )
    if cookie != COOKIE:
        raise Malformed("no magic cookie: options of a vendor before RFC 1048")
    if hlen > 16:
        raise Malformed(f"hardware address of {hlen} octets: 16 at most")
    sname = data[44:108].rstrip(b"\0") if data[44] else b""
    file = data[108:236].rstrip(b"\0") if data[108] else b""
    options: dict[int, bytes] = {}
    _options(data, 240, size, options)
    if code.OVERLOAD in options:
        overload = options[code.OVERLOAD]
        if len(overload) != 1 or not 1 <= overload[0] <= 3:
            raise Malformed(f"option 52 of 0x{overload.hex()}: 1, 2 or 3")
        if overload[0] & _FILE:
            _options(data, 108, 236, options)
            file = b""
        if overload[0] & _SNAME:
            _options(data, 44, 108, options)
            sname = b""
    kind = options.get(code.MESSAGE_TYPE)
    if kind is not None and len(kind) != 1:
        raise Malformed(f"message type of {len(kind)} octets")
    return Message(
        op, xid, chaddr[:hlen], htype, hops, secs, flags, ciaddr, yiaddr, siaddr, giaddr, sname, file, options
    )


def _options(data: bytes, position: int, end: int, found: dict[int, bytes]) -> None:
    """Collect options up to END or the end of the field; fragments of one code are joined (RFC 3396)."""
    while position < end:
        option = data[position]
        if option == 0:
            position += 1
            continue
        if option == 255:
            return
        start = position + 2
        if start > end:
            raise Malformed(f"option {option} at offset {position} has no length")
        position = start + data[start - 1]
        if position > end:
            raise Malformed(f"option {option} at offset {start - 2} runs over the end")
        if option in found:
            found[option] += data[start:position]
        else:
            found[option] = data[start:position]


@lru_cache(4096)
def dotted(address: int) -> str:
    """Write an address as text."""
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def hardware_address(data: bytes) -> bytes:
    """Return the first six octets of `chaddr` from an encoded message."""
    return data[28:34]


def leading_type(data: bytes) -> int:
    """Return the message type of an encoded message whose option 53 comes first, as it mostly does; 0 of another."""
    return data[242] if data[240:242] == b"\x35\x01" and len(data) > 242 else 0


def fragments(option: int, data: bytes) -> bytes:
    """Write one option, in pieces of 255 octets if it is longer (RFC 3396)."""
    size = len(data)
    if size < 256:
        return bytes((option, size)) + data
    return b"".join(bytes((option, min(255, size - i))) + data[i : i + 255] for i in range(0, size, 255))


def header(message: Message) -> bytes:
    """Write the 240 octets before the options, cookie included."""
    if len(message.sname) > 64 or len(message.file) > 128 or len(message.chaddr) > 16:
        raise LocalViolation("sname, file or chaddr too long")
    return HEADER.pack(
        message.op, message.htype, len(message.chaddr), message.hops, message.xid, message.secs,
        message.flags, message.ciaddr, message.yiaddr, message.siaddr, message.giaddr, message.chaddr,
        message.sname, message.file, COOKIE,
    )  # fmt: skip


def encode(message: Message) -> bytes:
    """Encode a message: options in their order, END, padded to 300 octets (RFC 1542 section 2.1)."""
    body = b"".join(fragments(option, data) for option, data in message.options.items())
    return (header(message) + body + b"\xff").ljust(MINIMUM, b"\0")


def overloaded(head: Message, first: bytes, rest: Mapping[int, bytes], limit: int) -> bytes:
    """Encode within `limit` octets: options that do not fit go to `file`, then `sname`, by option 52 (RFC 2132 9.3).

    `first` are encoded options that stay in the options field. Options that fit nowhere are left out, later
    ones first; the last of `rest` is kept if it is option 82, which must come last (RFC 3046 section 2.2).
    """
    relay = rest.get(code.RELAY_INFO)
    tail = b"" if relay is None else fragments(code.RELAY_INFO, relay)
    space = {0: limit - 240 - len(first) - len(tail) - 4, _FILE: 127, _SNAME: 63}
    parts: dict[int, bytes] = {0: b"", _FILE: b"", _SNAME: b""}
    if head.file:
        del space[_FILE]
    if head.sname:
        del space[_SNAME]
    for option, data in rest.items():
        if option == code.RELAY_INFO:
            continue
        piece = fragments(option, data)
        for field_, room in space.items():
            if len(piece) <= room:
                parts[field_] += piece
                space[field_] -= len(piece)
                break
    used = (_FILE if parts[_FILE] else 0) | (_SNAME if parts[_SNAME] else 0)
    overload = bytes((code.OVERLOAD, 1, used)) if used else b""
    end = b"\xff"
    sname = parts[_SNAME] + end if parts[_SNAME] else head.sname
    file = parts[_FILE] + end if parts[_FILE] else head.file
    start = HEADER.pack(
        head.op, head.htype, len(head.chaddr), head.hops, head.xid, head.secs, head.flags, head.ciaddr,
        head.yiaddr, head.siaddr, head.giaddr, head.chaddr, sname, file, COOKIE,
    )  # fmt: skip
    return (start + first + overload + parts[0] + tail + end).ljust(MINIMUM, b"\0")

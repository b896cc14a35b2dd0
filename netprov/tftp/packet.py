"""TFTP packets: RFC 1350, with the option extension of RFC 2347 and its options (RFC 2348, 2349, 7440).

An unknown option is kept as text; what to do about it is the transfer's business. Mail mode is deliberately absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from netprov.errors import Malformed

DEFAULT_BLOCK_SIZE = 512
BLOCK_SIZES = range(8, 65465)
"""Block sizes that may be negotiated (RFC 2348)."""
TIMEOUTS = range(1, 256)
"""Retransmission timeouts that may be negotiated, in seconds (RFC 2349)."""
WINDOW_SIZES = range(1, 65536)
"""Blocks sent before an acknowledgement is awaited (RFC 7440)."""
MAX_REQUEST = 2048
"""Octets of a request that are looked at; RFC 2347 allows 512, some clients have long paths."""


class Opcode(IntEnum):
    """RFC 1350 section 5; OACK: RFC 2347."""

    RRQ = 1
    WRQ = 2
    DATA = 3
    ACK = 4
    ERROR = 5
    OACK = 6


class ErrorCode(IntEnum):
    """RFC 1350 appendix; 8: RFC 2347."""

    NOT_DEFINED = 0
    FILE_NOT_FOUND = 1
    ACCESS_VIOLATION = 2
    DISK_FULL = 3
    ILLEGAL_OPERATION = 4
    UNKNOWN_TRANSFER_ID = 5
    FILE_EXISTS = 6
    NO_SUCH_USER = 7
    OPTION_REFUSED = 8


@dataclass(frozen=True, slots=True)
class TftpRequest:
    """A read or write request; options by their lower-case names, in the order sent."""

    opcode: Literal[Opcode.RRQ, Opcode.WRQ]
    filename: str
    mode: str = "octet"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Data:
    """One block of the file."""

    block: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """An acknowledgement; block 0 answers a write request or an OACK."""

    block: int


@dataclass(frozen=True, slots=True)
class Error:
    """The end of a transfer, never acknowledged."""

    code: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class OptionAck:
    """The options that the server accepts, with the values it will use (RFC 2347)."""

    options: Mapping[str, str]


Packet = TftpRequest | Data | Ack | Error | OptionAck


def encode(packet: Packet) -> bytes:
    """Encode a packet."""
    match packet:
        case Data(block, payload):
            return b"\x00\x03" + block.to_bytes(2, "big") + payload
        case Ack(block):
            return b"\x00\x04" + block.to_bytes(2, "big")
        case Error(code, message):
            return b"\x00\x05" + code.to_bytes(2, "big") + _text(message)
        case OptionAck(options):
            return b"\x00\x06" + _options(options)
        case TftpRequest(opcode, filename, mode, options):
            return b"\x00" + bytes([opcode]) + _text(filename) + _text(mode) + _options(options)


def decode(data: bytes) -> Packet:
    """Decode a packet; raises `Malformed`."""
    if len(data) < 2:
        raise Malformed("shorter than an opcode")
    opcode = int.from_bytes(data[:2], "big")
    match opcode:
        case Opcode.RRQ | Opcode.WRQ:
            return _decode_request(Opcode(opcode), data)
        case Opcode.OACK:
            return OptionAck(_pairs(_strings(data[2:])))
        case Opcode.DATA | Opcode.ACK | Opcode.ERROR:
            if len(data) < 4:
                raise Malformed("shorter than a block number")
        case _:
            raise Malformed(f"unknown opcode {opcode}")
    number = int.from_bytes(data[2:4], "big")
    if opcode == Opcode.DATA:
        return Data(number, data[4:])
    if opcode == Opcode.ACK:
        return Ack(number)
    return Error(number, data[4:].split(b"\0", 1)[0].decode("ascii", "replace"))


def _decode_request(opcode: Opcode, data: bytes) -> TftpRequest:
    if len(data) > MAX_REQUEST:
        raise Malformed(f"request longer than {MAX_REQUEST} octets")
    strings = _strings(data[2:])
    if len(strings) < 2:
        raise Malformed("request without mode")
    filename, mode, *options = strings
    assert opcode in {Opcode.RRQ, Opcode.WRQ}
    return TftpRequest(opcode, filename, mode.lower(), _pairs(options))


def _strings(data: bytes) -> list[str]:
    """Split NUL-terminated texts; a last one without its NUL is taken too, as some old clients send it so."""
    parts = data.split(b"\0")
    if not parts[-1]:
        parts.pop()
    # Names are ASCII (RFC 1350 section 5); U+FFFD for any other octet keeps them apart from every real name.
    return [part.decode("ascii", "replace") for part in parts]


def _pairs(strings: list[str]) -> Mapping[str, str]:
    """Pair option names and values; an odd one at the end, and a name that comes twice, are ignored."""
    options: dict[str, str] = {}
    for name, value in zip(strings[::2], strings[1::2], strict=False):
        options.setdefault(name.lower(), value)
    return options


def _text(text: str) -> bytes:
    # A NUL inside would end the text early and shift all that follows.
    text = text.replace("\0", "")
    return text.encode("ascii", "replace") + b"\0"


def _options(options: Mapping[str, str]) -> bytes:
    return b"".join(_text(name) + _text(value) for name, value in options.items())

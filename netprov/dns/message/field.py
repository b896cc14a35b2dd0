"""Fields of record data: each kind from text and to text.

RFC 1035 3.3 and 5.1 (names, character-strings, escapes), RFC 2181 8 (TTLs), RFC 3597 (octets in hexadecimal).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from netprov.dns.message.name import format_name, parse_name, read_name
from netprov.errors import Malformed


class Tokens:
    """The fields of one record's data, taken one by one; a quoted one is marked, for `\\#` and `@` are then plain."""

    __slots__ = ("_position", "fields", "origin")

    def __init__(self, fields: list[tuple[str, bool]], origin: bytes | None) -> None:
        self.fields = fields
        self.origin = origin
        self._position = 0

    def left(self) -> int:
        """Fields not taken yet."""
        return len(self.fields) - self._position

    def take(self, what: str) -> str:
        """Take the next field."""
        if not self.left():
            raise ValueError(f"{what} is missing")
        self._position += 1
        return self.fields[self._position - 1][0]

    def next(self) -> str:
        """Return the next field without taking it, "" for none."""
        return self.fields[self._position][0] if self.left() else ""

    def is_quoted(self) -> bool:
        """Say whether the next field is a quoted one."""
        return bool(self.left()) and self.fields[self._position][1]

    def rest(self, what: str) -> str:
        """Take all fields that are left, joined."""
        return "".join(self.take(what) for _ in range(max(1, self.left())))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of field: from text, to text, and whether it holds a name."""

    parse: Callable[[Tokens], bytes]
    format: Callable[[bytes, int], tuple[str, int]]
    is_name: bool = False


def integer(size: int, name: str) -> Kind:
    def parse(tokens: Tokens) -> bytes:
        text = tokens.take(name)
        if not text.isascii() or not text.isdigit() or int(text) >= 1 << 8 * size:
            raise ValueError(f"{text!r} is not {name}, a number from 0 to {(1 << 8 * size) - 1}")
        return int(text).to_bytes(size, "big")

    def format(data: bytes, position: int) -> tuple[str, int]:  # noqa: A001 - the verb of the style guide
        return str(int.from_bytes(cut(data, position, size), "big")), position + size

    return Kind(parse, format)


def parse_period(text: str) -> int:
    """Parse a TTL or timer: seconds, or 1h30m as BIND writes it. Raises ValueError."""
    if text.isascii() and text.isdigit():
        seconds = int(text)
    else:
        if not re.fullmatch(r"(\d+[smhdwSMHDW])+", text, re.ASCII):
            raise ValueError(f"{text!r} is not a time: write seconds, or 1h30m")
        units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
        seconds = sum(int(count) * units[unit.lower()] for count, unit in re.findall(r"(\d+)(\w)", text))
    if seconds > 0x7FFFFFFF:
        raise ValueError(f"{text!r} is more than 2147483647 seconds (RFC 2181 8)")
    return seconds


def cut(data: bytes, position: int, length: int) -> bytes:
    if position + length > len(data):
        raise Malformed(
            f"{length} octets wanted at offset {position} of record data, {len(data) - position} left"
        )
    return data[position : position + length]


_OCTET = {str(octet): octet for octet in range(256)}


def _parse_address(tokens: Tokens) -> bytes:
    text = tokens.take("an IPv4 address")
    try:
        first, second, third, fourth = text.split(".")
        return bytes((_OCTET[first], _OCTET[second], _OCTET[third], _OCTET[fourth]))
    except (KeyError, ValueError):
        return IPv4Address(text).packed  # which says what is wrong, but takes four times as long


def _parse_address6(tokens: Tokens) -> bytes:
    return IPv6Address(tokens.take("an IPv6 address")).packed


def unescape(text: str) -> bytes:
    """Return the octets of a character-string whose `\\DDD` and `\\X` escapes are still in place."""

    def octet(match: re.Match[str]) -> str:
        if match[1]:
            if int(match[1]) > 255:
                raise ValueError(f"\\{match[1]} is more than an octet")
            return chr(int(match[1]))
        return match[2]

    raw = text.encode().decode("latin-1")
    return re.sub(r"\\(?:(\d{3})|(.))", octet, raw, flags=re.DOTALL).encode("latin-1")


def _string(text: str) -> bytes:
    data = unescape(text)
    if len(data) > 255:
        raise ValueError(f"a character-string of {len(data)} octets; split it into strings of 255 at most")
    return bytes([len(data)]) + data


def quote(data: bytes) -> str:
    """Format octets as a quoted character-string."""
    return '"' + "".join(_QUOTED[octet] for octet in data) + '"'


_QUOTED = [
    f"\\{chr(octet)}" if chr(octet) in '"\\' else chr(octet) if 32 <= octet < 127 else f"\\{octet:03}"
    for octet in range(256)
]


def _format_string(data: bytes, position: int) -> tuple[str, int]:
    length = cut(data, position, 1)[0]
    return quote(cut(data, position + 1, length)), position + 1 + length


def _format_tag(data: bytes, position: int) -> tuple[str, int]:
    """Format a tag bare, as it is usual, or quoted where it holds more than letters and digits (RFC 8659 4.1)."""
    text, after = _format_string(data, position)
    return (text[1:-1] if text[1:-1].isalnum() else text), after


def _parse_strings(tokens: Tokens) -> bytes:
    return b"".join(_string(tokens.take("a string")) for _ in range(max(1, tokens.left())))


def _format_strings(data: bytes, position: int) -> tuple[str, int]:
    texts: list[str] = []
    while position < len(data) or not texts:
        text, position = _format_string(data, position)
        texts.append(text)
    return " ".join(texts), position


def _parse_hex(tokens: Tokens) -> bytes:
    try:
        return bytes.fromhex(tokens.rest("hexadecimal data"))
    except ValueError:
        raise ValueError("not an even number of hexadecimal digits") from None


def _parse_base64(tokens: Tokens) -> bytes:
    try:
        return base64.b64decode(tokens.rest("base64 data"), validate=True)
    except binascii.Error:
        raise ValueError("not base64 data") from None


def _parse_domain(tokens: Tokens) -> bytes:
    return parse_name(tokens.take("a domain name"), tokens.origin)


def _format_domain(data: bytes, position: int) -> tuple[str, int]:
    name, after = read_name(data, position)
    if after - position != len(name):
        raise Malformed("a compressed name in record data")
    return format_name(name), after


def _rest(convert: Callable[[bytes], str]) -> Callable[[bytes, int], tuple[str, int]]:
    return lambda data, position: (convert(data[position:]), len(data))


U8, U16, U32 = integer(1, "an 8-bit number"), integer(2, "a 16-bit number"), integer(4, "a 32-bit number")
PERIOD = Kind(lambda tokens: parse_period(tokens.take("a time")).to_bytes(4, "big"), U32.format)
IPV4 = Kind(_parse_address, lambda data, at: (str(IPv4Address(cut(data, at, 4))), at + 4))
IPV6 = Kind(_parse_address6, lambda data, at: (str(IPv6Address(cut(data, at, 16))), at + 16))
NAME = Kind(_parse_domain, _format_domain, is_name=True)
STRING = Kind(lambda tokens: _string(tokens.take("a string")), _format_string)
STRINGS = Kind(_parse_strings, _format_strings)
TEXT = Kind(lambda tokens: unescape(tokens.take("a quoted text")), _rest(quote))
TAG = Kind(STRING.parse, _format_tag)
HEX = Kind(_parse_hex, _rest(lambda data: data.hex().upper()))
BASE64 = Kind(_parse_base64, _rest(lambda data: base64.b64encode(data).decode()))

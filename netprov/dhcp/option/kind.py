"""The kinds of value that DHCP options hold: from what an operator writes to octets, and back to values and text.

Values of RFC 2132's types, RFC 3004 user classes, RFC 3397 search lists, RFC 3442 routes. An encoder raises
`ValueError` with words for the operator; a decoder raises `Malformed`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from netprov.dhcp.option import name as dns_name
from netprov.errors import BadValue, Malformed
from netprov.wire import Reader

_HEX = re.compile(r"0x((?:[0-9a-fA-F]{2})+)\Z")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of option value is written, sent and shown; `shape` and `example` tell an operator what to write."""

    shape: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    format: Callable[[Any], str] = str
    example: str = ""


def raw(value: object) -> bytes:
    """Return the octets of a `raw:` value: `0x` and pairs of hexadecimal digits, or text as it stands."""
    if not isinstance(value, str) or not value:
        raise BadValue("raw is text, or hexadecimal digits after 0x, in quotes", "raw: '0x0104c0a80001'")
    if not value.startswith("0x"):
        return value.encode()
    matched = _HEX.match(value)
    if not matched:
        raise BadValue(f"{value!r} is not pairs of hexadecimal digits after 0x", "raw: '0x0104c0a80001'")
    return bytes.fromhex(matched[1])


def as_list(value: object) -> list[object]:
    """Take one value for a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def printable(data: bytes) -> str:
    """Show octets as quoted text if they are printable ASCII, else in hexadecimal."""
    if data and all(32 <= octet < 127 for octet in data):
        return f'"{data.decode()}"'
    return f"0x{data.hex()}"


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise Malformed(f"{length} octets wanted, {len(data)} found")
    return data


def _address(value: object) -> bytes:
    try:
        if isinstance(value, IPv4Address):
            return value.packed
        if isinstance(value, str):
            return IPv4Address(value).packed
    except ValueError:
        pass
    raise BadValue(f"{value!r} is not an IPv4 address")


def _addresses(value: object) -> bytes:
    found = as_list(value)
    if not found:
        raise BadValue("at least one IPv4 address is needed")
    return b"".join(map(_address, found))


def _decode_addresses(data: bytes) -> tuple[IPv4Address, ...]:
    if not data or len(data) % 4:
        raise Malformed(f"{len(data)} octets are no list of IPv4 addresses")
    return tuple(IPv4Address(data[i : i + 4]) for i in range(0, len(data), 4))


def _text(value: object) -> bytes:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadValue(f"{value!r} is not text")
    text = str(value)
    if not text or "\0" in text:
        raise BadValue("text of at least one character without NUL is needed (RFC 2132 section 2)")
    return text.encode()


def decode_text(data: bytes) -> str:
    """Decode text; trailing NULs are not part of it (RFC 2132 section 2), octets that are no UTF-8 are escaped."""
    stripped = data.rstrip(b"\0")
    if not data:
        raise Malformed("text of at least one character wanted")
    return stripped.decode("utf-8", "backslashreplace")


def _integer(size: int, *, signed: bool = False) -> Kind:
    low, high = (-(1 << (size * 8 - 1)), (1 << (size * 8 - 1)) - 1) if signed else (0, (1 << (size * 8)) - 1)

    def encode(value: object) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise BadValue(f"{value!r} is not a whole number from {low} to {high}")
        return value.to_bytes(size, "big", signed=signed)

    def decode(data: bytes) -> int:
        return int.from_bytes(_exactly(data, size), "big", signed=signed)

    return Kind(f"a whole number from {low} to {high}", encode, decode, example="-18000" if signed else "64")


def _flag(value: object) -> bytes:
    if not isinstance(value, bool):
        raise BadValue(f"{value!r} is neither true nor false")
    return bytes([value])


def _decode_flag(data: bytes) -> bool:
    if _exactly(data, 1)[0] > 1:
        raise Malformed(f"{data[0]} is no flag")
    return bool(data[0])


def _codes(value: object) -> bytes:
    found = as_list(value)
    codes = [each for each in found if isinstance(each, int) and 1 <= each <= 254]
    if not codes or len(codes) != len(found):
        raise BadValue(f"{value!r} is not a list of option numbers from 1 to 254")
    return bytes(codes)


def _opaque(value: object) -> bytes:
    if isinstance(value, str) and value:
        return raw(value)
    raise BadValue(f"{value!r} is neither text nor hexadecimal digits after 0x")


def _names(value: object) -> bytes:
    found = as_list(value)
    if not found or not all(isinstance(each, str) for each in found):
        raise BadValue(f"{value!r} is not a list of DNS names")
    return dns_name.encode_list([str(each) for each in found])


def _routes(value: object) -> bytes:
    """Encode classless static routes: prefix length, its significant octets, the router (RFC 3442)."""
    out = b""
    for route in as_list(value):
        if not isinstance(route, Mapping) or set(route) != {"to", "via"}:
            raise BadValue(f"{route!r} is not a route", "write {to: 10.30.0.0/16, via: 10.20.0.254}")
        try:
            to = IPv4Network(str(route["to"]))
        except ValueError as error:
            raise BadValue(
                f"{route['to']!r} is not a network: {error}", "write {to: 10.30.0.0/16, via: 10.20.0.254}"
            ) from None
        significant = to.network_address.packed[: (to.prefixlen + 7) // 8]
        out += bytes([to.prefixlen]) + significant + _address(str(route["via"]))
    if not out:
        raise BadValue("at least one route is needed")
    return out


def _decode_routes(data: bytes) -> tuple[tuple[IPv4Network, IPv4Address], ...]:
    reader, routes = Reader(data), []
    while reader.remaining():
        length = reader.u8()
        if length > 32:
            raise Malformed(f"{length} is no prefix length")
        network = int.from_bytes(reader.take((length + 7) // 8).ljust(4, b"\0"), "big")
        network &= (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
        routes.append((IPv4Network((network, length)), IPv4Address(reader.take(4))))
    if not routes:
        raise Malformed("no route")
    return tuple(routes)


def _user_class(value: object) -> bytes:
    parts = [_text(each) for each in as_list(value)]
    if not parts or any(len(part) > 255 for part in parts):
        raise BadValue("user classes are texts of at most 255 octets")
    return b"".join(bytes([len(part)]) + part for part in parts)


def decode_user_class(data: bytes) -> tuple[str, ...]:
    """Decode option 77: a list with lengths (RFC 3004), or the bare text that some clients send instead."""
    reader, classes = Reader(data), []
    try:
        while reader.remaining():
            length = reader.u8()
            if not length:
                raise Malformed("empty user class")
            classes.append(reader.take(length).decode("utf-8", "backslashreplace"))
    except Malformed:
        # Quirk: Microsoft's and busybox's clients send bare text without lengths.
        return (decode_text(data),)
    if not classes:
        raise Malformed("no user class")
    return tuple(classes)


def _client_id(data: bytes) -> str:
    """Show option 61: hardware type and address (RFC 2132 9.14), IAID and DUID (RFC 4361), or octets."""
    if len(data) == 7 and data[0] == 1:
        return f"ethernet {data[1:].hex(':')}"
    if len(data) > 6 and data[0] == 255:
        return f"iaid {data[1:5].hex()} duid {data[5:].hex()}"
    return printable(data)


def _non_empty(data: bytes) -> bytes:
    if not data:
        raise Malformed("at least one octet wanted")
    return data


def _quoted(value: str) -> str:
    return f'"{value if value.isprintable() else value.encode("unicode_escape").decode()}"'


def _listed(values: tuple[object, ...]) -> str:
    return ", ".join(map(str, values))


ADDRESS = Kind("an IPv4 address", _address, lambda data: IPv4Address(_exactly(data, 4)), example="10.20.0.1")
ADDRESSES = Kind(
    "an IPv4 address or a list of them", _addresses, _decode_addresses, _listed, "[10.20.0.1, 10.20.0.2]"
)
TEXT = Kind("text", _text, decode_text, _quoted, "'some text'")
U8 = _integer(1)
U16 = _integer(2)
U32 = _integer(4)
I32 = _integer(4, signed=True)
SECONDS = Kind(U32.shape + " (seconds)", U32.encode, U32.decode, lambda value: f"{value} s", "3600")
FLAG = Kind("true or false", _flag, _decode_flag, lambda value: str(value).lower(), "true")
CODES = Kind("option numbers", _codes, lambda data: tuple(_non_empty(data)), _listed, "[66, 150]")
OPAQUE = Kind("text, or hexadecimal digits after 0x", _opaque, bytes, printable, "'0x0102'")
CLIENT_ID = Kind(OPAQUE.shape, _opaque, _non_empty, _client_id, OPAQUE.example)
NAMES = Kind(
    "a DNS name or a list of them", _names, dns_name.decode_list, _listed, "[example.com, lab.example.com]"
)
ROUTES = Kind(
    "routes, {to: 10.30.0.0/16, via: 10.20.0.254} each",
    _routes,
    _decode_routes,
    lambda routes: ", ".join(f"{to} via {via}" for to, via in routes),
    "[{to: 10.30.0.0/16, via: 10.20.0.254}]",
)
USER_CLASS = Kind(
    "a user class or a list of them",
    _user_class,
    decode_user_class,
    lambda classes: ", ".join(map(_quoted, classes)),
    "staging",
)

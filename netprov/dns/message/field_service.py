"""Fields of records that say where something is: service parameters, gateways, prefixes, locations, hardware addresses.

RFC 9460 2 and appendix A (SVCB), RFC 4025 3 (IPSECKEY), RFC 3123 4 and 5 (APL), RFC 1876 2 and 3 (LOC), RFC 7043, RFC 6742.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from netprov.dns.message.field import IPV4, IPV6, NAME, U8, Kind, Tokens, cut, quote, unescape
from netprov.errors import Malformed


def _hardware(size: int) -> Kind:
    def parse(tokens: Tokens) -> bytes:
        text = tokens.take("a hardware address")
        if not re.fullmatch(rf"[0-9A-Fa-f]{{2}}(-[0-9A-Fa-f]{{2}}){{{size - 1}}}", text):
            raise ValueError(f"{text!r} is not {size} octets written as 00-12-34-…")
        return bytes.fromhex(text.replace("-", ""))

    return Kind(parse, lambda data, at: (cut(data, at, size).hex("-"), at + size))


EUI48, EUI64 = _hardware(6), _hardware(8)


def _parse_locator(tokens: Tokens) -> bytes:
    text = tokens.take("a locator")
    if not re.fullmatch(r"[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4}){3}", text):
        raise ValueError(f"{text!r} is not 64 bits written as 2001:db8:0:1")
    return b"".join(int(part, 16).to_bytes(2, "big") for part in text.split(":"))


LOCATOR = Kind(_parse_locator, lambda data, at: (cut(data, at, 8).hex(":", 2), at + 8))


def _parse_prefixes(tokens: Tokens) -> bytes:
    found = b""
    while tokens.left():
        text = tokens.take("a prefix")
        match = re.fullmatch(r"(!?)([12]):([0-9A-Fa-f.:]+)/(\d{1,3})", text, re.ASCII)
        if not match:
            raise ValueError(
                f"{text!r} is no prefix: write 1:192.0.2.0/24, 2:2001:db8::/32, ! before one left out"
            )
        address = IPv4Address(match[3]) if match[2] == "1" else IPv6Address(match[3])
        if int(match[4]) > address.max_prefixlen:
            raise ValueError(f"{text!r} has more bits than the address")
        packed = address.packed.rstrip(b"\0")
        found += bytes((0, int(match[2]), int(match[4]), len(packed) | (0x80 if match[1] else 0))) + packed
    return found


def _format_prefixes(data: bytes, position: int) -> tuple[str, int]:
    texts = []
    while position < len(data):
        high, family, bits, length = cut(data, position, 4)
        packed = cut(data, position + 4, length & 0x7F)
        size = {1: 4, 2: 16}.get(high << 8 | family, 0)
        if len(packed) > size or bits > 8 * size:
            raise Malformed(
                f"a prefix of family {high << 8 | family} with {bits} bits in {len(packed)} octets"
            )
        whole = packed.ljust(size, b"\0")
        address = IPv4Address(whole) if size == 4 else IPv6Address(whole)
        texts.append(f"{'!' if length & 0x80 else ''}{family}:{address}/{bits}")
        position += 4 + (length & 0x7F)
    return " ".join(texts), position


PREFIXES = Kind(_parse_prefixes, _format_prefixes)

_GATEWAYS: Mapping[int, Kind | None] = {0: None, 1: IPV4, 2: IPV6, 3: NAME}


def _parse_gateway(tokens: Tokens) -> bytes:
    kind, algorithm = U8.parse(tokens), U8.parse(tokens)
    if kind[0] not in _GATEWAYS:
        raise ValueError(f"gateway type {kind[0]} is not 0, 1, 2 or 3 (RFC 4025 2.3)")
    field = _GATEWAYS[kind[0]]
    if field:
        return kind + algorithm + field.parse(tokens)
    tokens.take("the gateway, . for none")
    return kind + algorithm


def _format_gateway(data: bytes, position: int) -> tuple[str, int]:
    kind, algorithm = cut(data, position, 2)
    if kind not in _GATEWAYS:
        raise Malformed(f"gateway type {kind}")
    field = _GATEWAYS[kind]
    gateway, after = field.format(data, position + 2) if field else (".", position + 2)
    return f"{kind} {algorithm} {gateway}", after


GATEWAY = Kind(_parse_gateway, _format_gateway)
"""Gateway type, algorithm and the gateway, whose form the type decides."""

_POWERS: list[int] = [9 * 10**exponent for exponent in range(10)]


def _precision(text: str) -> int:
    """Return a size in LOC's form, one digit and a power of ten of centimetres."""
    centimetres = _centimetres(text)
    exponent = next((power for power, most in enumerate(_POWERS) if centimetres <= most), None)
    if exponent is None or centimetres < 0:
        raise ValueError(f"{text!r} is not a size from 0 to 90000000.00 m")
    return int(centimetres * 9 // _POWERS[exponent]) << 4 | exponent


def _centimetres(text: str) -> int:
    match = re.fullmatch(r"(-?)(\d{1,8})(?:\.(\d{1,2}))?m?", text, re.ASCII)
    if not match:
        raise ValueError(f"{text!r} is not a length in metres")
    size = int(match[2]) * 100 + int((match[3] or "0").ljust(2, "0"))
    return -size if match[1] else size


def _angle(tokens: Tokens, marks: str, most: int) -> bytes:
    """Take degrees, minutes and seconds up to N, S, E or W; return thousandths of a second of arc around 2^31."""
    parts: list[str] = []
    while (text := tokens.take(f"{marks[0]} or {marks[1]}")).upper() not in marks:
        parts.append(text)
    if not 1 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() for part in parts[:2]):
        raise ValueError("an angle is degrees, minutes and seconds")
    degrees, minutes = int(parts[0]), int(parts[1]) if len(parts) > 1 else 0
    seconds = re.fullmatch(r"(\d{1,2})(?:\.(\d{1,3}))?", parts[2] if len(parts) > 2 else "0", re.ASCII)
    if not seconds or minutes > 59 or int(seconds[1]) > 59:
        raise ValueError("minutes and seconds of an angle are below 60")
    thousandths = ((degrees * 60 + minutes) * 60 + int(seconds[1])) * 1000 + int(
        (seconds[2] or "0").ljust(3, "0")
    )
    if thousandths > most * 3_600_000:
        raise ValueError(f"an angle of more than {most} degrees")
    return ((1 << 31) + (thousandths if text.upper() == marks[0] else -thousandths)).to_bytes(4, "big")


def _parse_location(tokens: Tokens) -> bytes:
    latitude, longitude = _angle(tokens, "NS", 90), _angle(tokens, "EW", 180)
    altitude = _centimetres(tokens.take("the altitude")) + 10_000_000
    if not 0 <= altitude < 1 << 32:
        raise ValueError("an altitude from -100000.00 m to 42849672.95 m is wanted")
    sizes = [_precision(tokens.take("a size") if tokens.left() else text) for text in ("1m", "10000m", "10m")]
    return bytes((0, *sizes)) + latitude + longitude + altitude.to_bytes(4, "big")


def _format_location(data: bytes, position: int) -> tuple[str, int]:
    whole = cut(data, position, 16)
    sizes = whole[1:4]
    if whole[0] or any(size >> 4 > 9 or size & 15 > 9 for size in sizes):
        raise Malformed("a location of another version, or of impossible size (RFC 1876 2)")
    latitude, longitude, altitude = (int.from_bytes(whole[at : at + 4], "big") for at in (4, 8, 12))
    shown = [_format_angle(latitude, "NS", 90), _format_angle(longitude, "EW", 180)]
    lengths = [altitude - 10_000_000, *((size >> 4) * 10 ** (size & 15) for size in sizes)]
    return " ".join([*shown, *map(_format_metres, lengths)]), position + 16


def _format_metres(centimetres: int) -> str:
    sign, size = "-" if centimetres < 0 else "", abs(centimetres)
    return f"{sign}{size // 100}.{size % 100:02}m"


def _format_angle(value: int, marks: str, most: int) -> str:
    thousandths = abs(value - (1 << 31))
    if thousandths > most * 3_600_000:
        raise Malformed(f"an angle of more than {most} degrees")
    seconds, rest = divmod(thousandths, 1000)
    mark = marks[0] if value >= 1 << 31 else marks[1]
    return f"{seconds // 3600} {seconds // 60 % 60} {seconds % 60}.{rest:03} {mark}"


LOCATION = Kind(_parse_location, _format_location)


def _parse_list(text: str) -> list[bytes]:
    """Split a value at its commas; one that is part of an item is written `\\\\,` (RFC 9460 A.1)."""
    value = unescape(text)
    items = [b""]
    escaped = False
    for octet in value:
        each = bytes((octet,))
        if escaped or each not in {b"\\", b","}:
            items[-1] += each
            escaped = False
        elif each == b",":
            items.append(b"")
        else:
            escaped = True
    if escaped or not all(items):
        raise ValueError(f"{text!r} is no list: an item is empty, or a backslash escapes nothing")
    return items


def _parse_protocols(text: str) -> bytes:
    items = _parse_list(text)
    if any(len(item) > 255 for item in items):
        raise ValueError("a protocol's name of more than 255 octets")
    return b"".join(bytes((len(item),)) + item for item in items)


def _format_protocols(data: bytes) -> str:
    items, position = [], 0
    while position < len(data):
        length = data[position]
        item = cut(data, position + 1, length)
        if not item:
            raise Malformed("a protocol without a name (RFC 9460 7.1.1)")
        items.append(item.replace(b"\\", b"\\\\").replace(b",", b"\\,"))
        position += 1 + length
    if not items:
        raise Malformed("no protocol (RFC 9460 7.1.1)")
    return quote(b",".join(items))


def _parse_keys(text: str) -> bytes:
    numbers = sorted(_key_number(each) for each in text.split(","))
    if len(set(numbers)) < len(numbers) or 0 in numbers:
        raise ValueError("a mandatory key twice, or `mandatory` itself (RFC 9460 8)")
    return b"".join(number.to_bytes(2, "big") for number in numbers)


def _format_keys(data: bytes) -> str:
    if not data or len(data) % 2:
        raise Malformed("mandatory keys of no or half a number")
    return ",".join(_key_name(int.from_bytes(data[at : at + 2], "big")) for at in range(0, len(data), 2))


def _parse_port(text: str) -> bytes:
    return (
        int(text).to_bytes(2, "big")
        if text.isascii() and text.isdigit() and int(text) < 1 << 16
        else _no_port(text)
    )


def _no_port(text: str) -> bytes:
    raise ValueError(f"{text!r} is no port")


def _addresses(kind: type[IPv4Address | IPv6Address], size: int) -> _Parameter:
    def format(data: bytes) -> str:  # noqa: A001 - the verb of the style guide
        if not data or len(data) % size:
            raise Malformed(f"addresses of {len(data)} octets")
        return ",".join(str(kind(data[at : at + size])) for at in range(0, len(data), size))

    return _Parameter(lambda text: b"".join(kind(each).packed for each in text.split(",")), format)


def _parse_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError(f"{text!r} is no base64 data") from None


def _parse_nothing(text: str) -> bytes:
    if text:
        raise ValueError("the parameter takes no value")
    return b""


def _format_nothing(data: bytes) -> str:
    if data:
        raise Malformed("a value where there is none")
    return ""


@dataclass(frozen=True, slots=True)
class _Parameter:
    """How one parameter's value is written."""

    parse: Callable[[str], bytes]
    format: Callable[[bytes], str]


_RAW = _Parameter(unescape, lambda data: quote(data) if data else "")

_NAMES = ("mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp")
_PARAMETERS: tuple[_Parameter, ...] = (
    _Parameter(_parse_keys, _format_keys),
    _Parameter(_parse_protocols, _format_protocols),
    _Parameter(_parse_nothing, _format_nothing),
    _Parameter(_parse_port, lambda data: str(int.from_bytes(cut(data, 0, 2), "big"))),
    _addresses(IPv4Address, 4),
    _Parameter(_parse_base64, lambda data: base64.b64encode(data).decode()),
    _addresses(IPv6Address, 16),
    _RAW,
    _Parameter(_parse_nothing, _format_nothing),
)
"""The parameters by number (RFC 9460 14.3.2, RFC 9461 5, RFC 9540 4)."""


def _key_number(text: str) -> int:
    if text in _NAMES:
        return _NAMES.index(text)
    match = re.fullmatch(r"key(0|[1-9]\d{0,4})", text, re.ASCII)
    if not match or int(match[1]) >= 1 << 16:
        raise ValueError(f"{text!r} is no service parameter; write an unknown one as key65280")
    return int(match[1])


def _key_name(number: int) -> str:
    return _NAMES[number] if number < len(_NAMES) else f"key{number}"


def _parse_parameters(tokens: Tokens) -> bytes:
    found: dict[int, bytes] = {}
    while tokens.left():
        key, equals, value = tokens.take("a parameter").partition("=")
        number = _key_number(key)
        if number in found:
            raise ValueError(f"parameter {key} twice (RFC 9460 2.1)")
        if equals and not value and tokens.left() and tokens.is_quoted():
            value = tokens.take("a value")
        found[number] = _parameter(number).parse(value)
    missing = {found[0][at : at + 2] for at in range(0, len(found.get(0, b"")), 2)} - {
        number.to_bytes(2, "big") for number in found
    }
    if missing:
        raise ValueError("a mandatory parameter is not there (RFC 9460 8)")
    return b"".join(
        number.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
        for number, data in sorted(found.items())
    )


def _parameter(number: int) -> _Parameter:
    return _PARAMETERS[number] if number < len(_PARAMETERS) else _RAW


def _format_parameters(data: bytes, position: int) -> tuple[str, int]:
    texts = []
    last = -1
    while position < len(data):
        number, length = (int.from_bytes(cut(data, position + at, 2), "big") for at in (0, 2))
        if number <= last:
            raise Malformed("service parameters out of order (RFC 9460 2.2)")
        value = _parameter(number).format(cut(data, position + 4, length))
        texts.append(f"{_key_name(number)}={value}" if value else _key_name(number))
        last, position = number, position + 4 + length
    return " ".join(texts), position


PARAMETERS = Kind(_parse_parameters, _format_parameters)
"""The parameters of SVCB and HTTPS, all that is left of the data."""

"""Fields of DNSSEC's records: sets of types, times, salts, algorithms by mnemonic.

RFC 4034 3.2, 4.1.2 and appendix A.1, RFC 5155 3.3, RFC 4398 2.1, RFC 8624. Nothing is signed here: records of a zone that
was signed elsewhere keep their text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from netprov.dns.iana.rrtype import format_type, parse_type
from netprov.dns.message.field import BASE64, NAME, U8, U16, U32, Kind, Tokens, cut, integer
from netprov.errors import Malformed

DS_DIGESTS: Mapping[int, int] = {1: 20, 2: 32, 3: 32, 4: 48}
"""Octets of a delegation's digest by its type: SHA-1, SHA-256, GOST, SHA-384."""

_ALGORITHMS: Mapping[str, int] = {
    "DELETE": 0,
    "RSAMD5": 1,
    "DH": 2,
    "DSA": 3,
    "RSASHA1": 5,
    "NSEC3DSA": 6,
    "DSA-NSEC3-SHA1": 6,
    "NSEC3RSASHA1": 7,
    "RSASHA1-NSEC3-SHA1": 7,
    "RSASHA256": 8,
    "RSASHA512": 10,
    "ECCGOST": 12,
    "ECC-GOST": 12,
    "ECDSAP256SHA256": 13,
    "ECDSAP384SHA384": 14,
    "ED25519": 15,
    "ED448": 16,
    "INDIRECT": 252,
    "PRIVATEDNS": 253,
    "PRIVATEOID": 254,
}
_CERTIFICATES: Mapping[str, int] = {
    "PKIX": 1,
    "SPKI": 2,
    "PGP": 3,
    "IPKIX": 4,
    "ISPKI": 5,
    "IPGP": 6,
    "ACPKIX": 7,
    "IACPKIX": 8,
    "URI": 253,
    "OID": 254,
}


def _mnemonic(number: Kind, names: Mapping[str, int], what: str, size: int) -> Kind:
    """Return a number that may be written as a mnemonic; it is printed as a number, which every program reads."""

    def parse(tokens: Tokens) -> bytes:
        known = names.get(tokens.next().upper())
        if known is None:
            return number.parse(tokens)
        tokens.take(what)
        return known.to_bytes(size, "big")

    return Kind(parse, number.format)


ALGORITHM = _mnemonic(U8, _ALGORITHMS, "an algorithm", 1)
CERTIFICATE_TYPE = _mnemonic(U16, _CERTIFICATES, "a certificate's type", 2)


def _parse_types(tokens: Tokens) -> bytes:
    windows: dict[int, bytearray] = {}
    while tokens.left():
        type_ = parse_type(tokens.take("a type"))
        window = windows.setdefault(type_ >> 8, bytearray(32))
        window[(type_ & 0xFF) >> 3] |= 0x80 >> (type_ & 7)
    found = b""
    for number, window in sorted(windows.items()):
        bits = bytes(window).rstrip(b"\0")
        found += bytes((number, len(bits))) + bits
    return found


def _format_types(data: bytes, position: int) -> tuple[str, int]:
    types = []
    last = -1
    while position < len(data):
        number, length = cut(data, position, 2)
        bits = cut(data, position + 2, length)
        if number <= last or not 0 < length <= 32:
            raise Malformed("windows of types out of order or of impossible length (RFC 4034 4.1.2)")
        types += [
            number << 8 | index << 3 | bit
            for index, octet in enumerate(bits)
            for bit in range(8)
            if octet & 0x80 >> bit
        ]
        last, position = number, position + 2 + length
    return " ".join(map(format_type, types)), position


TYPE_SET = Kind(_parse_types, _format_types)
"""The types at a name, all that is left of the data."""


def _parse_salt(tokens: Tokens) -> bytes:
    text = tokens.take("a salt")
    if text == "-":
        return b"\0"
    if not re.fullmatch(r"([0-9A-Fa-f]{2}){1,255}", text):
        raise ValueError(f"{text!r} is no salt: write hexadecimal digits, or - for none")
    return bytes((len(text) // 2,)) + bytes.fromhex(text)


def _format_salt(data: bytes, position: int) -> tuple[str, int]:
    length = cut(data, position, 1)[0]
    return cut(data, position + 1, length).hex().upper() or "-", position + 1 + length


SALT = Kind(_parse_salt, _format_salt)


def _parse_hash(tokens: Tokens) -> bytes:
    text = tokens.take("a hashed name")
    try:
        data = base64.b32hexdecode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        raise ValueError(f"{text!r} is no base32 data") from None
    return bytes((len(data),)) + data


def _format_hash(data: bytes, position: int) -> tuple[str, int]:
    length = cut(data, position, 1)[0]
    text = base64.b32hexencode(cut(data, position + 1, length)).decode().rstrip("=")
    if not text:
        raise Malformed("a hashed name of no octets (RFC 5155 3.2)")
    return text, position + 1 + length


HASH = Kind(_parse_hash, _format_hash)


def _parse_moment(tokens: Tokens) -> bytes:
    text = tokens.take("a time")
    if re.fullmatch(r"\d{14}", text, re.ASCII):
        moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return (int(moment.timestamp()) & 0xFFFFFFFF).to_bytes(4, "big")
    return integer(4, "a time, YYYYMMDDHHmmSS").parse(Tokens([(text, False)], None))


def _format_moment(data: bytes, position: int) -> tuple[str, int]:
    seconds = int.from_bytes(cut(data, position, 4), "big")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S"), position + 4


MOMENT = Kind(_parse_moment, _format_moment)
"""A time of RRSIG, which counts seconds modulo 2^32 (RFC 4034 3.1.5)."""

TYPE = Kind(
    lambda tokens: parse_type(tokens.take("a type")).to_bytes(2, "big"),
    lambda data, at: (format_type(int.from_bytes(cut(data, at, 2), "big")), at + 2),
)
OPTIONAL_BASE64 = Kind(lambda tokens: BASE64.parse(tokens) if tokens.left() else b"", BASE64.format)
SIGNATURE = (TYPE, ALGORITHM, U8, U32, MOMENT, MOMENT, U16, NAME, BASE64)
"""RRSIG, RFC 4034 3.1."""

"""Record data: one table row a type, from which its text and its wire form both follow.

RFC 1035 3.3 and 5.1, RFC 3597 for every type that has no row (HIP, WKS, NSAP, AMTRELAY, A6, DOA …). Data is kept
uncompressed, in the octets of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.dns.iana.rrtype import DNAME, SRV, TYPES, format_type
from netprov.dns.message.field import (
    BASE64,
    HEX,
    IPV4,
    IPV6,
    NAME,
    PERIOD,
    STRING,
    STRINGS,
    TAG,
    TEXT,
    U8,
    U16,
    U32,
    Kind,
    Tokens,
    cut,
)
from netprov.dns.message.field_security import (
    ALGORITHM,
    CERTIFICATE_TYPE,
    DS_DIGESTS,
    HASH,
    OPTIONAL_BASE64,
    SALT,
    SIGNATURE,
    TYPE_SET,
)
from netprov.dns.message.field_service import EUI48, EUI64, GATEWAY, LOCATION, LOCATOR, PARAMETERS, PREFIXES
from netprov.dns.message.name import read_name
from netprov.errors import Malformed

FIELDS: Mapping[int, tuple[Kind, ...]] = {
    TYPES[text]: fields
    for text, fields in {
        "A": (IPV4,),  # RFC 1035 3.4.1
        "NS": (NAME,),  # RFC 1035 3.3
        "CNAME": (NAME,),
        "SOA": (NAME, NAME, U32, PERIOD, PERIOD, PERIOD, PERIOD),
        "PTR": (NAME,),
        "HINFO": (STRING, STRING),
        "MINFO": (NAME, NAME),
        "MX": (U16, NAME),
        "TXT": (STRINGS,),
        "RP": (NAME, NAME),  # RFC 1183
        "AFSDB": (U16, NAME),
        "X25": (STRING,),
        "ISDN": (STRINGS,),
        "RT": (U16, NAME),
        "SIG": SIGNATURE,  # RFC 2931
        "KEY": (U16, U8, ALGORITHM, BASE64),
        "PX": (U16, NAME, NAME),  # RFC 2163
        "GPOS": (STRING, STRING, STRING),  # RFC 1712
        "AAAA": (IPV6,),  # RFC 3596
        "LOC": (LOCATION,),  # RFC 1876
        "SRV": (U16, U16, U16, NAME),  # RFC 2782
        "NAPTR": (U16, U16, STRING, STRING, STRING, NAME),  # RFC 3403
        "KX": (U16, NAME),  # RFC 2230
        "CERT": (CERTIFICATE_TYPE, U16, ALGORITHM, BASE64),  # RFC 4398
        "DNAME": (NAME,),  # RFC 6672
        "APL": (PREFIXES,),  # RFC 3123
        "DS": (U16, ALGORITHM, U8, HEX),  # RFC 4034
        "IPSECKEY": (U8, GATEWAY, OPTIONAL_BASE64),  # RFC 4025
        "RRSIG": SIGNATURE,
        "NSEC": (NAME, TYPE_SET),
        "DNSKEY": (U16, U8, ALGORITHM, BASE64),
        "NSEC3": (U8, U8, U16, SALT, HASH, TYPE_SET),  # RFC 5155
        "NSEC3PARAM": (U8, U8, U16, SALT),
        "NINFO": (STRINGS,),
        "RKEY": (U16, U8, ALGORITHM, BASE64),
        "TALINK": (NAME, NAME),
        "CDS": (U16, ALGORITHM, U8, HEX),  # RFC 7344
        "CDNSKEY": (U16, U8, ALGORITHM, BASE64),
        "CSYNC": (U32, U16, TYPE_SET),  # RFC 7477
        "ZONEMD": (U32, U8, U8, HEX),  # RFC 8976
        "SVCB": (U16, NAME, PARAMETERS),  # RFC 9460
        "HTTPS": (U16, NAME, PARAMETERS),
        "SSHFP": (U8, U8, HEX),  # RFC 4255
        "DHCID": (BASE64,),  # RFC 4701
        "TLSA": (U8, U8, U8, HEX),  # RFC 6698
        "SMIMEA": (U8, U8, U8, HEX),  # RFC 8162
        "OPENPGPKEY": (BASE64,),  # RFC 7929
        "SPF": (STRINGS,),
        "NID": (U16, LOCATOR),  # RFC 6742
        "L32": (U16, IPV4),
        "L64": (U16, LOCATOR),
        "LP": (U16, NAME),
        "EUI48": (EUI48,),  # RFC 7043
        "EUI64": (EUI64,),
        "URI": (U16, U16, TEXT),  # RFC 7553
        "CAA": (U8, TAG, TEXT),  # RFC 8659
        "AVC": (STRINGS,),
        "TA": (U16, ALGORITHM, U8, HEX),
        "DLV": (U16, ALGORITHM, U8, HEX),  # RFC 4431
    }.items()
}

_NAMED = frozenset(type_ for type_, fields in FIELDS.items() if any(field.is_name for field in fields))
"""Types whose data holds names."""

_DIGESTS: Mapping[int, tuple[int, int, Mapping[int, int]]] = {
    TYPES[text]: found
    for text, found in {
        "DS": (3, 4, DS_DIGESTS),
        "CDS": (3, 4, DS_DIGESTS),
        "TA": (3, 4, DS_DIGESTS),
        "DLV": (3, 4, DS_DIGESTS),
        "SSHFP": (1, 2, {1: 20, 2: 32}),
        "TLSA": (2, 3, {1: 32, 2: 64}),
        "SMIMEA": (2, 3, {1: 32, 2: 64}),
        "ZONEMD": (5, 6, {1: 48, 2: 64}),
    }.items()
}
"""Where a record says how its digest was made, where the digest begins, and how long each kind is in octets."""

COMPRESSIBLE = frozenset(TYPES[each] for each in ("NS", "CNAME", "SOA", "PTR", "MX", "MINFO"))
"""Types whose data may hold compressed names in a message: those of RFC 1035 alone (RFC 3597 4)."""


def parse_rdata(type_: int, tokens: Tokens) -> bytes:
    """Parse a record's data, also in the `\\# length hex` form of RFC 3597 5. Raises ValueError."""
    if tokens.left() and tokens.fields[0] == ("\\#", False):
        data = _parse_generic(tokens)
        if type_ in FIELDS:
            format_rdata(type_, data)
            _check_digest(type_, data)
        return data
    fields = FIELDS.get(type_)
    if fields is None:
        raise ValueError(f"data of type {format_type(type_)} is written as \\# length hexadecimal (RFC 3597)")
    data = b"".join(field.parse(tokens) for field in fields)
    if tokens.left():
        raise ValueError(f"{tokens.take('')!r} is more than a record of type {format_type(type_)} holds")
    if len(data) > 0xFFFF:
        raise ValueError("data of more than 65535 octets")
    _check_digest(type_, data)
    return data


def _check_digest(type_: int, data: bytes) -> None:
    """Refuse a digest whose length is not that of its kind: nothing can ever match it."""
    if type_ not in _DIGESTS:
        return
    kind_at, start, lengths = _DIGESTS[type_]
    expected, found = lengths.get(data[kind_at]), len(data) - start
    if expected is not None and found != expected:
        raise ValueError(f"a digest of type {data[kind_at]} has {expected} octets, not {found}")


def _parse_generic(tokens: Tokens) -> bytes:
    tokens.take("\\#")
    length = tokens.take("the length")
    data = HEX.parse(tokens) if tokens.left() else b""
    if not length.isdigit() or int(length) != len(data):
        raise ValueError(f"\\# announces {length} octets, {len(data)} follow")
    return data


def format_rdata(type_: int, data: bytes) -> str:
    """Format a record's data; names absolute. Raises ValueError where the octets do not fit the type."""
    fields = FIELDS.get(type_)
    if fields is None:
        return f"\\# {len(data)} {data.hex().upper()}".rstrip()
    texts: list[str] = []
    position = 0
    try:
        for field in fields:
            text, position = field.format(data, position)
            texts.append(text)
    except Malformed as error:
        raise ValueError(f"data does not fit type {format_type(type_)}: {error}") from None
    if position != len(data):
        raise ValueError(
            f"data does not fit type {format_type(type_)}: {len(data) - position} octets too many"
        )
    return " ".join(texts)


def names_in(type_: int, data: bytes) -> list[tuple[int, bytes]]:
    """Return the names in a record's data with their offsets."""
    found, position = [], 0
    for field in FIELDS.get(type_, ()):
        if field.is_name:
            found.append((position, read_name(data, position)[0]))
        _, position = field.format(data, position)
    return found


def canonical(type_: int, data: bytes) -> bytes:
    """Return a record's data with its names in lower case: what differs in nothing else is one record (RFC 4343 4.1).

    Data of types without a row is compared octet by octet (RFC 3597 6), and so is data that does not fit its row.
    """
    if type_ not in _NAMED:
        return data
    try:
        names = names_in(type_, data)
    except (ValueError, Malformed):
        return data
    lowered = bytearray(data)
    for position, name in names:
        lowered[position : position + len(name)] = name.lower()
    return bytes(lowered)


def read_rdata(type_: int, message: bytes, position: int, length: int) -> bytes:
    """Read a record's data from a message and expand the names in it. Raises `Malformed`."""
    end = position + length
    if type_ not in COMPRESSIBLE and type_ not in {SRV, DNAME}:
        return cut(message, position, length)
    parts = []
    for field in FIELDS[type_]:
        if field.is_name:
            name, position = read_name(message[:end], position)
            parts.append(name)
        else:
            after = field.format(message[:end], position)[1]
            parts.append(message[position:after])
            position = after
    if position != end:
        raise Malformed(f"record data ends at {position}, {end} announced")
    return b"".join(parts)

"""A query as received: header, question, EDNS, TSIG, with every fault that asks for FORMERR found.

RFC 1035 4.1, RFC 6891 6, RFC 7873 5.4 (no question), RFC 8945 5.1, RFC 9619 (one question).
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.dns.message.name import ROOT, read_name
from netprov.dns.message.rrtype import OPT, TSIG
from netprov.errors import Malformed
from netprov.wire import Reader

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, NOTAUTH, BADVERS, BADCOOKIE = (
    *range(7),
    9,
    16,
    23,
)
QUERY, NOTIFY = 0, 4
IN, CH, NONE, ANY_CLASS = 1, 3, 254, 255
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPCODE = 0x7800
DO = 0x8000
MIN_SIZE = 512


@dataclass(frozen=True, slots=True)
class Edns:
    """The OPT pseudo-record of a query (RFC 6891 6.1.2)."""

    size: int
    version: int
    flags: int
    options: tuple[tuple[int, bytes], ...] = ()

    def option(self, code: int) -> bytes | None:
        """Return the first option of that code, or None."""
        return next((data for each, data in self.options if each == code), None)


@dataclass(slots=True)
class Query:
    """One decoded query. `qname` is as written, `key` in lower case; `question` is the whole section's octets, none
    for a query without one.

    `signed_from` is where the TSIG record starts, or 0. `serial` is that of an IXFR's SOA (RFC 1995 3). The last two
    are notes for the reply: its EDNS options, and the octets to keep free for a signature.
    """

    message: bytes
    flags: int
    question: bytes
    qname: bytes
    key: bytes
    qtype: int
    qclass: int
    edns: Edns | None = None
    signed_from: int = 0
    serial: int | None = None
    reply_options: bytes = b""
    reserve: int = 0

    @property
    def opcode(self) -> int:
        """The kind of query."""
        return (self.flags & OPCODE) >> 11


def decode(message: bytes) -> Query:
    """Decode a query that has one question, or none, which only one for a cookie may have (RFC 7873 5.4).

    Raises `Malformed`; a header of 12 octets is assumed.
    """
    flags = message[2] << 8 | message[3]
    if message[4:6] == b"\x00\x00" and not flags & OPCODE:
        query = Query(message, flags, b"", ROOT, ROOT, 0, IN)
        _read_sections(query, 12)
        return query
    if message[4:6] != b"\x00\x01":
        raise Malformed("not one question (RFC 9619 4)")
    try:
        # A plain name: labels up to the root. Uncompressed, for nothing precedes it that it could point to.
        end = 12
        while length := message[end]:
            if length > 63:
                raise Malformed("a question's name cannot be compressed")
            end += 1 + length
        end += 5
        qtype = message[end - 4] << 8 | message[end - 3]
        qclass = message[end - 2] << 8 | message[end - 1]
    except IndexError:
        raise Malformed("question runs past the end of the message") from None
    if end > 271:
        raise Malformed("name of more than 255 octets")
    qname = message[12 : end - 4]
    query = Query(message, flags, message[12:end], qname, qname.lower(), qtype, qclass)
    if message[6:12] != b"\x00\x00\x00\x00\x00\x00":
        _read_sections(query, end)
    elif end != len(message):
        raise Malformed("octets behind the question")
    return query


def _read_sections(query: Query, position: int) -> None:
    message = query.message
    answers = message[6] << 8 | message[7]
    authorities = message[8] << 8 | message[9]
    additionals = message[10] << 8 | message[11]
    reader = Reader(message, position)
    for index in range(answers + authorities + additionals):
        start = reader.position
        owner, after = read_name(message, start)
        reader.take(after - start)
        type_, class_, ttl, length = reader.u16(), reader.u16(), reader.u32(), reader.u16()
        with reader.restrict_to(length):
            if query.signed_from:
                raise Malformed("a record behind TSIG (RFC 8945 5.1)")
            if type_ == OPT and index >= answers + authorities:
                if query.edns or owner != ROOT:
                    raise Malformed("OPT twice or not at the root (RFC 6891 6.1.1)")
                query.edns = Edns(class_, ttl >> 16 & 0xFF, ttl & 0xFFFF, _options(reader))
            elif type_ == TSIG:
                if index < answers + authorities:
                    raise Malformed("TSIG outside the additional section (RFC 8945 5.1)")
                query.signed_from = start
                reader.rest()
            else:
                data = reader.rest()
                if type_ == 6 and answers <= index < answers + authorities and len(data) >= 20:
                    query.serial = int.from_bytes(data[-20:-16], "big")
    if reader.remaining():
        raise Malformed("octets behind the last record")


def _options(reader: Reader) -> tuple[tuple[int, bytes], ...]:
    options = []
    while reader.remaining():
        code, length = reader.u16(), reader.u16()
        options.append((code, reader.take(length)))
    return tuple(options)

"""A query as received: header, question, EDNS, TSIG, with every fault that asks for FORMERR found.

RFC 1035 4.1, RFC 6891 6, RFC 7873 5.4 (no question), RFC 8945 5.1, RFC 9619 (one question).
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.dns.iana.opcode import MASK, opcode
from netprov.dns.iana.rrclass import RRClass
from netprov.dns.iana.rrtype import OPT, SOA, TSIG
from netprov.dns.message.name import MAX_LABEL, MAX_NAME, ROOT, read_name
from netprov.errors import Malformed
from netprov.wire import Reader

MIN_SIZE = 512
"""Octets of a reply over UDP that every client takes (RFC 1035 4.2.1)."""


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


@dataclass(frozen=True, slots=True)
class Query:
    """One decoded query. `qname` is as written, `key` in lower case; `question` is the whole section's octets, none
    for a query without one.

    `signed_from` is where the TSIG record starts, or 0. `serial` is that of an IXFR's SOA (RFC 1995 3).
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

    @property
    def opcode(self) -> int:
        """The kind of query."""
        return opcode(self.flags)


class FormatError(Malformed):
    """A query that asks for FORMERR; `query` is what could be read of it, with its question, or None."""

    def __init__(self, reason: str, query: Query | None) -> None:
        super().__init__(reason)
        self.query = query


def decode(message: bytes) -> Query:
    """Decode a query that has one question, or none, which only one for a cookie may have (RFC 7873 5.4).

    Raises `FormatError`; a header of 12 octets is assumed.
    """
    flags = message[2] << 8 | message[3]
    if message[4:6] == b"\x00\x00" and not flags & MASK:
        return _with_sections(message, flags, 12, (b"", ROOT, 0, RRClass.IN))
    if message[4:6] != b"\x00\x01":
        raise FormatError("not one question (RFC 9619 4)", None)
    try:
        # A plain name: labels up to the root. Uncompressed, for nothing precedes it that it could point to.
        end = 12
        while length := message[end]:
            if length > MAX_LABEL:
                raise FormatError("a question's name cannot be compressed", None)
            end += 1 + length
        end += 5
        qtype = message[end - 4] << 8 | message[end - 3]
        qclass = message[end - 2] << 8 | message[end - 1]
    except IndexError:
        raise FormatError("question runs past the end of the message", None) from None
    if end - 4 - 12 > MAX_NAME:
        raise FormatError("name of more than 255 octets", None)
    return _with_sections(message, flags, end, (message[12:end], message[12 : end - 4], qtype, qclass))


def _with_sections(message: bytes, flags: int, end: int, asked: tuple[bytes, bytes, int, int]) -> Query:
    """Complete a query by what stands behind its question."""
    question, qname, qtype, qclass = asked
    key = qname.lower()
    if message[6:12] == b"\x00\x00\x00\x00\x00\x00" and end == len(message):
        return Query(message, flags, question, qname, key, qtype, qclass)
    found = _Sections()
    try:
        found.read(message, end)
    except Malformed as error:
        edns = None if found.faulty_opt else found.edns
        partial = Query(message, flags, question, qname, key, qtype, qclass, edns)
        raise FormatError(str(error), partial) from None
    return Query(
        message, flags, question, qname, key, qtype, qclass, found.edns, found.signed_from, found.serial
    )


class _Sections:
    """What the records of a query say, as far as they could be read."""

    __slots__ = ("edns", "faulty_opt", "serial", "signed_from")

    def __init__(self) -> None:
        self.edns: Edns | None = None
        self.faulty_opt = False
        self.signed_from = 0
        self.serial: int | None = None

    def read(self, message: bytes, position: int) -> None:
        """Read all records up to the end of the message. Raises `Malformed`."""
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
                if self.signed_from:
                    raise Malformed("a record behind TSIG (RFC 8945 5.1)")
                if type_ == OPT and index >= answers + authorities:
                    self._read_opt(reader, owner, class_, ttl)
                elif type_ == TSIG:
                    if index < answers + authorities:
                        raise Malformed("TSIG outside the additional section (RFC 8945 5.1)")
                    self.signed_from = start
                    reader.rest()
                else:
                    data = reader.rest()
                    if type_ == SOA and answers <= index < answers + authorities and len(data) >= 20:
                        self.serial = int.from_bytes(data[-20:-16], "big")
        if reader.remaining():
            raise Malformed("octets behind the last record")

    def _read_opt(self, reader: Reader, owner: bytes, size: int, ttl: int) -> None:
        self.faulty_opt = True
        if self.edns or owner != ROOT:
            raise Malformed("OPT twice or not at the root (RFC 6891 6.1.1)")
        self.edns = Edns(size, ttl >> 16 & 0xFF, ttl & 0xFFFF, _options(reader))
        self.faulty_opt = False


def _options(reader: Reader) -> tuple[tuple[int, bytes], ...]:
    options = []
    while reader.remaining():
        code, length = reader.u16(), reader.u16()
        options.append((code, reader.take(length)))
    return tuple(options)

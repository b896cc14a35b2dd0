"""A stub resolver without sockets: builds a query, checks a reply against it, tells negative answers apart.

RFC 1035 4.1 and 7.3, RFC 2308 2 (NXDOMAIN against NODATA), RFC 5452 9.1 (a reply must match its question). The caller
sends over UDP, asks again over TCP where `truncated` says so, and chooses the ID at random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

import dnslib

from netprov.dns.iana.flag import RCODE_MASK, Flag
from netprov.dns.iana.rcode import Rcode
from netprov.dns.iana.rrclass import RRClass
from netprov.dns.iana.rrtype import AAAA, ANY, CNAME, NS, PTR, SOA, SRV, A
from netprov.dns.message.name import format_host, labels, parse_name, read_name
from netprov.dns.message.rdata import format_rdata, read_rdata
from netprov.errors import Malformed
from netprov.wire import Reader

EDNS_SIZE = 1232


class Status(Enum):
    """What a reply says."""

    ANSWER = "answer"
    NODATA = "no such record"
    NXDOMAIN = "no such name"
    SERVFAIL = "server failure"
    REFUSED = "refused"
    OTHER = "error"


@dataclass(frozen=True, slots=True)
class Target:
    """The data of an SRV record; the target has no final dot."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Soa:
    """The data of an SOA record that matters to clients."""

    primary: str
    contact: str
    serial: int
    minimum: int


Data = IPv4Address | IPv6Address | Target | Soa | str
"""Decoded data: an address, an SRV target, an SOA, a name without final dot (CNAME, NS, PTR), else master file text."""


@dataclass(frozen=True, slots=True)
class Found:
    """One record of a reply; the name has no final dot."""

    name: str
    type: int
    ttl: int
    data: Data


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that belongs to its query. `records` is the answer section, aliases included, in order."""

    status: Status
    rcode: int
    truncated: bool
    authoritative: bool
    records: tuple[Found, ...]
    authority: tuple[Found, ...]
    additional: tuple[Found, ...]

    def addresses(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """Return the addresses in the answer, in order."""
        return tuple(each.data for each in self.records if isinstance(each.data, IPv4Address | IPv6Address))

    def targets(self) -> tuple[Target, ...]:
        """Return the SRV targets in the answer, in the server's order."""
        return tuple(each.data for each in self.records if isinstance(each.data, Target))

    def negative_ttl(self) -> int | None:
        """Return for how many seconds a negative answer may be kept (RFC 2308 5), or None without SOA."""
        for each in self.authority:
            if isinstance(each.data, Soa):
                return min(each.ttl, each.data.minimum)
        return None


def build_query(name: str, type_: int, *, id_: int, edns: bool = False, recurse: bool = True) -> bytes:
    """Build a query of class IN. Raises ValueError for a name that is none."""
    label = dnslib.DNSLabel(labels(parse_name(name)))
    record = dnslib.DNSRecord(
        dnslib.DNSHeader(id=id_, qr=0, rd=int(recurse)), q=dnslib.DNSQuestion(label, type_, RRClass.IN)
    )
    if edns:
        record.add_ar(dnslib.EDNS0(udp_len=EDNS_SIZE))
    return bytes(record.pack())


def parse_reply(message: bytes, query: bytes) -> Reply | None:
    """Parse the reply to a query that `build_query` built.

    Returns None for a message that is not its reply: another ID, another question, no response. Raises `Malformed`
    for a reply that cannot be decoded.
    """
    if len(message) < 12 or message[:2] != query[:2] or not message[2] & 0x80:
        return None
    asked = _question(query)
    rcode = message[3] & RCODE_MASK
    if message[4:6] == b"\x00\x00" and rcode != Rcode.NOERROR:
        # A server that refuses the message as such (FORMERR) may leave the question out.
        return _reply(message, rcode, ((), (), ()), asked)
    if message[4:6] != b"\x00\x01" or _question(message) != asked:
        return None
    return _reply(message, rcode, _sections(message), asked)


def _question(message: bytes) -> tuple[bytes, int, int]:
    reader = Reader(message, 12)
    name = _name(reader, message)
    return name.lower(), reader.u16(), reader.u16()


def _name(reader: Reader, message: bytes) -> bytes:
    """Read a name of any octets, as RFC 2181 section 11 allows them."""
    name, after = read_name(message, reader.position)
    reader.take(after - reader.position)
    return name


def _sections(message: bytes) -> tuple[tuple[Found, ...], ...]:
    """Decode the three sections; a truncated message may end early."""
    truncated = bool(message[2] & Flag.TC >> 8)
    sections: list[list[Found]] = [[], [], []]
    try:
        reader = Reader(message, 12)
        _name(reader, message)
        reader.take(4)
        for section, at in zip(sections, (6, 8, 10), strict=True):
            for _ in range(int.from_bytes(message[at : at + 2], "big")):
                found = _record(message, reader)
                if found:
                    section.append(found)
    except (Malformed, ValueError) as error:
        if not truncated:
            raise Malformed(f"reply cannot be decoded: {error}") from error
    return tuple(map(tuple, sections))


def _record(message: bytes, reader: Reader) -> Found | None:
    name = _name(reader, message)
    type_, class_, ttl, length = reader.u16(), reader.u16(), reader.u32(), reader.u16()
    ttl = ttl if ttl < 1 << 31 else 0  # RFC 2181 section 8
    start = reader.position
    reader.take(length)
    if class_ != RRClass.IN:
        return None
    data = read_rdata(type_, message, start, length)
    return Found(format_host(name), type_, ttl, _decode(type_, data))


def _decode(type_: int, data: bytes) -> Data:
    decoder = _DECODERS.get(type_)
    if decoder:
        return decoder(data)
    try:
        return format_rdata(type_, data)
    except ValueError as error:
        raise Malformed(str(error)) from error


def _address(data: bytes) -> Data:
    if len(data) != 4:
        raise Malformed(f"A record of {len(data)} octets")
    return IPv4Address(data)


def _address6(data: bytes) -> Data:
    if len(data) != 16:
        raise Malformed(f"AAAA record of {len(data)} octets")
    return IPv6Address(data)


def _target(data: bytes) -> Data:
    priority, weight, port = (int.from_bytes(data[at : at + 2], "big") for at in (0, 2, 4))
    return Target(priority, weight, port, format_host(data[6:]))


def _soa(data: bytes) -> Data:
    primary, contact, serial, *_, minimum = format_rdata(SOA, data).split(" ")
    return Soa(primary.removesuffix("."), contact.removesuffix("."), int(serial), int(minimum))


_DECODERS: Mapping[int, Callable[[bytes], Data]] = {
    A: _address,
    AAAA: _address6,
    SRV: _target,
    SOA: _soa,
    **dict.fromkeys((CNAME, NS, PTR), format_host),
}


def _reply(
    message: bytes, rcode: int, sections: tuple[tuple[Found, ...], ...], asked: tuple[bytes, int, int]
) -> Reply:
    records, authority, additional = sections
    return Reply(
        status=_status(rcode, records, asked[1]),
        rcode=rcode,
        truncated=bool(message[2] & Flag.TC >> 8),
        authoritative=bool(message[2] & Flag.AA >> 8),
        records=records,
        authority=authority,
        additional=additional,
    )


def _status(rcode: int, records: tuple[Found, ...], type_: int) -> Status:
    match rcode:
        case Rcode.NOERROR:
            found = any(record.type == type_ for record in records) or (type_ == ANY and records)
            return Status.ANSWER if found else Status.NODATA
        case Rcode.SERVFAIL:
            return Status.SERVFAIL
        case Rcode.NXDOMAIN:
            return Status.NXDOMAIN
        case Rcode.REFUSED:
            return Status.REFUSED
    return Status.OTHER

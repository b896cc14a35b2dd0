"""What a forwarder does to messages: asks anew under an ID of its own, trusts only what fits, keeps it for its TTL.

RFC 5452 9 (matching replies), RFC 2181 8 and RFC 2308 5 (TTLs), RFC 8767 is deliberately absent: nothing stale is served.
Sockets, timeouts and random numbers are the pump's.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from netprov.dns.iana.flag import RCODE_MASK, EdnsFlag, Flag
from netprov.dns.iana.rcode import Rcode
from netprov.dns.iana.rrtype import OPT, SOA
from netprov.dns.message.name import read_name
from netprov.dns.message.query import Query
from netprov.errors import Malformed
from netprov.wire import Reader

LONGEST_TTL = 3600
"""Seconds a reply is kept at most: a lab changes often."""

LARGEST_KEPT = 4096

Question = tuple[bytes, int, int, int]
"""What makes two queries the same: name in lower case, type, class, and EDNS with DO and CD."""


def question(query: Query) -> Question:
    """Return what a reply is kept under."""
    edns = 0 if query.edns is None else 1 | query.edns.flags & EdnsFlag.DO
    return query.key, query.qtype, query.qclass, edns | (query.flags & Flag.CD) << 16


def upstream_query(query: Query, id_: int) -> bytes:
    """Build the query to ask upstream: the question in lower case, EDNS only where the client can take it."""
    flags = Flag.RD | query.flags & Flag.CD
    opt = b""
    if query.edns is not None:
        opt = (
            b"\x00\x00\x29\x04\xd0\x00\x00"
            + (query.edns.flags & EdnsFlag.DO).to_bytes(2, "big")
            + b"\x00\x00"
        )
    head = id_.to_bytes(2, "big") + flags.to_bytes(2, "big") + b"\x00\x01\x00\x00\x00\x00"
    return head + (b"\x00\x01" if opt else b"\x00\x00") + query.key + query.question[-4:] + opt


def answers(reply: bytes, sent: bytes) -> bool:
    """Say whether a message answers the query that was sent: ID, QR and the question's octets are the same."""
    end = sent.index(b"\x00", 12) + 5
    return (
        len(reply) >= end
        and reply[:2] == sent[:2]
        and bool(reply[2] & 0x80)
        and reply[4:6] == b"\x00\x01"
        and reply[12:end].lower() == sent[12:end]
    )


def is_truncated(reply: bytes) -> bool:
    """Say whether a reply must be asked for again over TCP."""
    return bool(reply[2] & Flag.TC >> 8)


def to_client(reply: bytes, query: Query) -> bytes:
    """Return a reply under the client's ID and its own spelling of the question; never authoritative."""
    flags = (reply[2] << 8 | reply[3]) & ~Flag.AA | Flag.RA | Flag.QR | query.flags & Flag.RD
    end = 12 + len(query.question)
    return query.message[:2] + flags.to_bytes(2, "big") + reply[4:12] + query.question + reply[end:]


def failure(query: Query) -> bytes:
    """Return the reply to give when no upstream answers."""
    flags = Flag.QR | Flag.RA | query.flags & (Flag.RD | Flag.CD) | Rcode.SERVFAIL
    return query.message[:2] + flags.to_bytes(2, "big") + b"\x00\x01" + bytes(6) + query.question


@dataclass(frozen=True, slots=True)
class _Kept:
    reply: bytes
    since: float
    until: float
    ttls: tuple[int, ...]


class ForwardCache:
    """Replies of upstream servers until their TTLs end, the most recently used ones."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()

    def get(self, asked: Question, now: float) -> bytes | None:
        """Return a reply whose TTLs have gone down by the time it was kept."""
        kept = self._kept.get(asked)
        if kept is None:
            return None
        if now >= kept.until:
            del self._kept[asked]
            return None
        self._kept.move_to_end(asked)
        reply, aged = bytearray(kept.reply), int(now - kept.since)
        for at in kept.ttls:
            left = max(0, int.from_bytes(reply[at : at + 4], "big") - aged)
            reply[at : at + 4] = left.to_bytes(4, "big")
        return bytes(reply)

    def put(self, asked: Question, reply: bytes, now: float) -> None:
        """Keep a reply, if it is one that may be kept. Raises `Malformed` for one that cannot be read."""
        lifetime, ttls = _lifetime(reply)
        if not lifetime or len(reply) > LARGEST_KEPT:
            return
        self._kept[asked] = _Kept(reply, now, now + lifetime, ttls)
        if len(self._kept) > self._limit:
            self._kept.popitem(last=False)


def _lifetime(reply: bytes) -> tuple[int, tuple[int, ...]]:
    """Return for how many seconds a reply holds, and where its TTLs are; 0 for one that must not be kept."""
    rcode = reply[3] & RCODE_MASK
    _, position = read_name(reply, 12)
    reader = Reader(reply, position + 4)
    counts = [int.from_bytes(reply[at : at + 2], "big") for at in (6, 8, 10)]
    positions: list[int] = []
    lowest, negative = LONGEST_TTL, 0
    for index in range(sum(counts)):
        _, after = read_name(reply, reader.position)
        reader.take(after - reader.position)
        type_ = reader.u16()
        reader.u16()
        at = reader.position
        ttl = reader.u32()
        data = reader.take(reader.u16())
        if type_ == OPT:
            rcode |= ttl >> 24 << 4  # EXTENDED-RCODE (RFC 6891 section 6.1.3): BADVERS has 0 in the header
            continue
        positions.append(at)
        lowest = min(lowest, ttl if ttl < 1 << 31 else 0)
        if type_ == SOA and counts[0] <= index < counts[0] + counts[1] and len(data) >= 20:
            negative = min(ttl, int.from_bytes(data[-4:], "big"), LONGEST_TTL)
    if reader.remaining():
        raise Malformed("octets behind the last record")
    if is_truncated(reply) or rcode not in {Rcode.NOERROR, Rcode.NXDOMAIN}:
        return 0, ()
    return (lowest if counts[0] and rcode == Rcode.NOERROR else min(negative, lowest)), tuple(positions)

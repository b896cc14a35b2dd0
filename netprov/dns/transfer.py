"""Zone transfers, the primary's side: a zone or its changes as a stream of messages.

RFC 5936 (AXFR), RFC 1995 (IXFR: changes where the journal knows them, else the whole zone), RFC 1982 (serials).
"""

from __future__ import annotations

from collections.abc import Iterator

from netprov.dns.compose import Composer
from netprov.dns.journal import Change, Journal, all_records
from netprov.dns.query import AA, OPCODE, QR, RD, Query
from netprov.dns.rrtype import IXFR, SOA
from netprov.dns.zone import RRset, Zone
from netprov.errors import LocalViolation

MESSAGE_SIZE = 16384
"""Octets of a message of a transfer: as far as compression pointers reach."""


def transfer(query: Query, zone: Zone, journal: Journal, *, reserve: int = 0) -> Iterator[bytes]:
    """Yield the messages of the transfer that was asked for; `reserve` octets of each stay free for a signature."""
    return _messages(query, _records(query, zone, journal), MESSAGE_SIZE - reserve)


def is_current(query: Query, zone: Zone) -> bool:
    """Say whether the serial of an IXFR query is the zone's, or a later one (RFC 1995 2)."""
    return query.serial is not None and (query.serial - zone.serial) % (1 << 32) < 1 << 31


def _records(query: Query, zone: Zone, journal: Journal) -> Iterator[Change]:
    soa = _soa(zone, zone.soa)
    yield soa
    deltas = None
    if query.qtype == IXFR and query.serial is not None:
        if is_current(query, zone):
            return
        deltas = journal.since(query.serial)
    if deltas is None:
        yield from all_records(zone)
    else:
        for delta in deltas:
            yield _soa(zone, delta.before)
            yield from delta.removed
            yield _soa(zone, delta.after)
            yield from delta.added
    yield soa


def _soa(zone: Zone, soa: RRset) -> Change:
    return zone.origin, SOA, soa.ttl, soa.rdatas[0]


def _messages(query: Query, records: Iterator[Change], limit: int) -> Iterator[bytes]:
    flags = QR | AA | query.flags & (OPCODE | RD)
    composer = Composer(query.question, query.key, limit)
    for name, type_, ttl, data in records:
        rrset = RRset(type_, ttl, (data,))
        if not composer.add(0, name, rrset):
            yield composer.finish(query.message[:2], flags)
            composer = Composer(query.question, query.key, limit)
            if not composer.add(0, name, rrset):
                composer.limit = 65535 - 256
                if not composer.add(0, name, rrset):
                    raise LocalViolation(f"a record of {len(data)} octets does not fit into a message")
    yield composer.finish(query.message[:2], flags)

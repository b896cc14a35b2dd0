"""Zone transfers, the primary's side: a zone or its changes as a stream of messages.

RFC 5936 (AXFR), RFC 1995 (IXFR: changes where the journal knows them, else the whole zone), RFC 1982 (serials).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from netprov.dns.iana.flag import Flag
from netprov.dns.iana.opcode import MASK
from netprov.dns.iana.rrtype import IXFR, SOA
from netprov.dns.message.query import Query
from netprov.dns.server.compose import Composer
from netprov.dns.zone.journal import Change, Delta, Journal, all_records
from netprov.dns.zone.zone import RRset, Zone
from netprov.errors import LocalViolation

MESSAGE_SIZE = 16384
"""Octets of a message of a transfer: as far as compression pointers reach."""


@dataclass(frozen=True, slots=True)
class ZoneTransferred:
    """A secondary has been sent a whole zone (AXFR), or what changed in it since a serial (IXFR)."""

    kind: Literal["AXFR", "IXFR"]
    zone: str
    serial: int
    secondary: str
    since: int | None = None
    event_kind: ClassVar[str] = "ZoneTransferred"


def changes(query: Query, zone: Zone, journal: Journal) -> Sequence[Delta] | None:
    """Return the steps that an IXFR asks for, none if the secondary is current; None stands for the whole zone."""
    if query.qtype != IXFR or query.serial is None:
        return None
    return () if is_current(query, zone) else journal.since(query.serial)


def transfer(
    query: Query, zone: Zone, deltas: Sequence[Delta] | None, *, reserve: int = 0
) -> Iterator[bytes]:
    """Yield the messages of the transfer that was asked for; `reserve` octets of each stay free for a signature."""
    return _messages(query, _records(zone, deltas), MESSAGE_SIZE - reserve)


def is_current(query: Query, zone: Zone) -> bool:
    """Say whether the serial of an IXFR query is the zone's, or a later one (RFC 1995 2)."""
    return query.serial is not None and (query.serial - zone.serial) % (1 << 32) < 1 << 31


def _records(zone: Zone, deltas: Sequence[Delta] | None) -> Iterator[Change]:
    soa = _soa(zone, zone.soa)
    yield soa
    if deltas is not None and not deltas:
        return
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
    flags = Flag.QR | Flag.AA | query.flags & (MASK | Flag.RD)
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

"""Delegations between zones of one server: a parent refers to each zone of ours below it, with glue.

RFC 1034 4.2.1 and 4.3.2. Without them the parent would say of a child's name that nothing is there, below it neither
(RFC 8020), to whoever asks for what the parent alone answers (DS), and to secondaries that have the parent alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netprov.dns.iana.rrtype import AAAA, DNAME, NS, A
from netprov.dns.message.name import ancestors, is_below
from netprov.dns.zone.zone import Record

_ADDRESSES = frozenset((A, AAAA))


def delegations(zones: Mapping[bytes, Sequence[Record]]) -> dict[bytes, list[Record]]:
    """Return what each zone lacks of the delegations to the others; a delegation that a zone has itself is left alone.

    `zones` holds the records of each by its origin in lower case.
    """
    lacking: dict[bytes, list[Record]] = {}
    spoken: dict[bytes, frozenset[tuple[int, bytes]]] = {}
    for child in zones:
        above = next((each for each in ancestors(child)[1:] if each in zones), None)
        if above is None:
            continue
        if above not in spoken:
            spoken[above] = _cuts(above, zones[above])
        if (
            not any((DNAME, each) in spoken[above] for each in ancestors(child))
            and (NS, child) not in spoken[above]
        ):
            lacking.setdefault(above, []).extend(_delegation(zones, child))
    return lacking


def _cuts(origin: bytes, records: Sequence[Record]) -> frozenset[tuple[int, bytes]]:
    """Return where a zone speaks of other zones itself: types and names of its NS and DNAME records."""
    found = {(record.type, record.name.lower()) for record in records if record.type in {NS, DNAME}}
    return frozenset(found - {(NS, origin)})


def _delegation(zones: Mapping[bytes, Sequence[Record]], child: bytes) -> Iterator[Record]:
    """Yield a child's NS records, and the addresses of those servers that stand below it."""
    servers = [record for record in zones[child] if record.type == NS and record.name.lower() == child]
    yield from servers
    inside = {record.data.lower() for record in servers if is_below(record.data.lower(), child)}
    for origin, records in zones.items():
        if inside and is_below(origin, child):
            yield from (
                record for record in records if record.type in _ADDRESSES and record.name.lower() in inside
            )

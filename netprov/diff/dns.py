"""DNS: every set of records that is answered differently; the serial number of a zone, which always rises, left out."""

from __future__ import annotations

from collections.abc import Iterator

from netprov.diff.seen import NOTHING, Change, compared
from netprov.dns.config import DnsConfig
from netprov.dns.iana.rrtype import SOA, SRV, format_type
from netprov.dns.message.name import format_host, format_name
from netprov.dns.message.rdata import format_rdata
from netprov.dns.zone.zone import RRset, Zone

ZONE = "zone"
"""The aspect of a zone that is served by one plan alone; its records are not told one by one."""


def dns_changes(old: DnsConfig, new: DnsConfig) -> Iterator[Change]:
    """Yield what is answered differently."""
    before = {format_host(zone.origin): zone for zone in old.zones}
    after = {format_host(zone.origin): zone for zone in new.zones}
    for origin in dict.fromkeys((*after, *before)):
        one, other = before.get(origin), after.get(origin)
        if one is not None and other is not None:
            yield from _records(one, other)
        else:
            yield Change("dns", origin, ZONE, _size(one), _size(other))


def _records(old: Zone, new: Zone) -> Iterator[Change]:
    if old.nodes == new.nodes:
        return
    before, after = _texts(old), _texts(new)
    for owner, kind in sorted({*before, *after}, key=lambda key: (key not in before, key)):
        one, other = before.get((owner, kind), NOTHING), after.get((owner, kind), NOTHING)
        yield from compared("dns", owner, {kind: one} if one else {}, {kind: other} if other else {})


def _texts(zone: Zone) -> dict[tuple[str, str], str]:
    return {(format_name(name), format_type(rrset.type)): _text(rrset) for name, rrset in zone.rrsets()}


def _text(rrset: RRset) -> str:
    """Write the data of a set, and its TTL: SRV records in the order in which they are answered, others in any."""
    shown = [format_rdata(rrset.type, data) for data in rrset.rdatas]
    if rrset.type == SOA:
        shown = [
            " ".join(part for index, part in enumerate(each.split(" ")) if index != _SERIAL) for each in shown
        ]
    elif rrset.type != SRV:
        shown.sort()
    return f"{', '.join(shown)} (TTL {rrset.ttl})"


_SERIAL = 2
"""Which field of an SOA record's text it is (RFC 1035 3.3.13)."""


def _size(zone: Zone | None) -> str:
    return NOTHING if zone is None else f"{sum(len(rrset.rdatas) for _, rrset in zone.rrsets())} records"

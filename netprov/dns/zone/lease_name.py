"""Names of leases in the zones: an A and a PTR record for each client that told a usable name.

RFC 2131 and 2132 3.14 (option 12). What the operator declared always wins: a client cannot take a name that exists,
nor one below a delegation; of two clients with one name the earlier lease keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from netprov.dns.iana.rrtype import PTR, A
from netprov.dns.message.name import ancestors, reverse_name
from netprov.dns.zone.zone import Node, RRset, Zone

LONGEST_TTL = 60
"""Seconds that a lease's records may be remembered at most: the name goes when the lease goes."""

_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class LeaseName:
    """A client's name as it told it, the domain of its network in wire form, and its address."""

    hostname: str
    domain: bytes
    address: IPv4Address


def owner(lease: LeaseName) -> bytes | None:
    """Return the name that a lease may have: its first label, if that is a host name (RFC 952, RFC 1123 2.1)."""
    label = lease.hostname.lower().partition(".")[0]
    if not _HOST_LABEL.fullmatch(label):
        return None
    name = bytes([len(label)]) + label.encode() + lease.domain
    return name if len(name) <= 255 else None


def with_leases(zones: Iterable[Zone], leases: Iterable[LeaseName], ttl: int) -> tuple[Zone, ...]:
    """Return the zones with the leases' names; a zone without any is returned as it is."""
    ttl = min(ttl, LONGEST_TTL)
    held = {zone.origin: zone for zone in zones}
    added: dict[bytes, dict[bytes, Node]] = {}
    for lease in leases:
        name = owner(lease)
        if name is None or not _add(held, added, name, RRset(A, ttl, (lease.address.packed,))):
            continue
        _add(held, added, reverse_name(lease.address), RRset(PTR, ttl, (name,)))
    return tuple(
        replace(zone, nodes={**zone.nodes, **added[zone.origin]}) if zone.origin in added else zone
        for zone in held.values()
    )


def _add(held: dict[bytes, Zone], added: dict[bytes, dict[bytes, Node]], name: bytes, rrset: RRset) -> bool:
    """Add a record set where its name is free; return whether it was."""
    above = ancestors(name)
    zone = next((held[each] for each in above if each in held), None)
    if zone is None or zone.cuts.intersection(above) or name in zone.nodes:
        return False
    nodes = added.setdefault(zone.origin, {})
    if name in nodes:
        return False
    nodes[name] = (rrset,)
    for each in above[1:]:
        if each == zone.origin or each in zone.nodes or each in nodes:
            break
        nodes[each] = ()
    return True

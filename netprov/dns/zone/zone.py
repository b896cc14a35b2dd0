"""A zone: frozen, checked once when it is built, and then only looked up in.

RFC 1034 3.6 and 4.2, RFC 2181 5 and 10, RFC 4592 2.2 (empty non-terminals), RFC 6672 2.4 (DNAME). Owner names are kept
in lower case, as NSD and Knot keep them; names in record data keep the case they were written in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from netprov.dns.iana.rrtype import CNAME, DNAME, META, MX, NS, NSEC, RRSIG, SOA, SRV, format_type
from netprov.dns.message.name import ancestors, format_name, is_below, parent
from netprov.dns.message.rdata import canonical
from netprov.errors import Path, Place, Problem

_SINGLE = frozenset({CNAME, DNAME, SOA})
"""Types of which a name has one record at most."""
_ODD = META | {SOA}
"""Types that are not welcome at every name."""


@dataclass(frozen=True, slots=True)
class RRset:
    """The records of one type at one name; data in wire form, SRV in the order it is answered."""

    type: int
    ttl: int
    rdatas: tuple[bytes, ...]


Node = tuple[RRset, ...]
"""What a name holds; an empty non-terminal holds nothing."""


class Record(NamedTuple):
    """One record before it is part of a zone, with where the operator wrote it."""

    name: bytes
    type: int
    ttl: int
    data: bytes
    place: Place | None = None
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Zone:
    """All that is known below `origin`.

    `nodes` holds every name that exists, empty non-terminals too. `cuts` holds the names below which the zone does not
    speak for itself: delegations, and owners of DNAME.
    """

    origin: bytes
    nodes: Mapping[bytes, Node]
    cuts: frozenset[bytes]

    @property
    def soa(self) -> RRset:
        """The SOA record set."""
        return next(rrset for rrset in self.nodes[self.origin] if rrset.type == SOA)

    @property
    def serial(self) -> int:
        """The serial number of the SOA."""
        return soa_serial(self.soa.rdatas[0])

    def rrset(self, name: bytes, type_: int) -> RRset | None:
        """Return one record set, or None."""
        return next((rrset for rrset in self.nodes.get(name, ()) if rrset.type == type_), None)

    def rrsets(self) -> Iterator[tuple[bytes, RRset]]:
        """Yield every record set with its owner, the SOA first."""
        yield self.origin, self.soa
        for name, node in self.nodes.items():
            for rrset in node:
                if rrset.type != SOA:
                    yield name, rrset

    def with_serial(self, serial: int) -> Zone:
        """Return the same zone under another serial number."""
        soa = self.soa
        data = soa.rdatas[0]
        numbered = RRset(SOA, soa.ttl, (data[:-20] + serial.to_bytes(4, "big") + data[-16:],))
        apex = tuple(numbered if rrset.type == SOA else rrset for rrset in self.nodes[self.origin])
        return replace(self, nodes={**self.nodes, self.origin: apex})


def soa_serial(data: bytes) -> int:
    """Return the serial in an SOA's data: the first of the five numbers at its end."""
    return int.from_bytes(data[-20:-16], "big")


def negative_ttl(soa: RRset) -> int:
    """Return the TTL of the SOA in a negative answer (RFC 2308 3): the lesser of its own and its MINIMUM."""
    return min(soa.ttl, int.from_bytes(soa.rdatas[0][-4:], "big"))


def build(origin: bytes, records: Iterable[Record]) -> tuple[Zone | None, tuple[Problem, ...]]:
    """Build a zone from its records; with any problem there is no zone.

    Equal records collapse into one (RFC 2181 5); the lowest TTL of a record set stands for all of it (5.2).
    """
    origin = origin.lower()
    problems: list[Problem] = []
    sets: dict[bytes, dict[int, tuple[int, list[bytes], Record]]] = {}
    inside: set[bytes] = set()  # names at the origin or below it; what is below them needs no second look
    for record in records:
        name = record.name.lower()
        if record.type in _ODD or name[1 + name[0] :] not in inside:
            fault = _record_fault(origin, name, record)
            if fault:
                problems.append(_problem(fault, record))
                continue
            if name != origin:
                inside.add(parent(name))
        held = sets.setdefault(name, {})
        known = held.get(record.type)
        if known is None:
            held[record.type] = (record.ttl, [record.data], record)
            continue
        ttl, datas, first = known
        if not _holds(datas, record):
            datas.append(record.data)
        held[record.type] = (min(ttl, record.ttl), datas, first)
    for name, held in sets.items():
        if not _SINGLE.isdisjoint(held):
            problems += _node_problems(origin, name, held)
    apex = sets.get(origin, {})
    for wanted in (SOA, NS):
        if wanted not in apex:
            message = f"zone {format_name(origin)} has no {format_type(wanted)} record at its apex"
            problems.append(Problem("zone-apex", message, "add one at the zone's own name, @"))
    cuts = frozenset(name for name, held in sets.items() if DNAME in held or (NS in held and name != origin))
    problems += _occluded(origin, sets, cuts)
    if problems:
        return None, tuple(problems)
    return Zone(origin, _nodes(origin, sets), cuts), ()


def _holds(datas: list[bytes], record: Record) -> bool:
    """Say whether a record is there already; the case of a name in its data tells none apart (RFC 4343 4.1)."""
    if record.data in datas:
        return True
    wanted = canonical(record.type, record.data)
    return any(canonical(record.type, data) == wanted for data in datas)


def _record_fault(origin: bytes, name: bytes, record: Record) -> tuple[str, str, str] | None:
    if not is_below(name, origin):
        return (
            "zone-outside",
            f"{format_name(name)} is not inside the zone {format_name(origin)}",
            "a name without a final dot is relative to the origin; move other names to their own zone",
        )
    if record.type in META:
        return "zone-meta", f"type {format_type(record.type)} only exists in messages", "remove it"
    if record.type == SOA and name != origin:
        return "zone-soa", f"SOA at {format_name(name)}, which is not the zone's apex", "remove it"
    return None


def _problem(fault: tuple[str, str, str], record: Record) -> Problem:
    rule, message, remedy = fault
    return Problem(rule, message, remedy, path=record.path, place=record.place)


_EXCLUSIVE = frozenset({CNAME, DNAME, SOA})
"""Types that do not stand beside everything, or not twice."""


def _node_problems(
    origin: bytes, name: bytes, held: Mapping[int, tuple[int, list[bytes], Record]]
) -> Iterator[Problem]:
    if not held.keys() & _EXCLUSIVE:
        return
    shown = format_name(name)
    for type_, rule in ((CNAME, "RFC 2181 10.1"), (DNAME, "RFC 6672 2.4"), (SOA, "RFC 1035 5.2")):
        if type_ in held and len(held[type_][1]) > 1:
            fault = (
                "zone-single",
                f"{shown} has several {format_type(type_)} records",
                f"leave one ({rule})",
            )
            yield _problem(fault, held[type_][2])
    if CNAME in held and held.keys() - {CNAME, NSEC, RRSIG}:
        other = next(iter(held.keys() - {CNAME, NSEC, RRSIG}))
        message = f"{shown} is an alias (CNAME) and has a {format_type(other)} record as well"
        yield _problem(("zone-cname", message, "an alias holds nothing else (RFC 2181 10.1)"), held[CNAME][2])
    if DNAME in held and NS in held and name != origin:
        message = f"{shown} has both DNAME and NS"
        yield _problem(("zone-dname", message, "remove one (RFC 6672 2.3)"), held[DNAME][2])


def _occluded(
    origin: bytes, sets: Mapping[bytes, Mapping[int, tuple[int, list[bytes], Record]]], cuts: frozenset[bytes]
) -> Iterator[Problem]:
    """Find names below a DNAME (RFC 6672 2.4); addresses below a delegation are glue and fine."""
    if not any(DNAME in sets[cut] for cut in cuts):
        return
    for name, held in sets.items():
        for above in ancestors(name)[1:]:
            if above in cuts and DNAME in sets[above]:
                message = f"{format_name(name)} is below {format_name(above)}, which has a DNAME"
                remedy = "the DNAME hides it (RFC 6672 2.4); remove one of them"
                yield _problem(("zone-dname", message, remedy), next(iter(held.values()))[2])
                break
            if above == origin:
                break


def _nodes(
    origin: bytes, sets: Mapping[bytes, Mapping[int, tuple[int, list[bytes], Record]]]
) -> Mapping[bytes, Node]:
    nodes: dict[bytes, Node] = {}
    for name, held in sets.items():
        nodes[name] = tuple(
            [
                RRset(type_, ttl, tuple(_in_order(type_, datas)))
                for type_, (ttl, datas, _) in (sorted(held.items()) if len(held) > 1 else held.items())
            ]
        )
    for name in sets:
        above = name
        while above != origin:
            above = above[1 + above[0] :]
            if above in nodes:
                break
            nodes[above] = ()
    return nodes


def _in_order(type_: int, datas: list[bytes]) -> list[bytes]:
    """Return SRV records lowest priority first, then lowest weight; others as they were written."""
    return sorted(datas, key=lambda data: canonical(SRV, data)) if type_ == SRV and len(datas) > 1 else datas


def glue_names(rrset: RRset) -> tuple[bytes, ...]:
    """Return the names whose addresses belong in the additional section (RFC 1035 3.3, RFC 2782), in lower case."""
    offset = _TARGET_OFFSETS.get(rrset.type)
    if offset is None:
        return ()
    return tuple(dict.fromkeys(data[offset:].lower() for data in rrset.rdatas))


_TARGET_OFFSETS = {NS: 0, MX: 2, SRV: 6}

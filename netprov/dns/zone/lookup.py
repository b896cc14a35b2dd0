"""The server's algorithm: what the zones say to a question.

RFC 1034 4.3.2 step by step, with wildcards by RFC 4592, DNAME by RFC 6672, the parent's DS by RFC 4035 3.1.4.1,
negative answers by RFC 2308, and ANY by RFC 8482.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from netprov.dns.iana.rcode import Rcode
from netprov.dns.iana.rrtype import AAAA, ANY, CNAME, DNAME, DS, NS, A
from netprov.dns.message.name import MAX_NAME, ROOT, WILDCARD, ancestors
from netprov.dns.zone.zone import Node, RRset, Zone, glue_names, negative_ttl

MAX_CHAIN = 16
"""Aliases followed in one answer; a loop ends there."""


@dataclass(slots=True)
class Sections:
    """What goes into an answer: record sets with their owners, and of which sort the answer is.

    `redirected` holds the owners of DNAMEs that a chain has passed, with the length of the name that came to each.
    `glue`: the additional section must be whole. `cut`: all is left out, so that the client asks over TCP.
    """

    rcode: Rcode = Rcode.NOERROR
    authoritative: bool = True
    answer: list[tuple[bytes, RRset]] = field(default_factory=list)
    authority: list[tuple[bytes, RRset, int]] = field(default_factory=list)
    additional: list[tuple[bytes, RRset]] = field(default_factory=list)
    redirected: dict[bytes, int] = field(default_factory=dict)
    glue: bool = False
    cut: bool = False


class Catalog:
    """All zones of a server, found by their origins; `failed` are the origins of those that could not be loaded."""

    __slots__ = ("failed", "zones")

    def __init__(self, zones: Iterable[Zone], failed: Iterable[bytes] = ()) -> None:
        self.zones: Mapping[bytes, Zone] = {zone.origin: zone for zone in zones}
        self.failed = frozenset(failed)

    def find(self, name: bytes) -> Zone | None:
        """Return the zone nearest above a name (RFC 1034 4.3.2 step 2)."""
        zones = self.zones
        zone = zones.get(name)
        while zone is None and name[0]:
            name = name[1 + name[0] :]
            zone = zones.get(name)
        return zone

    def find_for(self, name: bytes, type_: int) -> Zone | None:
        """Return the zone that answers a question: DS at an apex belongs to the parent, if that is here as well."""
        if type_ == DS and name in self.zones and name != ROOT:
            return self.find(name[1 + name[0] :]) or self.zones[name]
        return self.find(name)

    def _is_failed(self, name: bytes, zone: Zone | None) -> bool:
        """Say whether a name is in a zone that could not be loaded, so that nobody here can speak for it."""
        above = ancestors(name)
        return any(each in self.failed for each in above[: above.index(zone.origin) if zone else None])

    def look_up(self, name: bytes, type_: int) -> Sections:
        """Answer a question of class IN; the name is in lower case."""
        sections = Sections()
        seen = {name}
        for _ in range(MAX_CHAIN):
            zone = self.find_for(name, type_)
            if self.failed and self._is_failed(name, zone):
                sections.rcode, sections.authoritative = Rcode.SERVFAIL, bool(sections.answer)
                return sections
            if zone is None:
                if not sections.answer:
                    sections.rcode, sections.authoritative = Rcode.REFUSED, False
                return sections
            following = _ask_zone(zone, name, type_, sections)
            if following is None or following in seen:
                break
            seen.add(following)
            name = following
        self._add_targets(sections)
        return sections

    def _add_targets(self, sections: Sections) -> None:
        """Add the addresses of the targets named so far (RFC 1034 4.3.2 step 6, RFC 2782)."""
        wanted = [
            (target, owner)
            for owner, rrset in [*sections.answer, *(entry[:2] for entry in sections.authority)]
            for target in glue_names(rrset)
        ]
        held = {(owner, rrset.type) for owner, rrset in sections.answer}
        for target, owner in dict.fromkeys(wanted):
            zone = (self.find(owner[1 + owner[0] :]) if sections.glue else None) or self.find(target)
            for rrset in zone.nodes.get(target, ()) if zone else ():
                if rrset.type in {A, AAAA} and (target, rrset.type) not in held:
                    held.add((target, rrset.type))
                    sections.additional.append((target, rrset))


def _ask_zone(zone: Zone, name: bytes, type_: int, sections: Sections) -> bytes | None:
    """Add what one zone says, and return the name at which to start again, if there is one (steps 3a to 3c)."""
    if zone.cuts:
        cut = _cut_above(zone, name)
        if cut is not None:
            dname = zone.rrset(cut, DNAME)
            if dname is not None and name != cut:
                following = _redirect(cut, dname, name, sections)
                # The CNAME made for it is what a question for CNAME wants.
                return None if type_ in {CNAME, ANY} else following
            nameservers = zone.rrset(cut, NS)
            if nameservers is not None and cut != zone.origin and not (type_ == DS and name == cut):
                _refer(cut, nameservers, sections)
                return None
    node = zone.nodes.get(name)
    if node is None:
        node = _wildcard(zone, name)
        if node is None:
            sections.rcode = Rcode.NXDOMAIN
            _deny(zone, sections)
            return None
    return _match(zone, name, node, type_, sections)


def _match(zone: Zone, name: bytes, node: Node, type_: int, sections: Sections) -> bytes | None:
    for rrset in node:
        if rrset.type == type_:
            _add_once(name, rrset, sections)
            return None
    if type_ == ANY and node:
        # RFC 8482 4.1: one record set of those that exist, which no resolver can mistake for all.
        _add_once(name, node[0], sections)
        return None
    for rrset in node:
        if rrset.type == CNAME:
            sections.answer.append((name, rrset))
            return rrset.rdatas[0].lower()
    _deny(zone, sections)
    return None


def _add_once(name: bytes, rrset: RRset, sections: Sections) -> None:
    """Add the end of a chain, unless it is a DNAME that the chain has passed (RFC 2181 5: no record twice)."""
    if rrset.type != DNAME or name not in sections.redirected:
        sections.answer.append((name, rrset))


def _cut_above(zone: Zone, name: bytes) -> bytes | None:
    """Return the topmost cut at or above a name."""
    found = None
    for above in ancestors(name):
        if above in zone.cuts:
            found = above
        if above == zone.origin:
            break
    return found


def _wildcard(zone: Zone, name: bytes) -> Node | None:
    """Return the source of synthesis (RFC 4592 3.3.1): the wildcard right below the closest encloser, or None."""
    nodes = zone.nodes
    while name not in nodes:
        name = name[1 + name[0] :]
    return nodes.get(WILDCARD + name)


def _deny(zone: Zone, sections: Sections) -> None:
    """Add the SOA of a negative answer (RFC 2308 3)."""
    soa = zone.soa
    sections.authority.append((zone.origin, soa, negative_ttl(soa)))


def _refer(cut: bytes, nameservers: RRset, sections: Sections) -> None:
    """Refer to the servers of a delegated zone (step 3b); authority ends here unless an alias led here."""
    sections.authoritative = bool(sections.answer)
    sections.authority.append((cut, nameservers, nameservers.ttl))
    sections.glue = True


def _redirect(owner: bytes, dname: RRset, name: bytes, sections: Sections) -> bytes | None:
    """Rename below a DNAME, with the CNAME made for it (RFC 6672 3.1), TTL as the DNAME's."""
    length = sections.redirected.get(owner)
    if length is None:
        sections.answer.append((owner, dname))
    elif length <= len(name):
        return None  # the same DNAME again, and the name is no shorter: it would go on for ever
    sections.redirected[owner] = len(name)
    renamed = name[: len(name) - len(owner)] + dname.rdatas[0]
    if len(renamed) > MAX_NAME:
        sections.rcode = Rcode.YXDOMAIN
        return None
    sections.answer.append((name, RRset(CNAME, dname.ttl, (renamed,))))
    return renamed.lower()

"""What changed from one version of a zone to the next: the bounded memory that IXFR answers from (RFC 1995 4, 5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from netprov.dns.iana.rrtype import SOA
from netprov.dns.message.rdata import canonical
from netprov.dns.zone.zone import RRset, Zone

Change = tuple[bytes, int, int, bytes]
"""One record: owner, type, TTL, data."""

MOST_CHANGES = 20_000
"""Records that one zone's journal remembers, added and removed together; beyond it AXFR is cheaper anyway."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The step from one serial to the next, with both SOA record sets."""

    before: RRset
    after: RRset
    removed: tuple[Change, ...]
    added: tuple[Change, ...]


def difference(old: Zone, new: Zone) -> Delta:
    """Compare two versions of a zone; a record whose TTL changed is removed and added."""
    removed: list[Change] = []
    added: list[Change] = []
    for name, node in old.nodes.items():
        other = new.nodes.get(name, ())
        if node == other:
            continue
        before = {_same(each): each for each in _records(name, node)}
        after = {_same(each): each for each in _records(name, other)}
        removed += [each for key, each in before.items() if key not in after]
        added += [each for key, each in after.items() if key not in before]
    for name, node in new.nodes.items():
        if name not in old.nodes:
            added += _records(name, node)
    return Delta(old.soa, new.soa, tuple(removed), tuple(added))


def _same(change: Change) -> Change:
    """Return what makes two records the same: the case of names in their data does not count."""
    name, type_, ttl, data = change
    return name, type_, ttl, canonical(type_, data)


def _records(name: bytes, node: tuple[RRset, ...]) -> list[Change]:
    return [
        (name, rrset.type, rrset.ttl, data) for rrset in node if rrset.type != SOA for data in rrset.rdatas
    ]


class Journal:
    """The last steps of one zone, oldest first."""

    __slots__ = ("_deltas", "_size")

    def __init__(self) -> None:
        self._deltas: deque[Delta] = deque()
        self._size = 0

    def append(self, delta: Delta) -> None:
        """Remember a step; forget the oldest ones when there are too many changes."""
        self._deltas.append(delta)
        self._size += _weight(delta)
        while self._deltas and self._size > MOST_CHANGES:
            self._size -= _weight(self._deltas.popleft())

    def since(self, serial: int) -> list[Delta] | None:
        """Return the steps from a serial to now, or None if it is not known any more."""
        deltas = list(self._deltas)
        for index, delta in enumerate(deltas):
            if _serial(delta.before) == serial:
                return deltas[index:]
        return None


def _weight(delta: Delta) -> int:
    return 2 + len(delta.removed) + len(delta.added)


def _serial(soa: RRset) -> int:
    return int.from_bytes(soa.rdatas[0][-20:-16], "big")


def all_records(zone: Zone) -> Iterator[Change]:
    """Yield every record of a zone but the SOA."""
    for name, node in zone.nodes.items():
        yield from _records(name, node)

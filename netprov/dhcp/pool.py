"""The free addresses of some ranges, found in constant time however full they are.

Addresses never given out come in ascending order, then those given back, the longest free first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from netprov.dhcp.config import Ranges


class Pool:
    """Ranges minus what is excluded; remembers what was given back, not what is out."""

    def __init__(self, ranges: Ranges, excluded: frozenset[int] = frozenset()) -> None:
        self.ranges = ranges
        self._excluded = excluded
        self._untouched = _addresses(ranges)
        self._returned: OrderedDict[int, None] = OrderedDict()

    def __contains__(self, address: int) -> bool:
        for low, high in self.ranges:
            if low <= address <= high:
                return address not in self._excluded
        return False

    def __len__(self) -> int:
        size = sum(high - low + 1 for low, high in self.ranges)
        return size - sum(
            1 for address in self._excluded if any(low <= address <= high for low, high in self.ranges)
        )

    def take(self, known: Callable[[int], bool]) -> int:
        """Return a free address and forget it, 0 if there is none.

        `known` tells addresses that the caller has on record, which are free only once they were given back;
        each address of the ranges is asked about at most once in the life of the pool.
        """
        for address in self._untouched:
            if address not in self._excluded and address not in self._returned and not known(address):
                return address
        if self._returned:
            return self._returned.popitem(last=False)[0]
        return 0

    def claim(self, address: int) -> None:
        """Note that an address was given out without `take`."""
        self._returned.pop(address, None)

    def give(self, address: int, *, first: bool = False) -> None:
        """Take an address back; `first` for one that was not used after all."""
        if address in self:
            self._returned[address] = None
            self._returned.move_to_end(address, last=not first)


def _addresses(ranges: Ranges) -> Iterator[int]:
    for low, high in ranges:
        yield from range(low, high + 1)

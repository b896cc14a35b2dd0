"""First-match classes from what clients get: of cells of clients, each with its outcome, the shortest conditions that tell them apart.

Of all conditions that take only clients with one outcome the shortest comes first; its clients are taken away, and so on. So
clients with more tags come before those with fewer where tags add up, and a chain of exceptions comes out as the chain it was.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from netprov.convert.rule import Tags

_LONGEST = 3
"""Tags of a condition that is searched for; where there is none, one cell is told by all its tags."""


@dataclass(frozen=True, slots=True)
class Cube:
    """Clients that have some tags and lack others."""

    has: Tags
    lacks: Tags

    def takes(self, cell: Tags) -> bool:
        """Say whether a cell's clients are among them."""
        return self.has <= cell and not self.lacks & cell


def decide(
    cells: Sequence[Tags], outcomes: Sequence[Hashable], nothing: Hashable, names: Sequence[str]
) -> list[Cube]:
    """Return conditions of which the first that takes a cell decides its outcome; what none takes gets `nothing`."""
    everything = (1 << len(cells)) - 1
    tables = {name: sum(1 << index for index, cell in enumerate(cells) if name in cell) for name in names}
    by_outcome = {
        outcome: sum(1 << index for index, each in enumerate(outcomes) if each == outcome)
        for outcome in dict.fromkeys(outcomes)
    }
    cubes = sorted(_cubes(names), key=lambda each: (len(each.has) + len(each.lacks), len(each.lacks)))
    taken = []
    for each in cubes:
        table = everything
        for name in each.has:
            table &= tables[name]
        for name in each.lacks:
            table &= ~tables[name]
        taken.append((each, table))
    found: list[Cube] = []
    rest = everything
    while rest & ~by_outcome.get(nothing, 0):
        best = _best(taken, rest, outcomes, by_outcome, nothing=nothing)
        if best is None:
            index = next(i for i in range(len(cells)) if rest >> i & 1 and outcomes[i] != nothing)
            best = Cube(cells[index], frozenset(names) - cells[index]), 1 << index
        found.append(best[0])
        rest &= ~best[1]
    return found


def _best(
    taken: Sequence[tuple[Cube, int]],
    rest: int,
    outcomes: Sequence[Hashable],
    by_outcome: dict[Hashable, int],
    *,
    nothing: Hashable,
) -> tuple[Cube, int] | None:
    """Return the shortest cube that takes one outcome of the rest, with its cells; one that gives nothing counts as longer."""
    spare: tuple[Cube, int] | None = None
    for cube, table in taken:
        if (
            spare is not None
            and len(cube.has) + len(cube.lacks) > len(spare[0].has) + len(spare[0].lacks) + 1
        ):
            return spare
        here = table & rest
        if not here:
            continue
        outcome = outcomes[(here & -here).bit_length() - 1]
        if here & ~by_outcome[outcome]:
            continue
        if outcome != nothing:
            return cube, here
        spare = spare or (cube, here)
    return spare


def _cubes(names: Sequence[str]) -> Iterator[Cube]:
    yield Cube(frozenset(), frozenset())
    for size in range(1, min(_LONGEST, len(names)) + 1):
        for chosen in combinations(names, size):
            for signs in range(1 << size):
                has = frozenset(name for index, name in enumerate(chosen) if not signs >> index & 1)
                yield Cube(has, frozenset(chosen) - has)

"""Objects of a data model with instances, which an ACS makes and removes (TR-069 annex A.3.2.6, A.3.2.7).

An instance is named by its number, `Device.….Line.2.`. Numbers of instances that were removed are not given again before
all others were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netprov.cwmp.rpc import Fault


@dataclass(frozen=True, slots=True)
class Member:
    """One parameter of every instance, by its name within the instance."""

    name: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """An object with instances: its path (it ends in a dot), what each instance has, how many there may be."""

    path: str
    members: tuple[Member, ...]
    most: int

    def number(self, name: str) -> int | None:
        """Return the number of the instance that a name is of or within; None for any other name."""
        found = re.match(rf"{re.escape(self.path)}([1-9][0-9]{{0,8}})\.", name)
        return int(found[1]) if found else None

    def instances(self, names: Iterable[str]) -> list[int]:
        """Return the numbers of the instances that there are, by the names of all parameters."""
        return sorted({number for name in names if (number := self.number(name)) is not None})

    def prefix(self, number: int) -> str:
        """Return the name of an instance."""
        return f"{self.path}{number}."

    def next(self, used: Sequence[int], last: int) -> int | None:
        """Return the number of the instance to make, None where there are as many as there may be."""
        order = [*range(last + 1, self.most + 1), *range(1, last + 1)]
        return next((number for number in order if number not in used), None)


def find_table(tables: Iterable[Table], name: str) -> Table | Fault:
    """Return the object that instances are made of by a name, or the fault that annex A.5.1 has for it."""
    return next((each for each in tables if each.path == name), Fault(9005))

"""What clients get, and the classes that give it: values that the search for classes works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netprov.convert.decide import Cube
from netprov.convert.draft import Section
from netprov.convert.rule import Tag, Tags

Options = Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What clients of one cell get on one network."""

    options: Options
    """All that can be carried over."""
    own: Options
    """What of it the network does not give."""
    force: frozenset[int]
    admitted: bool = False
    """It is served only if a class takes it."""


@dataclass(frozen=True, slots=True)
class FirstMatch:
    """A class in the making."""

    cube: Cube
    networks: tuple[str, ...]
    """Only on these; () for all."""
    options: Options
    force: frozenset[int]
    admits: bool = False
    """Its clients are served because it takes them."""

    @property
    def gives_nothing(self) -> bool:
        """Whether its clients get what others get too."""
        return not self.options and not self.force and not self.admits

    def takes(self, cell: Tags, network: str) -> bool:
        return self.cube.takes(cell) and (not self.networks or network in self.networks)


def gives(outcome: Outcome, options: Options, force: frozenset[int]) -> bool:
    """Say whether a class with these options gives an outcome."""
    return outcome.force == force and all(outcome.options.get(key) == data for key, data in options.items())


def index_of(classes: Sequence[FirstMatch], cell: Tags, network: str) -> int | None:
    return next((index for index, each in enumerate(classes) if each.takes(cell, network)), None)


def first_of(classes: Sequence[FirstMatch], cell: Tags, network: str) -> FirstMatch | None:
    return next((each for each in classes if each.takes(cell, network)), None)


def one_or_list(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def tag_condition(tag: Tag) -> Section:
    """Return the condition of a tag as a class has it."""
    alternatives = list(tag.alternatives)
    if tag.macs:
        alternatives.append({"mac": tag.macs})
    if len(alternatives) == 1:
        return alternatives[0]
    keys = {tuple(each) for each in alternatives}
    if len(keys) == 1 and len(next(iter(keys))) == 1 and next(iter(keys))[0] not in {"any", "all", "not"}:
        key = next(iter(keys))[0]
        return {key: [value for each in alternatives for value in _many(each[key])]}
    return {"any": alternatives}


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""From the operator's YAML to the model, keeping the place of every value.

All problems of a file are raised together where its syntax allows: what the document does wrong and what the model
objects to.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from netprov.errors import InventoryError, Path, Place, Problem
from netprov.inventory import words
from netprov.inventory.gather import gather
from netprov.inventory.ignore import Ignore
from netprov.inventory.master import with_masters
from netprov.inventory.model import Inventory
from netprov.inventory.template import with_templates
from netprov.inventory.yaml.mark import Mark, key_position, member, split, value_position
from netprov.inventory.yaml.source import read

__all__ = ["Document", "load", "parse"]

_AT_THE_KEY = {"unknown-key", "missing-key", "duplicate-key", "key"}


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Where every value of the document stands."""

    files: tuple[str, ...]
    root: Mark

    def place(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Return the place of a value, or of its nearest ancestor that was written; of its key if asked."""
        mark = self.root
        for step in path:
            inner = member(mark, step)
            if inner is None:
                key = False
                break
            mark = inner
        file, line, column = split(key_position(mark) if key else value_position(mark))
        return Place(self.files[file], line, column)

    def locate(self, problem: Problem) -> Problem:
        """Return the problem with its places filled in."""
        if problem.place is not None:
            return problem
        place = self.place(problem.path, key=problem.rule in _AT_THE_KEY)
        return problem.at(place, tuple(self.place(path) for path in problem.related))


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """An inventory as loaded from files, which can say where each value stands."""

    inventory: Inventory
    marks: Marks
    ignores: tuple[Ignore, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that was read, the named one first."""
        return self.marks.files

    def place(self, path: Path) -> Place:
        """Return where a value stands; for one that was not written, its nearest ancestor."""
        return self.marks.place(path)

    def locate(self, problem: Problem) -> Problem:
        """Return the problem with the places of its path and related paths filled in."""
        return self.marks.locate(problem)

    def places(self, problem: Problem) -> Iterator[Place]:
        """Yield where the problem's value and every section around it stand."""
        if problem.place is not None:
            yield problem.place
        for length in range(len(problem.path), 0, -1):
            yield self.marks.place(problem.path[:length])
            yield self.marks.place(problem.path[:length], key=True)


def load(path: str | FilePath) -> Document:
    """Load an inventory file. Raises `InventoryError` with every problem, each located."""
    name = str(path)
    document = parse(read(FilePath(path), name), name)
    try:
        inventory = with_templates(document.inventory, name)
        return replace(document, inventory=with_masters(inventory, name))
    except InventoryError as error:
        raise InventoryError(map(document.locate, error.problems)) from error


def parse(text: str, name: str) -> Document:
    """Load an inventory from text; `name` is what problems call it. Raises `InventoryError`."""
    with no_collection():
        found = gather(text, name)
        marks = Marks(tuple(found.files), found.mark)
        inventory = _validate(found.value, marks, found.problems)
    return Document(inventory, marks, tuple(found.ignores))


def _validate(data: Any, marks: Marks, problems: Sequence[Problem]) -> Inventory:
    if data is None:
        if problems:
            raise InventoryError(problems)
        empty = Problem(
            "empty", "the file says nothing", "begin with `domain:` and `networks:`", place=marks.place(())
        )
        raise InventoryError([empty])
    try:
        inventory = Inventory.model_validate(_said(data))
    except ValidationError as error:
        raise InventoryError(_together(problems, map(marks.locate, words.problems(error, data)))) from error
    if problems:
        raise InventoryError(sorted(problems, key=_order))
    return inventory


def _said(data: Any) -> Any:
    """Return a document without the keys that begin with x-: places for anchors, which say nothing themselves."""
    if not isinstance(data, dict):
        return data
    return {key: each for key, each in data.items() if not str(key).startswith("x-")}


def _together(problems: Sequence[Problem], consequences: Iterable[Problem]) -> list[Problem]:
    """Return all in the order of the file, without what the model says of a place that is a problem already."""
    places = {problem.place for problem in problems}
    return sorted([*problems, *(each for each in consequences if each.place not in places)], key=_order)


def _order(problem: Problem) -> tuple[Place, str]:
    return problem.place or Place(""), problem.rule


@contextmanager
def no_collection() -> Iterator[None]:
    """Pause the cyclic garbage collector: a large document makes millions of objects and no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

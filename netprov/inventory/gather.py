"""The files that one inventory is made of: what `include:` and `phones: {csv: …}` name, read and joined.

Sections of several files are joined: mappings key by key, lists one after the other. What two files both say is a
problem, with both places.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netprov.errors import InventoryError, Place, Problem
from netprov.inventory.ignore import Ignore, read_ignores
from netprov.inventory.sheet import read_sheet
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.mark import Branch, Mark, key_position, split, value_position
from netprov.inventory.yaml.source import read

MOST_FILES = 1000


@dataclass(slots=True)
class Gathered:
    """The joined value of all files, its marks, and what is wrong with them."""

    value: Any = None
    mark: Mark = 0
    files: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    """The CSV files that are named, whether or not they can be read."""
    problems: list[Problem] = field(default_factory=list)
    ignores: list[Ignore] = field(default_factory=list)

    def place(self, at: int) -> Place:
        """Return a position as people read it."""
        file, line, column = split(at)
        return Place(self.files[file], line, column)

    def problem(self, rule: str, message: str, remedy: str, at: int) -> None:
        """Add a problem at a position."""
        self.problems.append(Problem(rule, message, remedy, place=self.place(at)))


def gather(text: str, name: str) -> Gathered:
    """Read an inventory's text and every file that it names. Raises `InventoryError` on a syntax error in any."""
    found = Gathered()
    found.value, found.mark = _compose(found, text, name)
    pending = list(_includes(found, found.value, found.mark, name))
    seen = {os.path.realpath(name)}
    while pending:
        path, at = pending.pop(0)
        if os.path.realpath(path) in seen or len(found.files) >= MOST_FILES:
            found.problem("include", f"{path} is included already", "delete this line", at)
            continue
        seen.add(os.path.realpath(path))
        included = _read(found, path, at)
        if included is None:
            continue
        value, mark = _compose(found, included, path)
        if not isinstance(value, dict):
            if value is not None:
                found.problem(
                    "include", f"{path} is not a mapping of sections", "begin with a section: `phones:`", at
                )
            continue
        pending += _includes(found, value, mark, path)
        _join(found, value, mark)
    return found


def _compose(found: Gathered, text: str, name: str) -> tuple[Any, Mark]:
    number = len(found.files)
    found.files.append(name)
    try:
        composed = compose(text, name, number)
    except InventoryError as error:
        raise InventoryError([*found.problems, *error.problems]) from error
    found.problems += composed.problems
    found.ignores += read_ignores(text, name)
    _sheets(found, composed.value, composed.mark, name)
    return composed.value, composed.mark


def _read(found: Gathered, path: str, at: int) -> str | None:
    try:
        return read(Path(path), path)
    except InventoryError as error:
        for problem in error.problems:
            missing = problem.rule == "unreadable"
            message = f"{path}: {problem.message}"
            found.problems.append(
                Problem(problem.rule, message, problem.remedy, place=found.place(at)) if missing else problem
            )
        return None


def _texts(value: Any, mark: Mark) -> Iterator[tuple[str, int]]:
    """Yield the texts of one text or a list of them, with their positions."""
    if isinstance(value, str):
        yield value, value_position(mark)
    elif isinstance(value, list) and isinstance(mark, Branch) and isinstance(mark.members, list):
        for each, inner in zip(value, mark.members, strict=True):
            if isinstance(each, str):
                yield each, value_position(inner)


def _includes(found: Gathered, value: Any, mark: Mark, name: str) -> Iterator[tuple[str, int]]:
    if not isinstance(value, dict) or not isinstance(mark, Branch) or not isinstance(mark.members, dict):
        return
    for text, at in _texts(value.get("include"), mark.members.get("include", 0)):
        path = os.path.join(os.path.dirname(name), text)
        if not glob.has_magic(text):
            yield path, at
            continue
        matching = sorted(glob.glob(path))
        if not matching:
            found.problem("include", f"no file matches {path}", "check the pattern", at)
        for each in matching:
            yield each, at


def _sheets(found: Gathered, value: Any, mark: Mark, name: str) -> None:
    """Put the phones of CSV files where `phones: {csv: …}` stands."""
    if not isinstance(value, dict) or not isinstance(mark, Branch) or not isinstance(mark.members, dict):
        return
    phones, where = value.get("phones"), mark.members.get("phones")
    if not isinstance(phones, dict) or set(phones) != {"csv"} or not isinstance(where, Branch):
        return
    assert isinstance(where.members, dict)
    listed: list[Any] = []
    marks: list[Mark] = []
    for text, at in _texts(phones["csv"], where.members["csv"]):
        path = os.path.join(os.path.dirname(name), text)
        found.sheets.append(path)
        content = _read(found, path, at)
        if content is None:
            continue
        number = len(found.files)
        found.files.append(path)
        sheet = read_sheet(content, path, number)
        listed += sheet.phones
        marks += sheet.marks
        found.problems += sheet.problems
        found.ignores += read_ignores(content, path)
    value["phones"] = listed
    mark.members["phones"] = Branch(where.at, marks)


def _join(found: Gathered, value: dict[Any, Any], mark: Mark) -> None:
    """Add an included file's sections to the whole."""
    if not isinstance(found.value, dict):
        return
    assert isinstance(found.mark, Branch)
    assert isinstance(mark, Branch)
    assert isinstance(found.mark.members, dict)
    assert isinstance(mark.members, dict)
    whole, marks = found.value, found.mark.members
    for key, section in value.items():
        here = mark.members[key]
        if key not in whole:
            whole[key], marks[key] = section, here
        elif key in {"include", "version"} and (key == "include" or whole[key] == section):
            continue
        elif isinstance(section, list) and isinstance(whole[key], list):
            whole[key] = [*whole[key], *section]
            marks[key] = Branch(key_position(marks[key]), [*_members(marks[key]), *_members(here)])
        elif isinstance(section, dict) and isinstance(whole[key], dict):
            whole[key], marks[key] = _joined(found, whole[key], marks[key], section, here)
        else:
            _twice(found, key, marks[key], here)


def _joined(
    found: Gathered, first: dict[Any, Any], first_mark: Mark, second: dict[Any, Any], second_mark: Mark
) -> tuple[dict[Any, Any], Mark]:
    assert isinstance(first_mark, Branch)
    assert isinstance(second_mark, Branch)
    assert isinstance(first_mark.members, dict)
    assert isinstance(second_mark.members, dict)
    value, marks = dict(first), dict(first_mark.members)
    for key, each in second.items():
        if key in value:
            _twice(found, key, marks[key], second_mark.members[key])
        else:
            value[key], marks[key] = each, second_mark.members[key]
    return value, Branch(first_mark.at, marks)


def _members(mark: Mark) -> list[Mark]:
    return mark.members if isinstance(mark, Branch) and isinstance(mark.members, list) else []


def _twice(found: Gathered, key: Any, first: Mark, second: Mark) -> None:
    place = found.place(key_position(first))
    found.problem(
        "duplicate-key",
        f"`{key}` is given in two files; first at {place}",
        "keep one of the two",
        key_position(second),
    )

"""The DNS master files that an inventory names, and those they include, read as text for the plan."""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from posixpath import dirname, join, normpath

from netprov.errors import InventoryError, Path, Problem
from netprov.inventory.model import Inventory
from netprov.inventory.yaml.source import read

_INCLUDE = re.compile(r'^\$INCLUDE[ \t]+"?([^\s"]+)', re.IGNORECASE | re.MULTILINE)


def with_masters(inventory: Inventory, name: str) -> Inventory:
    """Return the inventory with its master files; relative names start from the directory of the file `name`.

    Raises `InventoryError` for every file of `dns: {include: …}` that cannot be read; one of `zones:` costs its zone
    alone, and is kept with the reason. A file that only another one includes is left out; the parser knows the line.
    """
    directory = dirname(name)
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    unread: dict[str, Problem] = {}
    for file, path in _named(inventory):
        full = normpath(join(directory, file))
        try:
            _read(full, texts)
        except InventoryError as error:
            if path[0] == "zones":
                unread[full] = _at(path, error.problems[0])
            else:
                problems += (_at(path, each) for each in error.problems)
    if problems:
        raise InventoryError(problems)
    return inventory.with_texts(directory, texts, unread)


def _named(inventory: Inventory) -> list[tuple[str, Path]]:
    named: list[tuple[str, Path]] = [
        (zone.file, ("zones", index, "file")) for index, zone in enumerate(inventory.zones)
    ]
    return named + [(file, ("dns", "include", index)) for index, file in enumerate(inventory.dns.include)]


def _at(path: Path, problem: Problem) -> Problem:
    """Return a problem of a file as one of the line that names the file, unless it is of a line in the file."""
    if problem.place and problem.place.line:
        return problem
    return Problem("master-file", f"{problem.place}: {problem.message}", problem.remedy, path=path)


def _read(path: str, texts: dict[str, str]) -> None:
    if path in texts:
        return
    texts[path] = read(FilePath(path), path)
    for included in _INCLUDE.findall(texts[path]):
        following = normpath(join(dirname(path), included))
        try:
            _read(following, texts)
        except InventoryError:
            texts.pop(following, None)

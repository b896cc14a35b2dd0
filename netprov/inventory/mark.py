"""Where each value of a document was written, kept in a few octets a value.

A position is one integer of file, line and column. A scalar's mark is its position, with that of its key above
it in a mapping; a list or mapping is a `Branch` with the marks of its members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

LINE = 16
FILE = 40
KEY = 56
"""Bits below the line, the file, and the position of the key."""

_POSITION = (1 << KEY) - 1
_COLUMN = (1 << LINE) - 1


@dataclass(slots=True, eq=False)
class Branch:
    """The mark of a list or mapping: where its key or else its first character is, and its members' marks."""

    at: int
    members: dict[Any, Mark] | list[Mark]


@dataclass(slots=True, eq=False)
class Row:
    """The mark of a record of a CSV file; its cells' columns are found when asked for."""

    at: int
    cells: tuple[tuple[str, ...], ...]


Mark: TypeAlias = "int | Branch | Row"


def position(file: int, line: int, column: int) -> int:
    """Pack a position; line and column count from 1."""
    return file << FILE | line << LINE | min(column, _COLUMN)


def split(packed: int) -> tuple[int, int, int]:
    """Return the file, line and column of a position."""
    return packed >> FILE & 0xFFFF, packed >> LINE & 0xFFFFFF, packed & _COLUMN


def under_key(mark: Mark, key: int) -> Mark:
    """Return the mark of a mapping's member whose key stands at `key`."""
    if isinstance(mark, int):
        return key << KEY | (mark & _POSITION)
    if isinstance(mark, Branch):
        return Branch(key, mark.members)
    return mark


def value_position(mark: Mark) -> int:
    """Return the position that a problem with the value names: a scalar itself, a branch's key."""
    return mark & _POSITION if isinstance(mark, int) else mark.at


def key_position(mark: Mark) -> int:
    """Return the position of the key, or of the value where there is none."""
    if isinstance(mark, int):
        return mark >> KEY or mark
    return mark.at


def member(mark: Mark, key: str | int) -> Mark | None:
    """Return the mark of a member, or None."""
    if not isinstance(mark, Branch):
        return None
    members = mark.members
    if isinstance(members, list):
        return members[key] if isinstance(key, int) and 0 <= key < len(members) else None
    if key in members:
        return members[key]
    other = str(key) if isinstance(key, int) else int(key) if key.isdecimal() else None
    return members.get(other)

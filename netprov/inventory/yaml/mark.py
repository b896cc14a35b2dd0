"""Where each value of a document was written, kept in a few octets a value.

A position is one integer of file, line and column. A scalar's mark is its position, with that of its key above
it in a mapping; a list or mapping is a `Branch` with the marks of its members.
"""

from __future__ import annotations

from collections.abc import Mapping
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


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The lines of a CSV file, by which the place of a cell is found when it is asked for."""

    lines: tuple[str, ...]
    separator: str
    columns: Mapping[str, int]

    def column(self, line: int, index: int) -> int:
        """Return the column (from 1) at which a cell of a line begins; 1 if the line has no such cell."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        quoted = False
        for offset, character in enumerate(text):
            if index == 0:
                blanks = len(text[offset:]) - len(text[offset:].lstrip(" "))
                return offset + blanks + 1
            if character == '"':
                quoted = not quoted
            elif character == self.separator and not quoted:
                index -= 1
        return 1


@dataclass(slots=True, eq=False)
class Row:
    """The mark of a record of a CSV file, or of a mapping within it, whose columns begin with `prefix`."""

    at: int
    sheet: Sheet
    prefix: str = ""

    def member(self, key: str | int) -> Mark | None:
        """Return the mark of a cell, or of a mapping within the record."""
        name = f"{self.prefix}{key}"
        index = self.sheet.columns.get(name)
        if index is not None:
            file, line, _ = split(self.at)
            return position(file, line, self.sheet.column(line, index))
        if any(column.startswith(f"{name}.") for column in self.sheet.columns):
            return Row(self.at, self.sheet, f"{name}.")
        return None


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
    if isinstance(mark, Row):
        return mark.member(key)
    if not isinstance(mark, Branch):
        return None
    members = mark.members
    if isinstance(members, list):
        return members[key] if isinstance(key, int) and 0 <= key < len(members) else None
    if key in members:
        return members[key]
    other = str(key) if isinstance(key, int) else int(key) if key.isdecimal() else None
    return members.get(other)

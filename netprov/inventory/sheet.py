"""Phones listed in a CSV file (RFC 4180), one a line below a header, each cell with its place.

The columns are the keys of a phone; `values.Display_Name_1_` and `options.66` reach into its mappings. Separators are
commas, semicolons or tabs, whichever the header has most of. Empty cells are left out, so are lines that begin with #.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netprov.errors import Place, Problem
from netprov.inventory.model import Phone
from netprov.inventory.words import did_you_mean
from netprov.inventory.yaml.mark import Mark, Row, Sheet, position

COLUMNS: Mapping[str, str] = {
    field.alias or name: name
    for name, field in Phone.model_fields.items()
    if name not in {"values", "options"}
}
"""Columns by the keys of a phone."""

_MAPPINGS = ("values", "options")
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Listed:
    """The phones of a file, their marks, and what is wrong with the file."""

    phones: list[dict[str, Any]]
    marks: list[Mark]
    problems: tuple[Problem, ...]


def read_sheet(text: str, name: str, file: int) -> Listed:
    """Read the phones of a CSV file; `file` is the number that the marks carry."""
    lines = text.splitlines()
    header = header_line(lines)
    if header is None:
        problem = Problem(
            "csv", "the file has no header line", "begin with: mac,model,class", place=Place(name)
        )
        return Listed([], [], (problem,))
    separator = separator_of(lines[header])
    rows = csv.reader(lines[header:], delimiter=separator, skipinitialspace=True, strict=True)
    try:
        columns = [cell.strip() for cell in next(rows)]
    except csv.Error as error:
        return Listed([], [], (_unread(error, Place(name, header + 1, 1)),))
    sheet = Sheet(tuple(lines), separator, {column: index for index, column in enumerate(columns)})
    problems = list(_header(columns, name, header + 1, sheet))
    phones: list[dict[str, Any]] = []
    marks: list[Mark] = []
    targets = [_target(column) for column in columns]
    known = [target for target in targets if target is not None]
    plain = [target[0] for target in known] if all(t and t[1] is None for t in targets) else None
    for line, cells in _numbered(rows, header + 1):
        if isinstance(cells, csv.Error):
            problems.append(_unread(cells, Place(name, line, 1)))
            break
        if len(cells) > len(columns):
            remedy = "put cells that contain the separator in quotes"
            message = f"the line has {len(cells)} cells, the header {len(columns)}"
            problems.append(Problem("csv", message, remedy, place=Place(name, line, 1)))
            continue
        if plain is not None:
            phone = {key: cell for key, cell in zip(plain, cells, strict=False) if cell}
        else:
            phone = _phone(targets, cells)
        phones.append(phone)
        marks.append(Row(position(file, line, 1), sheet))
    return Listed(phones, marks, tuple(problems))


def header_line(lines: Sequence[str]) -> int | None:
    """Return the number, from 0, of the line that names the columns; None if there is none."""
    return next(
        (number for number, line in enumerate(lines) if line.strip() and not line.startswith("#")), None
    )


def separator_of(header: str) -> str:
    """Return what stands between the cells below a header."""
    return max(_SEPARATORS, key=header.count)


def _unread(error: csv.Error, place: Place) -> Problem:
    """Say where a file cannot be read any further: what stands below would be lost, or be part of a cell."""
    remedy = "close each quoted cell with a quote before the separator, and write a quote inside of it twice"
    return Problem("csv", f"from here on the file cannot be read: {error}", remedy, place=place)


def _numbered(rows: Any, offset: int) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield the rows that say something, each with the number of its first line; last what keeps the others from being read."""
    start = rows.line_num
    try:
        for cells in rows:
            line, start = start + offset, rows.line_num
            if any(cells) and not cells[0].startswith("#"):
                yield line, [cell.strip() for cell in cells]
    except csv.Error as error:
        yield start + offset, error


def _phone(targets: Sequence[tuple[str, str | None] | None], cells: Sequence[str]) -> dict[str, Any]:
    phone: dict[str, Any] = {}
    for target, cell in zip(targets, cells, strict=False):
        if target is None or not cell:
            continue
        key, inner = target
        if inner is None:
            phone[key] = cell
        else:
            phone.setdefault(key, {})[inner] = cell
    return phone


def _target(column: str) -> tuple[str, str | None] | None:
    mapping, dot, inner = column.partition(".")
    if dot and mapping in _MAPPINGS and inner:
        return mapping, inner
    return (column, None) if column in COLUMNS else None


def _header(columns: Sequence[str], name: str, line: int, sheet: Sheet) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, column in enumerate(columns):
        place = Place(name, line, sheet.column(line, index))
        if column in seen:
            yield Problem(
                "duplicate-key", f"column `{column}` is there twice", "keep one of the two", place=place
            )
        seen.add(column)
        if _target(column) is None:
            meant = did_you_mean(column, COLUMNS)
            remedy = (
                f"did you mean `{meant}`?"
                if meant
                else f"columns are: {', '.join(COLUMNS)}, values.*, options.*"
            )
            yield Problem("unknown-key", f"`{column}` is not a column of phones", remedy, place=place)
    if "mac" not in seen:
        yield Problem("missing-key", "the column `mac` is missing", "add it", place=Place(name, line, 1))

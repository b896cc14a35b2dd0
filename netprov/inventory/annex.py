"""The CSV file in which an inventory's phones are listed: which one it is, and how an inventory comes to name one.

What is written into an inventory is one line at its end. Its other lines, comments too, stay as they are; the line is only
written if the inventory says the same with it as before, and names the file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from netprov.errors import InventoryError, Place, Problem
from netprov.inventory.gather import Gathered, gather
from netprov.inventory.yaml.compose import compose
from netprov.inventory.yaml.flow import flow
from netprov.inventory.yaml.source import read

USUAL = "phones.csv"
"""What a CSV file is called that is made for scanned phones, beside the inventory."""

_LET_IT = f"write `phones: {{csv: {USUAL}}}`, or let --create do it"


def sheets_of(name: str) -> tuple[str, ...]:
    """Return the CSV files that an inventory names for its phones. Raises `InventoryError` if it cannot be read."""
    return tuple(dict.fromkeys(_gathered(name).sheets))


def sheet_among(sheets: Sequence[str], wanted: str | None, name: str) -> str:
    """Return the CSV file to add to. Raises `InventoryError` if there is none, or more than one and none is wanted."""
    if wanted is None and len(sheets) == 1:
        return sheets[0]
    for each in sheets:
        if wanted is not None and os.path.realpath(each) == os.path.realpath(wanted):
            return each
    if not sheets:
        raise InventoryError([_unnamed("the inventory names no CSV file of phones", _LET_IT, name)])
    said = f"--csv {wanted} is none of them" if wanted else "one has to be chosen"
    message = f"the inventory names {', '.join(sheets)}; {said}"
    raise InventoryError([_unnamed(message, f"say --csv {sheets[-1]}", name)])


def with_sheet(name: str, sheet: str) -> dict[str, str]:
    """Return the files, by name, with which an inventory names a CSV file for phones: itself, and one to include if need be.

    Raises `InventoryError` with the line to write where none can be added.
    """
    text = read(Path(name), name)
    composed = compose(text, name, 0)
    if composed.problems:
        raise InventoryError(composed.problems)
    value = composed.value if isinstance(composed.value, dict) else {}
    beside = os.path.relpath(sheet, os.path.dirname(name) or ".")
    line = f"phones: {{csv: {flow(beside)}}}"
    if "phones" not in value:
        return {name: _extended(text, name, line)}
    included = os.path.splitext(sheet)[0] + ".yaml"
    if isinstance(value["phones"], list) and "include" not in value and not os.path.exists(included):
        named = os.path.relpath(included, os.path.dirname(name) or ".")
        inner = os.path.relpath(sheet, os.path.dirname(included) or ".")
        whole = _extended(text, name, f"include: {flow(named)}")
        return {included: f"phones: {{csv: {flow(inner)}}}\n", name: whole}
    if not isinstance(value["phones"], list):
        raise InventoryError(
            [_unnamed("`phones:` is neither a list nor a CSV file", f"write `{line}` instead", name)]
        )
    raise InventoryError([_by_hand(name, included, line)])


def _extended(text: str, name: str, line: str) -> str:
    """Return an inventory with a line at its end. Raises `InventoryError` if it would not be read as meant."""
    head = text if not text or text.endswith("\n") else f"{text}\n"
    longer = f"{head}\n{line}\n"
    try:
        before, added, after = (compose(each, name, 0) for each in (text, line, longer))
    except InventoryError:
        raise InventoryError([_by_hand(name, "", line)]) from None
    if after.problems or after.value != {**(before.value or {}), **added.value}:
        raise InventoryError([_by_hand(name, "", line)])
    return longer


def _by_hand(name: str, included: str, line: str) -> Problem:
    if included:
        remedy = f"write `{line}` into {included}, and name that file under `include:`"
        return _unnamed("the inventory lists phones itself and includes files", remedy, name)
    return _unnamed(
        "a line at the end of the inventory would not be read as meant", f"write `{line}` into it", name
    )


def _unnamed(message: str, remedy: str, name: str) -> Problem:
    return Problem("no-phone-list", message, remedy, place=Place(name))


def _gathered(name: str) -> Gathered:
    return gather(read(Path(name), name), name)

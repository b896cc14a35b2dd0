"""Files that an operator wrote, read as text: not too large, UTF-8, without control characters."""

from __future__ import annotations

import re
from pathlib import Path

from netprov.errors import InventoryError, Place, Problem

LARGEST = 64 * 1024 * 1024
"""Octets in one file: four times an inventory of 100,000 phones."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def read(path: Path, name: str) -> str:
    """Return the text of a file; `name` is what problems call it. Raises `InventoryError`."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise InventoryError([_too_large(name, size)])
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InventoryError(
            [
                Problem(
                    "unreadable",
                    f"cannot read the file: {reason}",
                    "check the path and its permissions",
                    place=Place(name),
                )
            ]
        ) from error
    return decode(data, name)


def decode(data: bytes, name: str) -> str:
    """Return octets as text; a byte order mark is dropped. Raises `InventoryError` with the first bad place."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InventoryError([_not_utf8(name, 1, 1, "UTF-16")])
    if b"\0" in data[:2]:  # the first character of a file is ASCII, whatever the rest
        raise InventoryError([_not_utf8(name, 1, 1, "UTF-16 without a byte order mark")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise InventoryError(
            [_not_utf8(name, line, column, f"the octet 0x{data[error.start]:02x}")]
        ) from error
    if bad := _CONTROL.search(text):
        place = place_of(text, bad.start(), name)
        message = f"the control character U+{ord(bad[0]):04X} is in the file"
        raise InventoryError(
            [
                Problem(
                    "control-character",
                    message,
                    'delete it, or write it as an escape in quotes: "\\x07"',
                    place=place,
                )
            ]
        )
    return text


def place_of(text: str, offset: int, name: str) -> Place:
    """Return line and column of a character."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Place(name, text.count("\n", 0, offset) + 1, offset - line_start + 1)


def _too_large(name: str, size: int) -> Problem:
    return Problem(
        "too-large",
        f"the file has {size} octets; {LARGEST} are the most",
        "move phones to files of their own with `include:`, or to CSV with `phones: {csv: phones.csv}`",
        place=Place(name),
    )


def _not_utf8(name: str, line: int, column: int, what: str) -> Problem:
    return Problem(
        "encoding",
        f"the file is not UTF-8: {what} is in it",
        "save it as UTF-8",
        place=Place(name, line, column),
    )

"""`$GENERATE`: one line of a master file that stands for many, numbered (BIND 9 reference, "Master File Format")."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 65_536
"""Lines that one `$GENERATE` may stand for: a /16 of addresses."""

Fields = list[tuple[str, bool]]
"""The fields of an entry, and whether each was quoted."""

_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?", re.ASCII)
_PLACE = re.compile(r"\\(?P<escaped>.)|\$\{(?P<form>[^}]*)\}|\$")
_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s"]+)')
_FORM = re.compile(r"(-?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?", re.ASCII)


def generated(fields: Fields) -> Iterator[Fields]:
    """Yield the entries that a `$GENERATE` stands for. Raises ValueError."""
    if len(fields) < 4:
        raise ValueError(
            "$GENERATE takes a range, an owner, a type and data: $GENERATE 1-9 phone$ A 192.0.2.$"
        )
    match = _RANGE.fullmatch(fields[1][0])
    if not match:
        raise ValueError(f"{fields[1][0]!r} is no range: write 1-254, or 0-254/2")
    first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if last < first or not step:
        raise ValueError(f"{fields[1][0]!r} is no range: it begins behind its end, or its step is 0")
    numbers = range(first, last + 1, step)
    if len(numbers) > MOST:
        raise ValueError(
            f"{fields[1][0]!r} is {len(numbers)} records, {MOST} at most can be generated in one line"
        )
    for number in numbers:
        *before, (data, quoted) = [(_filled(text, number), quoted) for text, quoted in fields[2:]]
        yield [*before, *(_unquoted(data) if quoted else [(data, False)])]


def _unquoted(text: str) -> Fields:
    """Split data that is quoted as a whole, as BIND has data of several fields in a `$GENERATE`."""
    found = _FIELD.findall(text.replace('\\"', '"'))
    return [(plain or string, not plain) for string, plain in found]


def _filled(text: str, number: int) -> str:
    """Put a number in the place of each `$`, `${offset,width,base}`; `\\$` is the character."""

    def put(match: re.Match[str]) -> str:
        if match["escaped"]:
            return match[0]
        return _formatted(match["form"], number) if match["form"] is not None else str(number)

    return _PLACE.sub(put, text) if "$" in text else text


def _formatted(form: str, number: int) -> str:
    match = _FORM.fullmatch(form)
    if not match:
        raise ValueError(f"${{{form}}} is not ${{offset,width,base}} with base d, o, x, X, n or N")
    value, width, base = number + int(match[1]), int(match[2] or 0), match[3] or "d"
    if value < 0:
        raise ValueError(f"${{{form}}} is negative at {number}")
    if base in "nN":
        return _nibbles(value, width, base)
    return f"{value:0{width}{base}}"


def _nibbles(value: int, width: int, base: str) -> str:
    """Return a number as labels of one hexadecimal digit, the lowest first; `width` counts the dots too."""
    digits = f"{value:x}" if base == "n" else f"{value:X}"
    shown = ".".join(reversed(digits))
    while len(shown) < width:
        shown += "." if shown[-1] != "." else "0"
    return shown

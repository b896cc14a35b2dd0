"""Conditions of rules: comparisons of integers, version numbers or quoted strings, joined by `and`.

Cisco's guide, "Conditional Expressions" and "Comparison": symbols or acronyms, case of acronyms does not matter;
strings compare for equality only; versions compare only with versions of the same form.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from netprov.errors import Malformed
from netprov.phone.rule.version import load_version

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "eq": operator.eq,
    "!=": operator.ne,
    "ne": operator.ne,
    "<": operator.lt,
    "lt": operator.lt,
    "<=": operator.le,
    "le": operator.le,
    ">": operator.gt,
    "gt": operator.gt,
    ">=": operator.ge,
    "ge": operator.ge,
}
"""Every operator, by both of its spellings."""

EQUALITY = frozenset({"=", "eq", "!=", "ne"})

_COMPARISON = re.compile(
    r'\s*("[^"]*"|[^\s"<>=!]+)\s*(<=|>=|!=|=|<|>|(?<=\s)(?:eq|ne|lt|le|gt|ge)(?=\s))\s*("[^"]*"|[^\s"<>=!]+)\s*',
    re.IGNORECASE,
)
_AND = re.compile(r"and\b", re.IGNORECASE)
_HARDWARE = re.compile(r"\d+(?:\.\d+)+\Z")
_INTEGER = re.compile(r"-?\d+\Z")


def holds(text: str) -> bool:
    """Evaluate a condition whose macros are expanded; raises `Malformed` for what cannot be compared."""
    position, result = 0, True
    while True:
        matched = _COMPARISON.match(text, position)
        if not matched:
            raise Malformed(f"{text[position:].strip()!r} is not a comparison: write $NAME eq value")
        result &= _compare(matched[1], matched[2].lower(), matched[3])
        position = matched.end()
        if position == len(text):
            return result
        joined = _AND.match(text, position)
        if not joined:
            raise Malformed(f"{text[position:]!r}: comparisons are joined by `and`")
        position = joined.end()


def _compare(left: str, sign: str, right: str) -> bool:
    kind, first = _operand(left)
    other, second = _operand(right)
    if kind != other:
        raise Malformed(f"{left} is {kind}, {right} is {other}: they cannot be compared")
    if kind == "a string" and sign not in EQUALITY:
        raise Malformed(f"strings are equal or not; {sign} is for numbers and versions")
    return bool(OPERATORS[sign](first, second))


def _operand(text: str) -> tuple[str, str | int | tuple[int, ...]]:
    if text.startswith('"'):
        return "a string", text[1:-1]
    if _INTEGER.match(text):
        return "a number", int(text)
    if _HARDWARE.match(text):
        return "a hardware version", tuple(map(int, text.split(".")))
    return "a software version", load_version(text)

"""Conditions of rules: comparisons of integers, version numbers or quoted strings, joined by `and`.

Cisco's guide, "Conditional Expressions" and "Comparison": symbols or acronyms, case of acronyms does not matter;
strings compare for equality only; versions compare only with versions of the same form.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netprov.errors import Malformed
from netprov.phone.rule.refusal import Fault, RuleRefused
from netprov.provision.firmware import load_version

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
_HARDWARE = re.compile(r"\d{1,9}(?:\.\d{1,9})+\Z", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands as written, and the operator between them."""

    left: str
    sign: str
    right: str

    def holds(self) -> bool:
        """Compare; raises `RuleRefused` for what cannot be compared."""
        kind, first = _operand(self.left)
        other, second = _operand(self.right)
        if kind != other:
            reason = f"{self.left} is {kind}, {self.right} is {other}: they cannot be compared"
            raise RuleRefused(Fault.CONDITION, reason)
        if kind == "a string" and self.sign not in EQUALITY:
            reason = f"strings are equal or not; {self.sign} is for numbers and versions"
            raise RuleRefused(Fault.CONDITION, reason)
        return bool(OPERATORS[self.sign](first, second))


def holds(text: str) -> bool:
    """Evaluate a condition whose macros are expanded; raises `RuleRefused` for what cannot be compared."""
    judged = [comparison.holds() for comparison in comparisons(text)]  # each, whatever the others say
    return all(judged)


def comparisons(text: str) -> tuple[Comparison, ...]:
    """Read a condition, macros expanded or not. Raises `RuleRefused`."""
    position, found = 0, []
    while True:
        matched = _COMPARISON.match(text, position)
        if not matched:
            shown = text[position:].strip()
            raise RuleRefused(Fault.CONDITION, f"{shown!r} is not a comparison: write $NAME eq value")
        found.append(Comparison(matched[1], matched[2].lower(), matched[3]))
        position = matched.end()
        if position == len(text):
            return tuple(found)
        joined = _AND.match(text, position)
        if not joined:
            raise RuleRefused(Fault.CONDITION, f"{text[position:]!r}: comparisons are joined by `and`")
        position = joined.end()


def _operand(text: str) -> tuple[str, str | int | tuple[int, ...]]:
    if text.startswith('"'):
        return "a string", text[1:-1]
    if _INTEGER.match(text):
        return "a number", int(text)
    if _HARDWARE.match(text):
        return "a hardware version", tuple(map(int, text.split(".")))
    try:
        return "a software version", load_version(text)
    except Malformed as error:
        raise RuleRefused(Fault.CONDITION, str(error)) from None

"""Whole numbers in text that others wrote: ASCII digits and nothing else.

`str.isdigit` takes `²`, which `int` refuses, and `int` refuses more than 4300 digits: neither is a judge of input.
"""

from __future__ import annotations

MOST_DIGITS = 18
"""Digits that are read; no number that any protocol here carries has more."""


def whole(text: str) -> int | None:
    """Return the number that a text spells; None for anything but 1 to 18 ASCII digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None

"""Text that others wrote: made clean where it comes in, made visible where it is shown.

Clean text has no lone surrogates, so that every writer of UTF-8 takes it. Visible text has nothing that a terminal obeys or
that changes how the rest is read: no controls of C0 or C1, no line or paragraph ends, no marks of writing direction, nothing
of no width (Unicode's categories C and Z, the space excepted).
"""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Return text with U+FFFD for every octet that was no UTF-8 (what `surrogateescape` makes of it)."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def visible(text: str) -> str:
    r"""Return text on one line with every character that cannot be seen as its escape: `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escape(ord(each)) for each in text)


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

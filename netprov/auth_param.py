"""The parameters of an HTTP challenge and of the credentials that answer it (RFC 9110 section 11.2).

They come from whoever sends them: reading takes time in proportion to their length.
Quirk: a backslash before anything but a quote or another backslash stays: some clients write it bare in a domain and user name.
"""

from __future__ import annotations

import re

_PARAMETER = re.compile(r'(?<!\w)(\w++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,"]++))')
"""Possessive, from the begin of a word: a word that no `=` follows is read once, not once from each of its letters."""
_PAIR = re.compile(r'\\(["\\])')


def parse_parameters(text: str) -> dict[str, str]:
    """Return the parameters by their names in lower case, without their quotes (section 5.6.4); what is none is passed over."""
    return {
        match[1].lower(): match[3] if match[2] is None else _PAIR.sub(r"\1", match[2])
        for match in _PARAMETER.finditer(text)
    }


def quote(text: str) -> str:
    """Return a text as a quoted string, which `parse_parameters` reads back."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'

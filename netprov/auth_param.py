"""The parameters of an HTTP challenge and of the credentials that answer it (RFC 9110 section 11.2).

They come from whoever sends them: reading takes time in proportion to their length. Deliberately absent: quoted pairs are left as
they were written.
"""

from __future__ import annotations

import re

_PARAMETER = re.compile(r'(?<!\w)(\w++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,"]++))')
"""Possessive, from the begin of a word: a word that no `=` follows is read once, not once from each of its letters."""


def parse_parameters(text: str) -> dict[str, str]:
    """Return the parameters by their names in lower case; what is none is passed over."""
    return {
        match[1].lower(): match[3] if match[2] is None else match[2] for match in _PARAMETER.finditer(text)
    }

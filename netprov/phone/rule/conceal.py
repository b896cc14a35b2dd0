"""Parameters and rules as they may be shown: whoever looks at a phone's page is not told its keys and passwords."""

from __future__ import annotations

import re

MASK = "***"

_HIDDEN = frozenset({"IKM_HTTP_Encrypt_Content", *(f"GPP_S{letter}" for letter in "ABCD")})

_ARGUMENT = re.compile(r'((?<=[\[\s\'"])--(?:key|pwd)\s+)(?!\$)(?:"[^"]*"?|[^\s"\]]+)')
_ASSIGNED = re.compile(r'(?<!\w)(\w++)(\s*+=\s*+)(?:"[^"]*+"?|[^\s;)"]++)')


def is_hidden(name: str) -> bool:
    """Tell whether a parameter is one that no report and no page of the phone shows."""
    return name in _HIDDEN or "Passw" in name


def conceal(text: str) -> str:
    """Return a text with `***` for the arguments of --key and --pwd and for what is assigned to hidden parameters.

    A macro ($SA) stays: it names a secret and tells none. The text need not be a rule: a refusal quotes parts of them.
    """
    shown = _ARGUMENT.sub(rf"\1{MASK}", text) if "--" in text else text
    return _ASSIGNED.sub(_assigned, shown) if "=" in shown else shown


def _assigned(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{MASK}" if is_hidden(match[1]) else match[0]

"""The macros of phones' rules and paths, read both ways: `$MA` to a MAC address, and a path back to its phone.

Cisco's provisioning guide, "Macro Expansion Variables": `$NAME` or `$(NAME)`, the longest name first; substrings
`$(NAME:p)` and `$(NAME:p:q)`; `$$` is a dollar sign; what is not a macro stays as it is; one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_uppercase

from netprov.mac import DIGITS, PAIRS, bare_mac

NAMES: frozenset[str] = frozenset(
    {
        *("MA", "MAU", "MAC", "SN", "PN", "PSN", "SWVER", "HWVER", "IP", "EXTIP", "CCERT"),
        *("PRVST", "UPGST", "UPGERR", "PRVTMR", "UPGTMR", "REGTMR1", "REGTMR2", "UPGCOND"),
        *("SCHEME", "SERV", "SERVIP", "PORT", "PATH", "ERR", "EMS", "MUID", "MPWD"),
        *(f"UID{line}" for line in range(1, 17)),
        *ascii_uppercase[:16],  # the general purpose parameters GPP_A to GPP_P
        *("SA", "SB", "SC", "SD"),  # the secret ones; only inside --key, --uid and --pwd
    }
)
"""Every macro name that phones know; a longer one wins over its own beginning (`$PSN` is not `$P` and "SN")."""

_LONGEST = max(map(len, NAMES))
_MACRO = re.compile(r"\$(?:(\$)|\(([A-Z0-9]+)(?::(\d{1,4})(?::(\d{1,4}))?)?\)|([A-Z][A-Z0-9]*))", re.ASCII)

_LOOKS_LIKE = re.compile(r"\$(?:(\$)|\((\w+)[^)]*\)|([A-Za-z]\w*))")

_READ: Mapping[str, str] = {
    "MA": DIGITS,
    "MAU": DIGITS,
    "MAC": PAIRS,
    "PN": r"(?:cp|dp)-[0-9a-z]{4,12}(?:-3pcc)?",
    "PSN": r"[0-9a-z]{4,12}-3pcc|98[0-9]{2}[a-z]?",
    "SN": r"[0-9a-z]{4,16}",
}
"""How each macro that names a phone looks in a path, once it is in lower case."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace the macros of `text`; a name that phones know but `values` does not hold stays verbatim."""
    if "$" not in text:
        return text
    return "".join([each if isinstance(each, str) else each.value(values) for each in _pieces(text)])


@dataclass(frozen=True, slots=True)
class _Use:
    """One macro in a text: its name, the part of its value that is wanted, what follows it, how it is written."""

    name: str
    part: slice
    rest: str
    written: str

    def value(self, values: Mapping[str, str]) -> str:
        found = values.get(self.name)
        return self.written if found is None else found[self.part] + self.rest


@lru_cache(maxsize=512)
def _pieces(text: str) -> tuple[str | _Use, ...]:
    """Take a text apart: the same few templates are expanded for every phone."""
    pieces: list[str | _Use] = []
    position = 0
    for macro in _MACRO.finditer(text):
        pieces.append(text[position : macro.start()])
        position = macro.end()
        pieces.append(_piece(macro))
    pieces.append(text[position:])
    return tuple(each for each in pieces if each)


def _piece(macro: re.Match[str]) -> str | _Use:
    dollar, bracketed, start, length, bare = macro.groups()
    if dollar:
        return "$"
    if bracketed:
        begin = int(start or 0)
        return _Use(bracketed, slice(begin, begin + int(length) if length else None), "", macro[0])
    name = _longest(bare)
    return _Use(name, slice(None), bare[len(name) :], macro[0]) if name else macro[0]


def names_in(text: str) -> frozenset[str]:
    """Return the macro names that `text` uses."""
    found = ((m[2] if m[2] in NAMES else "") or _longest(m[5] or "") for m in _MACRO.finditer(text))
    return frozenset(name for name in found if name)


def unknown_in(text: str) -> tuple[str, ...]:
    """Return what looks like a macro in `text` and is none, as written: `$ma`, `$HOST` (of which phones take `$H`)."""
    found = []
    for macro in _LOOKS_LIKE.finditer(text):
        bracketed, bare = macro[2], macro[3] or ""
        known = bracketed in NAMES if bracketed else len(_longest(bare)) > 1 or bare in NAMES
        if not (macro[1] or known):
            found.append(macro[0])
    return tuple(dict.fromkeys(found))


def device_macros(
    mac: str, *, model: str = "", serial: str = "", firmware: str = "", address: str = "", hardware: str = ""
) -> dict[str, str]:
    """Return the macros that follow from a phone's identity; `mac` is written with colons."""
    digits = bare_mac(mac)
    return {
        "MA": digits,
        "MAU": digits.upper(),
        "MAC": ":".join(digits[i : i + 2] for i in range(0, 12, 2)),
        "SN": serial,
        "PN": model,
        "PSN": series_name(model),
        "SWVER": firmware,
        "HWVER": hardware,
        "IP": address,
    }


def series_name(model: str) -> str:
    """Return `$PSN` of a product name: `8851-3PCC` of `CP-8851-3PCC` (Cisco's migration guide)."""
    return model[3:] if model[:3].upper() in {"CP-", "DP-"} else model


class PathPattern:
    """A path with macros, read backwards: which phone does `/Cisco/001234ab45de.cfg` speak of?"""

    __slots__ = ("_expression", "template")

    def __init__(self, template: str) -> None:
        self.template = template
        self._expression = re.compile(_pattern(template))

    @property
    def expression(self) -> str:
        """Return the regular expression of the path in lower case, its macros as named groups."""
        return self._expression.pattern

    def match(self, path: str) -> dict[str, str] | None:
        """Return the macros' values, in lower case, if the path (in lower case) fits, else None."""
        found = self._expression.fullmatch(path)
        return None if found is None else found.groupdict()


def _pattern(template: str) -> str:
    """Turn a template into a regular expression; macros that name no phone match anything but a slash."""
    parts: list[str] = []
    seen: set[str] = set()
    position = 0
    for macro in _MACRO.finditer(template):
        parts.append(re.escape(template[position : macro.start()].lower()))
        position = macro.end()
        name = macro[2] or _longest(macro[5] or "")
        rest = (macro[5] or "")[len(name) :].lower()
        if macro[1] or not name:
            parts.append(re.escape(macro[0].lower() if not macro[1] else "$"))
        elif name in seen:
            parts.append(f"(?P={name}){rest}")
        elif name in _READ and macro[3] is None:
            seen.add(name)
            parts.append(f"(?P<{name}>{_READ[name]}){rest}")
        else:
            parts.append(f"[^/]*{rest}")
    parts.append(re.escape(template[position:].lower()))
    return "".join(parts)


def patterns(templates: Iterable[str]) -> tuple[PathPattern, ...]:
    """Compile several templates, each once."""
    return tuple(PathPattern(template) for template in dict.fromkeys(templates))


def _longest(word: str) -> str:
    """Return the longest macro name that `word` begins with, or ""."""
    return next((word[:n] for n in range(min(len(word), _LONGEST), 0, -1) if word[:n] in NAMES), "")

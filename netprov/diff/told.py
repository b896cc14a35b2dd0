"""A difference as lines for people, likes together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from netprov.diff.seen import Change, Likes, Section, like

HEADS: Mapping[Section, str] = {
    "dhcp": "What DHCP offers",
    "dns": "What DNS answers",
    "listeners": "Where this server is asked",
    "certificates": "Certificates",
    "profiles": "What phones load",
    "acs": "What the ACS makes devices do",
}
COLOURS = {"+": "green", "-": "red", "~": "yellow"}

SHOWN_LIKES = 12
"""Groups of likes that are shown in a section unless all are asked for."""

SHOWN_SUBJECTS = 3


def told(
    found: Sequence[Change], *, everything: bool = False, hint: str = ""
) -> Iterator[tuple[str, str | None, bool]]:
    """Yield what to print, line by line: the text, its colour, whether it is a head; `hint` says how to see the rest."""
    for section, members in groupby(like(found), key=lambda each: each.first.section):
        group = list(members)
        shown = group if everything else group[:SHOWN_LIKES]
        yield HEADS[section], None, True
        for each in shown:
            yield (
                f"  {each.first.sign} {_words(each, everything=everything)}",
                COLOURS[each.first.sign],
                False,
            )
        if len(group) > len(shown):
            yield f"    … and {len(group) - len(shown)} more{hint}", None, False
        yield "", None, False


def _words(likes: Likes, *, everything: bool) -> str:
    change = likes.first
    number = len(likes.subjects)
    shown = likes.subjects if everything else likes.subjects[:SHOWN_SUBJECTS]
    who = "; ".join(shown) + (f" and {number - len(shown)} more" if number > len(shown) else "")
    match change.sign:
        case "+":
            return f"{who}: {change.aspect}: {change.after}"
        case "-":
            return f"{who}: no {change.aspect} any more, was {change.before}"
    return f"{who}: {change.aspect}: {change.before} → {change.after}"

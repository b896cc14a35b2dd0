"""One thing that somebody sees differently, and likes of it told together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Section = Literal["dhcp", "dns", "listeners", "certificates", "profiles", "acs"]

NOTHING = ""
"""Stands for what is not there before, or after."""


@dataclass(frozen=True, slots=True)
class Change:
    """Who or what (`subject`), which part of it (`aspect`), and its value in words before and after, "" for none.

    `mac` is the listed phone that sees it, "" where none or not one alone does. Secrets are never in it.
    """

    section: Section
    subject: str
    aspect: str
    before: str
    after: str
    mac: str = ""

    @property
    def sign(self) -> str:
        """What became of it: + it is new, - it is gone, ~ it is another."""
        return "+" if self.before == NOTHING else "-" if self.after == NOTHING else "~"


@dataclass(frozen=True, slots=True)
class Likes:
    """Changes that differ in their subjects alone."""

    first: Change
    subjects: tuple[str, ...]


def like(changes: Iterable[Change]) -> tuple[Likes, ...]:
    """Return changes with those together that say the same of several subjects."""
    found: dict[tuple[str, str, str, str], tuple[Change, dict[str, None]]] = {}
    for each in changes:
        key = (each.section, each.aspect, each.before, each.after)
        found.setdefault(key, (each, {}))[1][each.subject] = None
    return tuple(Likes(first, tuple(subjects)) for first, subjects in found.values())


def compared(
    section: Section, subject: str, before: Mapping[str, str], after: Mapping[str, str], mac: str = ""
) -> Iterable[Change]:
    """Yield a change for each aspect whose text differs or that only one has, in the order of the later one."""
    for aspect in dict.fromkeys((*after, *before)):
        one, other = before.get(aspect, NOTHING), after.get(aspect, NOTHING)
        if one != other:
            yield Change(section, subject, aspect, one, other, mac)


def words(value: object) -> str:
    """Write a setting: "" for none, `yes` for true, a list with commas."""
    match value:
        case None | False | "" | ():
            return NOTHING
        case True:
            return "yes"
        case tuple():
            return ", ".join(map(str, value))
    return str(value)

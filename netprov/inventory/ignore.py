"""Comments by which an operator accepts a finding, with the reason.

# netprov: ignore srv-weights: the guide prints it so       on the line of the entry, or on a line above it
# netprov: ignore-file srv-ttl-long: lab only               for the whole file
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from netprov.errors import Place, Problem

_COMMENT = re.compile(
    r"#\s*netprov:\s*(?P<kind>ignore-file|ignore)\b[ \t]*(?P<rule>[\w-]*)[ \t]*:?[ \t]*(?P<reason>[^\n]*)"
)

Ancestors = Callable[[Problem], Iterable[Place]]


@dataclass(frozen=True, slots=True)
class Ignore:
    """One such comment: where it is, the line of the entry it is for (0 for the whole file), and why."""

    place: Place
    line: int
    rule: str
    reason: str


def read_ignores(text: str, name: str) -> tuple[Ignore, ...]:
    """Return the comments of a file."""
    if "netprov:" not in text:
        return ()
    lines = text.split("\n")
    found: list[Ignore] = []
    for number, line in enumerate(lines, 1):
        matched = _COMMENT.search(line) if "netprov:" in line else None
        if matched is None:
            continue
        place = Place(name, number, matched.start() + 1)
        target = number
        if matched["kind"] == "ignore-file":
            target = 0
        elif not line[: matched.start()].strip():
            target = _next_entry(lines, number)
        found.append(Ignore(place, target, matched["rule"], matched["reason"].strip()))
    return tuple(found)


def apply(
    ignores: Sequence[Ignore], problems: Iterable[Problem], places: Ancestors, known: Iterable[str]
) -> tuple[list[Problem], list[Problem]]:
    """Split problems into those that stand and those that are ignored; wrong comments are problems of their own.

    `places` returns the places of a problem's path and of everything above it; `known` are the rules there are.
    """
    by_rule: dict[str, list[Ignore]] = {}
    for each in ignores:
        if each.reason:
            by_rule.setdefault(each.rule, []).append(each)
    used: set[Ignore] = set()
    standing: list[Problem] = []
    ignored: list[Problem] = []
    for problem in problems:
        candidates = by_rule.get(problem.rule)
        match = _matching(candidates, problem, places) if candidates else None
        if match is None:
            standing.append(problem)
        else:
            used.add(match)
            ignored.append(problem)
    rules = set(known)
    standing += (wrong for each in ignores if each not in used and (wrong := _wrong(each, rules)))
    return standing, ignored


def _next_entry(lines: Sequence[str], number: int) -> int:
    for following in range(number, len(lines)):
        text = lines[following].strip()
        if text and not text.startswith("#"):
            return following + 1
    return number


def _matching(candidates: Iterable[Ignore], problem: Problem, places: Ancestors) -> Ignore | None:
    above = {(place.file, place.line) for place in places(problem)}
    files = {file for file, _ in above}
    for each in candidates:
        if (each.place.file, each.line) in above or (each.line == 0 and each.place.file in files):
            return each
    return None


def _wrong(ignore: Ignore, known: set[str]) -> Problem | None:
    if ignore.rule not in known:
        message, remedy = f"there is no rule `{ignore.rule}`", "`netprov check --list` names the rules"
    elif not ignore.reason:
        message, remedy = "the comment gives no reason", f"write # netprov: ignore {ignore.rule}: REASON"
    else:
        message, remedy = f"nothing here is found by {ignore.rule}", "delete the comment"
    return Problem("ignore", message, remedy, severity="warning", place=ignore.place)

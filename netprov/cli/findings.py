"""Findings as text for people, as JSON for programs, as SARIF 2.1.0 for editors and CI."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from netprov.errors import Place, Problem, Severity

ORDER: Mapping[str, int] = {"error": 0, "warning": 1, "info": 2}
COLOURS: Mapping[str, str] = {"error": "red", "warning": "yellow", "info": "cyan"}
PLURALS: Mapping[Severity, tuple[str, str]] = {
    "error": ("error", "errors"),
    "warning": ("warning", "warnings"),
    "info": ("note", "notes"),
}
LEVELS: Mapping[str, str] = {"error": "error", "warning": "warning", "info": "note"}
"""SARIF's words for severities."""

SHOWN = 20
"""Findings of one rule that are shown unless all are asked for."""

SHOWN_NOTES = 3
"""Notes of one rule that are shown each; of more, the first stands for all."""


def arranged(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems grouped by rule: errors first, and in the order of the file."""
    ordered = sorted(problems, key=lambda each: (ORDER[each.severity], each.place or Place("")))
    first: dict[str, int] = {}
    for number, each in enumerate(ordered):
        first.setdefault(each.rule, number)
    return sorted(ordered, key=lambda each: (ORDER[each.severity], first[each.rule]))


def text(problems: Sequence[Problem], *, everything: bool = False) -> Iterable[str]:
    """Yield the lines for people; the same remedy is said once a group."""
    for _, members in groupby(arranged(problems), key=lambda each: (each.severity, each.rule)):
        group = list(members)
        many = group[0].severity == "info" and len(group) > SHOWN_NOTES
        shown = group if everything else group[: 1 if many else SHOWN]
        for number, problem in enumerate(shown):
            yield _line(problem)
            yield from (f"    see also {place}" for place in problem.places if place != problem.place)
            last = number + 1 == len(shown) or shown[number + 1].remedy != problem.remedy
            if problem.remedy and last:
                yield f"    {click.style(problem.remedy, fg='green')}"
        if len(group) > len(shown):
            yield f"    … and {len(group) - len(shown)} more of {group[0].rule}; --all shows them"
        yield ""


def _line(problem: Problem) -> str:
    where = f"{click.style(str(problem.place), bold=True)}: " if problem.place else ""
    kind = click.style(f"{problem.severity}[{problem.rule}]", fg=COLOURS[problem.severity])
    return f"{where}{kind}: {problem.message}"


def counted(problems: Iterable[Problem], ignored: int = 0) -> str:
    """Return how many findings there are of each severity, in words."""
    found = Counter(problem.severity for problem in problems)
    parts = [
        f"{found[severity]} {names[found[severity] != 1]}"
        for severity, names in PLURALS.items()
        if found[severity]
    ]
    if ignored:
        parts.append(f"{ignored} ignored by comments")
    return ", ".join(parts) or "nothing wrong"


def as_json(problems: Iterable[Problem]) -> str:
    """Return a JSON array of findings."""
    return json.dumps([as_data(problem) for problem in arranged(problems)], indent=2)


def as_data(problem: Problem) -> dict[str, Any]:
    """Return a finding as plain data: the one form of every verb's JSON."""
    return {
        "rule": problem.rule,
        "severity": problem.severity,
        "message": problem.message,
        "remedy": problem.remedy,
        "path": list(problem.path),
        **_position(problem.place),
        "related": [
            {"path": list(path), **_position(place)}
            for path, place in zip(problem.related, problem.places, strict=False)
        ],
    }


def _position(place: Place | None) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column} if place else {}


def as_sarif(problems: Iterable[Problem], version: str) -> str:
    """Return a SARIF 2.1.0 log with one run."""
    found = arranged(problems)
    ids = list(dict.fromkeys(problem.rule for problem in found))
    driver = {
        "name": "netprov",
        "semanticVersion": version,
        "rules": [_sarif_rule(rule) for rule in ids],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": [_sarif_result(each, ids) for each in found]}],
    }
    return json.dumps(log, indent=2)


def _sarif_rule(rule_id: str) -> dict[str, Any]:
    # Gathers every verb's reasons, from modules that most verbs never need.
    from netprov.reason.index import REASONS

    reason = REASONS.get(rule_id)
    if reason is None:
        return {"id": rule_id}
    return {
        "id": rule_id,
        "fullDescription": {"text": reason.why},
        "help": {"text": reason.remedy},
        "defaultConfiguration": {"level": LEVELS[reason.severity]},
    }


def _sarif_result(problem: Problem, ids: Sequence[str]) -> dict[str, Any]:
    message = f"{problem.message}: {problem.remedy}" if problem.remedy else problem.message
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": ids.index(problem.rule),
        "level": LEVELS[problem.severity],
        "message": {"text": message},
    }
    if problem.place:
        result["locations"] = [_sarif_location(problem.place)]
    if problem.places:
        result["relatedLocations"] = [
            {"id": number, **_sarif_location(place)} for number, place in enumerate(problem.places, 1)
        ]
    return result


def _sarif_location(place: Place) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": Path(place.file).as_posix()}}
    if place.line:
        location["region"] = {"startLine": place.line, "startColumn": place.column}
    return {"physicalLocation": location}

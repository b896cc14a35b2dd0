"""What a comparison came to: for people, as JSON, as JUnit XML for CI."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from netprov.compare.answer import Answer, DhcpQuestion, DnsQuestion, Question
from netprov.compare.judge import REASONS, Difference, differences

SHOWN = 40
"""Differences that are printed unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that was asked, and where the answers differ."""

    questions: int
    answered: int
    """Questions that the first server answered."""
    differences: tuple[Difference, ...]
    places: Mapping[tuple[str, int], str]
    """Where the inventory says what differs, by client and option."""

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """The differences that nothing explains."""
        return tuple(each for each in self.differences if not each.reason)

    def place(self, each: Difference) -> str:
        """Return the place in the inventory of what differs, "" if it says nothing."""
        if isinstance(each.question, DhcpQuestion):
            return self.places.get((str(each.question.client), each.option), "")
        return ""


def judge(
    left: Mapping[Question, Answer],
    right: Mapping[Question, Answer],
    *,
    places: Mapping[tuple[str, int], str] | None = None,
    listed: frozenset[int] = frozenset(),
    own: frozenset[str] = frozenset(),
    approximate: frozenset[str] = frozenset(),
) -> Verdict:
    """Compare the answers of two servers, question by question.

    `listed` are options that an import says it lost, `own` names that the second server publishes by itself,
    `approximate` labels of clients whose class an export takes only nearly.
    """
    asked = dict.fromkeys((*left, *right))
    found: list[Difference] = []
    for question in asked:
        if question in left and question in right:
            each = differences(question, left[question], right[question])
        else:
            sides = ("asked", "could not be asked")
            each = iter([Difference(question, "question", *(sides if question in left else reversed(sides)))])
        nearly = isinstance(question, DhcpQuestion) and question.client.label in approximate
        found += (_known(one, listed, own, nearly=nearly) for one in each)
    answered = sum(_came(each) for each in left.values())
    return Verdict(len(asked), answered, tuple(found), places or {})


def _known(each: Difference, listed: frozenset[int], own: frozenset[str], *, nearly: bool) -> Difference:
    if each.reason:
        return each
    if nearly or each.option in listed:
        return replace(each, reason="listed")
    by_itself = isinstance(each.question, DnsQuestion) and each.question.name in own
    return replace(each, reason="own") if by_itself else each


def _came(answer: Answer) -> bool:
    return bool(getattr(answer, "kind", "") or getattr(answer, "status", ""))


def as_text(verdict: Verdict, *, everything: bool = False) -> Iterator[str]:
    """Yield the lines for people: what is not explained, once for all its questions, then what is, counted."""
    groups: dict[tuple[str, str, str, str], list[Difference]] = {}
    for each in verdict.unexplained:
        groups.setdefault((each.what, each.left, each.right, verdict.place(each)), []).append(each)
    shown = list(groups.items())
    for (what, left, right, place), members in shown if everything else shown[:SHOWN]:
        where = f"{place}: " if place else ""
        more = f" (and {len(members) - 1} more)" if len(members) > 1 else ""
        yield f"{where}{what}: {left or 'nothing'} against {right or 'nothing'}"
        yield f"    {members[0].question}{more}"
    if not everything and len(shown) > SHOWN:
        yield f"… and {len(shown) - SHOWN} more; --all shows them"
    for reason, count in sorted(Counter(each.reason for each in verdict.differences if each.reason).items()):
        yield f"explained, {count} times ({reason}): {REASONS[reason]}"
    count = len(verdict.unexplained)
    yield f"{verdict.questions} questions, {verdict.answered} answered; {count or 'no'} unexplained differences"


def as_json(verdict: Verdict) -> str:
    """Return the verdict as JSON."""
    return json.dumps(
        {
            "questions": verdict.questions,
            "answered": verdict.answered,
            "differences": [_data(verdict, each) for each in verdict.differences],
        },
        indent=2,
    )


def _data(verdict: Verdict, each: Difference) -> dict[str, Any]:
    return {
        "question": str(each.question),
        "what": each.what,
        "left": each.left,
        "right": each.right,
        "reason": each.reason,
        "place": verdict.place(each),
    }


def as_junit(verdict: Verdict, name: str) -> str:
    """Return the verdict as JUnit XML: a test case a question, failed where a difference is not explained."""
    failed: dict[str, list[Difference]] = {}
    for each in verdict.unexplained:
        failed.setdefault(str(each.question), []).append(each)
    suite = Element("testsuite", name=name, tests=str(verdict.questions), failures=str(len(failed)))
    for question, members in failed.items():
        case = SubElement(suite, "testcase", classname=name, name=question)
        for each in members:
            message = f"{each.what}: {each.left or 'nothing'} against {each.right or 'nothing'}"
            SubElement(case, "failure", message=message).text = verdict.place(each)
    equal = SubElement(
        suite, "testcase", classname=name, name=f"{verdict.questions - len(failed)} other questions"
    )
    equal.set("assertions", str(verdict.questions - len(failed)))
    return tostring(suite, encoding="unicode", xml_declaration=True)

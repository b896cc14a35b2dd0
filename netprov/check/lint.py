"""Profiles from elsewhere: what phones would ignore or refuse in a flat profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from netprov.check.directive import REFUSALS, rule_refused
from netprov.check.parameter import (
    instead,
    lacked,
    newer,
    parameter_model,
    parameter_newer,
    parameter_unknown,
    unfit,
    unknown,
    value_choice,
    value_type,
    whose,
)
from netprov.errors import Malformed, Place, Problem, Reason
from netprov.phone.rule.grammar import RULE_KINDS
from netprov.phone.rule.written import read_written
from netprov.provision.parameter.catalogue import find_parameter
from netprov.provision.profile import Parameter, decompress, parse_profile

PROFILE_UNREADABLE = Reason(
    "profile-unreadable",
    "error",
    "A phone takes the file for corrupt, applies nothing of it, and asks again after Resync_Error_Retry_Delay.",
    "correct the XML: one <flat-profile>, every element closed, quotes straight, & < > escaped",
)
PROFILE_REPEATED = Reason(
    "profile-repeated",
    "warning",
    "Of two elements of one name, the last counts.",
    "remove the one that is not meant",
)
PROFILE_ACCESS = Reason(
    "profile-access",
    "warning",
    "The attribute `ua` says what the phone's user may do: na, ro or rw. With any other, the phone keeps what it had.",
    "write na, ro or rw",
)
PROFILE_STRAY_TEXT = Reason(
    "profile-stray-text",
    "warning",
    "Text between elements is no comment in XML, and a phone may take the file for corrupt.",
    "write comments as <!-- … -->",
)

_ELEMENT = re.compile(r"<([A-Za-z_][\w.\-]*)([^<>]*?)(/?)>")
_ACCESS = re.compile(r'\bua\s*=\s*["\']([^"\']*)["\']')
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FRAME = frozenset({"flat-profile", "device", "profile"})
_STRAY = re.compile(r">\s*([^<>\s][^<>]*)<(?!/)")


@dataclass(frozen=True, slots=True)
class Subject:
    """The phone that a profile is for, as far as is said: "" where it is not."""

    model: str = ""
    firmware: str = ""


def lint(data: bytes, file: str, subject: Subject) -> list[Problem]:
    """Return what is wrong with a profile; `data` is XML, plain or gzip."""
    try:
        profile = parse_profile(data)
        text = decompress(data).decode("utf-8", "replace")
    except Malformed as error:
        return [PROFILE_UNREADABLE.problem(str(error), place=Place(file, _line_of(str(error))))]
    places = Places(text, file)
    found = [problem for each in profile.values() for problem in _parameter(each, places, subject)]
    return sorted([*found, *_written(places)], key=lambda each: each.place or Place(file))


class Places:
    """Where each element stands in a text, comments aside."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self.text = _COMMENT.sub(lambda comment: re.sub(r"[^\n]", " ", comment[0]), text)
        self.elements = [each for each in _ELEMENT.finditer(self.text) if each[1] not in _FRAME]
        self._last = {each[1]: each.start() for each in self.elements}

    def of(self, name: str) -> Place:
        """Return where the element stands that counts."""
        return self.at(self._last.get(name, 0))

    def at(self, offset: int) -> Place:
        """Return the place of a character."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        return Place(self._file, self.text.count("\n", 0, offset) + 1, offset - line_start + 1)


def _parameter(parameter: Parameter, places: Places, subject: Subject) -> Iterator[Problem]:
    name, text, place = parameter.name, parameter.value or "", places.of(parameter.name)
    known = find_parameter(name)
    if known is None:
        yield parameter_unknown.reason.problem(unknown(name), instead(name), place=place)
        return
    if fault := known.fault(text):
        kind = value_choice if known.kind == "choice" else value_type
        meant = known.meant(text)
        yield kind.reason.problem(
            unfit(name, known, text, fault), f"write {meant}" if meant else "", place=place
        )
    if subject.model and lacked(known, subject.model):
        message = f"{name} is not for {subject.model}: it is known of {whose(known)}"
        yield parameter_model.reason.problem(message, place=place)
    if subject.firmware and known.newer_than(subject.firmware):
        yield parameter_newer.reason.problem(newer(name, known, subject.firmware), place=place)
    if name in RULE_KINDS:
        for error in read_written(name, text).refused:
            reason = REFUSALS.get(error.fault, rule_refused).reason
            yield reason.problem(f"{name}: {error}", place=place)


def _written(places: Places) -> Iterator[Problem]:
    """Find what is lost once the XML is parsed."""
    seen: set[str] = set()
    for element in places.elements:
        name, place = element[1], places.at(element.start())
        if name in seen:
            yield PROFILE_REPEATED.problem(f"{name} is there a second time", place=place)
        seen.add(name)
        access = _ACCESS.search(element[2])
        if access and access[1] not in {"na", "ro", "rw"}:
            yield PROFILE_ACCESS.problem(f"{name} has ua={access[1]!r}", place=place)
    for stray in _STRAY.finditer(places.text):
        shown = " ".join(stray[1].split())[:40]
        yield PROFILE_STRAY_TEXT.problem(
            f"{shown!r} stands between elements", place=places.at(stray.start(1))
        )


def _line_of(error: str) -> int:
    found = re.search(r"line (\d+)", error)
    return int(found[1]) if found else 0

"""One YAML document as plain values, with the mark of each: the parser's events, folded without recursion.

YAML 1.2 core scalars; anchors, aliases and the merge key `<<` are known. Duplicate keys, undefined or expanding
aliases, unknown tags, a second document and too deep nesting are problems, collected; only a syntax error ends the
reading at once. Deliberately absent: complex keys, custom tags.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from sys import intern
from typing import Any

import yaml

from netprov.errors import InventoryError, Place, Problem
from netprov.inventory.yaml.core_schema import RESOLVED_STARTS, Scalar, resolve, tagged
from netprov.inventory.yaml.mark import (
    FILE,
    KEY,
    LINE,
    Branch,
    Mark,
    key_position,
    split,
    under_key,
    value_position,
)
from netprov.inventory.yaml.syntax import explain

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # pragma: no cover - PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

DEEPEST = 40
"""Levels of nesting."""

MOST_ALIASED = 1_000_000
"""Values that aliases may stand for in all; ten aliases of ten aliases of … pass it quickly."""

_MERGE = object()
_REFUSED = object()
_MAP_TAGS = {None, "!", "tag:yaml.org,2002:map"}
_SEQUENCE_TAGS = {None, "!", "tag:yaml.org,2002:seq"}


@dataclass(frozen=True, slots=True)
class Composed:
    """A document's value and mark, and what is wrong with it."""

    value: Any
    mark: Mark
    problems: tuple[Problem, ...]


class _Frame:
    """A list or mapping being read."""

    __slots__ = ("anchor", "at", "depth", "expects_key", "key", "key_at", "marks", "merges", "size", "value")

    def __init__(self, at: int, anchor: str | None, value: Any, marks: Any, *, expects_key: bool) -> None:
        self.at = at
        self.anchor = anchor
        self.value = value
        self.marks = marks
        self.key: Any = None
        self.key_at = 0
        self.expects_key = expects_key
        self.size = 1
        self.depth = 1
        self.merges: list[tuple[Any, Mark, int]] | None = None


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    mark: Mark
    size: int
    depth: int


def compose(text: str, name: str, file: int = 0) -> Composed:
    """Read one document; `file` is the number that its marks carry. Raises `InventoryError` on a syntax error."""
    fold = _Fold(name, file)
    try:
        loader = Loader(text)
        try:
            fold.run(loader.get_event)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise InventoryError([*fold.problems, explain(error, text, name)]) from error
    return Composed(fold.value, fold.mark, tuple(fold.problems))


class _Fold:
    """The stack of open lists and mappings, and what came of them."""

    def __init__(self, name: str, file: int) -> None:
        self.value: Any = None
        self.mark: Mark = file << FILE | 1 << LINE | 1
        self.problems: list[Problem] = []
        self.stopped = False
        self._name = name
        self._base = file << FILE
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._aliased = 0
        self._documents = 0

    def run(self, get_event: Callable[[], Any]) -> None:
        """Take in all events of the parser.

        Nine of ten events are untagged scalars inside a list or mapping; they are handled here, without a call.
        """
        stack, base, scalar = self._stack, self._base, yaml.ScalarEvent
        keys: dict[str, str] = {}  # plain keys that were seen, and need no second look
        while (event := get_event()) is not None:
            if (
                event.__class__ is not scalar
                or not stack
                or event.tag is not None
                or event.anchor is not None
            ):
                self._take(event)
                if self.stopped:
                    return
                continue
            mark: Any = event.start_mark
            at = base | (mark.line + 1) << LINE | (mark.column + 1 if mark.column < 0xFFFF else 0xFFFF)
            text = event.value
            plain = event.implicit[0]
            frame = stack[-1]
            key = keys.get(text) if plain and frame.expects_key else None
            if key is not None and key not in frame.value:
                frame.size += 1
                frame.key = key
                frame.key_at = at
                frame.expects_key = False
                continue
            value = resolve(text) if plain and (not text or text[0] in RESOLVED_STARTS) else text
            if frame.expects_key:
                self._key(frame, value, text, at, plain=plain)
                if plain and value.__class__ is str and text != "<<" and not text[0].isdigit():
                    keys[text] = frame.key
            elif frame.value.__class__ is list:
                frame.size += 1
                frame.value.append(value)
                frame.marks.append(at)
            elif frame.key.__class__ is str and frame.key not in frame.value:
                frame.size += 1
                frame.expects_key = True
                frame.value[frame.key] = value
                frame.marks[frame.key] = frame.key_at << KEY | at
            else:
                self._add(value, at, 1)

    def _take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._open(event, {}, _MAP_TAGS, expects_key=True)
        elif kind is yaml.SequenceStartEvent:
            self._open(event, [], _SEQUENCE_TAGS, expects_key=False)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close()
        elif kind is yaml.AliasEvent:
            self._alias(event)
        elif kind is yaml.DocumentStartEvent:
            self._document(event)

    def _at(self, event: Any) -> int:
        mark = event.start_mark
        return int(self._base | (mark.line + 1) << LINE | min(mark.column + 1, 0xFFFF))

    def _problem(self, rule: str, message: str, remedy: str, at: int) -> None:
        _, line, column = split(at)
        self.problems.append(Problem(rule, message, remedy, place=Place(self._name, line, column)))

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._problem(
                "several-documents",
                "a second document begins here",
                "an inventory is one document: delete this `---`, or move what follows to a file of its own and "
                "name that under `include:`",
                self._at(event),
            )
            self.stopped = True

    def _scalar(self, event: Any) -> None:
        at = self._at(event)
        text = event.value
        value: Scalar
        if event.tag is not None and not (event.tag == "!" and event.implicit[0]):
            value = self._tagged(event.tag, text, at)
        elif event.implicit[0]:
            value = resolve(text)
        else:
            value = text
        stack = self._stack
        if stack and stack[-1].expects_key:
            self._key(stack[-1], value, text, at, plain=event.implicit[0])
        else:
            self._add(value, at, 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, at, 1, 0)

    def _tagged(self, tag: str, text: str, at: int) -> Scalar:
        try:
            return tagged(tag, text)
        except (KeyError, ValueError):
            short = tag.replace("tag:yaml.org,2002:", "!!")
            if tag == "!secret":
                remedy = f"write '{{{{ secret(\"{text}\") }}}}', and a line `{text} …` in the secrets file"
                self._problem("tag", "secrets are not given by a tag here", remedy, at)
            elif tag == "!vault":
                remedy = """write '{{ secret("NAME") }}', and a line `NAME …` in the secrets file"""
                self._problem("tag", "files of Ansible Vault are not read here", remedy, at)
            else:
                self._problem("tag", f"the tag {short} cannot be used on {text!r}", "delete the tag", at)
            return text

    def _key(self, frame: _Frame, value: Scalar, text: str, at: int, *, plain: bool) -> None:
        frame.size += 1
        frame.key_at = at
        frame.expects_key = False
        if plain and text == "<<":
            frame.key = _MERGE
            return
        key = intern(value) if type(value) is str else value
        frame.key = key
        members = frame.value
        if key in members or (type(key) is int and str(key) in members) or _as_number(text) in members:
            _, line, column = split(key_position(frame.marks.get(key, frame.at)))
            self._problem(
                "duplicate-key",
                f"`{text}` is given twice; first at line {line}, column {column}",
                "keep one of the two",
                at,
            )

    def _add(self, value: Any, mark: Mark, size: int) -> None:
        """Put a complete value where it belongs."""
        if not self._stack:
            self.value, self.mark = value, mark
            return
        frame = self._stack[-1]
        frame.size += size
        if isinstance(frame.value, list):
            frame.value.append(value)
            frame.marks.append(mark)
            return
        if frame.expects_key:
            at = value_position(mark)
            if isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) is None:
                shown = f"'{{{{ {next(iter(value))} }}}}'"
                self._problem(
                    "key", "`{{` begins two mappings in YAML", f"put a template in quotes: {shown}", at
                )
            else:
                self._problem("key", "a list or mapping cannot be a key", "give the key as plain text", at)
            frame.key, frame.expects_key = _REFUSED, False
            return
        frame.expects_key = True
        if frame.key is _MERGE:
            frame.merges = [*(frame.merges or ()), (value, mark, frame.key_at)]
        elif frame.key is not _REFUSED and frame.key not in frame.value:
            frame.value[frame.key] = value
            frame.marks[frame.key] = under_key(mark, frame.key_at)

    def _open(self, event: Any, value: Any, tags: set[str | None], *, expects_key: bool) -> None:
        at = self._at(event)
        if event.tag not in tags:
            self._problem("tag", f"the tag {event.tag} is not known", "delete the tag", at)
        if len(self._stack) >= DEEPEST:
            self._problem("too-deep", f"more than {DEEPEST} levels of nesting", "flatten it", at)
            self.stopped = True
        if event.anchor is not None:
            self._anchors.pop(event.anchor, None)
        self._stack.append(_Frame(at, event.anchor, value, type(value)(), expects_key=expects_key))

    def _close(self) -> None:
        frame = self._stack.pop()
        for value, mark, at in frame.merges or ():
            self._merge(frame, value, mark, at)
        mark = Branch(frame.at, frame.marks)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = _Anchored(frame.value, mark, frame.size, frame.depth)
        if self._stack:
            outer = self._stack[-1]
            outer.depth = max(outer.depth, frame.depth + 1)
        self._add(frame.value, mark, frame.size)

    def _merge(self, frame: _Frame, value: Any, mark: Mark, at: int) -> None:
        """Fill a mapping with the keys of others that it lacks (`<<: *defaults`, the first of a list wins)."""
        sources = value if isinstance(value, list) else [value]
        marks = mark.members if isinstance(value, list) and isinstance(mark, Branch) else [mark]
        for source, source_mark in zip(sources, marks, strict=False):
            if not isinstance(source, dict) or not isinstance(source_mark, Branch):
                self._problem(
                    "merge", "`<<` takes mappings only", "write `<<: *name` of an anchored mapping", at
                )
                continue
            assert isinstance(source_mark.members, dict)
            for key, each in source.items():
                if key not in frame.value:
                    frame.value[key] = each
                    frame.marks[key] = source_mark.members[key]

    def _alias(self, event: Any) -> None:
        at = self._at(event)
        found = self._anchors.get(event.anchor)
        if found is None:
            inside = any(frame.anchor == event.anchor for frame in self._stack)
            message = (
                f"*{event.anchor} is inside its own &{event.anchor}"
                if inside
                else f"there is no &{event.anchor} above"
            )
            quoted = f"if it is text, put it in quotes: '*{event.anchor}'; else anchor a value above by &{event.anchor}"
            remedy = "an alias repeats a value that was anchored before it" if inside else quoted
            self._problem("alias", message, remedy, at)
            self._add(None, at, 1)
            return
        self._aliased += found.size
        if self._aliased > MOST_ALIASED or len(self._stack) + found.depth > DEEPEST:
            self._problem(
                "alias-bomb",
                f"aliases expand to more than {MOST_ALIASED} values or {DEEPEST} levels",
                "write the values out, or put what phones share into their class",
                at,
            )
            self.stopped = True
            return
        frame = self._stack[-1] if self._stack else None
        if frame is not None:
            frame.depth = max(frame.depth, found.depth + 1)
            if frame.expects_key and not isinstance(found.value, list | dict):
                self._key(frame, found.value, str(found.value), at, plain=False)
                return
        self._add(found.value, found.mark if isinstance(found.mark, Branch) else at, found.size)


def _as_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 20 else None

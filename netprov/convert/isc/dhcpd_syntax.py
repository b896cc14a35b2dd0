"""The syntax of dhcpd.conf: statements of words, with or without statements in braces (dhcpd.conf(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r'#[^\n]*|"(?:[^"\\]|\\.)*"|[;{},]|~~|~=|!=|=|[()]|[^\s;{}(),="~!]+|["~!]|\n')


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its words and the statements in its braces, None if it has none."""

    line: int
    words: tuple[str, ...]
    body: tuple[Statement, ...] | None = None

    def __str__(self) -> str:
        return " ".join(self.words) + (" { … }" if self.body is not None else "")


def parse(text: str) -> Iterator[Statement]:
    """Yield the statements of a configuration; an unfinished last one is yielded as it is."""
    stack: list[tuple[list[str], int, list[Statement]]] = []
    found: list[Statement] = []
    words: list[str] = []
    line = start = 1
    for piece in _TOKEN.findall(text):
        if piece == "\n":
            line += 1
        elif piece.startswith("#"):
            continue
        elif piece == "{":
            stack.append((words, start, found))
            words, found = [], []
        elif piece == "}":
            if stack:
                outer_words, outer_start, outer = stack.pop()
                outer.append(Statement(outer_start, tuple(outer_words), tuple(found)))
                words, found = [], outer
        elif piece == ";":
            if words:
                found.append(Statement(start, tuple(words)))
            words = []
        else:
            if not words:
                start = line
            words.append(piece)
            line += piece.count("\n")
    while stack:
        outer_words, outer_start, outer = stack.pop()
        outer.append(Statement(outer_start, tuple(outer_words), tuple(found)))
        found = outer
    yield from found


def listed(words: tuple[str, ...]) -> list[str]:
    """Return the values that commas separate."""
    values: list[list[str]] = [[]]
    for word in words:
        if word == ",":
            values.append([])
        else:
            values[-1].append(word)
    return [" ".join(value) for value in values if value]

"""What the YAML parser objects to, in the words of someone who edits the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from netprov.errors import Place, Problem

_Explain = Callable[[yaml.MarkedYAMLError, str], tuple[str, str]]


def explain(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """Return the problem that stopped the parser."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem("yaml-syntax", f"the file is not YAML: {error}", place=Place(name))
    message, remedy = _words(error, text)
    mark = error.problem_mark
    said = f"{error.context or ''} {error.problem or ''}"
    unfinished = re.search("end of stream|simple key|scanning an a", said)
    if unfinished and error.context_mark is not None:
        mark = error.context_mark
    return Problem("yaml-syntax", message, remedy, place=Place(name, mark.line + 1, mark.column + 1))


def _words(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    said = f"{error.context or ''} {error.problem or ''}"
    for pattern, words in _TABLE:
        if re.search(pattern, said):
            return words(error, text)
    return (
        f"the file is not YAML here: {said.strip()}",
        "compare this line and the one above it with the examples",
    )


def _line(mark: Any, text: str) -> str:
    lines = text.split("\n")
    return lines[mark.line] if mark.line < len(lines) else ""


def _opened(error: yaml.MarkedYAMLError) -> str:
    mark = error.context_mark
    return f" that begins at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""


def _token(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.problem_mark
    assert mark is not None
    found = _line(mark, text)[mark.column : mark.column + 1]
    if found == "\t" or "\t" in _line(mark, text)[: mark.column + 1]:
        return "a tab is used for indentation", "indent with spaces; YAML does not allow tabs there"
    return f"a value cannot begin with {found!r}", _quote(mark, text)


def _quote(mark: Any, text: str) -> str:
    """Return the remedy that shows the value which begins at a mark in quotes."""
    rest = _line(mark, text)[mark.column :]
    inside_flow = re.search(r"[\[{][^\]}]*\Z", _line(mark, text)[: mark.column])
    value = (_FLOW_VALUE if inside_flow else _BLOCK_VALUE).match(rest)
    shown = value[0].rstrip() if value else ""
    return f"put the value in quotes: '{shown}'" if shown and "'" not in shown else "put the value in quotes"


_FLOW_VALUE = re.compile(r"[^,\]}]*?(?=\s*(?:[,\]}]|\s#|\Z))")
_BLOCK_VALUE = re.compile(r".*?(?=\s*(?::\s|:\Z|\s#|\Z))")
"""A value up to where it would end if it could begin so; in a list or mapping on one line, and elsewhere."""


def _alias(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.context_mark or error.problem_mark
    assert mark is not None
    kind = "an alias" if _line(mark, text)[mark.column : mark.column + 1] == "*" else "an anchor"
    return f"a value that begins like this is read as {kind}, and has no valid name for one", _quote(
        mark, text
    )


def _second_colon(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.problem_mark
    assert mark is not None
    line = _line(mark, text)
    if line[: mark.column].count(":") > line[: mark.column].count("://"):
        return (
            "there is a second `: ` on this line",
            "put a value that contains `: ` in quotes, or move the inner mapping to a line of its own",
        )
    return (
        "a key is not expected here: the line above is not finished, or this one is indented too far",
        "give every key a `:` and keys of one mapping the same indentation",
    )


def _flow(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.problem_mark
    assert mark is not None
    line = _line(mark, text)
    if (found := _AFTER_BRACKET.search(line)) and found.start(1) in {mark.column, mark.column - 1}:
        return _goes_on(found[1])
    if (inside := _BRACKET_INSIDE.search(line)) and inside.start(2) == mark.column:
        return (
            "a bracket inside a value that is not in quotes",
            f"put the value in quotes: '{inside[1]}{inside[2]}'",
        )
    kind, close = ("mapping", "}") if "mapping" in (error.context or "") else ("list", "]")
    return (
        f"a comma or `{close}` is missing in the {kind}{_opened(error)}",
        f"separate members by commas, and close it with `{close}`",
    )


_GLUED = re.compile(r"([\w-]+):(\S.*?)\s*\Z")


def _key_without_colon(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.context_mark or error.problem_mark
    if mark is not None and (found := _GLUED.match(_line(mark, text)[mark.column :])):
        return "there is no space after the `:` of this key", f"write `{found[1]}: {found[2]}`"
    return "a `:` is missing after this key", "write `key: value`, with a space after the colon"


_AFTER_BRACKET = re.compile(r":\s+([\[{][^\]}]*[\]}]\S.*?)\s*\Z")
"""A value that looks like a list or mapping, and goes on: a dial plan, say."""


_BRACKET_INSIDE = re.compile(r"([^\s,\[\]{}:'\"]+)([\[{][^\s,{}:]*)")
"""A word with a bracket in it, as in Proxy[1] or a dial plan."""


def _goes_on(value: str) -> tuple[str, str]:
    return "text follows the list or mapping on this line", f"put the value in quotes: '{value}'"


def _indentation(error: yaml.MarkedYAMLError, text: str) -> tuple[str, str]:
    mark = error.problem_mark
    if mark is not None and (found := _AFTER_BRACKET.search(_line(mark, text))):
        return _goes_on(found[1])
    kind = (
        "list" if "collection" in (error.context or "") or "sequence" in (error.context or "") else "mapping"
    )
    return (
        f"this line does not fit the {kind}{_opened(error)}",
        "give members of one list or mapping the same indentation, each key a `:` and a space",
    )


def _fixed(message: str, remedy: str) -> _Explain:
    return lambda _error, _text: (message, remedy)


_TABLE: tuple[tuple[str, _Explain], ...] = (
    ("cannot start any token", _token),
    ("mapping values are not allowed", _second_colon),
    (r"expected ',' or '[\]}]'|expected the node content.*flow|parsing a flow", _flow),
    (
        "block (mapping|collection|sequence)|expected key|expected '-' indicator|<block end>",
        _indentation,
    ),
    (
        "expected ':'|simple key",
        _key_without_colon,
    ),
    (
        "quoted scalar.*(end of stream|document indicator)",
        _fixed("a quote opened here is not closed", "close it with the same kind of quote"),
    ),
    (
        "escape",
        _fixed(
            "a backslash in double quotes begins an escape that YAML does not know",
            "double the backslash, or use single quotes",
        ),
    ),
    ("block scalar", _fixed("the text block begun by `|` or `>` is malformed", "indent its lines alike")),
    (
        "anchor|alias",
        _alias,
    ),
    ("directive|%", _fixed("a line cannot begin with %", "put the value in quotes")),
    ("tag", _fixed("a value that begins with ! is read as a tag", "put it in quotes")),
    ("document start", _fixed("nothing may follow the end of the document", "delete what follows")),
)

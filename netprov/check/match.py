"""Rules about the conditions of classes: patterns that no client can meet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from netprov.check.rule import Finding, View, planned, rule
from netprov.errors import Path
from netprov.inventory.model import Match

ENTERPRISE = "cisco systems, inc"
"""Option 60 of phones with enterprise firmware, which loads SEP files and no flat-profile."""

_EXPRESSION = re.compile(r"^\^|\$\Z|\.[*+]|\\[dwsDWS.]|\][+*]|\([^()]*\|[^()]*\)")
"""What is written in regular expressions, and in no vendor class, host name or circuit ID."""

_SPELT = (
    (re.compile(r"\\[dw]\+|\.\+|\.\*|\[.+?\][+*]"), "*"),
    (re.compile(r"\\[dw]|\[.+?\]|(?<!\\)\."), "?"),
    (re.compile(r"\\(.)"), r"\1"),
)
"""Parts of a regular expression, and what stands for them in a pattern."""


def matches_of(match: Match | None, path: Path) -> Iterator[tuple[Path, Match]]:
    """Yield a condition and every condition within it, each with its path."""
    if match is None:
        return
    yield path, match
    for key, inner in (("any", match.any), ("all", match.all)):
        for index, each in enumerate(inner):
            yield from matches_of(each, (*path, key, index))
    yield from matches_of(match.not_, (*path, "not"))


def _patterns(match: Match) -> Iterator[tuple[str, int, str]]:
    """Yield the patterns of a condition: their key, their place in its list, their text."""
    for key in ("vendor_class", "host_name", "circuit_id", "remote_id"):
        for index, text in enumerate(getattr(match, key)):
            yield key, index, text


@rule(
    "match-expression",
    "error",
    why=(
        "Patterns know `*` (any text) and `?` (one character) alone, and must fit the whole text: as a regular expression is "
        "written, no client meets it, and its phones fall into no class."
    ),
    remedy="write it with `*` and `?`; several patterns are a list",
)
def match_expression(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        for path, match in matches_of(each.match, ("classes", name, "match")):
            for key, index, text in _patterns(match):
                if not _EXPRESSION.search(text):
                    continue
                pattern = _as_pattern(text)
                yield Finding(
                    (*path, key, index),
                    f"{text!r} is a regular expression, which no client meets: patterns know * and ? alone",
                    remedy=f'write `{key}: "{pattern}"`' if pattern else "",
                )


def _as_pattern(expression: str) -> str:
    """Return the pattern that a regular expression means, "" where none does.

    An expression is met by any part of the text unless it is anchored.
    """
    text = expression.removeprefix("^")
    anchored = text.endswith("$")
    text = text.removesuffix("$")
    for part, meant in _SPELT:
        text = part.sub(meant, text)
    text = re.sub(r"\*+", "*", text if anchored else f"{text}*")
    return "" if re.search(r"[()|+{}^$\[\]]", text) else text


@rule(
    "match-pattern",
    "error",
    why="`vendor_class_contains` and `user_class` take text as it stands: no client sends a `*`.",
    remedy="write the text alone",
)
def match_pattern(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        for path, match in matches_of(each.match, ("classes", name, "match")):
            for index, text in enumerate(match.vendor_class_contains):
                if "*" in text:
                    yield Finding(
                        (*path, "vendor_class_contains", index),
                        f"{text!r} is taken as it stands, with its *",
                        remedy=f'write `vendor_class: "{text}"`, which takes patterns',
                    )
            for index, text in enumerate(match.user_class):
                if "*" in text:
                    message = f"{text!r} is taken as it stands, with its *"
                    yield Finding((*path, "user_class", index), message)


@rule(
    "class-matches-enterprise",
    "warning",
    why=(
        "Phones whose option 60 begins with `Cisco Systems, Inc.` run enterprise firmware: they load SEP files from a "
        "call manager and never a flat-profile."
    ),
    remedy="match multiplatform phones: `CP-*-3PCC*`",
)
def class_matches_enterprise(view: View) -> Iterator[Finding]:
    for name, each in view.inventory.classes.items():
        for path, match in matches_of(each.match, ("classes", name, "match")):
            if "not" in path:
                continue
            for key, texts in (
                ("vendor_class", match.vendor_class),
                ("vendor_class_contains", match.vendor_class_contains),
            ):
                for index, text in enumerate(texts):
                    if ENTERPRISE in text.lower():
                        yield Finding(
                            (*path, key, index), f"{text!r} matches phones with enterprise firmware"
                        )


MATCH_MAC = planned(
    "match-mac",
    "error",
    why="A condition that is no beginning of a MAC address matches no phone.",
    remedy="write pairs of hexadecimal digits: 00:12:34",
)

MATCH_RELAY = planned(
    "match-relay",
    "error",
    why="A condition that is not octets matches no relay's circuit or remote ID.",
    remedy="write pairs of hexadecimal digits after 0x, or a text pattern",
)

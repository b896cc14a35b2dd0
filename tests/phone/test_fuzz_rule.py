"""Rules made from their parts, spoilt and made up, held against a grammar written down once more as expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.phone.rule.grammar import Alternative, RuleKind, parse_reports, parse_rule

pytestmark = pytest.mark.fuzz

QUOTED = r'"[^"]*"'


def within(opening: str, closing: str) -> str:
    """Return an expression for what a bracket holds: quoted texts, and brackets of its kind up to eight deep."""
    content = ""
    for _ in range(8):
        deeper = rf"|{opening}{content}{closing}" if content else ""
        content = rf'(?:[^{opening}{closing}"]|{QUOTED}{deeper})*'
    return rf"{opening}({content}){closing}"


ROUND, SQUARE = within(r"\(", r"\)"), within(r"\[", r"\]")
BRANCH = re.compile(rf"\s*(?:{ROUND}\s*\?)?\s*(?:{ROUND}\s*!)?\s*(?:{SQUARE})?\s*((?:(?![(\[])[^\s|]+)?)\s*")
ASSIGNMENT = re.compile(rf"\s*([A-Za-z_]\w*)\s*=\s*({QUOTED})\s*")
OPTION = re.compile(rf'\s*--([A-Za-z0-9-]+)(?:\s+(?!--)({QUOTED}|[^\s"]+))?')
TAKES: Mapping[RuleKind, Mapping[str, bool]] = {
    "profile": {"key": True, "uid": True, "pwd": True, "post": True, "alias": True, "srv": False},
    "upgrade": {},
    "report": {"key": True, "uid": True, "pwd": True, "status": False, "delta": False},
}
"""The options of each kind of rule, and whether each takes an argument (guide, "Optional Resync Arguments")."""


def read(text: str, kind: RuleKind) -> list[Alternative] | None:
    """Read a rule of which every alternative is well formed, by the expressions; None for any other."""
    found: list[Alternative] = []
    position = 0
    while text.strip():
        matched = BRANCH.match(text, position)
        assert matched
        condition, assignment, options, url = (each or "" for each in matched.groups())
        alternative = branch(condition.strip(), assignment, options, url, kind)
        if alternative is None:
            return None
        found.append(alternative)
        position = matched.end()
        if position == len(text):
            break
        if kind == "report":
            if text[position] != "[" or not text[position - 1].isspace():
                return None
        elif text[position] != "|" or not condition.strip():
            return None
        else:
            position += 1
    return found


def branch(condition: str, assignment: str, options: str, url: str, kind: RuleKind) -> Alternative | None:
    pairs = []
    for part in re.findall(rf"(?:{QUOTED}|[^;\"])+", assignment):
        matched = ASSIGNMENT.fullmatch(part)
        if not matched and part.strip():
            return None
        if matched:
            pairs.append((matched[1], matched[2][1:-1]))
    given = OPTION.findall(options)
    if OPTION.sub("", options).strip() or (options.strip() and kind == "upgrade"):
        return None
    if any(name not in TAKES[kind] or TAKES[kind][name] != bool(value) for name, value in given):
        return None
    chosen = {name: value.strip('"') for name, value in given}
    if "srv" in chosen and not re.match("https?://", url, re.IGNORECASE):
        return None
    if not (url or assignment.strip()) or (kind != "profile" and url.lower().startswith("gds://")):
        return None
    return Alternative(condition, tuple(pairs), chosen, url)


def ours(text: str, kind: RuleKind) -> list[Alternative] | None:
    try:
        return (
            list(parse_reports(text))
            if kind == "report"
            else [each.read() for each in parse_rule(text, kind)]
        )
    except Malformed:
        return None


BLANKS = st.sampled_from(["", " ", "\n", "  "])
PLAIN = st.text("abz019._-$(/", min_size=1, max_size=6).filter(lambda text: not text.startswith("--"))
ANYTHING = st.text("ab |;()[]?!=-[", min_size=1, max_size=8)
NAMES = st.from_regex(r"[A-Z][a-z_0-9]{0,6}", fullmatch=True)
CONDITIONS = st.sampled_from(["", "1 eq 1", '"a|b)" ne "["', "2 gt 1 and 3 le 4"])
ASSIGNMENTS = st.lists(st.tuples(NAMES, ANYTHING | st.just("")), max_size=2)
ARGUMENTS = st.sampled_from(["key", "uid", "pwd"])
URLS = st.builds(
    lambda scheme, rest: scheme + rest,
    st.sampled_from(["http://h/", "HTTPS://h/", "tftp://h/", "/", "h/", "gds://"]),
    st.text('ab.?!()[]"', max_size=6),
)


KINDS: tuple[RuleKind, ...] = ("profile", "profile", "upgrade", "report")


@st.composite
def written(draw: st.DrawFn) -> tuple[str, list[Alternative], RuleKind]:
    """Return a rule of one to three alternatives, what they are, and the kind of rule."""
    kind: RuleKind = draw(st.sampled_from(KINDS))
    texts, made = [], []
    count = draw(st.integers(1, 3))
    for number in range(count):
        condition = draw(CONDITIONS.filter(bool) if number < count - 1 and kind != "report" else CONDITIONS)
        assignments, url, options = draw(ASSIGNMENTS), draw(URLS), {}
        if kind == "report" and number:
            condition, assignments = "", []
        if kind != "profile":
            url = url.removeprefix("gds:/")
        text = draw(BLANKS) + (f"({condition}){draw(BLANKS)}?" if condition else "") + draw(BLANKS)
        if assignments:
            pairs = [f'{name} = "{value}"' for name, value in assignments]
            text += f"({'; '.join(pairs)}{draw(BLANKS)})!"
        if kind != "upgrade":
            values = draw(st.dictionaries(ARGUMENTS, PLAIN | ANYTHING, max_size=2))
            parts = [
                f"--{name} {value}" if PLAIN_VALUE.fullmatch(value) else f'--{name} "{value}"'
                for name, value in values.items()
            ]
            options = dict(values)
            if draw(st.booleans()) and (kind == "report" or url.lower().startswith("http")):
                word = "srv" if kind == "profile" else "delta"
                options[word] = ""
                parts.append(f"--{word}")
            if parts or kind == "report":
                text += f"{draw(BLANKS)}[{' '.join(parts)}]{draw(BLANKS)}"
        texts.append(text + url)
        made.append(Alternative(condition, tuple(assignments), options, url))
    joined = "\n" if kind == "report" else "|"
    return joined.join(texts), made, kind


PLAIN_VALUE = re.compile(r"(?!--)[abz019._$(/-]+")
TOKENS = [
    "(",
    ")",
    "[",
    "]",
    "?",
    "!",
    "|",
    '"',
    ";",
    "=",
    " ",
    "--",
    "--key",
    "--srv",
    "1 eq 1",
    "A",
    "http://h/x",
]
MARKS = st.sampled_from(TOKENS)


@given(written())
def test_fuzz_a_rule_is_read_as_it_was_made(rule: tuple[str, list[Alternative], RuleKind]) -> None:
    text, made, kind = rule
    assert ours(text, kind) == made


@given(
    written(),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 3), MARKS | st.just("")), min_size=1, max_size=2),
)
def test_fuzz_a_spoilt_rule_is_read_as_the_grammar_has_it_or_refused(
    rule: tuple[str, list[Alternative], RuleKind], faults: list[tuple[int, int, str]]
) -> None:
    text, _, kind = rule
    for at, gone, put in faults:
        text = text[:at] + put + text[at + gone :]
    assert ours(text, kind) == read(text, kind)


@given(st.lists(MARKS, max_size=14).map("".join) | st.text(max_size=80), st.sampled_from(list(TAKES)))
def test_fuzz_any_text_is_a_rule_of_the_grammar_or_malformed(text: str, kind: RuleKind) -> None:
    assert ours(text, kind) == read(text, kind)

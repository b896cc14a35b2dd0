"""The grammar of profile, upgrade and report rules: `[cond]? [assign]! [[options]] URL | ...`.

Cisco's guide, "Profile Rules", "Conditional Expressions", "Optional Resync Arguments". Macros are expanded before a rule
is read (netprov.provision.macro); $SA to $SD only inside options, after it. Deliberately absent: typographic quotes,
which the guide prints and no phone accepts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from netprov.errors import Malformed
from netprov.phone.rule.condition import holds

SRV_WITH_TFTP = "Error - TFTP Scheme not supported in SRV lookups"
"""What a phone shows for `--srv` with a TFTP URL (guide, "SRV Record Fields")."""

VALUED = frozenset({"key", "uid", "pwd", "post", "alias"})
PLAIN = frozenset({"srv", "status", "delta"})
"""Options with an argument, and without; status and delta are of report rules only."""

RuleKind = Literal["profile", "upgrade", "report"]

_ASSIGNMENT = re.compile(r'\s*([A-Za-z_]\w*)\s*=\s*"([^"]*)"\s*\Z')
_OPTION = re.compile(r'--([A-Za-z0-9-]+)(?:\s+(?!--)("([^"]*)"|[^\s"]+))?')


@dataclass(frozen=True, slots=True)
class Alternative:
    """One alternative of a rule, as written; `url` is "" where there is only an assignment."""

    condition: str = ""
    assignments: tuple[tuple[str, str], ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    url: str = ""

    @property
    def by_srv(self) -> bool:
        """Whether the URL's host is a domain to look up SRV records of."""
        return "srv" in self.options


def parse_rule(text: str, kind: RuleKind = "profile") -> tuple[Alternative, ...]:
    """Read a rule whose macros are expanded already; an empty rule has no alternative.

    Raises `Malformed` for what a phone would refuse.
    """
    parts = [part.strip() for part in _split(text, "|")]
    if parts == [""]:
        return ()
    alternatives = tuple(_alternative(part, kind) for part in parts)
    for number, alternative in enumerate(alternatives[:-1], 1):
        if not alternative.condition and kind != "report":
            raise Malformed(f"alternative {number} has no condition, so those after it are never reached")
    return alternatives


def choose(alternatives: tuple[Alternative, ...]) -> Alternative | None:
    """Return the first alternative whose condition holds, or None: the rule is skipped then."""
    return next((each for each in alternatives if not each.condition or holds(each.condition)), None)


def parse_reports(text: str) -> tuple[Alternative, ...]:
    """Read a report rule: URLs, each preceded by its own options; no keyword means a full report."""
    found = []
    for part in re.split(r"\s+(?=\[)", text.strip()):
        if part:
            found.append(_alternative(part, "report"))
    return tuple(found)


def with_secrets(alternative: Alternative, expand: Callable[[str], str]) -> Alternative:
    """Expand $SA to $SD, which stand only in the arguments of options."""
    options = {name: expand(value) for name, value in alternative.options.items()}
    return Alternative(alternative.condition, alternative.assignments, options, alternative.url)


def _alternative(text: str, kind: RuleKind) -> Alternative:
    condition, rest = _bracketed(text, "(", ")", "?")
    assignment, rest = _bracketed(rest, "(", ")", "!")
    bracket, rest = _bracketed(rest, "[", "]", "")
    options = _options(bracket, kind)
    url = rest.strip()
    if re.search(r"\s", url):
        raise Malformed(f"{url!r}: one URL is expected; write alternatives with | between them")
    if "srv" in options and url.lower().split("://")[0] not in {"http", "https"}:
        raise Malformed(SRV_WITH_TFTP)
    if not url and not assignment:
        raise Malformed(f"{text!r} has neither a URL nor an assignment")
    return Alternative(condition, tuple(_assignments(assignment)), options, url)


def _bracketed(text: str, opening: str, closing: str, mark: str) -> tuple[str, str]:
    """Return the content of a leading bracket that ends in `mark`, and what follows; "" where there is none."""
    text = text.lstrip()
    if not text.startswith(opening):
        return "", text
    depth, quoted = 0, False
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                rest = text[position + 1 :].lstrip()
                if mark and not rest.startswith(mark):
                    return "", text
                return text[1:position].strip(), rest[len(mark) :]
    raise Malformed(f"{text!r}: {opening} is never closed")


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for part in _split(text, ";"):
        if not part.strip():
            continue
        matched = _ASSIGNMENT.match(part)
        if not matched:
            raise Malformed(f'{part.strip()!r} is not an assignment: write Name = "value";')
        yield matched[1], matched[2]


def _options(text: str, kind: RuleKind) -> dict[str, str]:
    if not text:
        return {}
    if kind == "upgrade":
        raise Malformed("an upgrade rule takes no options in brackets")
    found: dict[str, str] = {}
    position = 0
    for matched in _OPTION.finditer(text):
        if text[position : matched.start()].strip():
            break
        name, argument = matched[1], matched[2]
        if name not in VALUED | PLAIN:
            raise Malformed(f"--{name} is not an option: --key, --uid, --pwd, --post, --alias and --srv are")
        if (argument is None) != (name in PLAIN):
            raise Malformed(f"--{name} takes {'no' if name in PLAIN else 'an'} argument")
        found[name] = (matched[3] if matched[3] is not None else argument) or ""
        position = matched.end()
    if text[position:].strip():
        raise Malformed(f"{text[position:].strip()!r} is not an option: they start with --")
    return found


def _split(text: str, separator: str) -> list[str]:
    """Split outside quotes and brackets."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    parts.append(text[start:])
    return parts

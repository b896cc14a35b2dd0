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

from netprov.phone.rule.condition import holds
from netprov.phone.rule.refusal import Fault, RuleRefused

SRV_WITH_TFTP = "Error - TFTP Scheme not supported in SRV lookups"
"""What a phone shows for `--srv` with a TFTP URL (guide, "SRV Record Fields")."""

PLAIN = frozenset({"srv", "status", "delta"})
"""Options without an argument."""

ACTIVATION = "gds://"
"""The URL that asks for an activation code (guide, "Onboard Your Phone with the Activation Code")."""

RuleKind = Literal["profile", "upgrade", "report"]

OPTIONS: Mapping[RuleKind, frozenset[str]] = {
    "profile": frozenset({"key", "uid", "pwd", "post", "alias", "srv"}),
    "upgrade": frozenset(),
    "report": frozenset({"key", "uid", "pwd", "status", "delta"}),
}
"""Which options each kind of rule takes (guide, "Optional Resync Arguments", "Configuration Report")."""

RULE_KINDS: Mapping[str, RuleKind] = {
    **dict.fromkeys(("Profile_Rule", "Profile_Rule_B", "Profile_Rule_C", "Profile_Rule_D"), "profile"),
    "Custom_CA_Rule": "profile",
    "Upgrade_Rule": "upgrade",
    "Report_Rule": "report",
}
"""The parameters that hold a rule."""

_NEXT_ALTERNATIVE = re.compile(r"\|")
_NEXT_REPORT = re.compile(r"\s+(?=\[)")
_PART = re.compile(r'(?:"[^"]*"|[^;"]|")+')
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

    @property
    def activates(self) -> bool:
        """Whether it opens the screen that asks for an activation code (guide, "Onboard Your Phone…")."""
        return self.url.lower().startswith(ACTIVATION)


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative of a rule before it is taken: its condition, "" for none, and the rest as written."""

    condition: str
    text: str
    kind: RuleKind

    def read(self) -> Alternative:
        """Read the rest; raises `RuleRefused` for what a phone would refuse."""
        assignment, rest = _bracketed(self.text, "(", ")", "!")
        bracket, rest = _bracketed(rest, "[", "]", "")
        options = _options(bracket, self.kind)
        url = rest.strip()
        if url.startswith(("(", "[")):
            reason = (
                f"{url!r}: a bracket where the URL is expected; conditions end in )? and assignments in )!"
            )
            raise RuleRefused(Fault.SYNTAX, reason)
        if "|" in url:  # every other kind of rule ends a URL there
            reason = f"{url!r}: a report rule has no alternatives; write [--status] URL [--delta] URL"
            raise RuleRefused(Fault.SYNTAX, reason)
        if re.search(r"\s", url):
            reason = f"{url!r}: one URL is expected; write alternatives with | between them"
            raise RuleRefused(Fault.SYNTAX, reason)
        if "srv" in options and not url.lower().startswith(("http://", "https://")):
            raise RuleRefused(Fault.SRV_SCHEME, SRV_WITH_TFTP)
        if not url and not assignment:
            raise RuleRefused(Fault.SYNTAX, f"{self.text!r} has neither a URL nor an assignment")
        found = Alternative(self.condition, tuple(_assignments(assignment)), options, url)
        if found.activates and self.kind != "profile":
            raise RuleRefused(
                Fault.SCHEME, f"{ACTIVATION} asks for an activation code, in profile rules alone"
            )
        return found


def parse_rule(text: str, kind: RuleKind = "profile") -> tuple[Branch, ...]:
    """Take a rule apart whose macros are expanded already; an empty rule has no branch.

    Only conditions are read: the guide judges them first, and only the branch that is taken must be well formed.
    Raises `RuleRefused`.
    """
    branches = tuple(_branches(text, kind, _NEXT_ALTERNATIVE)) if text.strip() else ()
    for number, branch in enumerate(branches[:-1], 1):
        if not branch.condition and kind != "report":
            reason = f"alternative {number} has no condition, so those after it are never reached"
            raise RuleRefused(Fault.SYNTAX, reason)
    return branches


def choose(branches: tuple[Branch, ...]) -> Branch | None:
    """Return the first branch whose condition holds, or None: the rule is skipped then. Raises `RuleRefused`."""
    return next((each for each in branches if not each.condition or holds(each.condition)), None)


def parse_reports(text: str) -> tuple[Alternative, ...]:
    """Read a report rule: URLs, each preceded by its own options; no keyword means a full report."""
    return tuple(branch.read() for branch in report_branches(text))


def report_branches(text: str) -> tuple[Branch, ...]:
    """Take a report rule apart: every branch of it is taken."""
    return tuple(_branches(text, "report", _NEXT_REPORT)) if text.strip() else ()


def with_secrets(alternative: Alternative, expand: Callable[[str], str]) -> Alternative:
    """Expand $SA to $SD, which stand only in the arguments of options."""
    options = {name: expand(value) for name, value in alternative.options.items()}
    return Alternative(alternative.condition, alternative.assignments, options, alternative.url)


def _branches(text: str, kind: RuleKind, ends: re.Pattern[str]) -> Iterator[Branch]:
    """Yield the branches of a rule: brackets stand before the URL and hold what they like, the URL goes to its end."""
    rest: str | None = text
    while rest is not None:
        condition, rest = _bracketed(rest, "(", ")", "?")
        ended = ends.search(rest, _after_brackets(rest))
        yield Branch(condition, (rest[: ended.start()] if ended else rest).strip(), kind)
        rest = rest[ended.end() :] if ended else None


def _after_brackets(text: str) -> int:
    """Return where the URL of a branch begins; behind the text if a bracket is never closed, of which `read` tells."""
    rest = text
    try:
        for opening, closing, mark in (("(", ")", "!"), ("[", "]", "")):
            _, rest = _bracketed(rest, opening, closing, mark)
    except RuleRefused:
        return len(text)
    return len(text) - len(rest)


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
    raise RuleRefused(Fault.SYNTAX, f"{text!r}: {opening} is never closed")


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for part in _PART.findall(text):
        matched = _ASSIGNMENT.match(part)
        if not matched and not part.strip():
            continue
        if not matched:
            raise RuleRefused(Fault.SYNTAX, f'{part.strip()!r} is not an assignment: write Name = "value";')
        yield matched[1], matched[2]


def _options(text: str, kind: RuleKind) -> dict[str, str]:
    if not text:
        return {}
    if kind == "upgrade":
        raise RuleRefused(Fault.OPTION, "an upgrade rule takes no options in brackets")
    found: dict[str, str] = {}
    position = 0
    for matched in _OPTION.finditer(text):
        if text[position : matched.start()].strip():
            break
        name, argument = matched[1], matched[2]
        if name not in OPTIONS[kind]:
            known = ", ".join(f"--{each}" for each in sorted(OPTIONS[kind]))
            reason = f"--{name} is not an option of a {kind} rule: {known} are"
            raise RuleRefused(Fault.OPTION, reason)
        if (argument is None) != (name in PLAIN):
            raise RuleRefused(Fault.OPTION, f"--{name} takes {'no' if name in PLAIN else 'an'} argument")
        found[name] = (matched[3] if matched[3] is not None else argument) or ""
        position = matched.end()
    if text[position:].strip():
        raise RuleRefused(Fault.OPTION, f"{text[position:].strip()!r} is not an option: they start with --")
    return found

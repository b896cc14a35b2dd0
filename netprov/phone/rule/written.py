"""A rule as somebody wrote it, before macros and templates are filled in: what can be told of it for any phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from netprov.errors import Path
from netprov.phone.rule.grammar import (
    RULE_KINDS,
    Alternative,
    Branch,
    RuleKind,
    parse_rule,
    report_branches,
)
from netprov.phone.rule.refusal import RuleRefused
from netprov.phone.rule.url import Url, parse_url

OPTION_66 = "option-66.invalid"
"""Stands for the server of option 66, which a rule may leave to DHCP."""

HIDDEN = "macro.invalid"
"""Stands for a host that a macro or a template gives."""

_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_FILLED_LATER = "$(template)"
"""Stands for a template's expression: like a macro, it says nothing yet."""


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """One rule: `alternatives` are those that can be read already, `refused` why others can never be.

    `path` is where it stands in the inventory, () elsewhere.
    """

    name: str
    kind: RuleKind
    text: str
    path: Path = ()
    branches: tuple[Branch, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    refused: tuple[RuleRefused, ...] = ()

    def urls(self) -> Iterator[Url]:
        """Yield what it names; macros in paths stay, a host that is a macro is `HIDDEN`."""
        for each in self.alternatives:
            if each.url and not each.activates:
                yield _url(each.url, self.kind)


def read_written(name: str, text: str, path: Path = ()) -> WrittenRule:
    """Read the rule that a parameter of `RULE_KINDS` holds; a template with statements is not read."""
    kind = RULE_KINDS[name]
    if "{%" in text or "{#" in text:
        return WrittenRule(name, kind, text, path)
    text = _TEMPLATE.sub(_FILLED_LATER, text).strip()
    try:
        branches = report_branches(text) if kind == "report" else parse_rule(text, kind)
    except RuleRefused as error:
        return WrittenRule(name, kind, text, path, refused=(error,))
    found, refused = [], []
    for branch in branches:
        try:
            alternative = branch.read()
            if alternative.url and not alternative.activates:
                _url(alternative.url, kind)
            found.append(alternative)
        except RuleRefused as error:
            refused.append(error)
    return WrittenRule(name, kind, text, path, branches, tuple(found), tuple(refused))


def _url(text: str, kind: RuleKind) -> Url:
    """Read a URL before its macros are expanded. Raises `RuleRefused`."""
    scheme, separator, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    if "$" in host:
        text = f"{scheme}{separator}{HIDDEN}{slash}{path}"
    return parse_url(text, OPTION_66 if kind == "profile" else "")

"""The rules of an inventory's profiles, and the phones that would take them in different ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from netprov.dhcp.option.table import TFTP_NAME
from netprov.errors import Path
from netprov.phone.action import Lease
from netprov.phone.fetch.load import handset_url
from netprov.phone.handset.identity import Identity, model_named
from netprov.phone.handset.memory import Handset, parameter_of
from netprov.phone.rule.grammar import (
    RULE_KINDS,
    Alternative,
    Branch,
    RuleKind,
    choose,
    parse_rule,
    report_branches,
)
from netprov.phone.rule.url import parse_url
from netprov.phone.rule.written import OPTION_66, WrittenRule, read_written
from netprov.plan.phone import DEFAULT_FIRMWARE, DEFAULT_MODEL, identity_of
from netprov.plan.site import SitePhone
from netprov.provision.macro import names_in
from netprov.provision.template import is_template

_LEASE = Lease("0.0.0.0", "", {TFTP_NAME: OPTION_66.encode()})
_STRANGER = Identity("00:00:00:00:00:00", model_named(DEFAULT_MODEL), firmware=DEFAULT_FIRMWARE)
"""Who reads what no listed phone does."""


def written_rules(values: Iterable[tuple[Path, Mapping[str, str]]]) -> Iterator[WrittenRule]:
    """Read every rule of these sets of parameters."""
    for path, parameters in values:
        for name, text in parameters.items():
            if name in RULE_KINDS:
                yield read_written(name, text, (*path, name))


def depends(written: WrittenRule) -> bool:
    """Tell whether a rule may mean something else to each phone than its text says."""
    names = names_in(written.text)
    return any(branch.condition for branch in written.branches) or any(map(parameter_of, names))


@dataclass(frozen=True, slots=True)
class Reader:
    """A phone that reads rules, with the parameters that their macros stand for."""

    handset: Handset

    def take(self, text: str, kind: RuleKind) -> tuple[tuple[Branch, ...], Alternative | None]:
        """Return the branches as they are judged, up to the one that is taken, and that one. Raises `RuleRefused`."""
        expanded = self.handset.expand(text)
        branches = report_branches(expanded) if kind == "report" else parse_rule(expanded, kind)
        taken = branches[0] if kind == "report" and branches else choose(branches)
        if taken is None:
            return branches, None
        alternative = taken.read()
        if alternative.url and not alternative.activates:
            handset_url(self.handset, alternative.url) if kind == "profile" else parse_url(alternative.url)
        return branches[: branches.index(taken) + 1], alternative


def readers(
    phones: Sequence[SitePhone], text: str, parameter: Callable[[SitePhone, str], str]
) -> Iterator[Reader]:
    """Yield one phone of each kind that may read a rule in another way; `parameter` returns a phone's own value."""
    names = sorted(filter(None, map(parameter_of, names_in(text))))
    if not phones:
        yield _reader(_STRANGER, {})
    seen = set()
    for phone in phones:
        given = tuple(parameter(phone, name) for name in names)
        kind = (phone.declared.model, phone.declared.firmware, given)
        if kind not in seen and not any(map(is_template, given)):
            seen.add(kind)
            yield _reader(identity_of(phone), dict(zip(names, given, strict=True)))


def _reader(identity: Identity, parameters: Mapping[str, str]) -> Reader:
    handset = Handset(identity, lambda _below: 0)
    handset.lease = _LEASE
    handset.parameters.update(parameters)
    return Reader(handset)

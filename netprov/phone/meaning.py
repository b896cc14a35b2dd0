"""What a rule means to one phone: expanded, its alternatives judged, what is asked for where; for `netprov rule`."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.dns.service import SERVICES
from netprov.errors import Malformed
from netprov.phone.fetch.load import handset_url
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.condition import holds
from netprov.phone.rule.grammar import (
    Alternative,
    Branch,
    RuleKind,
    choose,
    parse_rule,
    report_branches,
    with_secrets,
)
from netprov.phone.rule.url import Url, parse_url


@dataclass(frozen=True, slots=True)
class Choice:
    """One alternative of a rule as a phone meets it.

    `holds` is its condition's value, None where it is not judged because an earlier one is taken and this one cannot be
    judged. `fault` says why the alternative could not be taken, "" if it could; `alternative` is None then. `url` is None
    where it only assigns, or asks for an activation code.
    """

    condition: str
    holds: bool | None
    taken: bool
    alternative: Alternative | None = None
    url: Url | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A rule read by a phone: its expanded text, its alternatives, what the one that is taken asks for."""

    expanded: str
    choices: tuple[Choice, ...]
    asks: tuple[str, ...]


def meaning(handset: Handset, text: str, kind: RuleKind) -> Meaning:
    """Read a rule as this phone would; raises `Malformed` for what it refuses."""
    expanded = handset.expand(text)
    branches = report_branches(expanded) if kind == "report" else parse_rule(expanded, kind)
    taken = None if kind == "report" else choose(branches)
    choices = tuple(_choice(handset, each, taken=kind == "report" or each is taken) for each in branches)
    asks = tuple(line for choice in choices if choice.taken for line in _asks(choice, kind))
    return Meaning(expanded, choices, asks)


def _choice(handset: Handset, branch: Branch, *, taken: bool) -> Choice:
    """Read one alternative; only of the one that is taken a fault is the rule's."""
    value: bool | None = None
    try:
        value = not branch.condition or holds(branch.condition)
        alternative = with_secrets(branch.read(), handset.expand_secret)
        fetches = alternative.url and not alternative.activates
        url = _url(handset, alternative, branch.kind) if fetches else None
    except Malformed as error:
        if taken:
            raise
        return Choice(branch.condition, value, taken, fault=str(error))
    return Choice(branch.condition, value, taken, alternative, url)


def _url(handset: Handset, alternative: Alternative, kind: RuleKind) -> Url:
    """Return the URL with its defaults; only profile rules take their server from option 66 (guide, "URL Syntax")."""
    return handset_url(handset, alternative.url) if kind == "profile" else parse_url(alternative.url)


def _asks(choice: Choice, kind: RuleKind) -> tuple[str, ...]:
    """Say in order what goes over the wire."""
    alternative, url = choice.alternative, choice.url
    if alternative is None:
        return ()
    if alternative.activates:
        return (
            "the activation code screen: a person types the code, and the phone asks for what it stands for",
        )
    if url is None:
        return ()
    lines, options = [], alternative.options
    if alternative.by_srv:
        lines.append(f"DNS SRV {SERVICES[url.scheme]}.{url.host}, and the address of each target")
        where = f"each target and its port, in order: {url.path}"
        verified = f"the domain {url.host}, not the target"
    else:
        if not url.by_address:
            lines.append(f"DNS A {url.host}")
        where, verified = str(url), url.host
    verb = {"report": "PUT or POST a report to", "upgrade": "fetch firmware from"}.get(kind, "GET")
    if "post" in options:
        verb = f"POST GPP_{options['post'].upper()} to"
    lines.append(f"{url.scheme.upper()}: {verb} {where}")
    if url.scheme == "https":
        lines.append(f"the certificate must carry {verified}")
    if "key" in options:
        lines.append("the file is decrypted by AES-256-CBC with the key given")
    if "uid" in options or "pwd" in options:
        lines.append(f"a challenge (401) is answered as {options.get('uid', '')!r}")
    return tuple(lines)

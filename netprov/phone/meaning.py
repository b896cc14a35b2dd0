"""What a rule means to one phone: expanded, its alternatives judged, what is asked for where; for `netprov rule`."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.dns.service import SERVICES
from netprov.phone.fetch.load import handset_url
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.condition import holds
from netprov.phone.rule.grammar import Alternative, RuleKind, choose, parse_reports, parse_rule, with_secrets
from netprov.phone.rule.url import Url, parse_url


@dataclass(frozen=True, slots=True)
class Choice:
    """One alternative: `holds` is its condition's value; `url` is None where it only assigns."""

    alternative: Alternative
    holds: bool
    taken: bool
    url: Url | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """A rule read by a phone: its expanded text, its alternatives, what the one that is taken asks for."""

    expanded: str
    choices: tuple[Choice, ...]
    asks: tuple[str, ...]


def meaning(handset: Handset, text: str, kind: RuleKind) -> Meaning:
    """Read a rule as this phone would; raises `Malformed` for what it refuses."""
    expanded = handset.expand(text)
    alternatives = parse_reports(expanded) if kind == "report" else parse_rule(expanded, kind)
    taken = None if kind == "report" else choose(alternatives)
    choices = []
    for each in alternatives:
        alternative = with_secrets(each, handset.expand_secret)
        url = _url(handset, alternative, kind) if alternative.url else None
        value = not each.condition or holds(each.condition)
        choices.append(Choice(alternative, value, kind == "report" or each is taken, url))
    asks = tuple(line for choice in choices if choice.taken for line in _asks(choice, kind))
    return Meaning(expanded, tuple(choices), asks)


def _url(handset: Handset, alternative: Alternative, kind: RuleKind) -> Url:
    """Return the URL with its defaults; only profile rules take their server from option 66 (guide, "URL Syntax")."""
    return handset_url(handset, alternative.url) if kind == "profile" else parse_url(alternative.url)


def _asks(choice: Choice, kind: RuleKind) -> tuple[str, ...]:
    """Say in order what goes over the wire."""
    url, options = choice.url, choice.alternative.options
    if url is None:
        return ()
    lines = []
    if choice.alternative.by_srv:
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

"""A resync: the four profile rules in sequence, each fetched and applied before the next is read.

Cisco's guide, "Profile Rules": a rule that fails ends the sequence; `Resync_Fails_On_FNF` set to No takes a missing file
for a success.
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.errors import Malformed
from netprov.phone.action import Road, Say
from netprov.phone.fetch.load import Loaded, NotLoaded, handset_url, load
from netprov.phone.fetch.reach import FetchRequest
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import PROFILE_RULES, is_yes
from netprov.phone.rule.condition import holds
from netprov.phone.rule.grammar import Alternative, choose, parse_rule, with_secrets
from netprov.phone.rule.url import Url
from netprov.phone.srv import load_by_srv

EXPLICIT, POWER_UP, PERIODIC, RETRY = -1, 0, 1, 2
"""$PRVST: why a resync happens."""


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """A rule opens the screen that asks for an activation code (`gds://`)."""


MAX_STAGES = 5
"""Profiles in a row of which each names the next; more is taken for a loop."""


def resync(handset: Handset, reason: int, url: str = "") -> Road[Loaded | NotLoaded | CodeWanted | None]:
    """Follow the rules once, or the rule `url` alone; None if none of them named a URL."""
    handset.provisioning_state = reason
    last: Loaded | None = None
    for name, rule in (("Profile_Rule", url),) if url else ((each, handset[each]) for each in PROFILE_RULES):
        outcome = yield from _follow(handset, name, rule)
        if isinstance(outcome, CodeWanted):
            return outcome
        if isinstance(outcome, NotLoaded):
            missing = outcome.category == "B" and not outcome.corrupt
            if not missing or is_yes(handset["Resync_Fails_On_FNF"]):
                return outcome
        elif outcome is not None:
            last = outcome
    handset.resynced = handset.now
    return last


def settle(handset: Handset, loaded: Loaded) -> Road[Loaded | NotLoaded | CodeWanted]:
    """Follow the rules that a profile brought, and those that the next one brings, until they rest."""
    for _ in range(MAX_STAGES):
        if not loaded.new_rules:
            return loaded
        outcome = yield from resync(handset, EXPLICIT)
        if outcome is None:
            return loaded
        if not isinstance(outcome, Loaded):
            return outcome
        loaded = outcome
    yield Say(f"{MAX_STAGES} profiles in a row each named another rule", failure=True)
    return NotLoaded("C", "profile rules lead in a circle")


def triggered(handset: Handset) -> bool:
    """Tell whether a due resync takes place: with triggers set, only if one of them holds."""
    triggers = [text for name in ("Resync_Trigger_1", "Resync_Trigger_2") if (text := handset[name])]
    if not triggers:
        return True
    for text in triggers:
        try:
            if holds(handset.expand(text)):
                return True
        except Malformed:
            continue
    return False


def _follow(handset: Handset, name: str, rule: str) -> Road[Loaded | NotLoaded | CodeWanted | None]:
    """Follow one rule; None where it is empty, no condition holds, or it only assigns."""
    if not rule:
        return None
    try:
        chosen = choose(parse_rule(handset.expand(rule)))
        if chosen is None:
            return None
        alternative = with_secrets(chosen.read(), handset.expand_secret)
        handset.assign(alternative.assignments)
        if alternative.activates:
            return CodeWanted()
        if not alternative.url:
            return None
        url = handset_url(handset, alternative.url)
    except Malformed as error:
        handset.last_error = f"{name}: {error}"
        yield Say(handset.last_error, failure=True)
        return NotLoaded("C", str(error))
    request, key = _request(handset, alternative), alternative.options.get("key", "")
    if not alternative.by_srv:
        aliases = handset[f"GPP_{alternative.options.get('alias', '').strip().upper()}"]
        return (yield from load(handset, url, request, key=key, aliases=aliases))
    return (yield from _by_srv(handset, url, request, key))


def _by_srv(handset: Handset, url: Url, request: FetchRequest, key: str) -> Road[Loaded | NotLoaded]:
    """Follow a rule with --srv: its host is the domain to look up, and the name that certificates must carry."""
    outcome = yield from load_by_srv(handset, url.host, url.scheme, (url.path,), request=request, key=key)
    if outcome is None:
        handset.last_error = f"no SRV records for {url.host}"
        yield Say(handset.last_error, failure=True)
        return NotLoaded("C", handset.last_error)
    return outcome


def _request(handset: Handset, alternative: Alternative) -> FetchRequest:
    options = alternative.options
    method, body = "GET", b""
    if "post" in options:
        register = f"GPP_{options['post'].strip().upper()}"
        method, body = "POST", handset.expand(handset[register]).encode("ascii", "replace")
    return FetchRequest(
        user=options.get("uid", ""), password=options.get("pwd", ""), method=method, body=body
    )

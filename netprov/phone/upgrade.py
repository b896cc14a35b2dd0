"""Firmware upgrades: the rule, the download, the new version; several in a row where conditions on $SWVER say so.

Cisco's guide, "Upgrade Rule": the load named is fetched if it is another than the running one; the same scheme, server,
port and path are not tried again once they were done; `Downgrade_Rev_Limit` bounds the way back. A load's manifest that is
text names further files of the same directory; they are fetched too.
"""

from __future__ import annotations

from netprov.errors import Malformed
from netprov.phone.action import Road, Say
from netprov.phone.fetch.exchange import Fetched, Refusal, fetch
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import is_yes
from netprov.phone.rule.grammar import choose, parse_rule
from netprov.phone.rule.url import Url, parse_url
from netprov.provision.firmware import load_version

FIRST, RETRY = 1, 2
"""$UPGST: first attempt, or retry after a failed one."""

MAX_PARTS = 32
"""Files of one load that are fetched at most."""


def upgrade(handset: Handset, rule: str = "") -> Road[bool | None]:
    """Follow `rule` or the upgrade rule once: True for a new load, False for a failure, None where there is nothing to do."""
    if not is_yes(handset["Upgrade_Enable"]):
        return None
    try:
        url = _wanted(handset, rule or handset["Upgrade_Rule"])
        if url is None:
            return None
        load = load_of(url)
        _check_limit(handset, load)
    except Malformed as error:
        return (yield from _failed(handset, None, str(error)))
    yield handset.log("Log_Upgrade_Request_Msg", url)
    answer = yield from fetch(handset, url)
    handset.upgraded = handset.now
    if isinstance(answer, Fetched):
        answer = yield from _parts(handset, url, answer)
    if isinstance(answer, Refusal):
        return (yield from _failed(handset, url, answer.error))
    handset.upgrade_done, handset.upgrade_error, handset.upgrade_state = str(url), "", FIRST
    yield handset.log("Log_Upgrade_Success_Msg", url, error="OK")
    handset.software = load
    yield Say(f"Restarting with {load}")
    return True


def load_of(url: Url) -> str:
    """Return the name of the load that a URL ends in."""
    return url.path.partition("?")[0].rsplit("/", 1)[-1].removesuffix(".loads")


def _wanted(handset: Handset, rule: str) -> Url | None:
    """Return the load's URL, None if there is no rule for now, or it was followed already."""
    chosen = choose(parse_rule(handset.expand(rule), "upgrade"))
    if chosen is None:
        return None
    alternative = chosen.read()
    handset.assign(alternative.assignments)
    if not alternative.url:
        return None
    url = parse_url(alternative.url)
    done = str(url) == handset.upgrade_done or load_of(url) == handset.software
    return None if done else url


def _check_limit(handset: Handset, load: str) -> None:
    limit = handset["Downgrade_Rev_Limit"]
    if limit and load_version(load) < load_version(limit):
        raise Malformed(f"{load} is older than Downgrade_Rev_Limit {limit}")


def _parts(handset: Handset, url: Url, manifest: Fetched) -> Road[Fetched | Refusal]:
    """Fetch the files that a manifest in plain text names."""
    directory = url.path.rsplit("/", 1)[0]
    for name in _named(manifest.body):
        part = yield from fetch(handset, url.at(f"{directory}/{name}"))
        if isinstance(part, Refusal):
            return part
    return manifest


def _named(manifest: bytes) -> tuple[str, ...]:
    """Return the file names of a manifest in plain text; one that is not, names none that we can read."""
    lines = manifest.decode("latin-1").split()
    plain = all(32 < ord(character) < 127 for line in lines for character in line)
    names = tuple(line for line in lines if "." in line and "/" not in line)
    return names[:MAX_PARTS] if plain and len(names) == len(lines) else ()


def _failed(handset: Handset, url: Url | None, error: str) -> Road[bool]:
    handset.upgraded = handset.now
    handset.upgrade_error, handset.upgrade_state = error, RETRY
    yield handset.log("Log_Upgrade_Failure_Msg", url, error=error)
    return False

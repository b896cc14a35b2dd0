"""A phone's life after power-up: resyncs, retries, upgrades and reports, each when the guide says.

Cisco's guide, "Configurable Schedules" and table 2: after a success the next resync comes after `Resync_Periodic`, or at
`Resync_At`; after a failure (B or C alike) after `Resync_Error_Retry_Delay`, whose delays count the failures in a row.
Deliberately absent: calls, so that no resync is ever put off by one, and resyncs on SIP NOTIFY.
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.errors import Malformed
from netprov.phone.action import Road, Say, Wait
from netprov.phone.boot import boot, search
from netprov.phone.condition import holds
from netprov.phone.handset import Handset
from netprov.phone.load import Loaded, NotLoaded
from netprov.phone.report import Reporter
from netprov.phone.resync import EXPLICIT, PERIODIC, RETRY, resync, settle
from netprov.phone.schedule import delay, until_time_of_day
from netprov.phone.settings import is_yes
from netprov.phone.upgrade import upgrade

MAX_UPGRADES = 8
"""Loads in a row; more is taken for two rules that undo each other."""


@dataclass(slots=True)
class Tally:
    """What a life was so far."""

    resyncs: int = 0
    failures: int = 0
    row: int = 0
    """Failures since the last success."""
    periods: int = 0
    """Periodic resyncs since the parameter began to count."""
    upgrade_row: int = 0


def live(handset: Handset) -> Road[Tally]:
    """Boot, then resync for ever; returns only where the parameters say never again."""
    tally, reporter = Tally(), Reporter(dict(handset.parameters))
    outcome = yield from boot(handset)
    while handset.lease is None:
        yield Wait(60, "no lease")
        outcome = yield from boot(handset)
    fine = outcome.provisioned
    while True:
        _count(tally, fine=fine)
        upgraded = (yield from maintain(handset, reporter, tally)) if fine else None
        if upgraded and is_yes(handset["Resync_After_Upgrade_Attempt"]):
            fine = yield from _again(handset, EXPLICIT)
            continue
        seconds = next_resync(handset, tally)
        if seconds is None:
            yield Say("no further resync: the parameters say never")
            return tally
        yield Wait(seconds, "Resync_Periodic or Resync_At" if fine else "Resync_Error_Retry_Delay")
        if fine and not triggered(handset):
            tally.periods += 1
            continue
        fine = yield from _again(handset, PERIODIC if fine else RETRY)


def maintain(handset: Handset, reporter: Reporter, tally: Tally) -> Road[bool]:
    """After a good resync: upgrade, stage by stage, then report; True if there is a new load."""
    changed = False
    for _ in range(MAX_UPGRADES):
        if not _upgrade_due(handset, tally):
            break
        done = yield from upgrade(handset)
        tally.upgrade_row = tally.upgrade_row + 1 if done is False else 0
        if not done:
            break
        changed = True
    if handset["Report_Rule"] and handset["Report_to_Server"] != "On Request":
        yield from reporter.report(handset)
    return changed


def next_resync(handset: Handset, tally: Tally) -> float | None:
    """Return the seconds to the next resync, None for never."""
    if tally.row:
        return delay(handset["Resync_Error_Retry_Delay"], tally.row - 1, handset.draw)
    at = until_time_of_day(
        handset["Resync_At__HHmm_"], handset["Resync_At_Random_Delay"], handset.now, handset.draw
    )
    if at is not None:
        return at
    return delay(handset["Resync_Periodic"], tally.periods, handset.draw)


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


def _upgrade_due(handset: Handset, tally: Tally) -> bool:
    """Tell whether a failed upgrade may be tried again (`Upgrade_Error_Retry_Delay`)."""
    if not tally.upgrade_row or handset.upgraded is None:
        return True
    wait = delay(handset["Upgrade_Error_Retry_Delay"], tally.upgrade_row - 1, handset.draw)
    return wait is not None and handset.now - handset.upgraded >= wait


def _again(handset: Handset, reason: int) -> Road[bool]:
    """Resync, or search again where no profile ever named a server."""
    if handset["Profile_Rule"].startswith("/"):
        outcome = yield from search(handset)
        return outcome.provisioned
    result = yield from resync(handset, reason)
    if isinstance(result, Loaded):
        result = yield from settle(handset, result)
    return not isinstance(result, NotLoaded)


def _count(tally: Tally, *, fine: bool) -> None:
    tally.resyncs += 1
    if fine:
        tally.periods = 0 if tally.row else tally.periods + (tally.resyncs > 1)
        tally.row = 0
    else:
        tally.failures += 1
        tally.row += 1

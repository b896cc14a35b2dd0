"""A phone's life after power-up: resyncs, retries, upgrades and reports, each when the guide says.

Cisco's guides, "Configurable Schedules" and table 2: after a success the next resync comes after `Resync_Periodic`, or at
`Resync_At`; after a failure (B or C alike) after `Resync_Error_Retry_Delay`, whose delays count the failures in a row. A
failed upgrade has its own timer. A call puts a resync off, by `Forced_Resync_Delay` at most; who calls is the behaviour's to say.
Deliberately absent: resyncs on SIP NOTIFY, and reports on local change: nobody presses keys here.
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.number import whole
from netprov.phone.action import Road, Say, Wait
from netprov.phone.boot import boot, by_code, search
from netprov.phone.fetch.load import Loaded, NotLoaded
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.schedule import delay, until_time_of_day
from netprov.phone.handset.settings import is_yes
from netprov.phone.report import Reporter
from netprov.phone.resync import EXPLICIT, PERIODIC, RETRY, CodeWanted, resync, settle, triggered
from netprov.phone.upgrade import upgrade

MAX_UPGRADES = 8
"""Loads in a row; more is taken for two rules that undo each other."""

SHORTEST_UPLOAD = 600
"""Seconds between periodic reports, at least (guide, `Periodic_Upload_To_Server`)."""


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
    failed_rule: str | None = None
    """The `Upgrade_Rule` that failed last, None after a success."""


@dataclass(slots=True)
class Agenda:
    """When each thing is due, in the phone's time; None is never."""

    resync: float | None = None
    upgrade: float | None = None
    report: float | None = None

    def next(self) -> tuple[float, str] | None:
        """Return what is due first, and why; of two at once, the report, then the upgrade."""
        due = (
            (self.report, "Periodic_Upload_To_Server"),
            (self.upgrade, "Upgrade_Error_Retry_Delay"),
            (self.resync, "resync"),
        )
        return min(
            ((when, why) for when, why in due if when is not None), default=None, key=lambda each: each[0]
        )


def live(handset: Handset, tally: Tally | None = None) -> Road[Tally]:
    """Boot, then resync for ever, and count in `tally`; returns only where the parameters say never again."""
    tally = tally or Tally()
    agenda, reporter = Agenda(), Reporter(dict(handset.parameters))
    outcome = yield from boot(handset)
    while handset.lease is None:
        yield Wait(60, "no lease")
        outcome = yield from boot(handset)
    fine = outcome.provisioned
    while True:
        _count(tally, fine=fine)
        # A phone that waits for its code upgrades: the code may need newer firmware (guide, "Activation Code").
        applied = fine or handset.awaits_code
        due = (
            applied and handset["Upgrade_Rule"] != tally.failed_rule
        )  # one that failed has a timer of its own
        upgraded = due and (yield from _upgrade(handset, agenda, tally))
        if not upgraded:
            _plan(handset, agenda, tally, fine=fine)
            upgraded = yield from _pass(handset, agenda, tally, reporter)
        if agenda.resync is None and not upgraded:
            yield Say("no further resync: the parameters say never")
            return tally
        reason = EXPLICIT if upgraded else (PERIODIC if fine else RETRY)
        fine = yield from _again(handset, reason)


def _plan(handset: Handset, agenda: Agenda, tally: Tally, *, fine: bool) -> None:
    """Set the timer of the next resync, and with the first success that of the reports."""
    seconds = next_resync(handset, tally)
    agenda.resync = None if seconds is None else handset.now + seconds
    reports = handset["Report_Rule"] and handset["Report_To_Server"].strip() == "Periodically"
    if not reports:
        agenda.report = None
    elif fine and agenda.report is None:
        agenda.report = handset.now


def _pass(handset: Handset, agenda: Agenda, tally: Tally, reporter: Reporter) -> Road[bool]:
    """Let time pass until a resync takes place, and do what falls due before; True if it is because of a new load."""
    while (due := agenda.next()) is not None:
        when, why = due
        if when > handset.now:
            yield Wait(when - handset.now, _why(tally) if why == "resync" else why)
        if when == agenda.report:
            yield from reporter.report(handset)
            agenda.report = handset.now + _upload_period(handset)
        elif when == agenda.upgrade:
            yield from _idle(handset)
            if (yield from _upgrade(handset, agenda, tally)):
                return True
        elif tally.row or triggered(handset):
            yield from _idle(handset)
            return False
        else:
            tally.periods += 1
            seconds = next_resync(handset, tally)
            agenda.resync = None if seconds is None else handset.now + seconds
    return False


def _why(tally: Tally) -> str:
    return "Resync_Error_Retry_Delay" if tally.row else "Resync_Periodic or Resync_At"


def _idle(handset: Handset) -> Road[None]:
    """Let a call end first, but wait no longer than `Forced_Resync_Delay`."""
    forced = handset["Forced_Resync_Delay"].strip()
    latest = handset.now + (whole(forced) or 0)
    while (busy := handset.behaviour.busy(handset.now)) > 0 and handset.now < latest:
        yield Wait(min(busy, latest - handset.now), "a call; Forced_Resync_Delay at most")


def _upload_period(handset: Handset) -> int:
    period = handset["Periodic_Upload_To_Server"].strip()
    return max(SHORTEST_UPLOAD, whole(period) or 0)


def _upgrade(handset: Handset, agenda: Agenda, tally: Tally) -> Road[bool]:
    """Upgrade stage by stage; True if there is a new load, and a resync is to follow it."""
    changed = False
    for _ in range(MAX_UPGRADES):
        done = yield from upgrade(handset)
        tally.upgrade_row = tally.upgrade_row + 1 if done is False else 0
        if not done:
            break
        changed = True
    wait = None
    tally.failed_rule = handset["Upgrade_Rule"] if tally.upgrade_row else None
    if tally.upgrade_row:
        wait = delay(handset["Upgrade_Error_Retry_Delay"], tally.upgrade_row - 1, handset.draw)
    agenda.upgrade = None if wait is None else handset.now + wait
    return changed and is_yes(handset["Resync_After_Upgrade_Attempt"])


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


def _again(handset: Handset, reason: int) -> Road[bool]:
    """Resync, or search again where no profile ever named a server."""
    if handset["Profile_Rule"].startswith("/"):
        outcome = yield from search(handset)
        return outcome.provisioned
    result = yield from resync(handset, reason)
    if isinstance(result, Loaded):
        result = yield from settle(handset, result)
    if isinstance(result, CodeWanted):
        return (yield from by_code(handset)).provisioned
    return not isinstance(result, NotLoaded)


def _count(tally: Tally, *, fine: bool) -> None:
    tally.resyncs += 1
    if fine:
        tally.periods = 0 if tally.row else tally.periods + (tally.resyncs > 1)
        tally.row = 0
    else:
        tally.failures += 1
        tally.row += 1

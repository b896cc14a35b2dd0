"""A phone's life after power-up: resyncs, retries, upgrades and reports, each when the guide says or when it is asked.

Cisco's guides, "Provisioning", "Upgrade Rule" and "Configurable Schedules". A call puts a resync or an upgrade off, by
`Forced_Resync_Delay` at most; what a person presses at the phone is not put off. A new load restarts the phone, so that
several loads in a row are several restarts, each with a resync that says what the next one is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import inf

from netprov.cwmp.action import Restart
from netprov.cwmp.cpe import CONNECTION_REQUEST
from netprov.number import whole
from netprov.phone.acs.session import attend
from netprov.phone.action import AskDhcp, Lease, Road, Say, Wait
from netprov.phone.boot import Outcome, again, boot, by_code
from netprov.phone.fetch.load import Loaded
from netprov.phone.handset.customization import Turn
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.schedule import delay
from netprov.phone.handset.settings import is_yes
from netprov.phone.life.agenda import Agenda, Tally, count, next_resync, upload_delay, upload_period
from netprov.phone.life.input import (
    CodeEntered,
    ConnectionRequested,
    FormSubmitted,
    LeaseAsked,
    ParameterSet,
    Queued,
    ReportAsked,
    ResyncAsked,
    RuleEntered,
    UpgradeAsked,
)
from netprov.phone.report import Reporter
from netprov.phone.resync import EXPLICIT, PERIODIC, POWER_UP, RETRY, triggered
from netprov.phone.rule.conceal import conceal
from netprov.phone.upgrade import upgrade

WITHOUT_LEASE_S = 60
"""Seconds until a phone without a lease asks again."""

MAX_INBOX = 64
"""Requests from outside that wait; what comes on top is dropped, so that a flood takes nothing away from who came before it."""

NEVER = "no further resync: the parameters say never"


@dataclass(slots=True)
class Life:
    """One phone with what it has before it; `tally` counts, `inbox` holds what it was asked meanwhile."""

    handset: Handset
    tally: Tally = field(default_factory=Tally)
    agenda: Agenda = field(default_factory=Agenda)
    inbox: deque[Queued] = field(default_factory=deque)
    reporter: Reporter = field(default_factory=lambda: Reporter({}))
    restarts: bool = False
    upgraded: bool = False

    @property
    def restart(self) -> Restart | None:
        """What the ACS wants the phone to restart for."""
        return self.handset.management.restart if self.handset.management else None

    def power_off(self) -> None:
        """Forget what only a phone under power knows."""
        self.handset.power_off()
        self.agenda = Agenda()
        self.restarts = False


def live(life: Life) -> Road[None]:
    """Boot, and live until something restarts the phone; then boot again, for ever."""
    while True:
        yield from _power_up(life)
        while not (life.restarts or life.restart):
            due = life.agenda.next()
            if life.inbox:
                yield from _take(life, life.inbox.popleft())
            elif due is None:
                yield Wait(inf, NEVER, listens=True)
            elif due[0] > life.handset.now:
                yield Wait(due[0] - life.handset.now, _why(life, due[1]), listens=True)
            else:
                yield from _fall_due(life)
        yield from _idle(life)
        if life.restart and life.restart.factory:
            yield Say("Factory reset by the ACS")
            life.handset.reset()
        life.power_off()


def _power_up(life: Life) -> Road[None]:
    handset, forced = life.handset, life.upgraded
    life.upgraded = False
    if not life.reporter.last:
        life.reporter.last = dict(handset.parameters)
    outcome = yield from boot(handset, always=forced)
    while handset.lease is None:
        yield Wait(WITHOUT_LEASE_S, "no lease", listens=True)
        while life.inbox:
            yield from _take_without_network(life, life.inbox.popleft())
        outcome = yield from boot(handset, always=forced)
    yield from _follow_up(life, outcome)


def _follow_up(life: Life, outcome: Outcome) -> Road[None]:
    """Count a resync, upgrade if the profile wants it, and set the timers."""
    handset, tally = life.handset, life.tally
    if life.restart:
        return  # the ACS has the phone restart before it has given it a profile
    if outcome.attempted:
        count(tally, fine=outcome.provisioned)
        handset.history.resynced(handset.now, outcome.url, outcome.reason)
    # A phone that waits for its code upgrades: the code may need newer firmware (guide, "Activation Code").
    applied = outcome.provisioned or handset.awaits_code
    if applied and handset["Upgrade_Rule"] != tally.failed_rule:  # one that failed has a timer of its own
        yield from _upgrade(life)
    _plan(life)
    if not _reports(handset, "Periodically"):
        life.agenda.report = life.agenda.report if _reports(handset, "On Local Change") else None
    elif outcome.provisioned and life.agenda.report is None:
        life.agenda.report = handset.now
    if not life.restarts:
        yield from _attend(life)


def _plan(life: Life) -> None:
    """Set the timer of the next resync."""
    seconds = next_resync(life.handset, life.tally)
    life.agenda.resync = None if seconds is None else life.handset.now + seconds


def _attend(life: Life, cause: str = "") -> Road[None]:
    """Hold the sessions with the ACS that are due; rules that it brought are followed."""
    handset = life.handset
    before = handset.management.profile if handset.management else None
    life.agenda.inform = yield from attend(handset, cause)
    now = handset.management
    if now and now.profile and now.profile is not before and not life.restart:
        if Loaded(now.profile, now.changed).new_rules:
            yield from _resync(life, EXPLICIT)


def _fall_due(life: Life) -> Road[None]:
    handset, agenda = life.handset, life.agenda
    now = handset.now
    if agenda.inform is not None and agenda.inform <= now:
        yield from _attend(life)
    elif agenda.report is not None and agenda.report <= now:
        yield from life.reporter.report(handset)
        periodic = _reports(handset, "Periodically")
        agenda.report = handset.now + upload_period(handset) if periodic else None
    elif agenda.upgrade is not None and agenda.upgrade <= now:
        yield from _idle(life, agenda.upgrade)
        yield from _upgrade(life)
    elif life.tally.row or triggered(handset):
        yield from _idle(life, agenda.resync)
        yield from _resync(life, RETRY if life.tally.row else PERIODIC)
    else:
        life.tally.periods += 1
        _plan(life)


def _take(life: Life, asked: Queued) -> Road[None]:
    """Do what somebody asked of the phone."""
    handset = life.handset
    match asked:
        case ResyncAsked(url, pressed):
            if not pressed:
                yield from _idle(life)
            yield from _resync(life, EXPLICIT, url)
        case UpgradeAsked(url):
            yield from _idle(life)
            yield from _upgrade(life, url)
        case ReportAsked():
            yield from life.reporter.report(handset)
        case ConnectionRequested():
            yield from _attend(life, CONNECTION_REQUEST)
        case RuleEntered(rule):
            yield from _enter(life, rule)
        case ParameterSet(name, value):
            yield from _submit(life, ((name, value),))
        case FormSubmitted(values):
            for _, rule in [each for each in values if each[0] == "Profile_Rule"]:
                yield from _enter(life, rule)
            yield from _submit(life, tuple(each for each in values if each[0] != "Profile_Rule"))
        case CodeEntered() if not handset.awaits_code:
            yield Say("No screen asks for an activation code", failure=True)
        case CodeEntered(code):
            yield from _follow_up(life, (yield from by_code(handset, code)))
        case LeaseAsked():
            yield from _lease(life)


def _enter(life: Life, rule: str) -> Road[None]:
    """Take a profile rule that somebody has entered by hand."""
    yield Say(f"Profile Rule entered: {conceal(rule)}")
    life.handset.turn(Turn.BY_HAND)
    life.handset.awaits_code = False
    _set(life, "Profile_Rule", rule)


def _submit(life: Life, values: tuple[tuple[str, str], ...]) -> Road[None]:
    """Set parameters; the ACS is told of what it wants to know."""
    for name, value in values:
        _set(life, name, value)
    if values and life.handset.lease is not None:
        yield from _attend(life)


def _take_without_network(life: Life, asked: Queued) -> Road[None]:
    if isinstance(asked, RuleEntered | ParameterSet | FormSubmitted):
        yield from _take(life, asked)
    else:
        yield Say("Network is not available", failure=True)


def _set(life: Life, name: str, value: str) -> None:
    handset = life.handset
    handset.parameters[name] = value
    if _reports(handset, "On Local Change"):
        life.agenda.report = handset.now + upload_delay(handset)


def _lease(life: Life) -> Road[None]:
    """Ask DHCP again; another lease than before is another network, on which the phone resyncs."""
    handset, before = life.handset, life.handset.lease
    identity = handset.identity
    answer = yield AskDhcp(handset.option_60, handset.requested, identity.mac)
    if not isinstance(answer, Lease):
        yield Say(f"DHCP: {answer}; the lease is kept", failure=True)
        return
    handset.lease = answer
    if answer != before:
        yield from _resync(life, POWER_UP)


def _reports(handset: Handset, when: str) -> bool:
    return bool(handset["Report_Rule"]) and handset["Report_To_Server"].strip() == when


def _why(life: Life, why: str) -> str:
    if why != "resync":
        return why
    return "Resync_Error_Retry_Delay" if life.tally.row else "Resync_Periodic or Resync_At"


def _idle(life: Life, since: float | None = None) -> Road[None]:
    """Let a call end first, but wait no longer than `Forced_Resync_Delay` from when it was due, or from now.

    A connection request waits for no call: a session follows within 30 seconds of it (TR-069 section 3.2.2).
    """
    handset, asked = life.handset, ConnectionRequested()
    latest = (handset.now if since is None else since) + (whole(handset["Forced_Resync_Delay"].strip()) or 0)
    while handset.calls and handset.now < latest:
        if asked in life.inbox and not (life.restarts or life.restart):
            life.inbox.remove(asked)
            yield from _attend(life, CONNECTION_REQUEST)
        else:
            yield Wait(latest - handset.now, "a call; Forced_Resync_Delay at most", listens=True)


def _resync(life: Life, reason: int, url: str = "") -> Road[None]:
    if not is_yes(life.handset["Provision_Enable"]):
        yield Say("No resync: Provision_Enable is No", failure=True)
        _plan(life)
        return
    outcome = yield from again(life.handset, reason, url)
    yield from _follow_up(life, outcome)


def _upgrade(life: Life, url: str = "") -> Road[None]:
    """Upgrade once; the phone restarts with a new load."""
    handset, tally = life.handset, life.tally
    done = yield from upgrade(handset, url)
    if done is not None:
        handset.history.upgraded(handset.now, handset.software, handset.upgrade_error)
    tally.upgrade_row = tally.upgrade_row + 1 if done is False else 0
    tally.failed_rule = handset["Upgrade_Rule"] if tally.upgrade_row else None
    wait = None
    if tally.upgrade_row:
        wait = delay(handset["Upgrade_Error_Retry_Delay"], tally.upgrade_row - 1, handset.draw)
    life.agenda.upgrade = None if wait is None else handset.now + wait
    if done:
        life.restarts = True
        life.upgraded = is_yes(handset["Resync_After_Upgrade_Attempt"])

"""A month of many phones beside each other, with a server that is away, an expired certificate, a load that is missing
half-way and a wrong key for a day: all end current, and each step comes when the guide says."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest

from netprov.explain.engine import explain
from netprov.phone.boot import Outcome
from netprov.phone.handset.schedule import DAY
from tests.phone.fleet import (
    FIRST,
    FORCED,
    LAST,
    PERIOD,
    RETRY,
    SIGNS,
    SPREAD,
    STUCK,
    UPGRADE_RETRY,
    Resident,
    live,
)

PHONES = int(os.environ.get("NETPROV_PHONES", "25"))
DAYS = int(os.environ.get("NETPROV_DAYS", "6"))
"""`make fleet-month` lets a thousand live for thirty days."""

LENGTH = float(DAYS * DAY)
SLACK = 0.001


@pytest.fixture(scope="module")
def fleet() -> list[Resident]:
    return live(PHONES, LENGTH, seed=16)


def put_off(each: Resident, due: float) -> float:
    """Return how long calls may put off what is due then: to the end of the call, by the parameter at most."""
    now = due
    for begin, end in each.calls:
        if begin <= now < end:
            now = min(end, due + FORCED)
    return now - due


def test_every_phone_ends_current(fleet: list[Resident]) -> None:
    assert len(fleet) == PHONES
    for each in fleet:
        assert each.phone.current
        assert each.phone.handset.software == LAST
        assert each.resyncs[-1].when > LENGTH - PERIOD - SPREAD - FORCED - SLACK


def test_every_failure_was_met_by_every_phone_while_it_lasted_and_never_else(fleet: list[Resident]) -> None:
    for each in fleet:
        assert {resync.failure for resync in each.resyncs if not resync.fine} == set(SIGNS)
        assert all(resync.fine == (not resync.failure) for resync in each.resyncs)


def test_each_resync_comes_when_the_guide_says(fleet: list[Resident]) -> None:
    seen = 0
    for each in fleet:
        for before, after in pairwise(each.resyncs):
            if after.started is not None:  # with a new load, which resyncs at once
                assert after.when - after.started <= SPREAD + SLACK
                continue
            least = PERIOD if before.fine else RETRY
            most = least + (SPREAD if before.fine else 0)
            gap = after.when - before.when
            longest = max(put_off(each, before.when + least), put_off(each, before.when + most))
            assert least - SLACK <= gap <= most + max(longest, FORCED if longest else 0) + SLACK, (
                before,
                after,
            )
            seen += 1
    assert seen > PHONES * DAYS


def test_the_upgrade_stops_half_way_and_goes_on_when_the_load_is_there(fleet: list[Resident]) -> None:
    for each in fleet:
        loads = each.upgrades
        assert [load for _, load, fine in loads if fine] == [FIRST, LAST]
        failed = [when for when, _, fine in loads if not fine]
        assert failed
        assert max(failed) < STUCK[1] * LENGTH <= loads[-1][0]
        tries = [when for when, load, _ in loads if load == LAST]
        for before, after in pairwise(tries):
            due = before + UPGRADE_RETRY
            assert UPGRADE_RETRY - SLACK <= after - before <= UPGRADE_RETRY + put_off(each, due) + SLACK


def test_explain_names_each_failure_and_every_delay_has_its_parameter(fleet: list[Resident]) -> None:
    for each in fleet:
        told = set()
        for resync in each.resyncs:
            if resync.fine or resync.failure in told:
                continue
            told.add(resync.failure)
            story = explain((*each.boot, *resync.steps), Outcome(False))
            assert story.cause is not None
            assert (resync.failure, story.cause.id) == (resync.failure, SIGNS[resync.failure])
            assert "Resync_Error_Retry_Delay" in story.retry
        after = {resync.when: resync.fine for resync in each.resyncs}
        for when, wait in each.waits:
            if when in after and wait.why.startswith(("Resync_Periodic", "Resync_Error")):
                assert wait.why.startswith("Resync_Periodic") == after[when]
            assert wait.why.startswith(
                ("Resync_", "Upgrade_Error_Retry_Delay", "a call; Forced_Resync_Delay")
            )

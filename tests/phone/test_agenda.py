"""What falls due beside resyncs: upgrades tried again, periodic reports, calls that put a resync off, triggers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from netprov.phone.action import Action, Fetch, Lease, Response, Result, Wait
from netprov.phone.boot import boot
from netprov.phone.handset.memory import Handset
from netprov.phone.life.input import CallEnded, CallPlaced, Input
from netprov.phone.life.machine import LivingPhone
from netprov.phone.walk import walk
from netprov.provision.profile import Parameter, format_profile, layer
from tests.phone.living import live_until
from tests.phone.world import PHONE, no_chance

LOAD = "http://10.20.0.1/sip88xx.12-0-2MPP-9.loads"


def lived(
    seconds: float,
    answers: Callable[[str, float], int] = lambda _path, _now: 200,
    happens: Sequence[tuple[float, Input]] = (),
    **parameters: str,
) -> list[tuple[float, str]]:
    """Live that long with these parameters; return when each file was asked for."""
    body = format_profile(
        layer(
            Parameter(name, value)
            for name, value in {"Profile_Rule": "http://10.20.0.1/p", **parameters}.items()
        )
    )
    handset = Handset(PHONE, no_chance)
    seen: list[tuple[float, str]] = []

    def world(action: Action) -> Result:
        if not isinstance(action, Fetch):
            return Lease("10.20.0.50", "10.20.0.1", {66: b"http://10.20.0.1/p"})
        seen.append((handset.now, action.url.path.rsplit("/", 1)[1]))
        status = answers(seen[-1][1], handset.now)
        return Response(status, body if seen[-1][1] == "p" else b"x") if status == 200 else Response(status)

    live_until(LivingPhone(handset), world, seconds, happens)
    return [each for each in seen if each[0] < seconds]


def times(seen: list[tuple[float, str]], name: str) -> list[float]:
    return [when for when, path in seen if path == name]


def test_a_failed_upgrade_has_its_own_timer() -> None:
    seen = lived(
        20_000,
        lambda path, now: 200 if path == "p" or now >= 2000 else 404,
        Upgrade_Rule=LOAD,
        Upgrade_Error_Retry_Delay="500,700,900",
        Resync_Periodic="7200",
    )
    assert times(seen, "sip88xx.12-0-2MPP-9.loads") == [0, 500, 1200, 2100]
    assert times(seen, "p")[2:] == [
        2100,
        9300,
        16500,
    ]  # the new load resyncs at once, then the period begins anew


def test_no_retry_of_an_upgrade_where_the_delay_says_never() -> None:
    seen = lived(
        8000,
        lambda path, _now: 200 if path == "p" else 404,
        Upgrade_Rule=LOAD,
        Upgrade_Error_Retry_Delay="0",
        Resync_Periodic="3600",
    )
    assert times(seen, "sip88xx.12-0-2MPP-9.loads") == [0]


@pytest.mark.parametrize(
    ("period", "how", "expected"),
    [
        ("900", "Periodically", [0, 900, 1800, 2700]),
        ("30", "Periodically", [0, 600, 1200, 1800, 2400, 3000]),
        ("900", "On Request", []),
        ("900", "On Local Change", []),
    ],
)
def test_reports_are_sent_periodically(period: str, how: str, expected: list[float]) -> None:
    seen = lived(
        3500,
        Report_Rule="http://10.20.0.1/report",
        Report_To_Server=how,
        Periodic_Upload_To_Server=period,
        Resync_Periodic="3600",
    )
    assert times(seen, "report") == expected


def test_reports_go_on_where_no_resync_is_due() -> None:
    seen = lived(
        2000, Report_Rule="http://10.20.0.1/r", Report_To_Server="Periodically", Resync_Periodic="0",
        Periodic_Upload_To_Server="600",
    )  # fmt: skip
    assert times(seen, "r") == [0, 600, 1200, 1800]


@pytest.mark.parametrize(
    ("call", "forced", "expected"),
    [
        ((0, 0), "14400", 3600),
        ((3500, 3900), "14400", 3900),
        ((3500, 3900), "60", 3660),
        ((3500, 3900), "0", 3600),
        ((3500, 90_000), "14400", 18_000),
    ],
)
def test_a_call_puts_a_resync_off_but_not_for_ever(call: tuple[int, int], forced: str, expected: int) -> None:
    begin, end = call
    happens: list[tuple[float, Input]] = [(begin, CallPlaced()), (end, CallEnded())] if end else []
    seen = lived(30_000, happens=happens, Resync_Periodic="3600", Forced_Resync_Delay=forced)
    assert times(seen, "p")[2] == expected


def test_the_first_resync_waits_up_to_twenty_seconds_for_each_unit() -> None:
    waits = []
    for seed in range(200):
        handset = Handset(PHONE, random.Random(seed).randrange)
        _, steps = walk(handset, boot(handset), lambda _action: Lease("10.20.0.50", "10.20.0.1"))
        waits += [each.action.seconds for each in steps if isinstance(each.action, Wait)]
    assert min(waits) < 5
    assert 35 < max(waits) <= 40


@pytest.mark.parametrize(
    ("trigger", "asks"), [("$PRVTMR lt 10", True), ("$PRVTMR gt 10", False), ("", True), ("?", False)]
)
def test_triggers_rule_the_resync_at_power_up_too(trigger: str, asks: bool) -> None:
    handset = Handset(PHONE, no_chance)
    handset.parameters |= {"Profile_Rule": "http://10.20.0.1/p", "Resync_Trigger_1": trigger}
    outcome, steps = walk(
        handset,
        boot(handset),
        lambda each: Response(404) if isinstance(each, Fetch) else Lease("10.20.0.50", ""),
    )
    assert any(isinstance(step.action, Fetch) for step in steps) == asks
    assert ("Resync_Trigger" in outcome.reason) != asks


def test_a_call_puts_each_thing_off_from_when_it_was_due() -> None:
    calls: list[tuple[float, Input]] = [(3500, CallPlaced()), (90_000, CallEnded())]
    seen = lived(
        6000,
        lambda path, _now: 200 if path == "p" else 404,
        calls,
        Upgrade_Rule=LOAD,
        Upgrade_Error_Retry_Delay="3550",
        Resync_Periodic="3600",
        Forced_Resync_Delay="1000",
    )
    assert times(seen, "sip88xx.12-0-2MPP-9.loads") == [0, 4550]
    assert times(seen, "p")[2:] == [4600]

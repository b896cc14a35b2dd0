"""The lease clock: no step of the wall clock moves it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netprov.state.clock import Anchor, LeaseClock, Sources, read_sources

NOW = read_sources()
DAY = 86400.0


def kept(**changes: object) -> Anchor:
    anchor = Anchor(1_000_000.0, NOW.boot_time - 60, NOW.boot_id, NOW.wall - 60, synchronised=True)
    return replace(anchor, **changes)  # type: ignore[arg-type]


def lease_time(anchor: Anchor | None, sources: Sources) -> float:
    """Return the lease time at the moment of the sources."""
    clock = LeaseClock(anchor, sources)
    found = clock.anchor()
    return found.lease_time - (found.boot_time - sources.boot_time)


SYNCHRONISED = replace(NOW, synchronised=True)


def test_first_start_is_wall_time() -> None:
    assert lease_time(None, SYNCHRONISED) == pytest.approx(SYNCHRONISED.wall)


@pytest.mark.parametrize("step", [-40 * 365 * DAY, -1.0, 1.0, 40 * 365 * DAY])
def test_restart_goes_on_whatever_the_wall_clock_says(step: float) -> None:
    assert lease_time(kept(), replace(SYNCHRONISED, wall=NOW.wall + step)) == pytest.approx(1_000_060.0)


def test_reboot_counts_the_time_that_has_passed() -> None:
    after = replace(SYNCHRONISED, boot_id="another", wall=NOW.wall + 600)
    assert lease_time(kept(), after) == pytest.approx(1_000_660.0)


def test_reboot_with_a_clock_set_back_stands_still() -> None:
    after = replace(SYNCHRONISED, boot_id="another", wall=NOW.wall - DAY)
    assert lease_time(kept(), after) == pytest.approx(1_000_000.0)


@pytest.mark.parametrize(("before", "now"), [(False, True), (True, False), (False, False)])
def test_reboot_trusts_no_clock_that_nobody_set(before: bool, now: bool) -> None:
    after = replace(NOW, boot_id="another", wall=NOW.wall + 40 * 365 * DAY, synchronised=now)
    assert lease_time(kept(synchronised=before), after) == pytest.approx(1_000_000.0)

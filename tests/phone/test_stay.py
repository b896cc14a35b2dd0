"""A phone that lives on: its waits pass on its own clock, as fast as they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from netprov.emulator.stay import Pace, Stay
from netprov.phone.action import Action, Fetch, Result, Step, Wait
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.schedule import DAY
from netprov.phone.life.input import PowerCycled, ResyncAsked
from netprov.phone.life.machine import LivingPhone
from tests.phone.world import STAGED, Answer, Server, World, no_chance

URL = "http://10.20.0.1/p.xml"
EVENING = 22 * 3600.0


class Lan:
    """A world in memory, asked by a pump."""

    def __init__(self, files: Mapping[str, Answer]) -> None:
        self._world = World({66: URL.encode()}, servers={"http 10.20.0.1 80": Server(files)})

    async def perform(self, action: Action) -> Result:
        return self._world(action)


def profile(**values: str) -> bytes:
    elements = "".join(f"<{name}>{text}</{name}>" for name, text in values.items())
    return f"<flat-profile>{elements}</flat-profile>".encode()


def lived(
    files: Mapping[str, Answer], *, lasts: float, speed: float = 3600.0
) -> tuple[LivingPhone, list[Step], float]:
    """Live in memory; return the life, its steps and how long was slept in all."""
    slept = [0.0]

    async def sleep(seconds: float) -> None:
        slept[0] += seconds

    life, steps = LivingPhone(Handset(STAGED, no_chance, now=EVENING)), list[Step]()
    asyncio.run(Stay(life, Lan(files), Pace(speed, lasts, sleep), steps.append).run())
    return life, steps, slept[0]


def fetches(steps: list[Step]) -> list[int]:
    return [round(step.started) for step in steps if isinstance(step.action, Fetch)]


def test_it_resyncs_by_its_period_until_it_has_lived_long_enough() -> None:
    life, steps, slept = lived(
        {"/p.xml": profile(Profile_Rule=URL, Resync_Periodic="3600")}, lasts=4 * 3600 + 60
    )
    assert life.tally.failures == 0
    assert life.current
    assert life.seconds == pytest.approx(4 * 3600 + 60, abs=1)
    assert [when - round(EVENING) for when in fetches(steps)] == [0, 0, 3600, 7200, 10800, 14400]
    assert slept == pytest.approx(life.seconds / 3600, abs=0.01)


def test_a_time_of_day_is_that_of_its_own_clock() -> None:
    files = {"/p.xml": profile(Profile_Rule=URL, Resync_At__HHmm_="0130", Resync_At_Random_Delay="0")}
    _, steps, _ = lived(files, lasts=2 * DAY)
    assert [when % DAY for when in fetches(steps)[2:]] == [5400, 5400]


def test_a_server_that_refuses_is_asked_again_by_the_retry_delay_and_the_life_is_not_current() -> None:
    life, steps, _ = lived({"/p.xml": 503}, lasts=3 * 3600 + 60)
    waits = [step.action.seconds for step in steps if isinstance(step.action, Wait)]
    assert waits[:2] == [3600, 3600]
    assert (life.current, life.tally.failures) == (False, life.tally.resyncs)


def test_a_phone_that_never_resyncs_again_stays_and_does_nothing() -> None:
    files = {"/p.xml": profile(Profile_Rule=URL, Resync_Periodic="0", Resync_At__HHmm_="")}
    life, steps, _ = lived(files, lasts=30 * DAY)
    assert life.seconds == pytest.approx(30 * DAY, abs=1)
    assert all(step.started < EVENING + 60 for step in steps)


class Slow(Lan):
    """A world that answers when it is let."""

    def __init__(self, files: Mapping[str, Answer]) -> None:
        super().__init__(files)
        self.let, self.asked, self.given_up = asyncio.Event(), asyncio.Event(), 0

    async def perform(self, action: Action) -> Result:
        if isinstance(action, Fetch):
            self.asked.set()
            try:
                await self.let.wait()
            except asyncio.CancelledError:
                self.given_up += 1
                raise
        return await super().perform(action)


def test_the_power_ends_what_is_going_on_and_a_key_waits_for_it() -> None:
    async def test() -> None:
        world, steps = Slow({"/p.xml": profile(Profile_Rule=URL)}), list[Step]()
        phone = LivingPhone(Handset(STAGED, no_chance, now=EVENING))
        stay = Stay(phone, world, Pace(), steps.append)
        living = asyncio.create_task(stay.run())
        await world.asked.wait()
        world.asked.clear()
        stay.happen(PowerCycled())
        await world.asked.wait()
        assert world.given_up == 1
        stay.happen(ResyncAsked(pressed=True))
        world.let.set()
        await stay.rest()
        assert world.given_up == 1
        assert phone.tally.resyncs == 2
        living.cancel()
        await asyncio.wait((living,))

    asyncio.run(asyncio.wait_for(test(), 30))

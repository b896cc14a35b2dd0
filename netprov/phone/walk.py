"""Walking a road with a world that answers at once: a table in a test, or what a plan says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from netprov.phone.action import Action, Done, Result, Road, Say, Step, Wait
from netprov.phone.handset.memory import Handset

T = TypeVar("T")

World = Callable[[Action], Result]


def walk(handset: Handset, road: Road[T], world: World) -> tuple[T, list[Step]]:
    """Walk a road to its end; waits pass on the handset's own clock, and lines it says cost nothing."""
    steps: list[Step] = []
    try:
        action = next(road)
        while True:
            started = handset.now
            result: Result = Done()
            if isinstance(action, Wait):
                handset.now += action.seconds
            elif not isinstance(action, Say):
                result = world(action)
            steps.append(Step(action, result, started, handset.now - started))
            action = road.send(result)
    except StopIteration as stop:
        return stop.value, steps

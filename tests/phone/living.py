"""A phone that lives in memory: time passes at once, and things happen to it when a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netprov.phone.action import Action, Done, Result, Say, Step, Wait
from netprov.phone.life.input import Input
from netprov.phone.life.machine import LivingPhone


def live_until(
    phone: LivingPhone,
    world: Callable[[Action], Result],
    end: float,
    happens: Sequence[tuple[float, Input]] = (),
) -> list[Step]:
    """Let a phone live up to a time of its own; `happens` at times in order, in the middle of waits alone."""
    steps: list[Step] = []
    waiting = list(happens)
    while phone.handset.now < end:
        assert len(steps) < 1_000_000
        action, began = phone.action, phone.handset.now
        result: Result = Done()
        if isinstance(action, Wait):
            stops = max(began, phone.since + action.seconds)
            if waiting and waiting[0][0] <= min(stops, end):
                when, event = waiting.pop(0)
                phone.happen(event, max(when, began))
                if phone.action is action:
                    continue
            elif stops > end:
                phone.handset.now = end
                break
            else:
                phone.answer(result, stops)
        else:
            result = Done() if isinstance(action, Say) else world(action)
            phone.answer(result, began)
        steps.append(Step(action, result, began, phone.handset.now - began))
    return steps

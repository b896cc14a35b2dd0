"""When a phone resyncs, retries and upgrades: delay lists, random parts, the time of day.

Cisco's guide, "Configurable Schedules": `a,b,c` are delays in a row of which the last repeats; `n+r` adds up to r
seconds by chance; 0 is never. `Resync_At` (HHmm) takes the place of `Resync_Periodic`.
"""

from __future__ import annotations

from collections.abc import Callable

from netprov.errors import Malformed
from netprov.number import whole
from netprov.provision.parameter.value import CLOCK, parse_delays

DAY = 86400

RANDOM_DELAY_UNIT = 20
"""Seconds that one of `Resync_Random_Delay` stands for (guide): the factory's 2 are 40 s at most."""


def random_delay(text: str, draw: Callable[[int], int]) -> int:
    """Return the seconds that `Resync_Random_Delay` adds by chance."""
    return draw((whole(text.strip()) or 0) * RANDOM_DELAY_UNIT + 1)


def delay(text: str, turn: int, draw: Callable[[int], int]) -> int | None:
    """Return the delay before attempt `turn` (from 0), in seconds; None is never."""
    try:
        delays = parse_delays(text)
    except Malformed:
        return None
    if not delays:
        return None
    fixed, random = delays[min(turn, len(delays) - 1)]
    return fixed + draw(random + 1) if fixed else None


def until_time_of_day(text: str, random_delay: str, now: float, draw: Callable[[int], int]) -> float | None:
    """Return the seconds to the next HHmm plus its random minutes; None if `text` is not a time of day.

    `now` counts from a midnight of the phone's own time.
    """
    matched = CLOCK.match(text.strip())
    if not matched:
        return None
    at = (int(matched[1]) * 60 + int(matched[2])) * 60 if matched[1] else 0
    spread = (whole(random_delay) or 0) + 30
    minutes = spread // 60
    wait = (at - now) % DAY
    return (wait or DAY) + (draw(minutes * 60 + 1) if minutes else 0)

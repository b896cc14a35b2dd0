"""Change a running site at random, and after each change compare what phones see with what a fresh server gives.

    make change        or: python -m tests.change [CHANGES [SEED [together|apart]]]

Both as one process and as one a role, unless one of the two is named. Meanwhile phones ask all the time. After a change the
live site has `SETTLE_S` to be as a server that is started at that moment with the same inventory and a copy of the state. What
a seed draws is always the same, and a run that ends early says what repeats it.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.change.changes import CHANGES
from tests.change.load import Load, dropped_by_machine
from tests.change.world import World, world
from tests.lab.conftest import ROOT

SETTLE_S = 60.0
AFRESH_S = 8.0
"""Seconds after which what the fresh server gives is looked at again: a certificate may have been issued since."""
CLOCK = Path(__file__).parent / "clock"


def differences(made: World) -> tuple[list[str], dict[str, object]]:
    """Return what phones see differently from a fresh server once the live site had time, and what they see."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        expected, began = made.afresh(), time.monotonic()
        while time.monotonic() < began + AFRESH_S:
            actual = made.now()
            found = [
                f"{name}: {actual.get(name)!r} instead of {expected.get(name)!r}"
                for name in sorted(expected.keys() | actual.keys())
                if actual.get(name) != expected.get(name)
            ]
            if not found:
                return made.lease_faults(actual), actual
        if time.monotonic() > deadline:
            return found, actual


def change_often(
    folder: Path, changes: int, *, together: bool, seed: int, tell: bool = False
) -> Counter[str]:
    """Make so many changes; return how often each kind was. Raises AssertionError at the first difference."""
    draw = random.Random(seed)
    done: Counter[str] = Counter()
    with world(folder, together=together) as made:
        load = Load(made.live, folder / "load")
        load.start()
        before: dict[str, object] = {}
        try:
            for number in range(changes):
                kind = draw.choice(list(CHANGES))
                where = f"change {number + 1} (seed {seed}, {'together' if together else 'apart'}): {kind}"
                began, dropped = time.monotonic(), dropped_by_machine()
                made.excused = set()
                try:
                    CHANGES[kind](made, draw)
                    found, seen = differences(made)
                except Exception as error:
                    raise AssertionError(f"{where}: {error}\n{made.logs()}") from error
                if dropped_by_machine() == dropped:
                    found += load.losses(began, made.excused | moved(before, seen))
                elif tell:
                    print("the machine itself dropped packets: what was lost is not judged", flush=True)
                assert not found, "\n".join([f"{where}:", *found, made.logs()])
                before = seen
                done[kind] += 1
                if tell:
                    print(f"{number + 1:4} {time.monotonic() - began:5.1f} s  {kind}", flush=True)
        finally:
            load.stop()
        if tell:
            print(f"asked meanwhile: {dict(load.asked)}; lost to what was changed: {len(load.lost)}")
    return done


def moved(before: dict[str, object], after: dict[str, object]) -> set[str]:
    """Return the roads of the load that a change took away or brought: HTTPS is where the SRV records lead."""
    name = "https 10.20.0.11:443 presents"
    answered = [str(seen.get(name)).startswith("('200 ") for seen in (before, after)]
    return set() if all(answered) else {"https"}


def prepare() -> None:
    """Let the programs of the site find netprov, and the clock that is stepped."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(CLOCK), str(ROOT)])


def main() -> None:
    """Run it both ways, or one."""
    prepare()
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    ways = sys.argv[3:] or ["together", "apart"]
    for way in ways:
        print(
            f"{changes} changes, {way}; to repeat: python -m tests.change {changes} {seed} {way}", flush=True
        )
        with tempfile.TemporaryDirectory() as name:
            done = change_often(Path(name), changes, together=way == "together", seed=seed, tell=True)
        print(
            f"{changes} changes of {len(done)} kinds without a difference, "
            f"{'one process' if way == 'together' else 'one a role'}, seed {seed}",
            flush=True,
        )


if __name__ == "__main__":
    main()

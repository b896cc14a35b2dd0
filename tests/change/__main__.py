"""Change a running site at random, and after each change compare what phones see with what a fresh server gives.

    make change        or: python -m tests.change [CHANGES [SEED]]

Both as one process and as one a role. After a change the live site has `SETTLE_S` to be as a server that is started at that
moment with the same inventory and a copy of the state.
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
from tests.change.world import World, world
from tests.lab.conftest import ROOT

SETTLE_S = 30.0


def differences(made: World) -> list[str]:
    """Return what phones see differently from a fresh server, once the live site had time; [] if nothing."""
    expected = made.afresh()
    deadline = time.monotonic() + SETTLE_S
    while True:
        actual = made.now()
        found = [
            f"{name}: {actual.get(name)!r} instead of {expected.get(name)!r}"
            for name in sorted(expected.keys() | actual.keys())
            if actual.get(name) != expected.get(name)
        ]
        if not found or time.monotonic() > deadline:
            return found


def change_often(
    folder: Path, changes: int, *, together: bool, seed: int, tell: bool = False
) -> Counter[str]:
    """Make so many changes; return how often each kind was. Raises AssertionError at the first difference."""
    draw = random.Random(seed)
    done: Counter[str] = Counter()
    with world(folder, together=together) as made:
        for number in range(changes):
            kind = draw.choice(list(CHANGES))
            began = time.monotonic()
            try:
                CHANGES[kind](made, draw)
                found = differences(made)
            except Exception as error:
                raise AssertionError(f"{number} (seed {seed}) {kind}: {error}\n{made.logs()}") from error
            assert not found, "\n".join([f"{number} (seed {seed}) {kind}:", *found, made.logs()])
            done[kind] += 1
            if tell:
                print(f"{number + 1:4} {time.monotonic() - began:5.1f} s  {kind}", flush=True)
    return done


def main() -> None:
    """Run both ways."""
    os.environ["PYTHONPATH"] = str(ROOT)
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for together in (True, False):
        with tempfile.TemporaryDirectory() as name:
            done = change_often(Path(name), changes, together=together, seed=seed, tell=True)
        print(
            f"{changes} changes of {len(done)} kinds without a difference",
            "one process" if together else "one a role",
        )


if __name__ == "__main__":
    main()

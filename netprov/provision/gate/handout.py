"""Who is given what opens a profile: the policy of a class put to one sender and to what was given before; nothing is kept here.

A key that is given once is locked from then on. Answers are lost, and phones restart before they have stored what they were
told: so for a while the same sender may ask again, from the same address by the same proof, a few times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from netprov.provision.config import KeyPolicy

Proof = Literal["certificate", "port", "lease"]
"""How a sender is known to be a phone: its certificate; its address, leased at a port that was named; its address."""

AGAIN = 20
"""Times that a key is given to the same sender in one window, beside the first: a restart asks a few times at most."""


@dataclass(frozen=True, slots=True)
class HandOut:
    """A key that was given: to which phone, when, to whom, how the sender was known; `times` counts its repetitions.

    Times are seconds since 1970. `opened` says that an operator has unlocked it since.
    """

    mac: str
    time: float
    address: str
    proof: Proof
    times: int = 1
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that a sender asks for: what is to be on record before it is given."""

    mac: str
    address: str
    proof: Proof
    policy: KeyPolicy
    window: int

    def judge(self, before: HandOut | None, now: float) -> HandOut | None:
        """Return what is on record once it is given, None if it is not given."""
        first = HandOut(self.mac, now, self.address, self.proof)
        if before is None:
            return first
        same = (before.address, before.proof) == (self.address, self.proof)
        fresh = before.time <= now < before.time + self.window
        if same and fresh and not before.opened:
            if before.times <= AGAIN:
                return replace(before, times=before.times + 1)
            return None if self.policy == "once" else before
        if before.opened or self.policy != "once" or self.proof == "certificate":
            return first
        return None


def locked_since(before: HandOut, policy: KeyPolicy) -> str:
    """Say why a key is not given again, for people."""
    return (
        f"its key was given to {before.address} already, and the policy is `{policy}`: "
        f"`netprov phones unlock {before.mac}` opens it once more"
    )

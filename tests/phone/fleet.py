"""Many phones that live in one process through a month in which servers fail: one virtual clock, events in its order.

What fails when, as parts of the whole time: the server is away, its certificate expires and is renewed, the second stage
of an upgrade is missing for a while, profiles are encrypted with a wrong key for a day.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from netprov.phone.action import (
    Action,
    Done,
    Failed,
    Fetch,
    Lease,
    Response,
    Result,
    Say,
    Step,
    Trouble,
    Wait,
)
from netprov.phone.handset.identity import MODELS, Identity
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.schedule import DAY
from netprov.phone.life.input import CallEnded, CallPlaced, Input
from netprov.phone.life.machine import LivingPhone
from netprov.provision.crypto import digest_of, encrypt_cbc
from netprov.provision.profile import Parameter, format_profile, layer

RULE = "[--key right] https://10.20.0.1/p.cfg"
PERIOD, RETRY, UPGRADE_RETRY, FORCED, SPREAD = 4 * 3600, 1800, 5400, 3600, 40
"""Seconds: what the profile says, and what the factory's Resync_Random_Delay can add."""

OLD, FIRST, LAST = "sip88xx.11-2-3MSR1-1", "sip88xx.11-3-1MPP-5", "sip88xx.12-0-2MPP-9"
UPGRADE = (
    f"($SWVER lt {FIRST})? http://10.20.0.1/{FIRST}.loads | ($SWVER lt {LAST})? http://10.20.0.1/{LAST}.loads"
)

AWAY, EXPIRED, STUCK, WRONG_KEY = (0.10, 0.13), (0.27, 0.32), (0.40, 0.47), (0.60, 0.6334)
"""When each failure begins and ends, as a part of the whole; with `STUCK` the upgrade begins."""

SIGNS = {"away": "port-closed", "expired": "tls-expired", "wrong key": "wrong-key"}
"""What `explain` calls each failure of a resync."""


@dataclass
class Resync:
    """One resync of one phone: when, what failed then ("" for nothing), and its steps."""

    when: float
    fine: bool
    failure: str
    steps: tuple[Step, ...]
    started: float | None = None
    """When the phone started, where this is its first since."""


@dataclass
class Resident:
    """One phone, its calls, and what it did; `boot` are its first steps."""

    phone: LivingPhone
    calls: list[tuple[float, float]]
    resyncs: list[Resync] = field(default_factory=list)
    upgrades: list[tuple[float, str, bool]] = field(default_factory=list)
    waits: list[tuple[float, Wait]] = field(default_factory=list)
    boot: tuple[Step, ...] = ()
    started: float | None = None
    steps: list[Step] = field(default_factory=list)
    version: int = 0


class Site:
    """The servers, as they are at each moment."""

    def __init__(self, length: float) -> None:
        self._length = length
        self._bodies: dict[tuple[str, str, bool], bytes] = {}

    def failure(self, now: float) -> str:
        """Return what fails now for a resync, "" for nothing."""
        for name, (begin, end) in (("away", AWAY), ("expired", EXPIRED), ("wrong key", WRONG_KEY)):
            if begin * self._length <= now < end * self._length:
                return name
        return ""

    def answer(self, action: Action, handset: Handset) -> Result:
        """Answer as the servers do now."""
        if not isinstance(action, Fetch):
            return Lease("10.20.0.50", "10.20.0.1", {66: b"http://10.20.0.1/boot.xml"})
        failure, now = self.failure(handset.now), handset.now
        if failure == "away":
            return Failed(Trouble.REFUSED)
        if action.url.path == "/boot.xml":
            return Response(
                200, b"<flat-profile><Profile_Rule>" + RULE.encode() + b"</Profile_Rule></flat-profile>"
            )
        if action.url.path.endswith(".loads"):
            missing = LAST in action.url.path and now < STUCK[1] * self._length
            return Response(404) if missing else Response(200, b"\0")
        if failure == "expired":
            return Failed(Trouble.EXPIRED)
        return Response(200, self._profile(handset, failure, upgrades=now >= STUCK[0] * self._length))

    def _profile(self, handset: Handset, failure: str, *, upgrades: bool) -> bytes:
        digest, key = digest_of(handset.software), "wrong" if failure == "wrong key" else "right"
        if (digest, key, upgrades) not in self._bodies:
            values = {
                "Profile_Rule": RULE,
                "Resync_Periodic": str(PERIOD),
                "Resync_Error_Retry_Delay": str(RETRY),
                "Upgrade_Error_Retry_Delay": str(UPGRADE_RETRY),
                "Forced_Resync_Delay": str(FORCED),
                **({"Upgrade_Rule": UPGRADE} if upgrades else {}),
            }
            clear = format_profile(layer(Parameter(*each) for each in values.items()))
            self._bodies[digest, key, upgrades] = encrypt_cbc(clear, key, salt=b"saltsalt", digest=digest)
        return self._bodies[digest, key, upgrades]


def residents(count: int, length: float, seed: int) -> Iterator[Resident]:
    """Yield phones that are switched on within the first hour, with a call or two a day each."""
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        identity = Identity(
            f"00:12:34:00:{number >> 8:02x}:{number & 255:02x}", MODELS["CP-8851-3PCC"], firmware=OLD
        )
        handset = Handset(identity, chance.randrange, now=chance.uniform(0, 3600))
        handset.parameters["Enable_TR-069"] = "No"
        calls, now = [], 7200.0
        while now < length:
            now += chance.expovariate(1.5 / DAY)
            lasts = chance.uniform(60, 2 * FORCED)
            calls.append((now, now + lasts))
            now += lasts
        yield Resident(LivingPhone(handset), calls)


def live(count: int, length: float, seed: int) -> list[Resident]:
    """Let so many phones live so long beside each other."""
    site, everybody = Site(length), list(residents(count, length, seed))
    due: list[tuple[float, int, int, int]] = []
    events: dict[int, Input] = {}
    for number, each in enumerate(everybody):
        for begin, end in each.calls:
            for when, call in ((begin, CallPlaced()), (end, CallEnded())):
                events[len(events) + 1] = call
                heapq.heappush(due, (when, number, -1, len(events)))
        _go_on(each, site)
        heapq.heappush(due, (_until(each), number, each.version, 0))
    while due and due[0][0] < length:
        now, number, version, event = heapq.heappop(due)
        each = everybody[number]
        if event:
            before = each.phone.action
            each.phone.happen(events.pop(event), now)
            if each.phone.action is before:
                continue
        elif version == each.version:
            each.phone.answer(Done(), now)
        else:
            continue
        each.version += 1
        _go_on(each, site)
        heapq.heappush(due, (_until(each), number, each.version, 0))
    return everybody


def _until(each: Resident) -> float:
    assert isinstance(each.phone.action, Wait)
    return each.phone.since + each.phone.action.seconds


def _go_on(each: Resident, site: Site) -> None:
    """Perform what the phone wants until it waits, and keep what is to be judged."""
    phone = each.phone
    while not isinstance(action := phone.action, Wait):
        now, before = phone.handset.now, phone.tally.resyncs
        result = Done() if isinstance(action, Say) else site.answer(action, phone.handset)
        each.steps.append(Step(action, result, now))
        if isinstance(result, Lease):
            each.started = now
        if isinstance(action, Fetch) and action.url.path.endswith(".loads"):
            each.upgrades.append(
                (
                    now,
                    action.url.path[1:].removesuffix(".loads"),
                    isinstance(result, Response) and result.status == 200,
                )
            )
        phone.answer(result, now)
        if phone.tally.resyncs != before:
            fine = phone.tally.row == 0
            each.boot = each.boot or (tuple(each.steps) if fine else ())
            steps = () if fine else tuple(each.steps)
            each.resyncs.append(Resync(now, fine, site.failure(now), steps, each.started))
            each.started = None
            each.steps.clear()
    each.waits.append((phone.handset.now, action))

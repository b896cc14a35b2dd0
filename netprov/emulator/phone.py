"""The pump of emulated phones: performs what the road asks for, with real sockets, and keeps the timeline.

    async with DhcpLink("lan0", draw=random.getrandbits, patience=12) as link:
        trip = await boot(identity, link, patience=COMPRESSED)
    trip.outcome.provisioned, trip.steps

`boot_phone` does both for one phone and waits for the end: call it in a thread that is inside the phone's namespace.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from netprov.emulator.dhcp import DhcpLink
from netprov.emulator.failure import COMPRESSED, Timeouts, reason, trouble_of
from netprov.emulator.fetch import DnsPorts, download, resolve
from netprov.emulator.web import WebClient
from netprov.errors import Malformed
from netprov.hostport import SYSLOG_PORT, parse_hostport
from netprov.phone.action import (
    Action,
    AskDhcp,
    Done,
    Failed,
    Fetch,
    Lease,
    Resolve,
    Response,
    Result,
    Road,
    Say,
    Step,
    Wait,
)
from netprov.phone.boot import Outcome
from netprov.phone.boot import boot as power_up
from netprov.phone.handset.identity import Identity
from netprov.phone.handset.memory import Behaviour, Handset

T = TypeVar("T")
Observer = Callable[[Step], None]

PATIENCE_S = 2.0
"""Seconds that somebody who watches is left without a word."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who is told of an action that has no result yet, after so many seconds."""

    tell: Callable[[Action], None]
    after: float = PATIENCE_S


class Link(Protocol):
    """Where a phone gets its lease from."""

    async def ask(self, action: AskDhcp) -> Lease | Failed:
        """Return a lease, or why there is none."""


@dataclass(frozen=True, slots=True)
class FixedLease:
    """A link without DHCP: the phone is told what DHCP would have said (`--domain`, `--option`)."""

    lease: Lease

    async def ask(self, _action: AskDhcp) -> Lease | Failed:
        """Return what was given."""
        return self.lease


@dataclass(frozen=True, slots=True)
class Trip:
    """What one phone did, step by step, and how it ended."""

    identity: Identity
    outcome: Outcome
    steps: tuple[Step, ...]
    handset: Handset

    @property
    def seconds(self) -> float:
        """From the first step to the end of the last."""
        return self.steps[-1].started + self.steps[-1].seconds - self.steps[0].started if self.steps else 0.0


class Performer(Protocol):
    """What performs the actions of a road."""

    async def perform(self, action: Action) -> Result:
        """Perform one action."""


class World:
    """The world around one phone, by real sockets."""

    def __init__(
        self, handset: Handset, link: Link, timeouts: Timeouts, waiting: Waiting | None = None
    ) -> None:
        self._handset = handset
        self._waiting = waiting
        self._link = link
        self._timeouts = timeouts
        self._source = ""
        self._web: WebClient | None = None
        self._dns: DnsPorts | None = None

    async def close(self) -> None:
        """Close the phone's sockets."""
        if self._dns is not None:
            self._dns.close()
            self._dns = None
        if self._web is not None:
            await self._web.close()
            self._web = None

    async def perform(self, action: Action) -> Result:
        """Perform one action."""
        if self._waiting is None:
            return await self._perform(action)
        told = asyncio.get_running_loop().call_later(self._waiting.after, self._waiting.tell, action)
        try:
            return await self._perform(action)
        finally:
            told.cancel()

    async def _perform(self, action: Action) -> Result:
        source = self._handset.lease.address if self._handset.lease else "0.0.0.0"
        if source != self._source:
            await self.close()
            self._source = source
        match action:
            case AskDhcp():
                return await self._link.ask(action)
            case Resolve():
                if self._dns is None:
                    self._dns = DnsPorts(source)
                return await resolve(action, self._dns, self._timeouts, random.getrandbits)
            case Fetch() if action.url.scheme == "tftp":
                try:
                    return await download(action, source, self._timeouts)
                except OSError as error:  # no descriptor is left, or the address went with its interface
                    return Failed(trouble_of(error), reason(error))
            case Fetch():
                if self._web is None:
                    self._web = WebClient(source, self._timeouts)
                return await self._web.fetch(action)
            case Wait(seconds):
                await asyncio.sleep(seconds * self._timeouts.waits)
                return Done()
            case Say(text, server):
                if server:
                    _syslog(text, server, source)
                return Done()


async def travel(
    handset: Handset, road: Road[T], world: Performer, observe: Observer | None = None
) -> tuple[T, tuple[Step, ...]]:
    """Walk a road to its end; `observe` sees each step as it is done."""
    steps: list[Step] = []
    try:
        action = next(road)
        while True:
            started = time.monotonic()
            result = await world.perform(action)
            handset.now = time.monotonic()
            asked, answered = sizes(action, result)
            steps.append(Step(action, result, started, handset.now - started, asked, answered))
            if observe is not None:
                observe(steps[-1])
            action = road.send(result)
    except StopIteration as stop:
        return stop.value, tuple(steps)


async def boot(
    identity: Identity,
    link: Link,
    *,
    timeouts: Timeouts = COMPRESSED,
    behaviour: Behaviour | None = None,
    observe: Observer | None = None,
    waiting: Waiting | None = None,
) -> Trip:
    """Boot one phone on a link."""
    handset = Handset(identity, random.randrange, behaviour or Behaviour(), now=time.monotonic())
    world = World(handset, link, timeouts, waiting)
    try:
        outcome, steps = await travel(handset, power_up(handset), world, observe)
    finally:
        await world.close()
    return Trip(identity, outcome, steps, handset)


def boot_phone(
    identity: Identity,
    interface: str,
    *,
    timeouts: Timeouts = COMPRESSED,
    behaviour: Behaviour | None = None,
    observe: Observer | None = None,
) -> Trip:
    """Boot one phone on an interface of this thread's network namespace, and return when it is done."""

    async def run() -> Trip:
        async with DhcpLink(interface, draw=random.getrandbits, timeouts=timeouts.dhcp) as link:
            return await boot(identity, link, timeouts=timeouts, behaviour=behaviour, observe=observe)

    return asyncio.run(run())


def sizes(action: Action, result: Result) -> tuple[int, int]:
    """Return the octets asked and answered: of the option, the name, the request and the file, without framing."""
    asked = answered = 0
    match action:
        case Resolve(name):
            asked = len(name)
        case Fetch():
            asked = (
                len(action.url.path)
                + len(action.body)
                + sum(len(k) + len(v) for k, v in action.headers.items())
            )
        case AskDhcp():
            asked = len(action.requested) + len(action.vendor_class)
    match result:
        case Lease():
            answered = sum(map(len, result.options.values()))
        case Response():
            answered = len(result.body) + sum(len(k) + len(v) for k, v in result.headers)
    return asked, answered


def _syslog(text: str, server: str, source: str) -> None:
    """Send one line as RFC 3164 does, to `host` or `host:port`; nobody hears of its loss."""
    try:
        target = parse_hostport(server, SYSLOG_PORT)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((source, 0))
            sock.sendto(f"<134>{text}".encode("ascii", "replace"), target)
    except (OSError, ValueError, Malformed):
        return

"""Asks a process's own sockets, threads and workers something, and says by their answers whether it serves.

A loop that turns says nothing of a thread or a worker that hangs, nor of a socket that nobody reads any more. In a flood a
question of ours may be shed like anybody's: who has taken something in meanwhile is alive.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from netprov.errors import NetprovError
from netprov.runtime.address import is_here
from netprov.runtime.handover import Place
from netprov.runtime.role import Notice, Service

TRIES: Final = 4
"""Questions in one check: one may be lost, or come to a worker that is asked for by itself."""
_LEARNED: Final = 256
LOOK_S: Final = 0.02
"""Seconds between looks at what answers by its counter alone."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Something that serves, and how it is asked; `name` is for people.

    `ask` returns when it is answered, or raises `OSError`, `EOFError` or `NetprovError`; `received` counts what it has taken in.
    `address` is where it listens, "" for a process that is asked directly.
    """

    name: str
    ask: Callable[[], Awaitable[None]]
    received: Callable[[], int]
    address: str = ""


@runtime_checkable
class Checked(Protocol):
    """A service that can be asked whether it serves."""

    def probes(self) -> Sequence[Probe]:
        """Return what serves at the moment: every socket, and every process of its own."""


class Askers:
    """The places that questions of ours come from: who asks there is no phone, and leaves no record.

    `tell` hears of each before it is used, for other processes that serve on the same sockets, which `learn` it.
    """

    def __init__(self, tell: Callable[[Place], None] = lambda _: None) -> None:
        self._places: dict[Place, None] = {}
        self._tell = tell

    def __contains__(self, place: object) -> bool:
        return place in self._places

    def learn(self, place: Place) -> None:
        """Know a place that another process of ours asks from; the oldest are forgotten."""
        self._places[place] = None
        if len(self._places) > _LEARNED:
            del self._places[next(iter(self._places))]

    @contextmanager
    def open(self, kind: socket.SocketKind, address: str) -> Iterator[socket.socket]:
        """Yield a socket to ask an address of ours from: its own, so that it is asked by a neighbour in no network."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, kind) as sock:
            sock.setblocking(False)
            sock.bind((address, 0))
            host, port = sock.getsockname()[:2]
            place = (host, port)
            self._places[place] = None
            self._tell(place)
            try:
                yield sock
            finally:
                self._places.pop(place, None)


class SelfCheck:
    """Judges services again and again, and tells once of each change."""

    def __init__(self, tell: Callable[[Notice], None]) -> None:
        self._tell = tell
        self._answered: set[str] = set()
        self._silent: frozenset[str] = frozenset()
        self._untried: frozenset[str] = frozenset()

    async def passes(self, services: Callable[[], Sequence[Service]], patience: float) -> bool:
        """Ask everything that the services have, for so many seconds at the most; say whether all of it serves.

        A socket that has never answered withholds nothing: a firewall may keep us from asking, and a restart cures none.
        """
        probes = _probes(services())
        outcomes = await asyncio.gather(*(_serves(each, patience) for each in probes))
        left = {each.name for each in _probes(services())}  # a reload may have closed some meanwhile
        served = {each.name for each, outcome in zip(probes, outcomes, strict=True) if outcome}
        failed = [each for each in probes if each.name in left - served]
        self._answered = (self._answered | served) & left
        untried = frozenset(e.name for e in failed if e.address and e.name not in self._answered)
        silent = frozenset(e.name for e in failed) - untried
        self._report(silent, untried, patience)
        return not silent

    def _report(self, silent: frozenset[str], untried: frozenset[str], patience: float) -> None:
        if new := silent - self._silent:
            text = f"self-check: no answer in {patience:g} s from {_listed(new)}: the service manager gets no sign of life until there is one"
            self._tell(Notice(text, "error"))
        if over := self._silent - silent:
            self._tell(Notice(f"self-check: {_listed(over)} answers again, or is not served any more"))
        if new := untried - self._untried:
            text = f"self-check: {_listed(new)} cannot be asked from this machine: does a firewall stop packets of its own? Nothing is made of it"
            self._tell(Notice(text, "warning"))
        self._silent, self._untried = silent, untried


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _probes(services: Sequence[Service]) -> list[Probe]:
    return [probe for each in services if isinstance(each, Checked) for probe in each.probes()]


async def _serves(probe: Probe, patience: float) -> bool:
    """Say whether it answers, or has taken anything in; an address that has left this machine is waited for elsewhere."""
    before = probe.received()
    for _ in range(TRIES):
        try:
            async with asyncio.timeout(patience / TRIES):
                await probe.ask()
            return True
        except TimeoutError:
            pass
        except (OSError, EOFError, NetprovError):
            await asyncio.sleep(patience / TRIES)
        if probe.received() != before:
            return True
    return bool(probe.address) and not is_here(probe.address)


async def moved(count: Callable[[], int], before: int) -> None:
    """Wait until a counter is another one."""
    while count() == before:  # noqa: ASYNC110 - no request pays for an event that only a check waits for
        await asyncio.sleep(LOOK_S)

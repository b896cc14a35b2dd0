"""Start the services of a plan, change them together, stop them cleanly.

DHCP starts last: a phone gets its address only when all that it will ask for is there.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from netprov.errors import NetprovError
from netprov.machine import Event
from netprov.plan import Plan
from netprov.plan.difference import differences, fingerprint
from netprov.runtime.handover import Handover, Place
from netprov.runtime.leaving import Drained, Leaving
from netprov.runtime.role import Notice, RoleContext, Service
from netprov.runtime.roles import ROLES
from netprov.runtime.sdnotify import notify, reloading, watchdog_interval
from netprov.runtime.self_check import SelfCheck
from netprov.runtime.task import keep
from netprov.runtime.transaction import Refused, Transaction, prepare
from netprov.runtime.watch import LinkEvents, Watch

COLLECT = (50_000, 20, 50)
"""Thresholds of the garbage collector; serving makes much short-lived garbage but no cycles."""
AT_START = "start"
"""By what an inventory was loaded that is served since the process began."""
LAST_WORD_S = 0.5
"""Seconds from the end of the last role to the end of the process."""
AGAIN_S = 5.0
"""Seconds until what could not be taken over is tried again, if nothing else changes."""


def build(roles: Sequence[str], context: RoleContext) -> list[Service]:
    """Return the services that play the given roles, in the order they start."""
    services: list[Service] = []
    for role, path in ROLES.items():
        if role in roles:
            module, _, name = path.partition(":")
            services.append(getattr(importlib.import_module(module), name)(context))
    return services


@dataclass(frozen=True, slots=True)
class Origin:
    """Since when an inventory is served, in seconds since 1970, and who had it loaded."""

    time: float
    by: str


@dataclass(slots=True)
class Loaded:
    """A new inventory that was read, and the ports that services let go for it: prepare it or abort it, once."""

    _supervisor: Supervisor
    plan: Plan
    releases: tuple[Place, ...]
    by: str

    async def prepare(self, places: Iterable[Place]) -> Change:
        """Make all services ready for it; `places` are what services of all processes let go.

        Raises `NetprovError`, which is in the log, with everything as before.
        """
        return await self._supervisor._prepare(self, frozenset(places))  # noqa: SLF001 - the two are one

    async def abort(self, reason: str) -> None:
        """Serve as before, and tell why."""
        self._supervisor._over(reason)  # noqa: SLF001


@dataclass(slots=True)
class Change:
    """A new inventory that every service of this process is ready for: commit it or abort it, once."""

    _supervisor: Supervisor
    plan: Plan
    _transaction: Transaction
    differences: tuple[str, ...]
    fingerprint: str
    by: str

    async def commit(self) -> None:
        """Serve it."""
        try:
            await self._transaction.commit()
            self._supervisor._take(self)  # noqa: SLF001 - the two are one
        finally:
            self._supervisor._over()  # noqa: SLF001

    async def abort(self, reason: str) -> None:
        """Serve as before, and tell why."""
        try:
            await self._transaction.abort()
        finally:
            self._supervisor._over(reason)  # noqa: SLF001


class Supervisor:
    """Runs services until told to stop.

    `taken` is told of every new plan that is served; `hang_up` is what SIGHUP does, a reload of these alone if not given.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        plan: Plan,
        load: Callable[[], Plan],
        report: Callable[[str, Event], None],
        taken: Callable[[Plan], None] = lambda _: None,
        hang_up: Callable[[], Awaitable[None]] | None = None,
        watch: Watch | None = None,
        handover: Handover | None = None,
    ) -> None:
        self.services = tuple(services)
        self._plan = plan
        self._load = load
        self._report = report
        self._started: list[Service] = []
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._changing = asyncio.Lock()
        self._refusal = ""
        self._taken = taken
        self._hang_up = hang_up or self.reload
        self._watch = watch
        self._handover = handover or Handover()
        self._begun = asyncio.Event()
        self._leaving = Leaving(self._started, self._changing, self._left)
        self._origin = Origin(time.time(), AT_START)

    @property
    def origin(self) -> Origin:
        """Since when the inventory is served, and who had it loaded."""
        return self._origin

    @property
    def started(self) -> Sequence[Service]:
        """The services that serve."""
        return tuple(self._started)

    @property
    def plan(self) -> Plan:
        """What is served at the moment."""
        return self._plan

    async def run(self, ready: Callable[[Sequence[Service]], None]) -> None:
        """Start everything, call `ready`, then serve until SIGTERM or SIGINT; SIGHUP reloads.

        Raises `ServiceError` if a service cannot start; those that had are stopped again.
        """
        loop = asyncio.get_running_loop()
        for number, event in (
            (signal.SIGTERM, self._stop),
            (signal.SIGINT, self._stop),
            (signal.SIGHUP, self._reload),
        ):
            loop.add_signal_handler(number, event.set)
        try:
            if self._watch:
                self._watch.changed(self._plan)
            for service in self.services:
                await service.start(self._plan)
                self._started.append(service)
            # What was loaded stays: the collector need not look at ten thousand phones and their leases again and again.
            gc.freeze()
            gc.set_threshold(*COLLECT)
            self._begun.set()
            ready(self.services)
            notify("READY=1", f"STATUS={self._status()}")
            await self._serve()
        finally:
            notify("STOPPING=1")
            await self._stop_all()

    async def _stop_all(self) -> None:
        """Stop what was started: first who gives addresses, then the others together, as each has a second of its own."""
        started = [*reversed(self._started), *await self._leaving.break_off()]
        for services in (started[:1], started[1:]):
            for ended in await asyncio.gather(*(each.stop() for each in services), return_exceptions=True):
                if isinstance(ended, BaseException) and not isinstance(ended, OSError):
                    raise ended

    async def _serve(self) -> None:
        tasks = [
            asyncio.create_task(self._stop.wait()),
            keep("reloading on SIGHUP", self._reloads, self.tell),
        ]
        if self._watch:
            tasks.append(keep("following what others change", partial(self._follow, self._watch), self.tell))
        if interval := watchdog_interval():
            tasks.append(keep("the self-check", partial(self._keep_alive, interval), self.tell))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_alive(self, interval: float) -> None:
        """Give a sign of life after every self-check that all of this process passes."""
        check = SelfCheck(self.tell)
        while True:
            if await check.passes(lambda: self.started, interval):
                notify("WATCHDOG=1")
            await asyncio.sleep(interval)

    def tell(self, notice: Notice) -> None:
        """Log something of the process."""
        self._report("serve", notice)

    def drain(self, roles: Sequence[str], seconds: float) -> AsyncGenerator[Drained, None]:
        """Let some roles take nothing new in and end; when none is left, the process ends."""
        return self._leaving.drain(roles, seconds)

    def _left(self, services: Sequence[Service]) -> None:
        self.tell(
            Notice(f"nothing new is taken in, and all is closed: {', '.join(each.name for each in services)}")
        )
        notify(f"STATUS={self._status()}")
        if not any(each.name in ROLES for each in (*self._started, *self._leaving.services)):
            # Who has asked is told first.
            asyncio.get_running_loop().call_later(LAST_WORD_S, self._stop.set)

    async def _reloads(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            await self._hang_up()

    async def reload(self) -> None:
        """Load the inventory again and let all services take it; if one cannot, or the file is bad, none does."""
        with suppress(NetprovError):
            loaded = await self.load("SIGHUP")
            await (await loaded.prepare(loaded.releases)).commit()

    async def load(self, by: str) -> Loaded:
        """Read the inventory again for somebody, once everything is started, and let go the ports that it takes from services.

        Raises `NetprovError`, which is in the log, with everything as before. Nothing else is loaded until this is
        aborted, or prepared and committed or aborted.
        """
        await self._begun.wait()
        await self._changing.acquire()
        try:
            reloading()
            # In a thread: a large inventory takes seconds to read, and queries do not wait that long.
            plan = await asyncio.to_thread(self._load)
            return Loaded(self, plan, tuple(each for s in self._started for each in s.release(plan)), by)
        except BaseException as error:
            self._over(_reason(error))
            raise

    async def _prepare(self, loaded: Loaded, places: frozenset[Place]) -> Change:
        self._handover.places, plan = places, loaded.plan
        try:
            transaction = await prepare(self._started, plan)
            return Change(
                self, plan, transaction, differences(self._plan, plan), fingerprint(plan), loaded.by
            )
        except BaseException as error:
            self._over(_reason(error))
            raise

    async def _follow(self, watch: Watch) -> None:
        """Take over what others change beside the inventory; what cannot be is tried again until it can."""
        links = LinkEvents()
        waiting: dict[str, None] = {}
        tried, told = 0.0, ""
        try:
            while True:
                await links.wait()
                changed = await asyncio.to_thread(watch.changed, self._plan)
                waiting |= dict.fromkeys(changed)
                if not waiting or (not changed and time.monotonic() < tried + AGAIN_S):
                    continue
                tried, before = time.monotonic(), told
                told = await self._refresh()
                if not told:
                    self._report("serve", Notice(f"changed and taken over: {', '.join(waiting)}"))
                    waiting.clear()
                elif told != before:
                    text = f"{', '.join(waiting)} changed, and everything serves as before: {told}"
                    self._report("serve", Notice(text, "error"))
        finally:
            links.close()

    async def _refresh(self) -> str:
        """Let all services take the plan again, in a world that has changed; return why they could not."""
        async with self._changing:
            try:
                transaction = await prepare(self._started, self._plan)
            except Refused as error:
                return str(error)
            await transaction.commit()
            notify(f"STATUS={self._status()}")
            return ""

    def _over(self, refusal: str = "") -> None:
        """Let the next change begin; tell why this one did not happen."""
        self._handover.places = frozenset()
        for service in self._started:
            service.release(None)
        self._refusal = refusal
        if refusal:
            text = f"reload refused, everything serves as before: {refusal}"
            self._report("serve", Notice(text, "error"))
        self._changing.release()
        notify("READY=1", f"STATUS={self._status()}")

    def _take(self, change: Change) -> None:
        self._plan, self._origin = change.plan, Origin(time.time(), change.by)
        self._taken(change.plan)
        text = "; ".join(change.differences) or "nothing has changed"
        self._report("serve", Notice(f"reloaded: {text}"))

    def _status(self) -> str:
        names = ", ".join(service.name for service in self._started if service.listening())
        waiting = ", ".join(dict.fromkeys(each for service in self._started for each in service.waiting()))
        status = f"serving {names or 'nothing'} for {self._plan.site.domain}"
        status += f"; waits for {waiting}" if waiting else ""
        return (
            f"{status}; the last reload was refused: {self._refusal.splitlines()[0]}"
            if self._refusal
            else status
        )


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, NetprovError) else "it was broken off"

"""Asks the sources of a plan for whoever serves profiles: never twice at once for one phone, never for longer than is allowed.

An answer serves while it is fresh, and while it is stale where the source fails; a failure serves for a few seconds, so that
phones that come again do not ask a source that is down each time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Final

from netprov.provision.config import Device, JsonUrl, Program, Source, SqlQuery
from netprov.provision.secret import Secrets
from netprov.provision.source import Row, SourceFailed, facts_of, secret_names
from netprov.runtime.role import Notice
from netprov.runtime.source.program import ask_program
from netprov.runtime.source.sql import Database
from netprov.runtime.source.thread import NoThreadError, in_thread
from netprov.runtime.source.url import ask_url

AT_ONCE: Final = 8
"""Questions to one source at a time; more wait for their turn, within their time-out."""
AGAIN_S: Final = 5.0
"""Seconds after a failure until the source is asked again for that phone."""
_KEPT: Final = 20_000
"""Answers that are kept: those of ten thousand phones from two sources."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of a question, when, and when the last row came."""

    outcome: Row | SourceFailed
    time: float
    row: Row | None = None
    row_time: float = 0.0


class SourcePool:
    """The sources of one plan, and what they said; `report` is told what an operator should know."""

    def __init__(
        self, sources: Mapping[str, Source], secrets: Secrets, report: Callable[[Notice], None]
    ) -> None:
        self._sources = sources
        self._secrets = secrets
        self._report = report
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._flights: dict[_Key, asyncio.Task[Row | SourceFailed]] = {}
        self._rooms = {name: asyncio.Semaphore(AT_ONCE) for name in sources}
        self._databases = {
            name: Database(each, each.how, secrets.get(each.how.password) or "", AT_ONCE)
            for name, each in sources.items()
            if isinstance(each.how, SqlQuery)
        }
        self._loaded: dict[str, asyncio.Future[object]] = {}
        self._failing: set[str] = set()
        self._over = False

    async def ask(self, name: str, device: Device) -> Row | SourceFailed:
        """Return what a source says of a phone, or why it says nothing that can be used."""
        source = self._sources.get(name)
        if source is None or self._over:
            return _changed(name)
        key = (name, device.mac)
        loop = asyncio.get_running_loop()
        if (kept := self._kept.get(key)) is not None:
            served = _served(source, kept, loop.time())
            if served is not None:
                return served
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(source, device, key))
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            if flight.cancelled():
                return _changed(name)
            raise

    async def close(self) -> None:
        """Give up what is under way, and let go of databases."""
        self._over = True
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        for each in self._databases.values():
            in_thread(each.close, "source-close")

    async def _fly(self, source: Source, device: Device, key: _Key) -> Row | SourceFailed:
        outcome = await self._outcome(source, device)
        now = asyncio.get_running_loop().time()
        before = self._kept.pop(key, None)
        if isinstance(outcome, Row):
            kept = _Kept(outcome, now, outcome, now)
        else:
            row, row_time = (before.row, before.row_time) if before else (None, 0.0)
            kept = _Kept(outcome, now, row, row_time)
        self._kept[key] = kept
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self._tell(source, outcome)
        return _served(source, kept, now) or outcome

    async def _outcome(self, source: Source, device: Device) -> Row | SourceFailed:
        for name in secret_names(source):
            if not self._secrets.get(name):
                remedy = "add a line with its name and text to the secrets file"
                return SourceFailed(source.name, f"the secrets file has no line {name!r}", remedy)
        await self._loaded_for(source)
        room = self._rooms[source.name]
        deadline = asyncio.get_running_loop().time() + source.timeout
        try:
            async with asyncio.timeout_at(deadline):
                await room.acquire()
        except TimeoutError:
            fault = f"{AT_ONCE} questions before this one have no answer yet"
            return SourceFailed(source.name, fault, "let it answer faster")
        # A thread cannot be ended: its place is taken until it ends by itself, so that no more than these hang.
        question = self._question(source, facts_of(device), deadline)
        question.add_done_callback(lambda _: room.release())
        limit = deadline if isinstance(question, asyncio.Task) else deadline + _GRACE_S
        try:
            async with asyncio.timeout_at(limit):
                return await asyncio.shield(question)
        except SourceFailed as failed:
            return failed
        except NoThreadError as error:
            return SourceFailed(source.name, f"no thread is left to ask it: {error}", _THREADS)
        except TimeoutError:
            if isinstance(question, asyncio.Task):
                question.cancel()
            return SourceFailed(
                source.name, f"it did not answer within {source.timeout} s", "let it answer faster"
            )
        except asyncio.CancelledError:
            question.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: this phone is refused, and others go on
            fault = f"asking it failed: {type(error).__name__}"
            self._report(Notice(f"source {source.name}: {fault}", "error"))
            return SourceFailed(source.name, fault, "this is a fault of netprov's")

    async def _loaded_for(self, source: Source) -> None:
        """Load the libraries that a source takes, once and beside the loop: that is no part of the time that an answer has."""
        loaded = self._loaded.get(source.name)
        if loaded is None:
            match source.how:
                case SqlQuery():
                    load: Callable[[], object] = self._databases[source.name].load
                case JsonUrl():
                    load = partial(import_module, "aiohttp")
                case Program():
                    return
            loaded = self._loaded[source.name] = in_thread(load, f"source-{source.name}")
        await asyncio.wait([loaded])

    def _question(self, source: Source, facts: Mapping[str, str], deadline: float) -> asyncio.Future[Row]:
        name = f"source-{source.name}"
        match source.how:
            case SqlQuery():
                return in_thread(partial(self._databases[source.name].ask, facts), name)
            case JsonUrl(headers=headers) as how:
                values = {field: self._secrets.get(secret) or "" for field, secret in headers}
                return asyncio.ensure_future(ask_url(source, how, values, facts))
            case Program() as program:
                left = max(deadline - asyncio.get_running_loop().time(), 0.1)
                return in_thread(partial(ask_program, source.name, program, facts, left), name)

    def _tell(self, source: Source, outcome: Row | SourceFailed) -> None:
        """Say once that a source begins to fail, and that it is well again; each refusal is on record by itself."""
        failed = isinstance(outcome, SourceFailed) and outcome.why == "source-failed"
        if failed and source.name not in self._failing:
            self._failing.add(source.name)
            assert isinstance(outcome, SourceFailed)
            self._report(Notice(f"{outcome}: {outcome.remedy}", "error"))
        elif not failed and source.name in self._failing:
            self._failing.discard(source.name)
            self._report(Notice(f"source {source.name} answers again"))


_THREADS: Final = "see the limits of the service: `systemctl show --property TasksMax`, `ulimit -u`"
_GRACE_S: Final = 0.5
"""Seconds beyond the time-out for what ends by itself, which says better what was wrong."""


def _changed(name: str) -> SourceFailed:
    return SourceFailed(name, "what is served has changed meanwhile", "ask again")


def _served(source: Source, kept: _Kept, now: float) -> Row | SourceFailed | None:
    """Return what is served of what is kept, None if the source is to be asked."""
    if isinstance(kept.outcome, Row):
        return kept.outcome if now < kept.time + source.fresh else None
    if now >= kept.time + AGAIN_S:
        return None
    if (
        kept.row is not None
        and kept.outcome.why == "source-failed"
        and now < kept.row_time + source.fresh + source.stale
    ):
        return kept.row
    return kept.outcome

"""The further processes of the HTTP service: started, given every change in two steps, asked for nothing, answered what they ask.

They accept from the service's own listening sockets, so whichever is idle takes the next connection, and one that dies takes
none along but its own; another takes its place.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from multiprocessing.process import BaseProcess
from typing import Final

from netprov.errors import ServiceError
from netprov.machine import Event
from netprov.provision.config import Listener
from netprov.provision.http import HttpRequest
from netprov.provision.respond import Answered
from netprov.runtime.handover import Place
from netprov.runtime.provision.channel import (
    Abort,
    AreYouAlive,
    Arrival,
    Ask,
    AskedFrom,
    Channel,
    Commit,
    Done,
    Edition,
    Figures,
    Prepare,
    Ready,
    Reply,
    Stop,
    Told,
    pack,
    send_sockets,
)
from netprov.runtime.provision.worker import WorkerSettings, work
from netprov.runtime.role import Notice
from netprov.runtime.self_check import Probe, moved
from netprov.runtime.task import keep

READY_S: Final = 30.0
"""Seconds that a worker has to be ready for a change, or to take it over."""
STOP_S: Final = 2.0
"""Seconds that all have to end what is under way, and themselves."""
_EXIT_S: Final = 0.5
"""Seconds that one has to exit once it has said everything."""
_SPAWN = multiprocessing.get_context("spawn")

Decide = Callable[[HttpRequest, Arrival], Awaitable[Answered]]
Sockets = Mapping[Listener, socket.socket]


class _Worker:
    """One process, and what it has said."""

    def __init__(
        self,
        settings: WorkerSettings,
        ask: Callable[[_Worker, Ask], None],
        heard: Callable[[Event, float], None],
    ) -> None:
        self._ask = ask
        self._heard = heard
        self.channel = Channel(self._received, self._lost)
        self.figures = Figures()
        self.heard_of = 0
        """Messages so far."""
        self._said: asyncio.Future[Ready | Done | None] | None = None
        self._edition = 0
        ours, theirs = socket.socketpair()
        self._sockets, their_sockets = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self._sockets.settimeout(1)
        self._messages = ours
        try:
            with theirs, their_sockets:
                self.process: BaseProcess = _SPAWN.Process(
                    target=work, args=(theirs, their_sockets, settings), name="netprov-http", daemon=True
                )
                self.process.start()
        except BaseException:
            ours.close()
            self._sockets.close()
            raise

    async def open(self) -> None:
        """Let it speak."""
        await self.channel.open(self._messages)

    async def prepare(self, packed: bytes) -> None:
        """Let it make ready. Raises `ServiceError` with its reason; one that is gone is no obstacle."""
        self._edition += 1
        said = await self._hear(Prepare(packed, self._edition))
        if isinstance(said, Ready) and said.refusal:
            raise ServiceError(f"an HTTP worker cannot take the change: {said.refusal}")

    async def commit(self, sockets: Sockets) -> None:
        """Let it take over what it is ready for."""
        with suppress(OSError):  # it is gone
            send_sockets(self._sockets, list(sockets.values()))
        await self._hear(Commit(tuple(sockets)))

    def probe(self) -> Probe:
        """Return how it is asked whether it is alive: whatever it says is an answer."""
        return Probe(f"HTTP worker {self.process.pid}", self._ask_alive, lambda: self.heard_of)

    async def _ask_alive(self) -> None:
        before = self.heard_of
        self.channel.send(AreYouAlive())
        await moved(lambda: self.heard_of, before)

    def close(self) -> None:
        """Let go of it."""
        self.channel.close()
        self.end()

    def end(self) -> None:
        """Let go of one that has ended; what it said before is still heard, and ends the channel."""
        self._sockets.close()

    async def _hear(self, message: Prepare | Commit) -> Ready | Done | None:
        """Say something, and return the answer, None of one that is gone: who does not answer for long has to go."""
        self._said = asyncio.get_running_loop().create_future()
        self.channel.send(message)
        try:
            async with asyncio.timeout(READY_S):
                return await self._said
        except TimeoutError:
            self.process.kill()
            return None

    def _received(self, message: object) -> None:
        self.heard_of += 1
        match message:
            case Told(events):
                for at, event in events:
                    self._heard(event, at)
            case Ask():
                self._ask(self, message)
            case Ready(number) if number != self._edition:
                pass  # for a change that was given up meanwhile
            case Ready() | Done():
                if self._said is not None and not self._said.done():
                    self._said.set_result(message)
            case Figures():
                self.figures = message

    def _lost(self) -> None:
        if self._said is not None and not self._said.done():
            self._said.set_result(None)


class WorkerPool:
    """The workers of one service; `decide` answers what they ask, `heard` is told what they report."""

    def __init__(
        self, decide: Decide, heard: Callable[[Event, float], None], report: Callable[[Event], None]
    ) -> None:
        self._decide = decide
        self._heard = heard
        self._report = report
        self._workers: list[_Worker] = []
        self._settings: WorkerSettings
        self._edition: Callable[[], tuple[Edition, Sockets]]
        self._changing = asyncio.Lock()
        self._replacing: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def figures(self) -> list[Figures]:
        """What each has to do."""
        return [each.figures for each in self._workers]

    async def start(
        self, count: int, settings: WorkerSettings, edition: Callable[[], tuple[Edition, Sockets]]
    ) -> None:
        """Start so many; `edition` returns what is served at the moment, for each that starts. Raises `ServiceError`."""
        self._settings, self._edition = settings, edition
        async with self._changing:
            await _all(self._start() for _ in range(count))

    def probes(self) -> list[Probe]:
        """Return how each of them is asked whether it is alive."""
        return [each.probe() for each in self._alive()]

    def learn(self, place: Place) -> None:
        """Let all know where a question of ours to the service's sockets comes from."""
        for each in self._workers:
            each.channel.send(AskedFrom(place))

    async def prepare(self, edition: Edition) -> None:
        """Let all make ready for a change, which `commit` or `abort` ends. Raises `ServiceError` with all as before."""
        await self._changing.acquire()
        try:
            if workers := self._alive():
                packed = await asyncio.to_thread(pack, edition)
                await _all(each.prepare(packed) for each in workers)
        except BaseException:
            self.abort()
            raise

    async def commit(self, sockets: Sockets) -> None:
        """Let all take over what they are ready for; one that does not is replaced by one that does."""
        try:
            await asyncio.gather(*(each.commit(sockets) for each in self._alive()))
        finally:
            self._changing.release()

    def abort(self) -> None:
        """Let all forget what they are ready for."""
        for each in self._workers:
            each.channel.send(Abort())
        self._changing.release()

    async def stop(self) -> None:
        """Let all end what is under way, and themselves; they have two seconds."""
        await _over(self._replacing)
        loop = asyncio.get_running_loop()
        for each in self._workers:
            loop.remove_reader(each.process.sentinel)
            each.channel.send(Stop())
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                for each in self._workers:
                    await each.channel.over.wait()  # what they report and ask meanwhile is heard
        for each in self._workers:
            if each.channel.over.is_set():
                await asyncio.to_thread(each.process.join, _EXIT_S)
            if each.process.is_alive():
                each.process.kill()
                await asyncio.to_thread(each.process.join)
            each.close()
        self._workers.clear()
        await _over(self._answering)

    def _alive(self) -> list[_Worker]:
        return [each for each in self._workers if each.process.is_alive()]

    async def _start(self) -> None:
        """Start one; it is given what is served at the moment."""
        worker = _Worker(self._settings, self._asked, self._heard)
        try:
            await worker.open()
            edition, sockets = self._edition()
            await worker.prepare(await asyncio.to_thread(pack, edition))
            await worker.commit(sockets)
            if not worker.process.is_alive():
                raise _silent()
        except BaseException:
            worker.process.kill()
            await asyncio.to_thread(worker.process.join)
            worker.close()
            raise
        self._workers.append(worker)
        asyncio.get_running_loop().add_reader(worker.process.sentinel, self._ended, worker)

    def _ended(self, worker: _Worker) -> None:
        """Start another in the place of one that has ended, and say so."""
        asyncio.get_running_loop().remove_reader(worker.process.sentinel)
        worker.process.join()
        self._workers.remove(worker)
        worker.end()
        text = f"an HTTP worker ended with {worker.process.exitcode}; another takes its place"
        self._report(Notice(text, "error"))
        task = keep("starting an HTTP worker", self._replace, self._report)
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _replace(self) -> None:
        async with self._changing:
            await self._start()
        self._report(Notice("an HTTP worker has begun"))

    def _asked(self, worker: _Worker, ask: Ask) -> None:
        task = asyncio.create_task(self._answer(worker, ask))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, worker: _Worker, ask: Ask) -> None:
        answered: Answered | None = None
        try:
            with suppress(ConnectionResetError):
                answered = await self._decide(ask.request, ask.arrival)
        except Exception as error:  # noqa: BLE001 - whatever it is: this request is lost alone, and that is told
            text = f"a {ask.request.method} was not answered: {type(error).__name__}: {error}"
            self._report(Notice(text, "error"))
        finally:
            worker.channel.send(Reply(ask.number, answered))


async def _all(steps: Iterable[Awaitable[None]]) -> None:
    """Do all; raise what one of them raised when none is under way any more: a late answer would be one to the next question."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if outcome is not None:
            raise outcome


async def _over(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait until what they had begun is put away."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _silent() -> ServiceError:
    return ServiceError(
        "an HTTP worker does not answer", "see the lines above, or set `provisioning: {workers: 1}`"
    )

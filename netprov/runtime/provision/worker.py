"""The body of a further process of the HTTP service: accepts from the owner's sockets, answers what the catalog holds, asks the rest.

It keeps nothing that a request could change: nonces and their counts, keys that were given, failures and records are the
owner's. It ends when the owner says so, or is gone.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from aiohttp import web

from netprov.errors import NetprovError
from netprov.machine import Event
from netprov.provision.catalog import Catalog
from netprov.provision.config import Listener
from netprov.provision.gate.handout import HandOut
from netprov.provision.http import HttpRequest
from netprov.provision.respond import Answered, Elsewhere, Responder
from netprov.runtime.log import configure
from netprov.runtime.net.sender import Senders
from netprov.runtime.provision.channel import (
    Abort,
    Alive,
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
    receive_sockets,
    unpack,
)
from netprov.runtime.provision.front import Front
from netprov.runtime.role import RoleContext, Suppressed
from netprov.runtime.self_check import Askers
from netprov.runtime.supervise import COLLECT
from netprov.runtime.task import keep
from netprov.runtime.web.server import Timeouts, WebLimits, WebServer
from netprov.runtime.web.tls import ServerContexts

TELL_S: Final = 0.01
"""Seconds between messages with reports, which cost as much as an answer, with the owner's wake-up. After a silence a report goes
before its answer does. What a phone says next, to another process perhaps, may overtake it: records are put in order by their times."""
_BACKLOG: Final = 16 << 20
"""Octets that the owner may be behind; reports beyond are counted only."""
_FIGURES_S: Final = 1.0
_LAST_S: Final = 1.0
"""Seconds that the owner has to take the last reports."""
_PATIENCE_S: Final = 1.5
"""Seconds from SIGTERM, which the owner is sent too, until a worker ends by itself."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker is started with; its limits are its share."""

    state: Path
    timeouts: Timeouts
    limits: WebLimits


def _handed(_mac: str) -> HandOut | None:
    raise Elsewhere


def work(messages: socket.socket, sockets: socket.socket, settings: WorkerSettings) -> None:
    """Serve as the owner says, until it says no more; the body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gc.set_threshold(*COLLECT)
    configure(verbose=False)
    asyncio.run(_work(messages, sockets, settings))


async def _work(messages: socket.socket, sockets: socket.socket, settings: WorkerSettings) -> None:
    worker = _Worker(sockets, settings)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, loop.call_later, _PATIENCE_S, worker.over.set)
    await worker.channel.open(messages)
    figures = keep("telling what an HTTP worker has to do", worker.tell_figures, worker.tell)
    await worker.over.wait()
    figures.cancel()
    await worker.stop()


class _Worker:
    """Does what the owner's messages say."""

    def __init__(self, sockets: socket.socket, settings: WorkerSettings) -> None:
        self.over = asyncio.Event()
        self.channel = Channel(self._received, self.over.set)
        self._sockets = sockets
        self._settings = settings
        self._senders = Senders(settings.state)
        self._events: list[tuple[float, Event]] = []
        self._untold: Counter[str] = Counter()
        self._telling = False
        self._told_at = 0.0
        self._answers: dict[int, asyncio.Future[Answered | None]] = {}
        self._numbers = count()
        self._prepared: tuple[Edition, Responder, ServerContexts] | None = None
        self._edition = 0
        self._contexts: ServerContexts
        self._tasks: set[asyncio.Task[None]] = set()
        self._front = Front(self._senders, self._decide, self.tell)
        self._askers = Askers()
        self._web = WebServer(
            "http",
            RoleContext(settings.state, lambda _service, event: self.tell(event)),
            self._answer,
            self._context,
            timeouts=settings.timeouts,
            limits=settings.limits,
            vouch=lambda address: address in self._addresses,
            quick=self._front.quick,
            askers=self._askers,
        )
        self._front.known = self._web.known
        self._addresses: Container[str] = ()

    async def stop(self) -> None:
        """Close every socket; replies under way get up to a second."""
        await self._web.stop()
        self._senders.close()
        self._hand_on()
        self.channel.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_S):
                await self.channel.over.wait()

    async def tell_figures(self) -> None:
        """Say how much there is to do, as long as that changes."""
        told = Figures()
        while True:
            await asyncio.sleep(_FIGURES_S)
            now = Figures(len(self._web.connections), len(self._web.handshakes), self._web.bodies.shed)
            if now != told:
                told = now
                self.channel.send(now)

    # The owner's messages.

    def _received(self, message: object) -> None:
        match message:
            case Prepare(packed, edition):
                self._edition = edition
                task = asyncio.create_task(self._prepare(packed, edition))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case Commit(listeners):
                self._commit(listeners)
            case Abort():
                self._prepared, self._edition = None, 0
            case Reply(number, answered):
                waiting = self._answers.pop(number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answered)
            case AskedFrom(place):
                self._askers.learn(place)
            case AreYouAlive():
                self.channel.send(Alive())
            case Stop():
                self.over.set()

    async def _prepare(self, packed: bytes, edition: int) -> None:
        """Load everything, in a thread: what is served goes on."""
        try:
            prepared = await asyncio.to_thread(_load, packed)
        except (NetprovError, OSError) as error:
            self.channel.send(Ready(edition, str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it is: the owner waits for a word
            self.channel.send(Ready(edition, f"{type(error).__name__}: {error}"))
        else:
            if edition == self._edition:  # else it was given up meanwhile
                self._prepared = prepared
                self.channel.send(Ready(edition))

    def _commit(self, listeners: tuple[Listener, ...]) -> None:
        """Take over what was prepared, and these sockets instead of those that there were."""
        assert self._prepared is not None
        sockets = receive_sockets(self._sockets, len(listeners))
        edition, self._front.responder, self._contexts = self._prepared
        self._addresses = edition.provision.addresses
        self._prepared = None
        self._web.adopt(dict(zip(listeners, sockets, strict=True)))
        gc.collect()
        gc.freeze()
        self.channel.send(Done())

    # Requests.

    async def _answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        return await self._front.answer(request, body, seconds=self._settings.timeouts.reply)

    async def _decide(self, asked: HttpRequest, arrival: Arrival) -> Answered:
        """Answer here what asks for something that is there for all, and let the owner answer the rest."""
        if asked.method in {"GET", "HEAD"} and not asked.body:
            with suppress(Elsewhere):
                return self._front.respond(asked, arrival)
        self._hand_on()  # what was told before is reported before
        number = next(self._numbers)
        waiting: asyncio.Future[Answered | None] = asyncio.get_running_loop().create_future()
        self._answers[number] = waiting
        try:
            self.channel.send(Ask(number, asked, arrival))
            answered = await waiting
        finally:
            self._answers.pop(number, None)
        if answered is None:
            raise ConnectionResetError  # the owner has met an error, and told of it
        return answered

    def _context(self, address: str) -> ssl.SSLContext:
        return self._contexts.of(self._front.oldest_tls(address))

    # Reports.

    def tell(self, event: Event) -> None:
        """Let the owner report an event, in a moment."""
        if self.channel.waiting > _BACKLOG:
            self._untold[event.event_kind] += 1
            return
        self._events.append((time.time(), event))
        if self._telling:
            return
        loop = asyncio.get_running_loop()
        due = self._told_at + TELL_S
        if due <= loop.time():
            self._hand_on()
        else:
            self._telling = True
            loop.call_at(due, self._hand_on_later)

    def _hand_on_later(self) -> None:
        self._telling = False
        self._hand_on()

    def _hand_on(self) -> None:
        self._told_at = asyncio.get_running_loop().time()
        now = time.time()
        events = self._events + [(now, Suppressed(kind, number)) for kind, number in self._untold.items()]
        self._events = []
        self._untold.clear()
        if events:
            self.channel.send(Told(tuple(events)))


def _load(packed: bytes) -> tuple[Edition, Responder, ServerContexts]:
    edition = unpack(packed)
    provision = edition.provision
    catalog = Catalog(provision, entropy=os.urandom, ca=edition.ca, secrets=edition.secrets, handed=_handed)
    return edition, Responder(catalog, provision, None), ServerContexts(edition.pki, edition.tls)

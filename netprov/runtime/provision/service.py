"""The HTTP and HTTPS servers: aiohttp on every planned socket that is on this machine, one catalog behind them."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aiohttp import web

from netprov.errors import ServiceError
from netprov.machine import Event
from netprov.plan import Plan
from netprov.provision.auth import Authority
from netprov.provision.config import Listener
from netprov.provision.event import KeyGiven
from netprov.provision.gate.handout import HandOut, Wanted
from netprov.provision.http import HttpRequest
from netprov.provision.respond import Answered, Responder, SourceUnasked, locked_key
from netprov.provision.secret import Secrets
from netprov.provision.source import Row, SourceFailed
from netprov.runtime.handover import Place
from netprov.runtime.net.sender import Senders
from netprov.runtime.provision.channel import Arrival, Edition
from netprov.runtime.provision.front import Front
from netprov.runtime.provision.pool import WorkerPool
from netprov.runtime.provision.worker import WorkerSettings
from netprov.runtime.role import Notice, Prepared, RoleContext, Sample, reload
from netprov.runtime.self_check import Askers, Probe
from netprov.runtime.source.pool import SourcePool
from netprov.runtime.web.server import Timeouts, WebLimits, WebServer
from netprov.runtime.web.tls_keeper import TlsKeeper
from netprov.state.catalog import discard_secrets, exposed, load_catalog, publish_secrets, secret_files
from netprov.state.handout import KeyLedger


class HttpService:
    """Serves `http` and `https` listeners of the plan."""

    name = "http"

    def __init__(
        self,
        context: RoleContext,
        *,
        timeouts: Timeouts | None = None,
        limits: WebLimits | None = None,
    ) -> None:
        self._role = context
        self._senders = Senders(context.state)
        self._timeouts = timeouts
        self._limits = limits
        self._tls = TlsKeeper(self.name, context)
        self._authority = Authority(os.urandom(32))
        self._ledger = KeyLedger(context.state)
        self._front = Front(self._senders, self._decide, self._report)
        self._pool = WorkerPool(self._decide, self._heard, self._report)
        self._processes = 1
        self._sources = SourcePool({}, Secrets(), self._report)
        self._web: WebServer
        self._secrets: Secrets
        self._anchors: bytes

    async def start(self, plan: Plan) -> None:
        """Bind, and serve."""
        self._plan = plan
        self._processes = plan.provision.workers
        limits = (self._limits or WebLimits()).share(self._processes)
        self._web = WebServer(
            self.name,
            self._role,
            self._answer,
            self._context,
            timeouts=self._timeouts,
            limits=limits,
            vouch=lambda address: address in self._plan.provision.addresses,
            quick=self._front.quick,
            askers=Askers(self._pool.learn),
        )
        self._front.known = self._web.known
        try:
            await reload(self, plan)
            await self._start_workers(limits)
        except BaseException:
            await self.stop()
            raise

    async def _start_workers(self, limits: WebLimits) -> None:
        if self._processes == 1:
            return
        settings = WorkerSettings(self._role.state, self._web.timeouts, limits)
        try:
            await self._pool.start(self._processes - 1, settings, self._served)
        except ServiceError as error:
            self._report(Notice(f"this process answers alone: {error}", "error"))

    def release(self, plan: Plan | None) -> Sequence[Place]:
        """Let other roles bind what a plan takes from this one."""
        return self._web.release(None if plan is None else _wanted(plan))

    async def prepare(self, plan: Plan) -> Prepared:
        """Load certificates and secrets, bind what is new; connections go on."""
        tls = await self._tls.prepare(plan.pki)
        try:
            responder, secrets = await asyncio.to_thread(self._load, plan, tls.anchors)
            binding = self._web.prepare(_wanted(plan))
            try:
                edition = Edition(plan.provision, secrets, tls.anchors, plan.pki, tls.files)
                await self._pool.prepare(edition)
            except BaseException:
                binding.abort()
                raise
        except BaseException:
            discard_secrets(self._role.state)
            await tls.abort()
            raise

        async def commit() -> None:
            await asyncio.to_thread(publish_secrets, self._role.state)
            await tls.commit()
            self._front.responder, self._plan = responder, plan
            self._secrets, self._anchors = secrets, tls.anchors
            before, self._sources = self._sources, SourcePool(plan.provision.sources, secrets, self._report)
            await before.close()
            self._web.commit(binding)
            await self._pool.commit(self._web.held())
            if plan.provision.workers != self._processes:
                text = f"{plan.provision.workers} workers are for the next start; {self._processes} go on"
                self._report(Notice(text))

        async def abort() -> None:
            self._pool.abort()
            binding.abort()
            discard_secrets(self._role.state)
            await tls.abort()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Close every socket; replies under way get up to a second."""
        await self._tls.stop()
        await self._sources.close()
        await asyncio.gather(self._pool.stop(), self._web.stop())
        self._senders.close()
        self._ledger.close()

    async def leave(self) -> None:
        """Accept nothing any more, in any process; connections go on."""
        nothing = replace(self._plan, provision=replace(self._plan.provision, listeners=()))
        await (await self.prepare(nothing)).commit()

    def under_way(self) -> int:
        """Return how many clients are connected."""
        return self.connections

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._web.listening()

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._web.waiting()

    @property
    def connections(self) -> int:
        """How many clients are connected, their handshakes done."""
        return len(self._web.connections) + sum(each.connections for each in self._pool.figures)

    def probes(self) -> Sequence[Probe]:
        """Return what serves: the listeners, and every worker, for the listeners are everybody's."""
        return [*self._web.probes(), *self._pool.probes()]

    def samples(self) -> Iterator[Sample]:
        """Say how many phones are connected, and how many are shaking hands."""
        yield Sample("http_connections", "Open connections.", self.connections)
        shed = self._web.bodies.shed + sum(each.shed for each in self._pool.figures)
        shaking = len(self._web.handshakes) + sum(each.handshakes for each in self._pool.figures)
        yield Sample("http_bodies_shed", "Bodies there was no room for.", shed, total=True)
        yield Sample("http_handshakes", "TLS handshakes under way.", shaking)

    # Requests.

    async def _answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        return await self._front.answer(request, body, seconds=self._web.timeouts.reply)

    async def _decide(self, asked: HttpRequest, arrival: Arrival) -> Answered:
        """Answer a request, of this process or of a worker: sources are asked first, and a key goes on record before it leaves."""
        sourced: dict[str, Row | SourceFailed] = {}
        answered: Answered | None = None
        while answered is None:
            try:
                answered = self._front.respond(asked, arrival, sourced)
            except SourceUnasked as error:
                wanted = error.unasked
                sourced[wanted.source] = await self._sources.ask(wanted.source, wanted.device)
        return answered if answered.key is None else await self._give(answered, answered.key)

    async def _give(self, answered: Answered, wanted: Wanted) -> Answered:
        """Put on disk that a key leaves, and let it; what cannot be put there does not."""
        try:
            given = await asyncio.to_thread(self._ledger.give, wanted, time.time())
        except ServiceError as error:
            self._report(Notice(f"no key was given to {wanted.mac}: {error}", "error"))
            return locked_key(answered, 503, "its key cannot be put on record", "key-unrecorded")
        if given is None:
            return locked_key(answered, 403, "its key was given a moment ago", "key-locked")
        self._report(KeyGiven(wanted.address, wanted.mac, wanted.proof, given.times))
        return answered

    def _handed(self, mac: str) -> HandOut | None:
        try:
            return self._ledger.of(mac)
        except ServiceError:
            return None  # `_give` meets it again, tells, and gives nothing

    def _context(self, address: str) -> ssl.SSLContext:
        """Return the TLS of the phone at an address: its class may speak older versions than others."""
        return self._tls.context_from(self._front.oldest_tls(address))

    def _heard(self, event: Event, at: float) -> None:
        """Take what a worker tells, of a moment ago."""
        self._role.report_late(self.name, event, at)
        self._front.learn(event)
        self._senders.posted.note(event, at)

    def _report(self, event: Event) -> None:
        self._role.report(self.name, event)

    def _load(self, plan: Plan, ca: bytes) -> tuple[Responder, Secrets]:
        for file, mode in exposed(secret_files(plan.provision.secrets, self._role.state)):
            self._report(
                Notice(f"{file} is open to everybody (mode {mode:03o}): chmod 600 {file}", "warning")
            )
        catalog = load_catalog(plan.provision, self._role.state, ca=ca, handed=self._handed)
        return Responder(catalog, plan.provision, self._authority), catalog.secrets

    def _served(self) -> tuple[Edition, dict[Listener, socket.socket]]:
        """Return what is served, and on which sockets: for a worker that starts."""
        edition = Edition(
            self._plan.provision, self._secrets, self._anchors, self._plan.pki, self._tls.files()
        )
        return edition, self._web.held()


def _wanted(plan: Plan) -> list[Listener]:
    return [each for each in plan.provision.listeners if each.scheme in {"http", "https"}]

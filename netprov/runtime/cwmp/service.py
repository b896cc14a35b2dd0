"""The ACS on the network: HTTP and HTTPS for the sessions of netprov.cwmp.acs, its records on disk first."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from aiohttp import web

from netprov.cwmp.acs import Acs
from netprov.cwmp.auth import REASONS, SECRET, Credentials, Gate, Verdict
from netprov.cwmp.queue import Queue
from netprov.cwmp.session import AcsLimits, AcsRequest, Reply
from netprov.errors import ServiceError
from netprov.hostport import Scheme
from netprov.machine import Event
from netprov.plan import Plan
from netprov.provision.config import Listener, SecretsPlace
from netprov.provision.event import RequestRefused
from netprov.runtime.cwmp.desk import Desk, View, Watchers
from netprov.runtime.handover import Place
from netprov.runtime.operation import Operation
from netprov.runtime.role import Notice, Prepared, RoleContext, Sample, reload
from netprov.runtime.self_check import Probe
from netprov.runtime.web.excerpt import excerpt
from netprov.runtime.web.peer import certificate_mac
from netprov.runtime.web.server import Timeouts, WebLimits, WebServer
from netprov.runtime.web.stream import Stream
from netprov.runtime.web.tls_keeper import TlsKeeper
from netprov.state.acs.store import FILE as ACS_FILE
from netprov.state.acs.store import AcsStore
from netprov.state.catalog import DEFAULT_FILE, load_secrets

TIMEOUTS: Final = Timeouts(handshake=15.0, head=30.0, body=30.0, idle=75.0)
"""A connection may idle longer than a session may."""

CONNECTIONS: Final = 4096
"""Open connections in all: a session each."""

_Place = tuple[str, int]


class AcsService:
    """The `acs` role: listens where an ACS URL of the inventory leads to this machine."""

    name = "acs"

    def __init__(
        self,
        context: RoleContext,
        *,
        timeouts: Timeouts = TIMEOUTS,
        limits: WebLimits | None = None,
    ) -> None:
        self._context = context
        self._limits = AcsLimits()
        self._timeouts = timeouts
        self._web_limits = limits or WebLimits(connections=CONNECTIONS, body=self._limits.body)
        self._secret = secrets.token_bytes(32)
        self._paths: Mapping[_Place, set[str]] = {}
        self._watchers = Watchers()
        self._acs: Acs
        self._gate: Gate | None = None
        self._plan: Plan
        self._records: AcsStore
        self._tls = TlsKeeper(self.name, context)
        self._web: WebServer

    async def start(self, plan: Plan) -> None:
        """Open the records and listen."""
        self._plan = plan
        self._records = AcsStore(self._context.state / ACS_FILE)
        queue = Queue(self._records.live(), self._records.following(), minute_of=_minute_of)
        records = self._records.load(self._limits.records)
        self._acs = Acs(
            plan.cwmp.config, records, self._limits, queue, draw_password=partial(secrets.token_urlsafe, 24)
        )
        self._web = WebServer(
            self.name,
            self._context,
            self._receive,
            lambda _: self._tls.context_from(None),
            timeouts=self._timeouts,
            limits=self._web_limits,
            vouch=lambda address: address in self._plan.cwmp.config.addresses,
        )
        try:
            await reload(self, plan)
        except ServiceError:
            await self.stop()
            raise

    def release(self, plan: Plan | None) -> Sequence[Place]:
        """Let other roles bind what a plan takes from this one."""
        return self._web.release(None if plan is None else _wanted(plan)[0])

    async def prepare(self, plan: Plan) -> Prepared:
        """Load certificates and the password, bind what is new; sessions go on."""
        gate = self._make_gate(plan)
        listeners, paths = _wanted(plan)
        secure = any(each.scheme == "https" for each in listeners)
        tls = await self._tls.prepare(plan.pki) if secure else None
        try:
            binding = self._web.prepare(listeners)
        except BaseException:
            if tls is not None:
                await tls.abort()
            raise

        async def commit() -> None:
            if tls is not None:
                await tls.commit()
            self._plan, self._gate, self._paths = plan, gate, paths
            self._acs.config = plan.cwmp.config
            self._web.commit(binding)

        async def abort() -> None:
            binding.abort()
            if tls is not None:
                await tls.abort()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Finish the requests under way, and close."""
        await self._tls.stop()
        await self._web.stop()
        self._records.close()

    async def leave(self) -> None:
        """Accept nothing any more; sessions go on, and what operators ask waits for who comes next."""
        self._acs.queue.shut = True
        self._web.commit(self._web.prepare(()))

    def under_way(self) -> int:
        """Return how many devices are connected."""
        return len(self._web.connections)

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._web.listening()

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._web.waiting()

    def probes(self) -> Sequence[Probe]:
        """Return what serves."""
        return self._web.probes()

    def samples(self) -> Iterator[Sample]:
        """Say how many devices are known, and how many talk."""
        yield Sample("acs_connections", "Open connections.", len(self._web.connections))
        yield Sample("acs_sessions", "Open CWMP sessions.", self._acs.sessions)
        known = Counter((each.listed, bool(each.applied)) for each in self._acs.devices.values())
        for (listed, applied), count in sorted(known.items()):
            labels = (("listed", str(listed).lower()), ("provisioned", str(applied).lower()))
            yield Sample("acs_devices", "Devices on record.", count, labels)

    def operations(self) -> Mapping[str, Operation]:
        """Return what operators may ask of it."""
        return Desk(self._view, self._keep, self._records_of, self._watchers).operations()

    def _view(self) -> View:
        return View(self._acs, self._plan)

    def _records_of(self) -> AcsStore:
        return self._records

    def _make_gate(self, plan: Plan) -> Gate | None:
        """Return what asks for the password, None where nobody is asked. Raises `ServiceError`."""
        given = plan.cwmp.credentials
        if given is None:
            return None
        password = given.password
        place, state = plan.provision.secrets, self._context.state
        if password is None and (place != SecretsPlace() or (state / DEFAULT_FILE).exists()):
            password = load_secrets(place, state).get(SECRET)
        if password is None:
            raise ServiceError(
                f"the ACS has no password for {given.username}: no secret is named {SECRET!r}",
                f"add a line `{SECRET} PASSWORD` to the secrets file, or `password:` under `acs: {{credentials: …}}`",
            )
        return Gate(Credentials(given.username, password, given.scheme == "basic"), self._secret)

    async def _receive(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        now = time.time()
        stream = request.transport
        if not isinstance(stream, Stream):
            return web.Response(status=400)  # it is gone already
        paths = self._paths.get(stream.local)
        if paths is not None and request.path not in paths:
            return self._refuse(request, 404, f"the ACS is at {' '.join(sorted(paths))}")
        if request.method != "POST":
            refused = self._refuse(
                request, 405, "this is the netprov ACS: phones POST their CWMP messages here"
            )
            refused.headers["Allow"] = "POST"
            return refused
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return self._refuse(request, 415, "compressed messages are not supported")
        authorization = request.headers.get("Authorization", "")
        if self._gate is not None:
            verdict = self._gate.judge(authorization, request.method, now)
            if verdict != "good":
                return self._challenge(request, self._gate, verdict, now)
        return await self._answer(request, stream, body, now)

    def _challenge(self, request: web.BaseRequest, gate: Gate, verdict: Verdict, now: float) -> web.Response:
        response = web.Response(status=401)
        if verdict not in {"none", "stale"}:  # asked once more, a phone knows the answer
            response = self._refuse(request, 401, REASONS[verdict])
        for challenge in gate.challenges(now, stale=verdict == "stale"):
            response.headers.add("WWW-Authenticate", challenge)
        return response

    async def _answer(
        self, request: web.BaseRequest, stream: Stream, body: bytes, now: float
    ) -> web.StreamResponse:
        posted = AcsRequest(
            body,
            cookie="; ".join(request.headers.getall("Cookie", [])),
            source=stream.peer[0],
            connection=f"{stream.peer[0]} {stream.peer[1]}",
            certificate=certificate_mac(stream),
            excerpt=partial(excerpt, request),
        )
        reply = self._acs.respond(posted, now, secrets.token_urlsafe(24))
        if not await self._keep(posted):
            reply = Reply(503, headers=(("Retry-After", "30"),))
        if reply.status < 400:
            self._web.known.answered(stream.peer[0])
        response = web.Response(status=reply.status, body=reply.body or None)
        for name, value in reply.headers:
            response.headers[name] = value
        return response

    async def _keep(self, posted: AcsRequest | None = None) -> bool:
        """Keep and tell what changed; say whether it is kept. If not, the answer to what was posted must not leave."""
        changes, events = self._acs.changed(), self._acs.events()
        try:
            await self._records.keep(changes, time.time())
        except sqlite3.Error as error:
            self._report(Notice(f"the ACS's records cannot be written: {error}", "error"))
            self._acs.not_kept(posted, changes, time.time())
            return False
        finally:
            for event in events:
                self._report(event)
        self._watchers.told(each for each in changes.transactions if each.ended)
        return True

    def _refuse(self, request: web.BaseRequest, status: int, reason: str) -> web.Response:
        """Refuse a request before it is a message, and tell."""
        stream = request.transport
        address = stream.peer[0] if isinstance(stream, Stream) else ""
        scheme: Scheme = "https" if request.secure else "http"
        self._report(RequestRefused(scheme, address, status, reason, excerpt(request)))
        return web.Response(status=status, text=f"{reason}\n")

    def _report(self, event: Event) -> None:
        self._context.report(self.name, event)


def _minute_of(now: float) -> int:
    local = time.localtime(now)
    return local.tm_hour * 60 + local.tm_min


def _wanted(plan: Plan) -> tuple[list[Listener], dict[_Place, set[str]]]:
    """Return the sockets of a plan, and the paths that each answers."""
    listeners: list[Listener] = []
    paths: dict[_Place, set[str]] = {}
    for each in plan.cwmp.listeners:
        for address in each.addresses:
            listeners.append(Listener("https" if each.secure else "http", address, each.port))
            paths.setdefault((address, each.port), set()).add(each.path)
    return listeners, paths

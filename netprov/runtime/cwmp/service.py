"""The ACS on the network: HTTP and HTTPS for the sessions of netprov.cwmp.acs, its records on disk first."""

from __future__ import annotations

import asyncio
import errno
import secrets
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from netprov.cwmp.acs import Acs, AcsLimits, AcsRequest, Reply
from netprov.cwmp.auth import SECRET, Credentials, Gate
from netprov.errors import ServiceError
from netprov.hostport import format_hostport
from netprov.machine import Event
from netprov.plan import Plan
from netprov.provision.config import SecretsPlace
from netprov.runtime.address import is_here
from netprov.runtime.role import Notice, Prepared, RoleContext, Sample, reload
from netprov.runtime.web.connection import NEXT, Connections
from netprov.runtime.web.tls_keeper import TlsKeeper
from netprov.state.acs import AcsStore
from netprov.state.catalog import DEFAULT_FILE, load_secrets

BODY_TIME: Final = 30.0
"""Seconds that a phone has to send a message."""

HANDSHAKE_TIME: Final = 15.0
"""Seconds that a phone has for its TLS handshake."""


STOP_TIME: Final = 1.0
"""Seconds that requests under way have when the service stops."""

_BACKLOG: Final = 100

_Place = tuple[str, int]
_Key = tuple[str, int, bool]


@dataclass(slots=True)
class _Listening:
    """One socket that is open, with the paths it answers."""

    server: asyncio.Server
    paths: set[str]


class AcsService:
    """The `acs` role: listens where an ACS URL of the inventory leads to this machine."""

    name = "acs"

    def __init__(self, context: RoleContext) -> None:
        self._context = context
        self._limits = AcsLimits()
        self._secret = secrets.token_bytes(32)
        self._wanted: set[_Place] | None = None
        self._absent: set[_Place] = set()
        self._bound: dict[_Place, socket.socket] = {}
        self._open: dict[_Key, _Listening] = {}
        self._acs: Acs
        self._gate: Gate | None = None
        self._plan: Plan
        self._records: AcsStore
        self._runner: web.AppRunner
        self._tls = TlsKeeper(self.name, context)
        self._connections: Connections
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, plan: Plan) -> None:
        """Open the records and listen."""
        self._plan = plan
        self._records = AcsStore(self._context.state / "acs.sqlite3")
        self._acs = Acs(plan.cwmp.config, self._records.load(self._limits.records), self._limits)
        application = web.Application(client_max_size=self._limits.body)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=NEXT,
            shutdown_timeout=STOP_TIME,
        )
        await self._runner.setup()
        assert self._runner.server is not None
        self._connections = Connections(self._runner.server, time.monotonic)
        self._tasks.append(asyncio.create_task(self._connections.sweep()))
        try:
            await reload(self, plan)
        except ServiceError:
            await self.stop()
            raise

    async def prepare(self, plan: Plan) -> Prepared:
        """Load certificates and the password, bind what is new; sessions go on."""
        gate = self._make_gate(plan)
        wanted = _wanted(plan)
        present = await self._tls.prepare(plan.pki) if any(secure for _, _, secure in wanted) else None
        fresh, absent = self._bind_all(wanted)

        async def commit() -> None:
            if present is not None:
                present()
            self._plan, self._gate = plan, gate
            self._acs.config = plan.cwmp.config
            await self._take(wanted, fresh, absent)

        async def abort() -> None:
            for bound in fresh.values():
                bound.close()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Finish the requests under way, and close."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._tls.stop(), *self._tasks, return_exceptions=True)
        self._tasks.clear()
        for listening in self._open.values():
            listening.server.close()
        for bound in self._bound.values():
            bound.close()
        self._open.clear()
        self._bound.clear()
        await self._runner.cleanup()
        self._records.close()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return [
            f"tcp {format_hostport(address, port)} ({'https' if secure else 'http'})"
            for address, port, secure in self._open
        ]

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return tuple(dict.fromkeys(address for address, _ in self._absent))

    def samples(self) -> Iterator[Sample]:
        """Say how many devices are known, and how many talk."""
        yield Sample("acs_sessions", "Open CWMP sessions.", self._acs.sessions)
        known = Counter((each.listed, bool(each.applied)) for each in self._acs.devices.values())
        for (listed, applied), count in sorted(known.items()):
            labels = (("listed", str(listed).lower()), ("provisioned", str(applied).lower()))
            yield Sample("acs_devices", "Devices on record.", count, labels)

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

    def _bind_all(self, wanted: Mapping[_Key, set[str]]) -> tuple[dict[_Place, socket.socket], set[_Place]]:
        """Bind what is new and here; return it, and what is not here. Nothing new stays bound on an error."""
        fresh: dict[_Place, socket.socket] = {}
        absent: set[_Place] = set()
        try:
            for address, port, _ in wanted:
                place = (address, port)
                if not is_here(address):
                    absent.add(place)
                elif place not in self._bound and place not in fresh:
                    fresh[place] = self._bind(place)
            places = {(address, port) for address, port, _ in wanted}
            if self._wanted is not None and places != self._wanted and places and absent == places:
                raise _none_here(places)
        except ServiceError:
            for bound in fresh.values():
                bound.close()
            raise
        return fresh, absent

    async def _take(
        self, wanted: Mapping[_Key, set[str]], fresh: Mapping[_Place, socket.socket], absent: set[_Place]
    ) -> None:
        """Close what is not wanted or not here any more, then accept on the rest."""
        for key in [key for key in self._open if key not in wanted or key[:2] in absent]:
            self._open.pop(key).server.close()
        kept = {(address, port) for address, port, _ in wanted} - absent
        for place in [place for place in self._bound if place not in kept]:
            self._bound.pop(place).close()
        self._bound.update(fresh)
        for key, paths in wanted.items():
            if key in self._open:
                self._open[key].paths = paths
            elif (bound := self._bound.get(key[:2])) is not None:
                # A copy: the server closes its own when the port turns from HTTP to HTTPS, and ours goes on to wait.
                self._open[key] = _Listening(await self._serve(bound.dup(), secure=key[2]), paths)
        self._tell(fresh, absent)
        self._wanted, self._absent = {(address, port) for address, port, _ in wanted}, absent

    def _tell(self, fresh: Mapping[_Place, socket.socket], absent: set[_Place]) -> None:
        for address, port in sorted(absent - self._absent):
            text = f"{format_hostport(address, port)} is not on this machine: the ACS is elsewhere, or here as soon as it is"
            self._report(Notice(text))
        for address, port in sorted(fresh.keys() & self._absent):
            self._report(Notice(f"{format_hostport(address, port)} has come, and is served"))
        if absent and not self._bound and absent != self._absent:
            self._report(Notice(f"waits: {_none_here(absent)}", "warning"))

    async def _serve(self, bound: socket.socket, *, secure: bool) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            self._connections.accept,
            sock=bound,
            ssl=self._tls.context if secure else None,
            ssl_handshake_timeout=HANDSHAKE_TIME if secure else None,
        )

    def _bind(self, place: _Place) -> socket.socket:
        """Return a bound socket."""
        address, port = place
        bound = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((address, port))
            bound.listen(_BACKLOG)
        except OSError as error:
            bound.close()
            remedy = {
                errno.EADDRINUSE: f"`ss -ltnp sport = :{port}` tells which program has it; stop that, or change acs_url.",
                errno.EACCES: "A port below 1024 needs root or CAP_NET_BIND_SERVICE.",
            }.get(error.errno or 0, "")
            raise ServiceError(
                f"the ACS cannot listen on {format_hostport(address, port)}: {error.strerror}", remedy
            ) from error
        return bound

    async def _handle(self, request: web.Request) -> web.Response:
        with self._connections.request(request.protocol):
            return await self._receive(request, time.time())

    async def _receive(self, request: web.Request, now: float) -> web.Response:
        local = request.transport.get_extra_info("sockname") if request.transport else None
        key = (local[0], local[1], request.secure) if local else ("", 0, False)
        if key in self._open and request.path not in self._open[key].paths:
            return web.Response(status=404, text=f"the ACS is at {' '.join(sorted(self._open[key].paths))}\n")
        if request.method != "POST":
            text = "This is the netprov ACS: phones POST their CWMP messages here.\n"
            return web.Response(status=405, headers={"Allow": "POST"}, text=text)
        if request.headers.get("Content-Encoding", "identity") != "identity":
            return web.Response(status=415, text="compressed messages are not supported\n")
        try:
            body = await asyncio.wait_for(request.read(), BODY_TIME)
        except TimeoutError:
            return web.Response(status=408)
        return await self._answer(request, body, now)

    async def _answer(self, request: web.Request, body: bytes, now: float) -> web.Response:
        authorization = request.headers.get("Authorization", "")
        if self._gate and not self._gate.admits(authorization, request.method, now):
            refused = web.Response(status=401)
            for challenge in self._gate.challenges(authorization, now):
                refused.headers.add("WWW-Authenticate", challenge)
            return refused
        peer = request.transport.get_extra_info("peername") if request.transport else None
        reply = self._acs.respond(
            AcsRequest(
                body,
                cookie="; ".join(request.headers.getall("Cookie", [])),
                source=peer[0] if peer else "",
                connection=f"{peer[0]} {peer[1]}" if peer else "",
            ),
            now,
            secrets.token_urlsafe(24),
        )
        changed, events = self._acs.changed(), self._acs.events()
        try:
            await self._records.keep(changed)
        except sqlite3.Error as error:
            self._report(Notice(f"the ACS's records cannot be written: {error}", "error"))
            reply = Reply(503, headers=(("Retry-After", "30"),))
        for event in events:
            self._report(event)
        response = web.Response(status=reply.status, body=reply.body or None)
        for name, value in reply.headers:
            response.headers[name] = value
        return response

    def _report(self, event: Event) -> None:
        self._context.report(self.name, event)


def _wanted(plan: Plan) -> dict[_Key, set[str]]:
    """Return the sockets of a plan, with the paths that each answers."""
    wanted: dict[_Key, set[str]] = {}
    for listener in plan.cwmp.listeners:
        for address in listener.addresses:
            wanted.setdefault((address, listener.port, listener.secure), set()).add(listener.path)
    return wanted


def _none_here(places: Iterable[_Place]) -> ServiceError:
    addresses = sorted({address for address, _ in places})
    return ServiceError(
        f"the ACS has no address on this machine (wanted: {', '.join(addresses)})",
        f"add one to an interface, `ip address add {addresses[0]}/24 dev INTERFACE`, or correct acs_url or `hosts:`",
    )

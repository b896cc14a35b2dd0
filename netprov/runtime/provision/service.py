"""The HTTP and HTTPS servers: aiohttp on every planned socket that is on this machine, one catalog behind them."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy

from netprov.errors import PkiError
from netprov.mac import read_mac
from netprov.machine import Event
from netprov.pki.chain import decode
from netprov.plan import Plan
from netprov.provision.auth import Authority
from netprov.provision.config import Listener
from netprov.provision.event import TlsFailed
from netprov.provision.http import HttpRequest
from netprov.provision.requester import Requester, parse_agent
from netprov.provision.respond import Responder, content_type, missing_file
from netprov.runtime.net.listen import SocketSet
from netprov.runtime.net.poll import Poller
from netprov.runtime.net.sender import Senders
from netprov.runtime.role import Notice, Prepared, RoleContext, Sample, reload
from netprov.runtime.web.connection import Connections
from netprov.runtime.web.handshake import Handshakes
from netprov.runtime.web.stream import Stream
from netprov.runtime.web.tls_keeper import TlsKeeper
from netprov.state.catalog import exposed, load_catalog, secret_files
from netprov.state.tree import find_file

MAX_CONNECTIONS = 1024
"""Open connections in all; one more, and the one that has been idle longest has to go."""

MAX_HANDSHAKES = 128
"""TLS handshakes under way; one more, and the oldest, which is never a live phone's, is given up."""

MAX_BODY = 4 << 20
"""Octets of a report; phones send up to 200,000."""

MAX_LINE = 4096
MAX_FIELDS = 64
STOP_TIME = 1.0
_ACCEPTS = 64
_HANDSHAKES_AT_ONCE = 8
"""Handshakes begun in one turn of the loop: a flood then takes MAX_HANDSHAKES / 8 turns to push out a live phone's, which
needs only a few. The rest waits in the kernel."""

_LIBRARY_LOG = logging.getLogger("http.library")
_LIBRARY_LOG.addFilter(
    # A stranger's malformed request is an answer of 400; only faults of our own are worth a traceback.
    lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a client may take, from first octet to last, not between octets."""

    handshake: float = 10.0
    head: float = 10.0
    body: float = 60.0
    idle: float = 15.0
    reply: float = 900.0
    """A firmware file of 64 MiB over a link of 1 Mbit/s takes 540 s."""


class HttpService:
    """Serves `http` and `https` listeners of the plan."""

    name = "http"

    def __init__(
        self,
        context: RoleContext,
        *,
        timeouts: Timeouts | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._role = context
        self._senders = Senders(context.state)
        self._timeouts = timeouts or Timeouts()
        self._max_connections = max_connections
        self._tasks: list[asyncio.Task[None]] = []
        self._tls = TlsKeeper(self.name, context)
        self._authority = Authority(os.urandom(32))
        self._poller: Poller
        self._sockets: SocketSet
        self._server: web.Server
        self._connections: Connections
        self._handshakes: Handshakes
        self._responder: Responder

    async def start(self, plan: Plan) -> None:
        """Bind, and serve."""
        self._plan = plan
        self._poller = Poller()
        self._sockets = SocketSet(self.name, self._poller, self._accept, context=self._role)
        self._server = web.Server(
            self._handle,
            request_factory=self._request,
            access_log=None,
            logger=_LIBRARY_LOG,
            auto_decompress=False,
            keepalive_timeout=self._timeouts.idle,
            tcp_keepalive=False,  # no connection lasts that long
            lingering_time=2.0,
            max_line_size=MAX_LINE,
            max_field_size=MAX_LINE,
            max_headers=MAX_FIELDS,
        )
        self._connections = Connections(
            self._server,
            time.monotonic,
            most=self._max_connections,
            first=self._timeouts.head,
            following=self._timeouts.idle,
        )
        self._handshakes = Handshakes(
            self._poller,
            time.monotonic,
            most=MAX_HANDSHAKES,
            timeouts=self._timeouts.handshake,
            done=self._connected,
        )
        try:
            await reload(self, plan)
        except BaseException:
            await self.stop()
            raise
        self._tasks += [asyncio.create_task(self._connections.sweep()), asyncio.create_task(self._sweep())]

    async def prepare(self, plan: Plan) -> Prepared:
        """Load certificates and secrets, bind what is new; connections go on."""
        present = await self._tls.prepare(plan.pki)
        responder = await asyncio.to_thread(self._build_responder, plan)
        binding = self._sockets.prepare(
            [each for each in plan.provision.listeners if each.scheme in {"http", "https"}]
        )

        async def commit() -> None:
            present()
            self._responder, self._plan = responder, plan
            self._sockets.commit(binding)

        async def abort() -> None:
            binding.abort()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Close every socket; replies under way get up to a second."""
        self._sockets.close()
        self._handshakes.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._tls.stop(), *self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._server.shutdown(STOP_TIME)
        await asyncio.sleep(0)  # the last of them close in the next turn of the loop
        self._poller.close()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._sockets.listening()

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._sockets.waiting()

    @property
    def connections(self) -> int:
        """How many clients are connected, their handshakes done."""
        return len(self._server.connections)

    def samples(self) -> Iterator[Sample]:
        """Say how many phones are connected, and how many are shaking hands."""
        yield Sample("http_connections", "Open connections.", self.connections)
        yield Sample("http_handshakes", "TLS handshakes under way.", len(self._handshakes))

    # Requests.

    def _request(self, message, payload, protocol, writer, task) -> web.BaseRequest:  # type: ignore[no-untyped-def]
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        with self._connections.request(request.protocol):
            try:
                # Most requests have no body, and wait_for costs a task.
                has_body = request.body_exists
                body = await asyncio.wait_for(self._body(request), self._timeouts.body) if has_body else b""
            except TimeoutError:
                return self._close(web.Response(status=408))
            except web.HTTPRequestEntityTooLarge:
                return self._close(web.Response(status=413))
            response = self._answer(request, body)
            if isinstance(response, web.FileResponse):
                await self._send(request, response)
            return response

    async def _send(self, request: web.BaseRequest, response: web.FileResponse) -> None:
        """Send a file here, and not after the handler as aiohttp would: a client that does not read is cut off."""
        try:
            async with asyncio.timeout(self._timeouts.reply):
                await response.prepare(request)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()

    async def _body(self, request: web.BaseRequest) -> bytes:
        if (request.content_length or 0) > MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return await request.read()

    def _close(self, response: web.Response) -> web.Response:
        response.force_close()
        return response

    def _answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Answer one request, and report it."""
        asked = HttpRequest(
            request.method,
            request.raw_path,
            request.version.minor,
            _fields(request.headers),
            body,
        )
        answered = self._responder.respond(asked, self._requester(request, asked), time.time())
        response: web.StreamResponse | None = None
        if answered.file is not None:
            path = find_file(answered.file)
            if path is None:
                answered = missing_file(answered)
            else:
                response = _beyond(request, path) or web.FileResponse(
                    path, headers={"Content-Type": content_type(path)}
                )
        self._report(answered.event)
        if answered.more is not None:
            self._report(answered.more)
        if response is None:
            response = web.Response(
                status=answered.response.status,
                body=answered.response.body,
                headers=CIMultiDict(answered.response.fields),
            )
        response.headers["Server"] = "netprov"
        return response

    def _requester(self, request: web.BaseRequest, asked: HttpRequest) -> Requester:
        transport = request.transport
        address = server = ""
        port = 0
        certificate = None
        if transport is not None:
            address = transport.get_extra_info("peername", ("",))[0]
            server, port = transport.get_extra_info("sockname", ("", 0))[:2]
            session = transport.get_extra_info("ssl_object")
            certificate = session.getpeercert(binary_form=True) if session else None
        return Requester(
            "https" if request.secure else "http",
            address,
            server,
            port,
            parse_agent(asked.fields.get("user-agent", "")),
            _certificate_mac(certificate),
            partial(self._senders.mac, address),
        )

    # Sockets.

    def _accept(self, listener: Listener, sock: socket.socket) -> None:
        secure = listener.scheme == "https"
        for _ in range(_HANDSHAKES_AT_ONCE if secure else _ACCEPTS):
            try:
                accepted, peer = sock.accept()
            except OSError:  # none left, gone again already, or no descriptors: the sweep frees some
                return
            accepted.setblocking(False)
            with suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure:
                failed = partial(self._tls_failed, peer[0], listener.address)
                self._handshakes.begin(accepted, self._context(peer[0]), failed)
            else:
                self._connected(accepted)

    def _context(self, address: str) -> ssl.SSLContext:
        """Return the TLS of the phone at an address: its class may speak older versions than others."""
        oldest = self._responder.oldest_tls(address, partial(self._senders.mac, address))
        return self._tls.context_from(oldest)

    def _connected(self, sock: socket.socket) -> None:
        Stream(sock, self._poller, self._connections.accept()).begin()

    def _tls_failed(self, address: str, server: str, reason: str) -> None:
        self._report(TlsFailed(address, reason, server))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._handshakes.sweep()

    def _report(self, event: Event) -> None:
        self._role.report(self.name, event)

    def _build_responder(self, plan: Plan) -> Responder:
        for file, mode in exposed(secret_files(plan.provision.secrets, self._role.state)):
            self._report(
                Notice(f"{file} is open to everybody (mode {mode:03o}): chmod 600 {file}", "warning")
            )
        catalog = load_catalog(plan.provision, self._role.state)
        return Responder(catalog, plan.provision, self._authority)


def _beyond(request: web.BaseRequest, path: str) -> web.Response | None:
    """Answer 416 to a range that begins beyond the end: aiohttp's own 416 of a file promises a body that never comes."""
    try:
        first = request.http_range.start
        size = os.stat(path).st_size
    except (ValueError, OSError):
        return None
    if first is None or first < size or "If-Range" in request.headers:
        return None
    return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})


def _fields(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Return header fields by lower-case name, repeated ones joined (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for written, value in headers.items():
        name = written.lower()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


@lru_cache(maxsize=4096)
def _certificate_mac(der: bytes | None) -> str:
    """Return the MAC address that a phone's certificate names, "" without one."""
    if der is None:
        return ""
    try:
        phone = decode(der)[0].phone()
    except PkiError:
        return ""
    return read_mac(phone.mac) if phone is not None else ""

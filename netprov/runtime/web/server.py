"""An HTTP and HTTPS server on the planned sockets of one service: what is refused before a request is one is told too."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Final

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy

from netprov.hostport import Scheme
from netprov.provision.config import Listener
from netprov.provision.event import RequestRefused, TlsFailed
from netprov.runtime.handover import Place
from netprov.runtime.net.known import KnownAddresses
from netprov.runtime.net.listen import Binding, SocketSet, accept
from netprov.runtime.net.poll import Poller
from netprov.runtime.role import RoleContext, Suppressed
from netprov.runtime.self_check import Askers, Probe
from netprov.runtime.task import keep
from netprov.runtime.web.body import TOGETHER, Bodies, TooMuch
from netprov.runtime.web.connection import Connections
from netprov.runtime.web.door import Door, Quick
from netprov.runtime.web.excerpt import excerpt, excerpt_of
from netprov.runtime.web.handler import HandlerServer
from netprov.runtime.web.handshake import Handshakes
from netprov.runtime.web.head import is_host
from netprov.runtime.web.own_head import ask_head
from netprov.runtime.web.stream import Stream
from netprov.runtime.web.tls_layer import TlsLayer
from netprov.state.fair_queue import FairQueue
from netprov.text import clean

Answer = Callable[[web.BaseRequest, bytes], Awaitable[web.StreamResponse]]

STOP_TIME: Final = 1.0
"""Seconds that requests under way have when the service stops."""
_STRANGERS_AT_ONCE: Final = 8
"""Strangers taken in in one turn of the loop: a flood of handshakes then takes `handshakes` / 8 turns to push out a live
phone's, which needs only a few."""
_VERSIONS: Final = (HttpVersion10, HttpVersion11)
_ODD_VERSION: Final = web.RequestKey("odd version", str)

_LIBRARY_LOG = logging.getLogger("http.library")
_LIBRARY_LOG.addFilter(
    # A stranger's malformed request is an answer of 400, and one who hangs up gets none; only faults of our own are
    # worth a traceback.
    lambda record: (
        not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | ConnectionError))
    )
)


@dataclass(frozen=True, slots=True)
class _Caller:
    """A connection that was accepted, and nothing more."""

    sock: socket.socket
    peer: tuple[str, int]
    listener: Listener


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a client may take, from first octet to last, not between octets."""

    handshake: float = 10.0
    head: float = 10.0
    body: float = 60.0
    idle: float = 15.0
    reply: float = 900.0
    """A firmware file of 64 MiB over a link of 1 Mbit/s takes 540 s."""


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What one server puts up with.

    One connection more, and one of the host that has most has to go; one TLS handshake more, and the oldest, which is
    never a live phone's. `body`, `line` are octets, `fields` a number; `bodies` octets of all bodies on their way.
    `waiting` accepted strangers wait for their turn: in the kernel's queue they would stand before phones. More are shed,
    but for the first of a source that has none waiting. `accepts` are taken in at once, few where other processes are idle.
    """

    connections: int = 1024
    handshakes: int = 128
    body: int = 1 << 20
    line: int = 4096
    fields: int = 64
    bodies: int = TOGETHER
    waiting: int = 256
    accepts: int = 64

    def share(self, processes: int) -> WebLimits:
        """Return what one of so many processes on the same ports puts up with, so that all together put up with this."""
        if processes == 1:
            return self
        return replace(
            self,
            connections=max(1, self.connections // processes),
            handshakes=max(1, self.handshakes // processes),
            bodies=max(self.body, self.bodies // processes),
            waiting=max(1, self.waiting // processes),
            accepts=4,
        )


class WebServer:
    """The server of one service; `answer` is given every request that is well-formed, with its body.

    `context` chooses the TLS for an address. `quick` is asked first about requests that are a head alone.
    What comes from `askers` is this service's own self-check: it is answered, and told nobody.
    `vouch` says which addresses are phones' beside those that have a lease or were answered before (`known`): theirs are the
    last connections to go when places get scarce.
    """

    def __init__(
        self,
        service: str,
        role: RoleContext,
        answer: Answer,
        context: Callable[[str], ssl.SSLContext],
        *,
        timeouts: Timeouts | None = None,
        limits: WebLimits | None = None,
        vouch: Callable[[str], bool] = lambda _: False,
        quick: Quick | None = None,
        askers: Askers | None = None,
    ) -> None:
        self._quick = quick
        self._askers = askers or Askers()
        self._service = service
        self._report = partial(role.report, service)
        self._answer = answer
        self._context = context
        self._limits = limits = limits or WebLimits()
        self.timeouts = timeouts = timeouts or Timeouts()
        self.known = KnownAddresses(role.state, time.monotonic)
        self.bodies = Bodies(limits.body, together=limits.bodies)
        self._poller = Poller()
        self._sockets = SocketSet(service, self._poller, self._accept, context=role)
        self._library = HandlerServer(
            self._handle,
            refused=self._malformed,
            request_factory=self._request,
            access_log=None,
            logger=_LIBRARY_LOG,
            auto_decompress=False,
            keepalive_timeout=timeouts.idle,
            tcp_keepalive=False,  # no connection lasts that long
            lingering_time=2.0,
            max_line_size=limits.line,
            max_field_size=limits.line,
            max_headers=limits.fields,
        )
        self.connections = Connections(
            time.monotonic,
            most=limits.connections,
            first=timeouts.head,
            following=timeouts.idle,
            vouch=self._is_phone,
        )
        self._vouch = vouch
        self._more_wait = False
        self._lobby: FairQueue[_Caller] = FairQueue(most=limits.waiting, each=limits.waiting)
        self.handshakes = Handshakes(
            self._poller, time.monotonic, most=limits.handshakes, timeout=timeouts.handshake
        )
        self._tasks = [
            keep("closing overdue connections", self.connections.sweep, self._report),
            keep("closing overdue handshakes", self._sweep, self._report),
        ]

    def release(self, listeners: Sequence[Listener] | None) -> tuple[Place, ...]:
        """Let other roles bind what is not wanted any more, and return it; with None nobody."""
        return self._sockets.release(listeners)

    def prepare(self, listeners: Sequence[Listener]) -> Binding:
        """Bind what is new and here. Raises `ServiceError`."""
        return self._sockets.prepare(listeners)

    def commit(self, binding: Binding) -> None:
        """Serve on what was bound, and close what is not wanted any more; open connections go on."""
        self._sockets.commit(binding)

    def held(self) -> dict[Listener, socket.socket]:
        """Return the sockets that it accepts from, for another process to accept from too."""
        return self._sockets.held()

    def adopt(self, sockets: Mapping[Listener, socket.socket]) -> None:
        """Accept from these, which another process has bound, and from no others; open connections go on."""
        self._sockets.adopt(sockets)

    async def stop(self) -> None:
        """Close every socket; replies under way get up to a second."""
        self._sockets.close()
        self.handshakes.close()
        for caller in self._lobby.take(len(self._lobby)):
            caller.sock.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._library.shutdown(STOP_TIME)
        self.connections.close()
        await asyncio.sleep(0)  # the last of them close in the next turn of the loop
        self._poller.close()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._sockets.listening()

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._sockets.waiting()

    def probes(self) -> list[Probe]:
        """Return its listeners, each asked by HEAD."""
        return [
            Probe(
                str(each),
                partial(ask_head, each, self._askers),
                partial(self._sockets.turns, each),
                each.address,
            )
            for each in self._sockets.held()
        ]

    # Connections.

    def _accept(self, listener: Listener, sock: socket.socket) -> None:
        """Take in who has come: phones at once, strangers a few in a turn of the loop, each source in its turn."""
        for _ in range(self._limits.accepts):
            try:
                accepted, peer = accept(sock, listener.address)
            except OSError:  # none left, gone again already, or no descriptors: the sweep frees some
                break
            caller = _Caller(accepted, peer, listener)
            if self._is_phone(peer[0]):
                self._receive(caller, known=True)
            elif not self._lobby.put(caller, peer[0], known=True):
                accepted.close()
        self._receive_strangers()

    def _is_phone(self, address: str) -> bool:
        return self._vouch(address) or address in self.known

    def _receive_strangers(self) -> None:
        for caller in self._lobby.take(_STRANGERS_AT_ONCE):
            self._receive(caller)
        if self._lobby and not self._more_wait:
            self._more_wait = True
            asyncio.get_running_loop().call_soon(self._receive_more)

    def _receive_more(self) -> None:
        self._more_wait = False
        self._receive_strangers()

    def _receive(self, caller: _Caller, *, known: bool = False) -> None:
        listener, sock = caller.listener, caller.sock
        local = (listener.address, listener.port)
        if listener.scheme == "https":
            address = caller.peer[0]
            done = partial(self._connected, caller.peer, local)
            failed = partial(self._tls_failed, caller.peer, listener.address)
            self.handshakes.begin(sock, self._context(address), done, failed, known=known)
        else:
            self._connected(caller.peer, local, sock)

    def _connected(
        self,
        peer: tuple[str, int],
        local: tuple[str, int],
        sock: socket.socket,
        tls: TlsLayer | None = None,
    ) -> None:
        connections = self.connections
        stream = Stream(sock, self._poller, tls=tls, peer=peer, local=local, closed=connections.discard)
        answered = False
        if self._quick is None or peer in self._askers:
            stream.begin(self._library())
        else:
            door = Door(self._quick, connections.answered, self._hand_over)
            stream.begin(door)
            answered = door.has_answered
        if not stream.is_over:  # as most are
            connections.add(stream, peer[0], answered=answered)

    def _hand_over(self, stream: Stream, data: bytes) -> None:
        """Give a connection to aiohttp, with what has come on it."""
        handler = self._library()
        stream.set_protocol(handler)
        handler.connection_made(stream)
        handler.data_received(data)

    def _tls_failed(self, peer: tuple[str, int], server: str, reason: str, sent: bytes) -> None:
        if peer not in self._askers:
            self._report(TlsFailed(peer[0], reason, server, excerpt_of(sent) if sent else ""))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.handshakes.sweep()
            if shed := self._lobby.shed():
                self._report(Suppressed("Connection", shed))

    # Requests.

    def _request(self, message, payload, protocol, writer, task) -> web.BaseRequest:  # type: ignore[no-untyped-def]
        loop = asyncio.get_running_loop()
        message = _clean(message)
        version = message.version
        request = web.BaseRequest(
            message, payload, protocol, writer, task, loop, client_max_size=self._limits.body
        )
        if version not in _VERSIONS:
            request[_ODD_VERSION] = f"HTTP/{version.major}.{version.minor}"
            request._version = HttpVersion11  # noqa: SLF001 - what the answer speaks, which goes by the request
        return request

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        with self.connections.request(request.transport):
            return await self._respond(request)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(stream := request.transport, Stream) and stream.peer in self._askers:
            return _closing(web.Response(status=204))
        if (version := request.get(_ODD_VERSION)) is not None:
            self._refuse(request, 505, f"{version} is not spoken here", excerpt(request))
            return _closing(web.Response(status=505))
        if not is_host(request.headers.get("Host", "")):
            # RFC 9112 section 3.2: what is no host is refused, whatever is served.
            self._refuse(request, 400, "the Host field is no host", excerpt(request))
            return _closing(web.Response(status=400))
        try:
            # Most requests have no body, and wait_for costs a task.
            has_body = request.body_exists
            body = await asyncio.wait_for(self._body(request), self.timeouts.body) if has_body else b""
        except TooMuch:
            self._refuse(request, 503, "too many octets are on their way", excerpt(request))
            return _closing(web.Response(status=503, headers={"Retry-After": "10"}))
        except TimeoutError:
            return _closing(web.Response(status=408))
        except web.HTTPRequestEntityTooLarge:
            return _closing(web.Response(status=413))
        except HttpProcessingError as error:
            self._refuse(request, 400, error.message, excerpt(request))
            return _closing(web.Response(status=400))
        return await self._answer(request, body)

    async def _body(self, request: web.BaseRequest) -> bytes:
        stream = request.transport
        return await self.bodies.read(request, stream.peer[0] if isinstance(stream, Stream) else "")

    def _malformed(self, request: web.BaseRequest, status: int, reason: str, sent: bytes) -> None:
        self._refuse(request, status, reason, excerpt_of(sent))

    def _refuse(self, request: web.BaseRequest, status: int, reason: str, sent: str) -> None:
        stream = request.transport
        if isinstance(stream, Stream):
            scheme: Scheme = "https" if stream.tls else "http"
            self._report(RequestRefused(scheme, stream.peer[0], status, reason, sent))


def _clean(message: RawRequestMessage) -> RawRequestMessage:
    """Return a request whose target and fields every writer takes: the library keeps octets that are no UTF-8 as surrogates."""
    if message.path.isascii() and all(map(str.isascii, chain(*message.headers.items()))):
        return message
    headers = CIMultiDict((clean(name), clean(value)) for name, value in message.headers.items())
    return message._replace(path=clean(message.path), headers=CIMultiDictProxy(headers))


def _closing(response: web.Response) -> web.Response:
    response.force_close()
    return response

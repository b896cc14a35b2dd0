"""The HTTP and HTTPS servers: one service, every planned socket that is on this machine, one catalog behind them."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache, partial

from netprov.errors import PkiError, ServiceError
from netprov.machine import Event
from netprov.pki.chain import decode
from netprov.pki.request import PkiPlan
from netprov.pki.store import Issued, Store
from netprov.plan import Plan
from netprov.provision.asker import Asker, parse_agent, parse_mac
from netprov.provision.auth import Authority
from netprov.provision.config import Listener
from netprov.provision.http import Limits, Request
from netprov.provision.respond import FileReply, Responder, file_reply, missing_file
from netprov.runtime.arp import neighbour
from netprov.runtime.catalog import load_catalog
from netprov.runtime.http_connection import Connection, Outgoing, Patience
from netprov.runtime.listen import SocketSet
from netprov.runtime.poll import Poller
from netprov.runtime.service import Figure, Notice, Surroundings
from netprov.runtime.tls import ServerTls, keep_current
from netprov.runtime.tree import open_file

MAX_CONNECTIONS = 4096
"""Open connections in all; one more, and the one that has been idle longest has to go."""

_ACCEPTS = 64
_SWEEP = 1.0


class HttpService:
    """Serves `http` and `https` listeners of the plan."""

    name = "http"

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        patience: Patience | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._surroundings = surroundings
        self.patience = patience or Patience()
        self.limits = Limits()
        self._max_connections = max_connections
        self.connections: dict[Connection, None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._tls: ServerTls | None = None
        self._date = (0, "")
        self._authority = Authority(os.urandom(32))

    async def start(self, plan: Plan) -> None:
        """Bind, and serve."""
        self.poller = Poller()
        self._sockets = SocketSet(self.name, self.poller, surroundings=self._surroundings)
        self._plan = plan
        self._store = Store(self._surroundings.state / "pki")
        try:
            await self._prepare_tls(plan.pki)
            self._bind(plan)
        except BaseException:
            await self.stop()
            raise
        self._tasks.append(asyncio.create_task(self._sweep()))
        if self._tls is not None:
            self._tasks.append(
                asyncio.create_task(
                    keep_current(
                        self._tls,
                        self._store,
                        lambda: self._plan.pki,
                        time.time,
                        report=self._tls_changed,
                    )
                )
            )

    async def reload(self, plan: Plan) -> None:
        """Swap the plan: what is no longer wanted is closed, what is new is bound, connections go on."""
        await self._prepare_tls(plan.pki)
        self._bind(plan)
        self._plan = plan

    async def stop(self) -> None:
        """Close every socket; replies under way get up to a second."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._sockets.close()
        deadline = time.monotonic() + 1.0
        while any(each.busy for each in self.connections) and time.monotonic() < deadline:  # noqa: ASYNC110 - no reply pays for an event at the very end
            await asyncio.sleep(0.02)
        for connection in tuple(self.connections):
            connection.close()
        self.poller.close()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._sockets.listening()

    def figures(self) -> Iterator[Figure]:
        """Say how many phones are connected."""
        for scheme, secure in (("http", False), ("https", True)):
            count = sum(each.secure is secure for each in self.connections)
            yield Figure("http_connections", "Open connections.", count, (("scheme", scheme),))

    # What a connection needs of its server.

    def answer(self, request: Request, connection: Connection) -> Outgoing:
        """Answer one request, and report it."""
        asker = Asker(
            "https" if connection.secure else "http",
            connection.address,
            connection.server,
            connection.port,
            parse_agent(request.fields.get("user-agent", "")),
            _certificate_mac(connection.peer_certificate()) if connection.secure else "",
            partial(neighbour, connection.address),
        )
        answered = self._responder.respond(request, asker, time.time())
        if answered.file is not None:
            opened = open_file(answered.file)
            if opened is not None:
                reply: FileReply = file_reply(request, answered.file.path, opened.facts)
                self.report(answered.event)
                length = reply.past - reply.first
                if length:
                    return Outgoing(reply.response, length, opened, reply.first)
                opened.close()
                return Outgoing(reply.response, 0)
            answered = missing_file(answered)
        self.report(answered.event)
        if answered.more is not None:
            self.report(answered.more)
        return Outgoing(answered.response, len(answered.response.body))

    def date(self) -> str:
        """Return the time as HTTP writes it, made once a second."""
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True))
        return self._date[1]

    def report(self, event: Event) -> None:
        """Tell the surroundings."""
        self._surroundings.report(self.name, event)

    def forget(self, connection: Connection) -> None:
        """Note that a connection is gone."""
        self.connections.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        """Note that a connection waits for its next request: it goes to the end of the queue of the idle."""
        if connection in self.connections:
            del self.connections[connection]
            self.connections[connection] = None

    # Sockets.

    def _bind(self, plan: Plan) -> None:
        responder = self._build_responder(plan)
        wanted = [each for each in plan.provision.listeners if each.scheme in {"http", "https"}]
        self._sockets.bind(wanted, self._accept)
        self._responder = responder

    def _accept(self, listener: Listener, sock: socket.socket) -> None:
        secure = listener.scheme == "https"
        for _ in range(_ACCEPTS):
            try:
                accepted, peer = sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE} and self._make_room():
                    continue
                return
            if len(self.connections) >= self._max_connections and not self._make_room():
                accepted.close()
                continue
            self._welcome(accepted, peer[:2], (listener.address, listener.port), secure=secure)

    def _welcome(
        self, sock: socket.socket, peer: tuple[str, int], local: tuple[str, int], *, secure: bool
    ) -> None:
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if secure:
                assert self._tls is not None
                sock.getpeername()  # raises if the client is gone, on which wrap_socket would lose the socket
                sock = self._tls.context.wrap_socket(
                    sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
                )
            connection = Connection(self, sock, peer=peer, local=local, secure=secure)
        except (OSError, ValueError):  # gone already
            sock.close()
            return
        self.connections[connection] = None
        connection.begin()

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest."""
        for connection in self.connections:
            if not connection.busy:
                connection.close()
                return True
        return False

    async def _sweep(self) -> None:
        """Close connections whose deadline has passed."""
        while True:
            await asyncio.sleep(_SWEEP)
            now = time.monotonic()
            for connection in [each for each in self.connections if each.deadline <= now]:
                connection.close()

    # Certificates.

    async def _prepare_tls(self, pki: PkiPlan) -> None:
        try:
            issued = await asyncio.to_thread(self._store.ensure, pki, time.time())
            if self._tls is None:
                self._tls = ServerTls(self._store, pki)
            else:
                self._tls.reload(pki)
        except (PkiError, ssl.SSLError) as error:
            raise ServiceError(f"https: {error}") from error
        for each in issued:
            self.report(Notice(f"issued {each.role} certificate {each.name} {each.kind}: {each.reason}"))

    def _tls_changed(self, change: tuple[Issued, ...] | PkiError) -> None:
        if isinstance(change, PkiError):
            self.report(Notice(str(change), "error"))
            return
        for each in change:
            self.report(Notice(f"issued {each.role} certificate {each.name} {each.kind}: {each.reason}"))
        self._responder = self._build_responder(self._plan)

    def _build_responder(self, plan: Plan) -> Responder:
        catalog = load_catalog(plan.provision, self._surroundings.state)
        return Responder(catalog, plan.provision, self._authority)


@lru_cache(maxsize=4096)
def _certificate_mac(der: bytes | None) -> str:
    """Return the MAC address that a phone's certificate names, "" without one."""
    if der is None:
        return ""
    try:
        phone = decode(der)[0].phone()
    except PkiError:
        return ""
    return parse_mac(phone.mac) if phone is not None else ""

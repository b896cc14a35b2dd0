"""The TCP pump of DNS: several queries a connection, few connections a client, none that idles or does not read.

RFC 1035 4.2.2, RFC 7766 6 and 8 (pipelining, idle timeouts, limits; length and message in one segment).
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from netprov.dns.message.query import Query
from netprov.dns.server.cache import ReplyCache
from netprov.dns.server.policy import Client
from netprov.dns.server.transfer import ZoneTransferred
from netprov.machine import Event
from netprov.runtime.dns.serving import ServingState
from netprov.runtime.handover import share

HIGH_WATER = 64 * 1024
"""Octets of replies that may wait for a client before its queries do."""

CACHED = 5_000

RELAYED = 64
"""Queries of one connection that may be under way upstream; more wait."""


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """What clients may take of a server: seconds that a connection may be silent, or may not take what it asked for
    (RFC 7766 6.2.3: a few); connections at once, where the one that has been silent for longest makes room for a new
    one, and those of one client.
    """

    idle: float = 10.0
    connections: int = 256
    per_client: int = 32


class TcpServer:
    """Joins a responder to TCP listeners."""

    def __init__(
        self, serving: ServingState, report: Callable[[Event], None], *, limits: TcpLimits | None = None
    ) -> None:
        self.serving = serving
        self.report = report
        self.limits = limits or TcpLimits()
        self.transfers: Counter[str] = Counter()
        """Zones sent so far: by AXFR, by IXFR."""
        self.received = 0
        """Connections so far, those that were not taken in among them."""
        self.caches = ReplyCache(CACHED), ReplyCache(CACHED)
        """Replies for strangers and for the LAN."""
        self._connections: OrderedDict[Connection, str] = OrderedDict()
        self._per_client: Counter[str] = Counter()
        self._servers: list[asyncio.Server] = []

    async def bind(self, address: str, port: int, *, shared: bool = False) -> None:
        """Bind one address, without accepting connections yet; `shared` with who lets it go. Raises OSError."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            share(sock, shared=shared)
            sock.bind((address, port))
            if not shared:
                sock.listen(self.limits.connections)  # or nobody could be told that it is taken
        except OSError:
            sock.close()
            raise
        await self.take(sock)

    async def take(self, sock: socket.socket) -> None:
        """Take over a socket that is bound, without accepting connections yet."""
        backlog = self.limits.connections
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), sock=sock, backlog=backlog, start_serving=False
        )
        self._servers.append(server)

    async def listen(self) -> None:
        """Accept connections where it is bound."""
        for server in self._servers:
            await server.start_serving()

    def sockets(self) -> Iterator[socket.socket]:
        """Yield the sockets that it is bound to."""
        for server in self._servers:
            yield from server.sockets

    def swap(self, serving: ServingState) -> None:
        """Answer from another serving state from now on; connections stay."""
        self.serving = serving
        for cache in self.caches:
            cache.clear()

    async def close(self) -> None:
        """Stop accepting, and close what is open once it has its replies."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.close()
        self._servers.clear()

    def admit(self, connection: Connection, client: str) -> bool:
        """Take a new connection in, if its client has not too many; the most silent one gives way."""
        self.received += 1
        if self._per_client[client] >= self.limits.per_client:
            return False
        if len(self._connections) >= self.limits.connections:
            next(iter(self._connections)).abort()
        self._connections[connection] = client
        self._per_client[client] += 1
        return True

    def touch(self, connection: Connection) -> None:
        """Note that a connection has spoken."""
        if connection in self._connections:
            self._connections.move_to_end(connection)

    def forget(self, connection: Connection) -> None:
        """Note that a connection has ended."""
        client = self._connections.pop(connection, None)
        if client is not None:
            self._per_client[client] -= 1
            if not self._per_client[client]:
                del self._per_client[client]


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, server: TcpServer) -> None:
        self._server = server
        self._idle = server.limits.idle
        self._loop = asyncio.get_running_loop()
        self._rest = b""
        self._paused = False
        self._closing = False
        self._over = False
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._client = Client(tcp=True)
        self._stream: Iterator[bytes] | None = None
        self._transferred: ZoneTransferred | None = None
        self._relaying: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the client or hang up."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        host = str(peer[0]).partition("%")[0] if peer else ""
        if not host or not self._server.admit(self, host):
            transport.abort()
            return
        packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
        self._client = Client(packed, self._server.serving.is_local(packed), tcp=True)
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self._expect()
        self._tick()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the client."""
        self._server.forget(self)
        if self._timer:
            self._timer.cancel()
        for task in self._relaying:
            task.cancel()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every whole query there is."""
        self._rest = self._rest + data if self._rest else data
        self._go_on()

    def eof_received(self) -> bool:
        """Finish what is owed to a client that has shut its end (RFC 7766 6.2.4)."""
        self._closing = True
        self._close_if_done()
        return True

    def pause_writing(self) -> None:
        """Stop reading from a client that does not take its replies; the deadline then ends it."""
        self._paused = True
        if self._transport and not self._closing:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._expect()
        if self._transport and not self._closing:
            self._transport.resume_reading()
        self._go_on()
        self._close_if_done()

    def close(self) -> None:
        """Close once the replies are out."""
        if self._transport:
            self._transport.close()

    def abort(self) -> None:
        """Hang up."""
        self._server.forget(self)
        if self._transport:
            self._transport.abort()

    def _close_if_done(self) -> None:
        if self._closing and not self._paused and not self._relaying and self._stream is None:
            self.close()

    def _expect(self) -> None:
        """Give the client its seconds of silence from now."""
        self._deadline = self._loop.time() + self._idle

    def _tick(self) -> None:
        """End a client that has let its time pass; else look again when it is up."""
        left = self._deadline - self._loop.time()
        if left <= 0:
            self.abort()
        else:
            self._timer = self._loop.call_later(left, self._tick)

    def _go_on(self) -> None:
        """Send on with a transfer that is under way, then answer the queries that wait, in as few writes as can be."""
        replies: list[bytes] = []
        data, position, waiting = self._rest, 0, 0
        while not self._paused and not self._over and self._transport and len(self._relaying) < RELAYED:
            if self._stream is not None:
                message = next(self._stream, None)
                if message is None:
                    self._end_transfer()
                else:
                    self._transport.write(_framed(message))
                continue
            end = (
                position + 2 + (data[position] << 8 | data[position + 1]) if position + 2 <= len(data) else 0
            )
            if not end or end > len(data):
                break
            reply = self._answer(data[position + 2 : end])
            position = end
            if reply:
                replies.append(_framed(reply))
                waiting += len(reply)
            if replies and (waiting > HIGH_WATER or self._stream is not None):
                self._transport.write(b"".join(replies))
                replies, waiting = [], 0
        self._rest = data[position:]
        if position:
            self._server.touch(self)
            self._expect()
        if replies and self._transport:
            self._transport.write(b"".join(replies))
        if self._over:
            self.close()

    def _answer(self, message: bytes) -> bytes | None:
        """Return the reply to one query, or None if it comes later, in parts, or never."""
        server = self._server
        key = message[2:]
        cache = server.caches[self._client.local]
        kept = cache.get(key)
        if kept is not None:
            return message[:2] + kept
        outcome = server.serving.responder.decide(message, self._client, time.time())
        if outcome.relay is not None:
            task = self._loop.create_task(self._relay(outcome.relay))
            self._relaying.add(task)
            task.add_done_callback(self._relayed)
        elif outcome.stream is not None:
            self._stream, self._transferred = outcome.stream, outcome.transferred
        elif outcome.reply is None:
            self._over = True  # nothing that follows on such a stream can be trusted
        elif outcome.keep:
            cache.put(key, outcome.reply[2:])
        return outcome.reply

    def _end_transfer(self) -> None:
        self._stream = None
        if self._transferred:
            self._server.transfers[self._transferred.kind] += 1
            self._server.report(self._transferred)

    async def _relay(self, query: Query) -> None:
        relay = self._server.serving.relay
        if relay is None:
            return
        reply = await relay.resolve(query)
        if self._transport:
            self._transport.write(_framed(reply))

    def _relayed(self, task: asyncio.Task[None]) -> None:
        self._relaying.discard(task)
        self._go_on()
        self._close_if_done()


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message

"""The forwarder's pump: one random port and ID a query, several upstreams, timeouts, TCP where UDP is cut."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Sequence

from netprov.dns.config import Address
from netprov.dns.forward import (
    ForwardCache,
    Question,
    answers,
    failure,
    is_truncated,
    question,
    to_client,
    upstream_query,
)
from netprov.dns.message.query import Query
from netprov.errors import Malformed

TIMEOUT = 1.5
"""Seconds an upstream has for one answer; a phone asks again after two or more."""

MOST = 512
"""Questions under way at once; more are answered SERVFAIL, so that a flood cannot use up descriptors."""

CACHED = 10_000

PORT = 53


class Relay:
    """Asks upstream servers in their order, and remembers what they said."""

    def __init__(
        self, upstreams: Sequence[Address], *, port: int = PORT, timeout: float = TIMEOUT, most: int = MOST
    ) -> None:
        self._upstreams = tuple(map(str, upstreams))
        self._port = port
        self._timeout = timeout
        self._most = most
        self._cache = ForwardCache(CACHED)
        self._asking: dict[Question, asyncio.Task[bytes | None]] = {}

    async def resolve(self, query: Query) -> bytes:
        """Return the reply for a client; SERVFAIL if no upstream has one."""
        asked = question(query)
        reply = self._cache.get(asked, time.monotonic())
        if reply is None:
            # The same question is asked once, however many clients wait for it (RFC 5452 5).
            task = self._asking.get(asked)
            if task is None:
                if len(self._asking) >= self._most:
                    return failure(query)
                task = asyncio.create_task(self._ask(query, asked))
                self._asking[asked] = task
                task.add_done_callback(lambda _: self._asking.pop(asked, None))
            reply = await asyncio.shield(task)
        return failure(query) if reply is None else to_client(reply, query)

    async def _ask(self, query: Query, asked: Question) -> bytes | None:
        for upstream in self._upstreams:
            sent = upstream_query(query, secrets.randbelow(1 << 16))
            try:
                reply = await asyncio.wait_for(ask_udp(sent, upstream, self._port), self._timeout)
                if is_truncated(reply):
                    reply = await asyncio.wait_for(ask_tcp(sent, upstream, self._port), self._timeout)
                self._cache.put(asked, reply, time.monotonic())
            except (OSError, TimeoutError, Malformed, EOFError):
                continue
            return reply
        return None


async def ask_udp(sent: bytes, server: str, port: int) -> bytes:
    """Ask over UDP from a fresh random port, and wait for a reply that fits; anything else is not heard."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        sock.connect((server, port))
        await loop.sock_sendall(sock, sent)
        while True:
            reply = await loop.sock_recv(sock, 65535)
            if answers(reply, sent):
                return reply


async def ask_tcp(sent: bytes, server: str, port: int) -> bytes:
    """Ask over TCP. Raises OSError, EOFError, or `Malformed` for a reply to something else."""
    reader, writer = await asyncio.open_connection(server, port)
    try:
        writer.write(len(sent).to_bytes(2, "big") + sent)
        reply = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
    finally:
        writer.close()
    if not answers(reply, sent):
        raise Malformed("a reply to another question")
    return reply

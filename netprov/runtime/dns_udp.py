"""The UDP pump of DNS: drain in batches, answer from the cache, ask the responder on a miss."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from netprov.dns.answer import Client
from netprov.dns.cache import ReplyCache
from netprov.runtime.mmsg import SLOT, SLOTS, batch

BATCHES = 16
"""Batches drained in one wake-up, so that TCP and timers get their turn."""

CACHED = 20_000
"""Replies a generation of the cache holds: some 10 MiB."""

RECEIVE_BUFFER = 4 << 20
"""Octets the kernel may queue for us, as far as it allows."""

Respond = Callable[[bytes, Client], bytes | None]


def open_udp(address: str, port: int, *, shared: bool) -> socket.socket:
    """Bind a UDP socket to one address, so that replies leave from it; `shared` lets other workers bind it too."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


class UdpPump:
    """Joins a responder to one UDP socket."""

    def __init__(self, sock: socket.socket, respond: Respond, is_local: Callable[[bytes], bool]) -> None:
        self.sock = sock
        self.cache = ReplyCache(CACHED)
        self._respond = respond
        self._is_local = is_local
        self._batch = batch(sock)

    def start(self) -> None:
        """Begin to answer."""
        asyncio.get_running_loop().add_reader(self.sock, self.drain)

    def stop(self) -> None:
        """Answer what has arrived, then close."""
        asyncio.get_running_loop().remove_reader(self.sock)
        self.drain()
        self.sock.close()

    def swap(self, respond: Respond, is_local: Callable[[bytes], bool]) -> None:
        """Answer from another responder from now on."""
        self._respond, self._is_local = respond, is_local
        self.cache.clear()

    def drain(self) -> None:
        """Answer all that has arrived, up to a fair share."""
        for _ in range(BATCHES):
            lengths = self._batch.receive()
            if not lengths:
                return
            self._batch.send(self._answer(lengths))
            if len(lengths) < SLOTS:
                return

    def _answer(self, lengths: list[int]) -> list[int]:
        """Write the reply to each query of a batch over it, and return the replies' lengths."""
        memory = self._batch.memory
        cached = self.cache.young.get
        replies = []
        start = 2
        for index, length in enumerate(lengths):
            reply = cached(memory[start : start + length - 2])
            if reply is None:
                reply = self._miss(index, length)
            size = len(reply)
            memory[start : start + size] = reply
            replies.append(size and size + 2)
            start += SLOT
        return replies

    def _miss(self, index: int, length: int) -> bytes:
        """Return a reply behind its ID from the old generation or the responder; empty for none."""
        start = index * SLOT
        message = self._batch.memory[start : start + length]
        key = message[2:]
        reply = self.cache.get(key)
        if reply is not None:
            return reply
        source, _ = self._batch.source(index)
        answer = self._respond(message, Client(source, self._is_local(source)))
        if answer is None or len(answer) > SLOT:
            return b""
        reply = answer[2:]
        self.cache.put(key, reply)
        return reply

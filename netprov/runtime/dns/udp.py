"""The UDP pump of DNS: drain in batches, answer from the cache, ask the responder on a miss."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Sequence

from netprov.dns.message.query import Query
from netprov.dns.server.cache import ReplyCache
from netprov.dns.server.policy import Client
from netprov.dns.server.rate import Verdict
from netprov.runtime.dns.serving import ServingState
from netprov.runtime.net.mmsg import SLOT, SLOTS, batch
from netprov.runtime.net.outbox import Outbox

BATCHES = 16
"""Batches drained in one wake-up, so that TCP and timers get their turn."""

CACHED = 20_000
"""Replies a generation of the cache holds: some 10 MiB."""

CROWDED, ANSWERED = 4 * BATCHES, 4 * SLOTS
"""Batches drained, and queries answered that are not in the cache, of names that there are and of others, in one wake-up
where more come than can be answered: reading costs a tenth of answering, what the kernel drops instead may be anybody's, and whoever else is in this process wants
his turn."""

NOBODY = (0, 0)
"""The shares of sources while all are answered; else those of names that are made up, and of names that there are."""

KNOWN = 10_000
"""Source addresses whose being of the LAN is remembered."""

_BEHIND_ID = tuple(range(2, SLOTS * SLOT, SLOT))
"""Where the queries of a batch begin behind their IDs."""

RECEIVE_BUFFER = 4 << 20
"""Octets the kernel may queue for us, as far as it allows."""


def enlarge(sock: socket.socket) -> None:
    """Let the kernel queue a burst of queries."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def open_udp(address: str, port: int, *, shared: bool) -> socket.socket:
    """Bind a UDP socket to one address, so that replies leave from it; `shared` lets other workers bind it too."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        enlarge(sock)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock


class UdpPump:
    """Joins a responder to one UDP socket."""

    def __init__(self, sock: socket.socket, serving: ServingState, *, cached: int = CACHED) -> None:
        self.sock = sock
        self._cached = cached
        self.cache = ReplyCache(cached)
        self._strangers = self.cache
        self._batch = batch(sock)
        self._outbox = Outbox(self._batch)
        self._relaying: set[asyncio.Task[None]] = set()
        self.received = 0
        """Datagrams so far."""
        self.shed = 0
        """Of these, how many were not answered because their source asked too often while others waited."""
        self._asked: tuple[Counter[int | bytes], Counter[int | bytes]] = (Counter(), Counter())
        self._shares = NOBODY
        self.swap(serving)

    @property
    def held_back(self) -> int:
        """Answers that would have waited for ARP where no room was left to wait."""
        return self._outbox.held_back

    def start(self) -> None:
        """Begin to answer."""
        asyncio.get_running_loop().add_reader(self.sock, self.drain)

    def stop(self) -> None:
        """Answer what has arrived, then close."""
        asyncio.get_running_loop().remove_reader(self.sock)
        self.drain()
        for task in self._relaying:
            task.cancel()
        self._outbox.close()
        self.sock.close()

    def swap(self, serving: ServingState) -> None:
        """Answer from another serving state from now on."""
        self._serving = serving
        self._free: set[int | bytes] = set()  # sources of the LAN, which nothing is asked of
        self._by_source = serving.limiter is not None or serving.responder.policy.tells_apart
        self.cache.clear()
        # Strangers share the LAN's cache where one query has one answer.
        self._strangers = ReplyCache(self._cached) if serving.responder.policy.tells_apart else self.cache

    def drain(self) -> None:
        """Answer all that has arrived, up to a fair share."""
        batch, outbox = self._batch, self._outbox
        if self._shares != NOBODY:
            # A socket that is never empty may be one busy resolver's, who waits for each answer.
            if batch.is_overfull():
                self._drain_crowd()
                return
            self._shares = NOBODY
        for _ in range(BATCHES):
            lengths = batch.receive()
            if not lengths:
                return
            self.received += len(lengths)
            origins = batch.origins(len(lengths)) if self._by_source else ()
            # More has often come in meanwhile, and asking the kernel is cheaper than a turn of the event loop.
            if self._free.issuperset(origins):
                outbox.send(self._answer(lengths))
            else:
                outbox.send(self._answer_by_source(lengths, origins))
        self._shares = (BATCHES * SLOTS, BATCHES * SLOTS)

    def _drain_crowd(self) -> None:
        """Do the same where more comes than can be answered: of every source its share, so that none is pushed out.

        All is read, or what is answered would be so old that nobody waits for it. Names that there are have shares and room of
        their own: whoever makes names up, in whose name ever, takes nothing of what phones ask for. The shares follow from how
        many sources there were the time before; one alone has all of it.
        """
        batch, outbox, asked, shares = self._batch, self._outbox, self._asked, self._shares
        room = [ANSWERED, ANSWERED]
        for each in asked:
            each.clear()
        for _ in range(CROWDED):
            lengths = batch.receive()
            if not lengths:
                self._shares = NOBODY
                return
            self.received += len(lengths)
            replies = []
            for index, (length, origin) in enumerate(zip(lengths, batch.origins(len(lengths)), strict=True)):
                query = self._query(index, length)
                reply = self.cache.get(query) if origin in self._free else None
                kind = reply is not None or self._serving.responder.knows(query)
                asked[kind][origin] += 1
                if asked[kind][origin] > shares[kind]:
                    reply = b""
                elif reply is None:
                    reply = self._fetch(index, length, origin) if room[kind] else b""
                    room[kind] -= bool(room[kind])
                replies.append(reply)
            self.shed += replies.count(b"")
            outbox.send(self._write(replies))
        made_up, known = (max(1, len(each)) for each in asked)
        self._shares = max(1, ANSWERED // made_up), max(1, CROWDED * SLOTS // known)

    def _fetch(self, index: int, length: int, origin: int | bytes) -> bytes:
        """Return the reply to one query, whoever asks; empty for none."""
        if origin in self._free:
            return self._miss(index, self._query(index, length))
        return self._judged(index, length, origin)

    def _answer(self, lengths: list[int]) -> list[int]:
        """Write the reply to each query of a batch over it, and return the replies' lengths."""
        memory = self._batch.memory
        queries = [memory[at : at + length - 2] for at, length in zip(_BEHIND_ID, lengths, strict=False)]
        replies = list(map(self.cache.young.get, queries))
        return self._write(
            [reply or self._miss(index, queries[index]) for index, reply in enumerate(replies)]
        )

    def _answer_by_source(self, lengths: list[int], origins: Sequence[int | bytes]) -> list[int]:
        """Do the same where strangers get only so many replies, or others than the LAN."""
        return self._write(
            [
                self._fetch(index, length, origin)
                for index, (length, origin) in enumerate(zip(lengths, origins, strict=True))
            ]
        )

    def _write(self, replies: Sequence[bytes]) -> list[int]:
        memory, sizes = self._batch.memory, list(map(len, replies))
        for at, size, reply in zip(_BEHIND_ID, sizes, replies, strict=False):
            memory[at : at + size] = reply
        return [size and size + 2 for size in sizes]

    def _judged(self, index: int, length: int, origin: int | bytes) -> bytes:
        """Answer one source that may be limited; a good cookie lifts the limit (RFC 7873 5.2.4)."""
        serving = self._serving
        source, _ = self._batch.source(index)
        local = serving.is_local(source)
        if local and not serving.limit_lan:
            if len(self._free) >= KNOWN:
                self._free.clear()
            self._free.add(origin)
            return self._miss(index, self._query(index, length))
        verdict = serving.limiter.judge(source, time.monotonic()) if serving.limiter else Verdict.SEND
        if verdict is Verdict.SEND:
            return self._miss(index, self._query(index, length), local=local)
        start = index * SLOT
        message = self._batch.memory[start : start + length]
        outcome = serving.responder.decide(message, Client(source, local, doubted=True), time.time())
        if outcome.reply is None or (verdict is Verdict.DROP and not outcome.known):
            return b""
        return outcome.reply[2:]

    def _query(self, index: int, length: int) -> bytes:
        """Return a query of the batch behind its ID."""
        return self._batch.memory[index * SLOT + 2 : index * SLOT + length]

    def _miss(self, index: int, query: bytes, *, local: bool = True) -> bytes:
        """Return a reply behind its ID from a cache or the responder; empty for none."""
        cache = self.cache if local else self._strangers
        reply = cache.get(query)
        if reply is not None:
            return reply
        reply = self._serving.responder.respond_quickly(query, local=local)
        if reply is not None:
            cache.put(query, reply)
            return reply
        start = index * SLOT
        message = self._batch.memory[start : start + 2] + query
        source, port = self._batch.source(index)
        outcome = self._serving.responder.decide(message, Client(source, local), time.time())
        if outcome.relay is not None:
            self._relay(outcome.relay, source, port)
        if outcome.reply is None or len(outcome.reply) > SLOT:
            return b""
        reply = outcome.reply[2:]
        if outcome.keep:
            cache.put(query, reply)
        return reply

    def _relay(self, query: Query, source: bytes, port: int) -> None:
        task = asyncio.get_running_loop().create_task(self._relayed(query, source, port))
        self._relaying.add(task)
        task.add_done_callback(self._relaying.discard)

    async def _relayed(self, query: Query, source: bytes, port: int) -> None:
        relay = self._serving.relay
        if relay is None:
            return
        reply = await relay.resolve(query)
        if len(reply) > self._serving.responder.udp_limit(query):
            reply = self._serving.responder.cut(query)
        try:
            self.sock.sendto(reply, (socket.inet_ntop(self.sock.family, source), port))
        except OSError:
            return  # the client is gone, or the network is full

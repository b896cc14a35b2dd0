"""Connections as asyncio transports, plain and TLS: Python's own TLS client is the oracle, on a pair of sockets."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import weakref
from collections.abc import Awaitable, Callable

import pytest

from netprov.pki.store import Store
from netprov.runtime.net.poll import Poller
from netprov.runtime.web.handshake import Handshakes
from netprov.runtime.web.stream import Stream
from netprov.runtime.web.tls import ServerTls
from netprov.runtime.web.tls_layer import TlsLayer
from tests.pki.conftest import plan as a_plan

HOST = "pr1.example.com"
LONG = bytes(range(256)) * 4096
"""A MiB: many records, and more than a socket takes at once."""


class Keeps(asyncio.Protocol):
    """Keeps what comes; `answer` is what it does with it."""

    def __init__(self, answer: Callable[[Stream, bytes], None]) -> None:
        self.answer = answer
        self.lost = asyncio.Event()
        self.error: Exception | None = None
        self.paused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, Stream)
        self.stream = transport

    def data_received(self, data: bytes) -> None:
        self.answer(self.stream, data)

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self.paused += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = exc
        self.lost.set()
        del self.stream


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    store = Store(tmp_path_factory.mktemp("pki"))
    store.ensure(a_plan(), 1_790_000_000.0)
    return ServerTls(store, a_plan()).context_from(None)


Scenario = Callable[[socket.socket, Keeps], Awaitable[None]]


def with_stream(
    answer: Callable[[Stream, bytes], None], scenario: Scenario, context: ssl.SSLContext | None = None
) -> Keeps:
    """Give a stream one end of a pair of sockets and the scenario the other."""
    protocol: list[Keeps] = []

    async def go() -> None:
        poller = Poller()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.settimeout(20)
        protocol.append(Keeps(answer))

        def connected(sock: socket.socket, tls: TlsLayer | None = None) -> None:
            there = ("", 0)
            stream = Stream(sock, poller, tls=tls, peer=there, local=there, closed=lambda _: None)
            stream.begin(protocol[0])

        def failed(reason: str, _: bytes) -> None:
            raise AssertionError(reason)

        if context is None:
            connected(ours)
        else:
            handshakes = Handshakes(poller, lambda: 0.0, most=1, timeout=20)
            handshakes.begin(ours, context, connected, failed)
        with theirs:
            async with asyncio.timeout(20):
                await scenario(theirs, protocol[0])
                theirs.close()
                await protocol[0].lost.wait()
        poller.close()

    asyncio.run(go())
    return protocol[0]


def client(sock: socket.socket) -> ssl.SSLSocket:
    """Shake hands; one end without a closing alert is an error for this client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Python's own contexts pass over it where OpenSSL 3 would not.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context.wrap_socket(sock, suppress_ragged_eofs=False)


def read_all(sock: socket.socket) -> bytes:
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def ask_and_read(sock: socket.socket) -> bytes:
    with client(sock) as tls:
        tls.sendall(b"ask")
        return read_all(tls)


@pytest.mark.parametrize("size", [1, 16384, 16385, 100_000, len(LONG)])
@pytest.mark.parametrize("piece", [4096, 1 << 20])
def test_reply_over_tls_arrives_whole_and_ends_with_a_closing_alert(
    context: ssl.SSLContext, size: int, piece: int
) -> None:
    def answer(stream: Stream, _: bytes) -> None:
        for at in range(0, size, piece):
            stream.write(LONG[at : min(at + piece, size)])
        stream.close()

    async def scenario(sock: socket.socket, _: Keeps) -> None:
        assert await asyncio.to_thread(ask_and_read, sock) == LONG[:size]

    with_stream(answer, scenario, context)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("size", [0, 2000, len(LONG)])
def test_last_reply_arrives_whole_with_the_end_behind_it(
    context: ssl.SSLContext, size: int, *, secure: bool
) -> None:
    async def scenario(sock: socket.socket, _: Keeps) -> None:
        def plain(sock: socket.socket) -> bytes:
            sock.sendall(b"ask")
            return read_all(sock)

        assert await asyncio.to_thread(ask_and_read if secure else plain, sock) == LONG[:size]

    with_stream(lambda stream, _: stream.end(LONG[:size]), scenario, context if secure else None)


def test_aborted_reply_has_no_closing_alert(context: ssl.SSLContext) -> None:
    """RFC 8446 section 6.1: without one the client knows that what it has may not be all."""

    def answer(stream: Stream, _: bytes) -> None:
        stream.write(b"half")
        stream.abort()

    async def scenario(sock: socket.socket, _: Keeps) -> None:
        with pytest.raises(ssl.SSLError, match=r"(?i)eof"):
            await asyncio.to_thread(ask_and_read, sock)

    with_stream(answer, scenario, context)


def test_long_request_over_tls_comes_in_its_order(context: ssl.SSLContext) -> None:
    came = bytearray()

    def answer(stream: Stream, data: bytes) -> None:
        came.extend(data)
        if len(came) == len(LONG):
            stream.end(b"all")

    async def scenario(sock: socket.socket, _: Keeps) -> None:
        def send() -> bytes:
            with client(sock) as tls:
                tls.sendall(LONG)
                return read_all(tls)

        assert await asyncio.to_thread(send) == b"all"

    with_stream(answer, scenario, context)
    assert came == LONG


def test_what_came_while_reading_was_paused_is_given_when_it_goes_on(context: ssl.SSLContext) -> None:
    """Both requests are in one segment: the socket has nothing to tell any more, OpenSSL does."""
    came: list[bytes] = []

    def answer(stream: Stream, data: bytes) -> None:
        came.append(data)
        if len(came) == 1:
            stream.pause_reading()
            asyncio.get_running_loop().call_later(0, stream.resume_reading)
        else:
            stream.end(b"both")

    async def scenario(sock: socket.socket, _: Keeps) -> None:
        def send() -> bytes:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname = False
            trusting.verify_mode = ssl.CERT_NONE
            tls = trusting.wrap_bio(incoming, outgoing)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    sock.sendall(outgoing.read())
                    incoming.write(sock.recv(65536))
            tls.write(b"one")
            tls.write(b"two")
            sock.sendall(outgoing.read())
            while True:
                try:
                    return tls.read()
                except ssl.SSLWantReadError:
                    incoming.write(sock.recv(65536))

        assert await asyncio.to_thread(send) == b"both"

    with_stream(answer, scenario, context)
    assert came == [b"one", b"two"]


def test_client_that_does_not_read_pauses_the_protocol(context: ssl.SSLContext) -> None:
    async def scenario(sock: socket.socket, protocol: Keeps) -> None:
        def send() -> None:
            with client(sock) as tls:
                tls.sendall(b"ask")
                while not protocol.paused:
                    tls.sendall(b"more")

        await asyncio.to_thread(send)

    def answer(stream: Stream, _: bytes) -> None:
        if stream.get_write_buffer_size() < len(LONG):
            stream.write(LONG)

    assert with_stream(answer, scenario, context).paused > 0


def test_octets_that_are_no_records_end_the_connection_with_an_alert(context: ssl.SSLContext) -> None:
    async def scenario(sock: socket.socket, protocol: Keeps) -> None:
        def send() -> bytes:
            tls = client(sock)
            tls.sendall(b"ask")
            assert tls.recv(100) == b"told"
            with socket.socket(fileno=tls.detach()) as plain:
                plain.settimeout(20)
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                return read_all(plain)

        assert await asyncio.to_thread(send) != b""
        await protocol.lost.wait()
        assert isinstance(protocol.error, ssl.SSLError)

    with_stream(lambda stream, _: stream.write(b"told"), scenario, context)


def test_closed_connection_leaves_the_collector_nothing(context: ssl.SSLContext) -> None:
    gc.collect()
    gc.disable()
    try:
        streams: list[weakref.ref[Stream]] = []

        def answer(stream: Stream, _: bytes) -> None:
            streams.append(weakref.ref(stream))
            stream.end(b"all")

        async def scenario(sock: socket.socket, _: Keeps) -> None:
            assert await asyncio.to_thread(ask_and_read, sock) == b"all"

        with_stream(answer, scenario, context)
        assert [each() for each in streams] == [None]
    finally:
        gc.enable()

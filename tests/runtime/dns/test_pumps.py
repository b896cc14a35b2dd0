"""The pumps on loopback: batches, pipelining, limits, slow readers, swaps."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest

from netprov.dns.config import DnsConfig
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.dns.server.rate import Limit
from netprov.runtime.dns.forward import Relay
from netprov.runtime.dns.serving import ServingState, make
from netprov.runtime.dns.tcp import Connection, TcpLimits, TcpServer
from netprov.runtime.dns.udp import UdpPump, open_udp
from netprov.runtime.net import mmsg
from tests.dns.wire import Wire
from tests.dns.zones import STAGING, zone

ZONE = zone(STAGING + "".join(f'big TXT "{index:03}{"x" * 250}"\n' for index in range(200)))
LOOPBACK = IPv4Address("127.0.0.1")
CONFIG = DnsConfig((ZONE,), (LOOPBACK,), networks=(IPv4Network("127.0.0.0/8"),), limit=Limit())


def query(name: str, type_: str = "A", id_: int = 1) -> bytes:
    return dns.message.make_query(name, type_, id=id_).to_wire()


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def answer(message: bytes) -> bytes:
    reply = Responder([ZONE]).respond(message, Client())
    assert reply is not None
    return reply


@pytest.mark.parametrize("kind", [mmsg.MmsgBatch, mmsg.PlainBatch])
def test_more_queries_than_a_batch_holds_are_all_answered(
    kind: Callable[[socket.socket], mmsg.Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("netprov.runtime.dns.udp.batch", kind)

    async def test() -> None:
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), make(CONFIG, bytes(16)))
        pump.start()
        names = ["pr1.example.com", "nowhere.example.com", "example.org", "pr2.example.com"]
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as client:
            client.connect(pump.sock.getsockname())
            expected = {}
            for index in range(150):
                message = query(names[index % 4], "A", index)
                expected[index] = answer(message)
                client.send(message if index % 10 else b"\x00" * 5)
            for _ in range(135):
                reply = await asyncio.get_running_loop().sock_recv(client, 4096)
                index = int.from_bytes(reply[:2], "big")
                assert dns.message.from_wire(expected[index]) == dns.message.from_wire(reply)
        pump.stop()

    run(test)


def test_ipv6_source_is_read_back() -> None:
    with closing(open_udp("::1", 0, shared=False)) as server:
        with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as client:
            client.connect(server.getsockname()[:2])
            client.send(b"hello")
            batch = mmsg.batch(server)
            assert batch.receive() == [5]
            assert batch.source(0) == (socket.inet_pton(socket.AF_INET6, "::1"), client.getsockname()[1])
            batch.send([5])
            assert client.recv(16) == b"hello"


def test_swap_drops_cached_replies() -> None:
    async def test() -> None:
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), make(CONFIG, bytes(16)))
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
            client.connect(pump.sock.getsockname())
            client.settimeout(5)
            for text, expected in (
                (STAGING, b"\x0a\x14\x00\x0b"),
                (STAGING.replace("0.11", "0.99"), b"\x0a\x14\x00\x63"),
            ):
                pump.swap(ServingState(Responder([zone(text)]), lambda _: True))
                for _ in range(2):
                    client.send(query("pr1.example.com"))
                    pump.drain()
                    assert client.recv(512).endswith(expected)
        pump.sock.close()

    run(test)


def test_foreign_source_over_its_rate_is_dropped_or_sent_to_tcp() -> None:
    config = DnsConfig((ZONE,), (LOOPBACK,), limit=Limit(rate=5), limit_lan=True)

    async def test() -> None:
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), make(config, bytes(16)))
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as client:
            client.connect(pump.sock.getsockname())
            for index in range(60):
                client.send(query("pr1.example.com", "A", index))
            pump.drain()
            replies = []
            while True:
                try:
                    replies.append(client.recv(512))
                except BlockingIOError:
                    break
        pump.sock.close()
        truncated = [reply for reply in replies if reply[2] & 2]
        assert len(replies) - len(truncated) == 10
        assert len(truncated) == 25

    run(test)


@pytest.mark.parametrize("limit", [None, Limit()])
def test_own_names_are_kept_while_forwarding_for_the_lan_and_for_strangers_each(limit: Limit | None) -> None:
    config = DnsConfig((ZONE,), (LOOPBACK,), forward=(LOOPBACK,), limit=limit)

    async def test() -> None:
        serving = make(config, bytes(16))
        serving = replace(serving, is_local=lambda packed: packed == LOOPBACK.packed)
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), serving)
        sizes = []
        for host, flags in (("127.0.0.1", "QR AA RD RA"), ("127.0.0.2", "QR AA RD")):
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
                client.bind((host, 0))
                client.connect(pump.sock.getsockname())
                client.settimeout(5)
                for index in range(6):
                    name = ("pr1.example.com", "_ciscoprov-https._tls.example.com")[index % 2]
                    client.send(query(name, ("A", "SRV")[index % 2], index))
                    pump.drain()
                    reply = dns.message.from_wire(client.recv(512))
                    assert dns.flags.to_text(reply.flags) == flags
                    assert reply.answer
            sizes.append((len(pump.cache.young), len(pump._strangers.young)))
        assert sizes == [(2, 0), (2, 2)]
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with closing(client):
            client.bind(("127.0.0.2", 0))
            client.connect(pump.sock.getsockname())
            client.send(query("www.example.net"))
            pump.drain()
            assert client.recv(512)[3] & 15 == dns.rcode.REFUSED
        pump.sock.close()

    run(test)


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *messages: bytes
) -> list[bytes]:
    writer.write(b"".join(len(each).to_bytes(2, "big") + each for each in messages))
    return [await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")) for _ in messages]


async def tcp_server(config: DnsConfig = CONFIG, **limits: Any) -> tuple[TcpServer, int]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = TcpServer(make(config, bytes(16)), lambda _: None, limits=TcpLimits(**limits))
    await server.bind("127.0.0.1", port)
    await server.listen()
    return server, port


def test_tcp_queries_are_pipelined_and_may_come_in_pieces() -> None:
    async def test() -> None:
        server, port = await tcp_server()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        messages = [query("pr1.example.com", "A", index) for index in range(50)]
        assert [answer(each) for each in messages] == await exchange(reader, writer, *messages)
        framed = len(messages[0]).to_bytes(2, "big") + messages[0]
        for octet in framed:
            writer.write(bytes([octet]))
            await writer.drain()
        length = int.from_bytes(await reader.readexactly(2), "big")
        assert answer(messages[0]) == await reader.readexactly(length)
        writer.close()
        await server.close()

    run(test)


def test_length_and_reply_leave_in_one_write_rfc_7766_8() -> None:
    async def test() -> None:
        wire = Wire()
        connection = Connection(TcpServer(make(CONFIG, bytes(16)), lambda _: None))
        connection.connection_made(wire)
        message = query("pr1.example.com")
        framed = len(message).to_bytes(2, "big") + message
        for octet in framed:
            connection.data_received(bytes([octet]))
        expected = answer(message)
        assert wire.writes == [len(expected).to_bytes(2, "big") + expected]
        connection.connection_lost(None)

    run(test)


def test_replies_before_a_message_that_gets_none_are_sent_and_the_stream_ends_rfc_7766_6_2_4() -> None:
    async def test() -> None:
        server, port = await tcp_server()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        good, response = query("pr1.example.com"), b"\x00\x01\x80\x00" + bytes(8)
        for message in (good, good, response, good):
            writer.write(len(message).to_bytes(2, "big") + message)
        expected = answer(good)
        assert await reader.read() == (len(expected).to_bytes(2, "big") + expected) * 2
        writer.close()
        await server.close()

    run(test)


def test_client_that_shuts_its_end_gets_what_it_asked_for() -> None:
    async def test() -> None:
        server, port = await tcp_server()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        message = query("big.example.com", "TXT")
        writer.write(len(message).to_bytes(2, "big") + message)
        writer.write_eof()
        assert len(await reader.read()) > 50_000
        writer.close()
        await server.close()

    run(test)


def test_connections_of_one_client_are_capped_and_silent_ones_end() -> None:
    async def test() -> None:
        server, port = await tcp_server(per_client=2, idle=0.2)
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for reader, _ in connections:
            try:
                assert await reader.read() == b""
            except ConnectionResetError:
                continue
        for _, writer in connections:
            writer.close()
        await server.close()

    run(test)


def test_client_that_does_not_read_is_dropped_and_others_are_answered() -> None:
    async def test() -> None:
        server, port = await tcp_server(idle=0.5)
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", port))
        slow.setblocking(False)
        message = query("big.example.com", "TXT")
        loop = asyncio.get_running_loop()
        with closing(slow):
            sending = loop.create_task(
                loop.sock_sendall(slow, (len(message).to_bytes(2, "big") + message) * 5000)
            )
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(5):
                assert len(await exchange(reader, writer, query("pr1.example.com"))) == 1
            with pytest.raises(ConnectionError):
                await sending
                while True:
                    await loop.sock_sendall(slow, b"\x00" * 65536)
        writer.close()
        await server.close()

    run(test)


def test_what_is_not_ours_is_asked_upstream_for_the_lan_and_remembered() -> None:
    async def test() -> None:
        upstream, port = await tcp_server()
        asked = UdpPump(open_udp("127.0.0.1", port, shared=False), make(CONFIG, bytes(16)))
        asked.start()
        forwarding = DnsConfig((), (LOOPBACK,), networks=CONFIG.networks, forward=(LOOPBACK,))
        serving = make(forwarding, bytes(16))
        serving = ServingState(serving.responder, serving.is_local, relay=Relay([LOOPBACK], port=port))
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), serving)
        pump.start()
        loop = asyncio.get_running_loop()
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as client:
            client.connect(pump.sock.getsockname())
            for index, name in enumerate(("PR1.example.com", "pr1.example.com", "nowhere.example.com")):
                client.send(query(name, "A", index))
                reply = dns.message.from_wire(await loop.sock_recv(client, 4096))
                expected = dns.message.from_wire(answer(query(name, "A", index)))
                assert (expected.id, expected.question, expected.answer) == (
                    reply.id,
                    reply.question,
                    reply.answer,
                )
                assert dns.flags.to_text(reply.flags) == "QR RD RA"
            # A reply that UDP cannot hold comes from upstream over TCP, and sends the client there.
            client.send(query("big.example.com", "TXT"))
            assert dns.message.from_wire(await loop.sock_recv(client, 4096)).flags & dns.flags.TC
            asked.stop()
            await upstream.close()
            client.send(query("pr1.example.com", "A", 9))
            assert dns.message.from_wire(await loop.sock_recv(client, 4096)).answer
            client.send(query("unknown.example.com", "A", 9))
            assert (await loop.sock_recv(client, 4096))[3] & 15 == 2
        pump.stop()

    run(test)

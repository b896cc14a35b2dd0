"""Floods on loopback: memory stays bounded, and a normal client is answered all the while."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from random import Random

import dns.message

from netprov.runtime.dns.serving import make
from netprov.runtime.dns.udp import UdpPump, open_udp
from tests.runtime.dns.test_pumps import CONFIG, exchange, query, run, tcp_server


def test_random_names_do_not_fill_memory_or_silence_others() -> None:
    async def test() -> None:
        loop, random = asyncio.get_running_loop(), Random(1)
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), make(CONFIG, bytes(16)), cached=500)
        pump.start()
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        with (
            closing(socket.socket(socket.AF_INET, kind)) as flood,
            closing(socket.socket(socket.AF_INET, kind)) as client,
        ):
            flood.connect(pump.sock.getsockname())
            client.connect(pump.sock.getsockname())
            plain = query("example.com")
            for _ in range(200):
                for _ in range(50):
                    label = random.randbytes(8).hex().encode()
                    flood.send(plain[:12] + b"\x10" + label + plain[12:])
                client.send(query("pr1.example.com"))
                reply = dns.message.from_wire(await loop.sock_recv(client, 512))
                assert reply.answer[0][0].to_text() == "10.20.0.11"
            assert len(pump.cache.young) + len(pump.cache.old) <= 1000
        pump.stop()

    run(test)


def test_connections_that_never_finish_a_query_do_not_shut_others_out() -> None:
    async def test() -> None:
        server, port = await tcp_server(connections=40)
        loop = asyncio.get_running_loop()
        held = []
        for index in range(120):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            sock.bind((f"127.0.0.{2 + index % 8}", 0))
            await loop.sock_connect(sock, ("127.0.0.1", port))
            await loop.sock_sendall(sock, b"\x00\x40half")
            held.append(sock)
            if index % 20 == 0:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                assert len(await exchange(reader, writer, query("pr1.example.com"))) == 1
                writer.close()
        assert len(server._connections) <= 40
        for sock in held:
            sock.close()
        await server.close()

    run(test)

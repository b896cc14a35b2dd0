"""Floods on loopback: memory stays bounded, and a normal client is answered all the while."""

from __future__ import annotations

import asyncio
import mmap
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from random import Random

import dns.message
import pytest

from netprov.runtime.dns.serving import make
from netprov.runtime.dns.udp import ANSWERED, BATCHES, UdpPump, open_udp
from netprov.runtime.net import mmsg
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


PHONE, FLOODS = 50, (7, 8, 9)


class Crowd:
    """A socket on which more is always waiting: in each batch one query of a phone, the rest of three others."""

    def __init__(self, _: socket.socket) -> None:
        self.memory = mmap.mmap(-1, mmsg.SLOTS * mmsg.SLOT)
        self.senders = [FLOODS[slot % 3] for slot in range(mmsg.SLOTS - 1)] + [PHONE]
        self.answered: Counter[int] = Counter()

    def receive(self) -> list[int]:
        message = query("pr1.example.com")
        for slot in range(mmsg.SLOTS):
            self.memory[slot * mmsg.SLOT : slot * mmsg.SLOT + len(message)] = message
        return [len(message)] * mmsg.SLOTS

    def source(self, index: int) -> tuple[bytes, int]:
        return bytes((127, 0, 0, self.senders[index])), 5300

    def sources(self, count: int) -> list[bytes]:
        return [bytes((0, 53, 127, 0, 0, sender)) for sender in self.senders[:count]]

    def origins(self, count: int) -> list[int]:
        return self.senders[:count]

    def is_overfull(self) -> bool:
        return True

    def is_backed_up(self) -> bool:
        return False

    def send(self, lengths: Sequence[int]) -> None:
        self.answered.update(sender for sender, length in zip(self.senders, lengths, strict=True) if length)


def test_where_more_is_asked_than_answered_each_source_has_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netprov.runtime.dns.udp.batch", Crowd)

    async def test() -> None:
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), make(CONFIG, bytes(16)))
        crowd = pump._batch
        assert isinstance(crowd, Crowd)
        for turn in range(1, 6):
            before, told = crowd.answered.copy(), (pump.received, pump.shed)
            pump.drain()
            asked = (pump.received - told[0]) // mmsg.SLOTS
            assert crowd.answered[PHONE] - before[PHONE] == asked  # every one, however many others there are
            if turn > 2:
                assert pump.shed > told[1]
            assert pump.received == crowd.answered.total() + pump.shed
        pump.sock.close()

    run(test)


class MadeUp(Crowd):
    """A socket on which made-up names are always waiting, some of them in the name of a phone, which asks for one there is."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.senders = [*FLOODS, *[PHONE] * (mmsg.SLOTS - len(FLOODS))]
        self.made = 0
        self.batches = 0
        self.replies = 0

    def receive(self) -> list[int]:
        lengths = []
        for slot in range(mmsg.SLOTS):
            self.made += 1
            last = slot == mmsg.SLOTS - 1
            message = query("pr1.example.com" if last else f"n{self.made}.example.com")
            self.memory[slot * mmsg.SLOT : slot * mmsg.SLOT + len(message)] = message
            lengths.append(len(message))
        self.batches += 1
        return lengths

    def send(self, lengths: Sequence[int]) -> None:
        super().send(lengths)
        self.replies += bool(lengths[-1])


def test_names_that_there_are_are_answered_whoever_makes_up_others_and_in_whose_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("netprov.runtime.dns.udp.batch", MadeUp)

    async def test() -> None:
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), make(CONFIG, bytes(16)))
        crowd = pump._batch
        assert isinstance(crowd, MadeUp)
        for turn in range(5):
            batches, before, shed = crowd.batches, crowd.replies, pump.shed
            pump.drain()
            assert crowd.replies - before == crowd.batches - batches
            if turn:
                made_up = (crowd.batches - batches) * (mmsg.SLOTS - 1)
                assert made_up - (pump.shed - shed) <= ANSWERED
        pump.sock.close()

    run(test)


class Busy(MadeUp):
    """A resolver that waits for each answer, with so many questions under way that something is always there."""

    def is_overfull(self) -> bool:
        return False


def test_a_busy_resolver_is_answered_all_that_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netprov.runtime.dns.udp.batch", Busy)

    async def test() -> None:
        pump = UdpPump(open_udp("127.0.0.1", 0, shared=False), make(CONFIG, bytes(16)))
        for turn in range(1, 6):
            pump.drain()
            assert (pump.received, pump.shed) == (turn * BATCHES * mmsg.SLOTS, 0)
        pump.sock.close()

    run(test)


def test_a_receive_buffer_is_overfull_before_the_kernel_drops() -> None:
    with (
        closing(open_udp("127.0.0.1", 0, shared=False)) as sock,
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client,
    ):
        client.connect(sock.getsockname())
        found = mmsg.batch(sock)
        for _ in range(50):
            client.send(bytes(40))
        assert not found.is_overfull()
        for _ in range(50_000):
            client.send(bytes(40))
        assert found.is_overfull()
        while found.receive():
            pass
        assert not found.is_overfull()


@pytest.mark.parametrize(
    ("octets", "there"),
    [
        (query("pr1.example.com")[2:], True),
        (query("PR1.Example.COM")[2:], True),
        (query("example.com")[2:], True),
        (query("pr9.example.com")[2:], False),
        (query("pr1.example.org")[2:], False),
        (b"", False),
        (bytes(10), False),
        (bytes(11), False),
        (b"\xff" * 40, False),
    ],
)
def test_name_of_a_query_is_known_if_a_zone_has_it(octets: bytes, *, there: bool) -> None:
    assert make(CONFIG, bytes(16)).responder.knows(octets) == there

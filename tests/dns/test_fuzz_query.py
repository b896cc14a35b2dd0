"""Mutated queries through the pumps, over UDP and framed for TCP; dnspython says what each reply may be.

`make fuzz` raises their number to a million for each transport.
"""

from __future__ import annotations

import asyncio
import mmap
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from random import Random
from types import SimpleNamespace

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest

from netprov.runtime.dns import tcp as dns_tcp
from netprov.runtime.dns import udp as dns_udp
from netprov.runtime.dns.serving import ServingState
from netprov.runtime.dns.tcp import Connection, TcpServer
from netprov.runtime.dns.udp import UdpPump, open_udp
from netprov.runtime.net.mmsg import SLOT, SLOTS
from tests.dns.mutation import COUNT, RESPONDER, mutations, seeds
from tests.dns.wire import Wire

pytestmark = pytest.mark.fuzz

SERVING = ServingState(RESPONDER, lambda _: True)
UNSAID = {dns.rcode.FORMERR, dns.rcode.NOTIMP}
"""What a message whose question cannot be trusted is answered."""


@pytest.fixture(autouse=True)
def _long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock at the time at which the good queries were signed."""
    clock = SimpleNamespace(time=lambda: 0.0, monotonic=time.monotonic)
    monkeypatch.setattr(dns_udp, "time", clock)
    monkeypatch.setattr(dns_tcp, "time", clock)


def judge(message: bytes, reply: bytes, *, limit: int) -> None:
    """Hold a reply against its query: RFC 1035 4.1.1 and 7.3, RFC 6891 6.1.1, RFC 8945 5.3; it parses to its end."""
    assert not message[2] & 0x80, "a response was answered"
    assert len(reply) <= limit
    assert reply[:2] == message[:2]
    assert (message[2] ^ reply[2]) & 0x78 == 0, "the opcode is copied"
    is_query = message[2] & 0x78 == 0
    assert (reply[2] & 0x01, reply[3] & 0x10) == (
        (message[2] & 0x01, message[3] & 0x10) if is_query else (0, 0)
    )
    assert reply[2] & 0x80
    if dns.opcode.from_flags(int.from_bytes(message[2:4], "big")) != dns.opcode.UPDATE:
        dns.message.from_wire(reply, one_rr_per_rrset=True, keyring=False)
    asked = question(message)
    if reply[4:6] == b"\x00\x01":
        assert asked
        assert reply[12 : 12 + len(asked)] == asked, "the question is echoed in its own spelling"
    else:
        assert reply[4:6] == b"\x00\x00"
        assert not asked or reply[3] & 15 in UNSAID, "the question is missing"
    good = parsed(message)
    if good is not None and good.opcode() == dns.opcode.QUERY:
        assert bool(asked) == (reply[4:6] == b"\x00\x01"), "what could be read comes back"
        assert good.edns < 0 or not asked or reply[10:12] != b"\x00\x00", "OPT answers OPT (RFC 6891 6.1.1)"


def parsed(message: bytes) -> dns.message.Message | None:
    """Return what dnspython reads of a message, None if it refuses it."""
    try:
        return dns.message.from_wire(message, keyring=False, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):
        return None


def question(message: bytes) -> bytes:
    """Return the octets of the one question of a message, found without any codec; empty for anything else."""
    if message[4:6] != b"\x00\x01":
        return b""
    end = 12
    while end < len(message) and 0 < message[end] < 64:
        end += 1 + message[end]
    return message[12 : end + 5] if message[end : end + 1] == b"\x00" and end + 5 <= len(message) else b""


class Slots:
    """A batch without a socket: what is put in comes out as replies."""

    def __init__(self, _: object) -> None:
        self.memory = mmap.mmap(-1, SLOTS * SLOT)
        self.waiting: list[bytes] = []
        self.replies: list[bytes] = []

    def receive(self) -> list[int]:
        """Take in what waits."""
        taken, self.waiting = self.waiting[:SLOTS], self.waiting[SLOTS:]
        for index, message in enumerate(taken):
            self.memory[index * SLOT : index * SLOT + len(message)] = message
        return list(map(len, taken))

    def source(self, _: int) -> tuple[bytes, int]:
        """Return where all come from."""
        return b"\x7f\x00\x00\x01", 53

    def origins(self, count: int) -> Sequence[int | bytes]:
        """Return the same."""
        return [b"\x7f\x00\x00\x01"] * count

    def is_backed_up(self) -> bool:
        """Return that all has left."""
        return False

    def send(self, lengths: Sequence[int]) -> None:
        """Keep the replies."""
        self.replies += [
            self.memory[index * SLOT : index * SLOT + length] for index, length in enumerate(lengths)
        ]


def test_fuzz_mutated_queries_over_udp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_udp, "batch", Slots)
    with closing(open_udp("127.0.0.1", 0, shared=False)) as sock:
        pump = UdpPump(sock, SERVING)
        slots = pump._batch
        assert isinstance(slots, Slots)
        answered = 0
        for group in groups(mutations(Random(4), seeds(), COUNT), lambda: SLOTS):
            slots.waiting, slots.replies = list(group), []
            pump.drain()
            assert len(slots.replies) == len(group)
            for message, reply in zip(group, slots.replies, strict=True):
                if len(message) < 12 or message[2] & 0x80:
                    assert reply == b""
                else:
                    judge(message, reply, limit=1232 if message[10:12] != b"\x00\x00" else 512)
                    answered += 1
        assert COUNT // 2 < answered < pump.received == COUNT
        assert len(pump.cache.young) + len(pump.cache.old) <= 2 * dns_udp.CACHED


def groups(messages: Iterator[bytes], size: object) -> Iterator[list[bytes]]:
    """Yield messages in groups of `size()`."""
    assert callable(size)
    group: list[bytes] = []
    wanted = size()
    for message in messages:
        group.append(message)
        if len(group) >= wanted:
            yield group
            group, wanted = [], size()
    if group:
        yield group


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the messages of a stream, which ends with one (RFC 1035 4.2.2)."""
    while data:
        length = int.from_bytes(data[:2], "big")
        assert len(data) >= 2 + length
        yield data[2 : 2 + length]
        data = data[2 + length :]


def test_fuzz_mutated_queries_framed_for_tcp() -> None:
    random = Random(5)
    server = TcpServer(SERVING, lambda _: None)
    asked = 0

    def connect() -> tuple[Connection, Wire]:
        connection, wire = Connection(server), Wire()
        connection.connection_made(wire)
        return connection, wire

    async def test() -> None:
        nonlocal asked
        connection, wire = connect()
        for group in groups(mutations(random, seeds(), COUNT), lambda: random.choice((1, 1, 2, 5))):
            long = [each for each in group if len(each) > 1]
            marked = [index.to_bytes(2, "big") + each[2:] for index, each in enumerate(long)]
            stream = b"".join(len(each).to_bytes(2, "big") + each for each in marked)
            cut = random.randrange(len(stream) + 1)
            for piece in (stream[:cut], stream[cut:]):
                if piece and wire.open:
                    connection.data_received(piece)
            replies: dict[int, list[bytes]] = {}
            for reply in frames(bytes(wire.written)):
                replies.setdefault(int.from_bytes(reply[:2], "big"), []).append(reply)
            ended = False
            for index, message in enumerate(marked):
                hopeless = len(message) < 12 or message[2] & 0x80
                ended = ended or bool(hopeless)
                assert (index in replies) is not ended, message.hex()
                for reply in replies.get(index, ()):
                    judge(message, reply, limit=65535)
            assert wire.open is not ended
            asked += len(group)
            wire.written.clear()
            if ended:
                connection.connection_lost(None)
                connection, wire = connect()
        connection.connection_lost(None)

    asyncio.run(test())
    assert asked == COUNT
    assert not server._connections
    assert all(len(cache.young) + len(cache.old) <= 2 * dns_tcp.CACHED for cache in server.caches)

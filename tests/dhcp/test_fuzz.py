"""Mutated datagrams: no crash, no growth without bound, no answer to what must be ignored.

Ten datagrams for each of NETPROV_EXAMPLES: `make fuzz` gives the server a million. They are drawn by a plain random
number generator from fixed seeds, which is some hundred times quicker than hypothesis, so that a run can be repeated.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from resource import getpagesize
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from netprov.dhcp import message as dhcp
from netprov.dhcp.client import Client, Identity
from netprov.dhcp.lease import Bound, Declined, Released
from netprov.dhcp.message import Message, Type
from netprov.errors import Malformed
from netprov.machine import Dropped, Endpoint
from netprov.rate import MOST_CLIENTS
from tests.conftest import EXAMPLES
from tests.dhcp import oracle
from tests.dhcp.link import CLIENT, MAC, OTHER, STRANGER, Lan, octets, request

pytestmark = pytest.mark.fuzz

RELAY = Endpoint("10.30.0.1", 67, "lan0")
PHONE = {60: b"CP-8851-3PCC"}
DATAGRAMS = 10 * EXAMPLES
BLOCK = 1000
"""Datagrams drawn from one seed; sizes are looked at after each."""

SEEDS = [
    dhcp.encode(request(kind, mac, options, giaddr=giaddr, ciaddr=ciaddr))
    for mac in (MAC, OTHER, STRANGER)
    for kind, options, giaddr, ciaddr in (
        (Type.DISCOVER, PHONE | {55: bytes([1, 3, 6, 15, 66]), 57: b"\x05\xdc"}, 0, 0),
        (Type.DISCOVER, {82: b"\x01\x04port\x05\x04" + octets("10.30.0.0"), 61: b"\x01" + mac}, 0x0A1E0001, 0),
        (Type.DISCOVER, {118: octets("10.30.0.0")}, 0, 0),
        (Type.REQUEST, {50: octets("10.20.0.50"), 54: octets("10.20.0.1"), 77: b"\x03lab"}, 0, 0),
        (Type.REQUEST, PHONE | {50: octets("10.20.0.100"), 54: octets("10.20.0.1")}, 0, 0),
        (Type.REQUEST, PHONE | {50: octets("10.20.0.100")}, 0, 0),
        (Type.REQUEST, {50: octets("10.20.0.100"), 54: octets("10.20.0.2")}, 0, 0),
        (Type.REQUEST, {12: b"desk", 81: b"\x05\0\0\x04desk\0"}, 0, 0x0A140032),
        (Type.DECLINE, {50: octets("10.20.0.50"), 54: octets("10.20.0.1")}, 0, 0),
        (Type.RELEASE, {54: octets("10.20.0.1")}, 0, 0x0A140032),
        (Type.INFORM, {125: b"\x00\x00\x0d\xe9\x0a\x01\x03abc\x02\x03def", 52: b"\x03"}, 0, 0x0A140032),
        (None, {}, 0, 0),
    )
]  # fmt: skip

FIELDS = ((0, 1), (2, 1), (10, 2), (12, 4), (24, 4), (28, 6), (33, 1), (236, 4), (242, 1))
"""Offset and size of fields that decide: op, hlen, flags, ciaddr, giaddr, chaddr, its end, cookie, message type."""

VALUES = (
    bytes(6), b"\xff" * 6, MAC, OTHER, octets("10.20.0.100") + b"\0\0", octets("10.30.0.1") + b"\0\0",
    octets("192.168.0.1") + b"\0\0", b"\x02\0\0\0\0\0", b"\x01\x80\0\0\0\0",
)  # fmt: skip


def mutate(draw: Random, seeds: list[bytes] = SEEDS) -> bytes:
    """Return a request with up to five faults: fields and octets set, options put first, octets cut or put in."""
    choice, below = draw.choice, draw.randrange
    if below(20) == 0:
        return draw.randbytes(below(600))
    data = bytearray(choice(seeds))
    for _ in range(below(6)):
        match below(12):
            case 0 if below(3) == 0:
                del data[below(320) :]
            case 1 | 2:
                size = below(41)
                data[240:240] = bytes((1 + below(254), size)) + draw.randbytes(size)
            case 3:
                at = 236 + below(80)
                data[at:at] = draw.randbytes(1)
            case 4 | 5 | 6 | 7:
                at, size = choice(FIELDS)
                data[at : at + size] = choice(VALUES)[:size] if below(2) else draw.randbytes(size)
            case _:
                at = below(320)
                if at < len(data):
                    data[at] = below(256)
    return bytes(data)


def test_fuzz_server() -> None:
    lan, seen, known = Lan(), Counter[str](), set[bytes]()
    settled = 0
    for seed in range(max(1, DATAGRAMS // BLOCK)):
        draw = Random(seed)
        for _ in range(BLOCK):
            lan.now += 0.05
            seen[one(lan, mutate(draw), draw.choice((CLIENT, RELAY)), known)] += 1
        lan.server.handle_timer(lan.now)
        assert_bounded(lan)
        # What a process holds after some blocks is what it holds after all.
        settled = settled or (memory() if seed == 20 else 0)
    assert sum(seen.values()) >= DATAGRAMS
    assert not settled or memory() - settled < 16 << 20
    # It is not by being deaf that nothing wrong is said.
    assert min(seen[kind] for kind in ("OFFER", "ACK", "NAK")) > DATAGRAMS // 200, seen


def one(lan: Lan, data: bytes, source: Endpoint, known: set[bytes]) -> str:
    """Give the server a datagram, hold its answer against the oracle, and return what it was."""
    lan.server.receive(data, source, lan.now)
    events, replies = lan.server.events(), lan.server.datagrams_to_send()
    forbidden = oracle.silence(data, known)
    if not replies:
        assert not forbidden or not any(isinstance(event, Bound) for event in events), data.hex()
        assert all(data[0] == 1 for event in events if isinstance(event, (Bound, Declined, Released)))
        return forbidden or "silence"
    (reply,) = replies
    assert not forbidden, f"{forbidden}, yet answered: {data.hex()}"
    to = (reply.destination.address, reply.destination.port)
    fault = oracle.wrong(data, reply.data, to)
    assert not fault, f"{fault}: {data.hex()} answered {reply.data.hex()}"
    kind = Type(oracle.options(reply.data)[53][0])
    assert (kind is Type.ACK and data[12:16] != bytes(4)) or any(
        isinstance(event, Bound) for event in events
    ) == (kind is Type.ACK)
    known.add(oracle.identity(data, oracle.options(data)))
    return kind.name


def memory() -> int:
    """Return the octets of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def assert_bounded(lan: Lan) -> None:
    server = lan.server
    for table in server._tables.tables():
        assert len(table) <= 13
        assert len(table._offers) <= 13
        assert len(table._by_key) <= 13
        assert len(table._lapses) <= 1000
        assert len(table._alarms) <= 2048
    assert len(server._limit._counts) <= MOST_CLIENTS
    assert len(server.intake._servings) <= 8192
    assert len(server._overheard._told) <= 256


def test_fuzz_client() -> None:
    taken = Counter[str]()
    for seed in range(max(1, EXAMPLES)):
        draw = Random(seed)
        client = Client(Identity(MAC), lambda bits: 7)
        client.start(0.0)
        for _ in range(10):
            data = bytearray(mutate(draw, REPLIES if draw.randrange(3) else SEEDS))
            if len(data) > 8:
                data[0], data[4:8] = 2, (7).to_bytes(4, "big")
            client.receive(bytes(data), RELAY, 1.0)
            for event in client.events():
                if not isinstance(event, Dropped):
                    taken[type(event).__name__] += compare_taken(bytes(data))
            client.datagrams_to_send()
    assert not EXAMPLES >= 100 or min(taken["OfferReceived"], taken["Acquired"]) > 0, taken


def compare_taken(data: bytes) -> int:
    """Hold a reply that the client took against scapy, and count it: a BOOTREPLY to this client, with what it needs."""
    bootp = BOOTP(data)
    assert (bootp.op, bootp.xid, bootp.chaddr[: bootp.hlen]) == (2, 7, MAC)
    found: dict[str, Any] = dict(each[:2] for each in bootp[DHCP].options if isinstance(each, tuple))
    ours = oracle.options(data)
    if 52 in ours or any(isinstance(each, bytes) for each in bootp[DHCP].options):
        return 0  # scapy does not look into sname and file, and stops at an option that does not fit its type
    kind = found["message-type"]
    assert ours[53] == bytes([kind])
    assert kind in {2, 5, 6}
    if kind == 2:
        assert bootp.yiaddr != "0.0.0.0"
        assert found["server_id"] != "0.0.0.0"
    if kind == 5:
        assert found["lease_time"] > 0
        assert (bootp.yiaddr, bootp.ciaddr) != ("0.0.0.0", "0.0.0.0")
    return 1


REPLIES = [
    dhcp.encode(
        Message(
            op=2,
            xid=7,
            chaddr=MAC,
            yiaddr=0x0A140032,
            options={53: bytes([kind]), **times, 54: octets("10.20.0.1")},
        )
    )
    for kind, times in ((2, {}), (5, {51: b"\0\0\x0e\x10"}), (6, {}))
]


@given(data=st.binary(max_size=600))
def test_fuzz_message(data: bytes) -> None:
    head = dhcp.header(Message(op=1, xid=1, chaddr=MAC))
    try:
        message = dhcp.decode(head + data)
    except Malformed:
        return
    plain = message._replace(options={k: v for k, v in message.options.items() if k != 52})
    assert plain == dhcp.decode(dhcp.encode(plain))

"""Mutated datagrams: no crash, no growth without bound, no answer to what must be ignored.

`make fuzz` runs 100,000 examples of ten datagrams each.
"""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp import message as dhcp
from netprov.dhcp.client import Client, Identity
from netprov.dhcp.limit import MOST_CLIENTS
from netprov.dhcp.message import Message, Type
from netprov.errors import Malformed
from netprov.machine import Endpoint
from tests.dhcp.link import CLIENT, CONFIG, MAC, OTHER, Lan, octets, request

RELAY = Endpoint("10.30.0.1", 67, "lan0")

SEEDS = [
    dhcp.encode(request(kind, mac, options, giaddr=giaddr, ciaddr=ciaddr))
    for mac in (MAC, OTHER)
    for kind, options, giaddr, ciaddr in (
        (Type.DISCOVER, {55: bytes([1, 3, 6, 15, 66]), 60: b"CP-8851-3PCC", 57: b"\x05\xdc"}, 0, 0),
        (
            Type.DISCOVER,
            {82: b"\x01\x04port\x05\x04" + octets("10.30.0.0"), 61: b"\x01" + mac},
            0x0A1E0001,
            0,
        ),
        (Type.REQUEST, {50: octets("10.20.0.50"), 54: octets("10.20.0.1"), 77: b"\x03lab"}, 0, 0),
        (Type.REQUEST, {12: b"desk", 81: b"\x05\0\0\x04desk\0"}, 0, 0x0A140032),
        (Type.DECLINE, {50: octets("10.20.0.50"), 54: octets("10.20.0.1")}, 0, 0),
        (Type.RELEASE, {54: octets("10.20.0.1")}, 0, 0x0A140032),
        (Type.INFORM, {125: b"\x00\x00\x0d\xe9\x0a\x01\x03abc\x02\x03def", 52: b"\x03"}, 0, 0x0A140032),
        (None, {}, 0, 0),
    )
]

LAN = Lan()
BATCH = 10


def mutate(draw: Random) -> bytes:
    """Return a request with up to six faults: octets set, cut off, inserted, options put first."""
    data = bytearray(draw.choice(SEEDS))
    for _ in range(draw.randint(0, 6)):
        at, value = draw.randint(0, 320), draw.randint(0, 255)
        match draw.randint(0, 9):
            case 0:
                del data[at:]
            case 1 | 2:
                data[240:240] = bytes([max(1, value % 255), at % 41]) + bytes([value]) * (at % 41)
            case 3 | 4:
                data[max(at, 236) : max(at, 236)] = bytes([value])
            case _ if at < len(data):
                data[at] = value
    return bytes(data)


@given(seed=st.integers(0, 2**64 - 1))
def test_fuzz_server(seed: int) -> None:
    draw, server = Random(seed), LAN.server
    for _ in range(BATCH):
        LAN.now += 0.3
        data = mutate(draw)
        server.receive(data, draw.choice((CLIENT, RELAY)), LAN.now)
        server.events()
        assert_proper(data, [reply.data for reply in server.datagrams_to_send()])
    server.handle_timer(LAN.now)
    assert_bounded()


def assert_proper(data: bytes, replies: list[bytes]) -> None:
    """A reply answers a well-formed request of a type that has replies, with its xid, chaddr and giaddr."""
    if not replies:
        return
    asked, (answer,) = dhcp.decode(data), replies
    reply = dhcp.decode(answer)
    assert asked.op == 1
    assert asked.type in {Type.DISCOVER, Type.REQUEST, Type.INFORM}
    assert reply.type in {Type.OFFER, Type.ACK, Type.NAK}
    assert (reply.xid, reply.chaddr, reply.giaddr, reply.op) == (asked.xid, asked.chaddr, asked.giaddr, 2)
    assert 300 <= len(answer) <= 1472
    assert asked.chaddr in CONFIG.phones or 60 in asked.options or 61 in asked.options
    for option in (61, 82):
        assert reply.options.get(option) == asked.options.get(option)


def assert_bounded() -> None:
    server = LAN.server
    for table in server._tables.values():
        assert len(table) <= 13
        assert len(table._offers) <= 13
        assert len(table._lapses) <= 1000
        assert len(table._alarms) <= 1000
    assert len(server._limit._counts) <= MOST_CLIENTS
    assert len(server._intake._servings) <= 8192


@given(data=st.binary(max_size=600))
def test_fuzz_server_with_noise(data: bytes) -> None:
    server = Lan().server
    server.receive(data, CLIENT, 1000.0)
    assert server.datagrams_to_send() == []


@given(seed=st.integers(0, 2**64 - 1))
def test_fuzz_client(seed: int) -> None:
    draw = Random(seed)
    client = Client(Identity(MAC), lambda bits: 7)
    client.start(0.0)
    for _ in range(BATCH):
        data = bytearray(mutate(draw))
        if len(data) > 8:
            data[0], data[4:8] = 2, (7).to_bytes(4, "big")
        client.receive(bytes(data), RELAY, 1.0)
        client.events()
        client.datagrams_to_send()


@given(data=st.binary(max_size=600))
def test_fuzz_message(data: bytes) -> None:
    head = dhcp.header(Message(op=1, xid=1, chaddr=MAC))
    try:
        message = dhcp.decode(head + data)
    except Malformed:
        return
    assert dhcp.decode(
        dhcp.encode(message._replace(options={k: v for k, v in message.options.items() if k != 52}))
    )

"""Mutated datagrams: no crash, no growth without bound, no answer to what must be ignored.

`make fuzz` runs 100,000 examples of ten datagrams each.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp import message as dhcp
from netprov.dhcp.client import Client, Identity
from netprov.dhcp.limit import MOST_CLIENTS
from netprov.dhcp.message import Message, Type
from netprov.errors import Malformed
from netprov.machine import Endpoint
from tests.dhcp.link import CLIENT, CONFIG, MAC, OTHER, Lan, octets, request

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

mutation = st.one_of(
    st.tuples(st.just("set"), st.integers(0, 320), st.integers(0, 255)),
    st.tuples(st.just("cut"), st.integers(0, 320), st.just(0)),
    st.tuples(st.just("insert"), st.integers(236, 320), st.integers(0, 255)),
    st.tuples(st.just("option"), st.integers(1, 254), st.integers(0, 40)),
)
mutated = st.tuples(st.sampled_from(SEEDS), st.lists(mutation, max_size=6))

LAN = Lan()


def mutate(seed: bytes, mutations: list[tuple[str, int, int]]) -> bytes:
    data = bytearray(seed)
    for how, where, value in mutations:
        at = min(where, len(data))
        match how:
            case "set" if at < len(data):
                data[at] = value
            case "cut":
                del data[at:]
            case "insert":
                data[at:at] = bytes([value])
            case "option":
                data[240:240] = bytes([where, value]) + bytes([where ^ value]) * value
    return bytes(data)


@given(batch=st.lists(mutated, min_size=10, max_size=10), relayed=st.booleans())
def test_fuzz_server(batch: list[tuple[bytes, list[tuple[str, int, int]]]], relayed: bool) -> None:
    server = LAN.server
    source = Endpoint("10.30.0.1", 67, "lan0") if relayed else CLIENT
    for seed, mutations in batch:
        LAN.now += 0.3
        data = mutate(seed, mutations)
        server.receive(data, source, LAN.now)
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


@given(batch=st.lists(mutated, min_size=10, max_size=10))
def test_fuzz_client(batch: list[tuple[bytes, list[tuple[str, int, int]]]]) -> None:
    client = Client(Identity(MAC), lambda bits: 7)
    client.start(0.0)
    for seed, mutations in batch:
        data = bytearray(mutate(seed, mutations))
        if len(data) > 8:
            data[0], data[4:8] = 2, (7).to_bytes(4, "big")
        client.receive(bytes(data), Endpoint("10.20.0.1", 67), 1.0)
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

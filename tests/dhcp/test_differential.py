"""Messages and options as scapy reads and writes them: a list of cases both ways, and mutated octets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.fields import ByteField, FieldLenField, IntField, IPField, ShortField
from scapy.layers import dhcp as scapy

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message
from netprov.dhcp.option import table
from netprov.dhcp.option.kind import FLAG
from netprov.errors import Malformed
from tests.conftest import EXAMPLES
from tests.dhcp.link import MAC, ip, octets
from tests.dhcp.test_fuzz import mutate

PHONE = bytes.fromhex("001234ab45de")
COOKIE = "63825363"

CASES: list[tuple[str, Message, str, str]] = [
    (
        "DISCOVER of a phone",
        Message(1, 0x3903F326, PHONE, flags=0x8000, options={53: b"\1", 55: bytes([1, 3, 6, 15, 66]), 60: b"CP-8851-3PCC"}),
        "01010600 3903f326 00008000 00000000 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350101 37050103060f42 3c0c43502d383835312d33504343",
    ),
    (
        "OFFER with the options of a class",
        Message(
            2, 0x3903F326, PHONE, yiaddr=ip("10.20.0.100"), siaddr=ip("10.20.0.1"),
            options={
                53: b"\2", 54: octets("10.20.0.1"), 51: (3600).to_bytes(4, "big"), 1: octets("255.255.255.0"),
                66: b"10.20.0.1", 150: octets("10.20.0.1") + octets("10.20.0.2"),
            },
        ),
        "02010600 3903f326 00000000 00000000 0a140064 0a140001 00000000 001234ab45de 00000000000000000000",
        "350102 36040a140001 330400000e10 0104ffffff00 420931302e32302e302e31 96080a1400010a140002",
    ),
    (
        "REQUEST in SELECTING",
        Message(1, 1, PHONE, secs=4, options={53: b"\3", 50: octets("10.20.0.100"), 54: octets("10.20.0.1")}),
        "01010600 00000001 00040000 00000000 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350103 32040a140064 36040a140001",
    ),
    (
        "REQUEST in RENEWING, option 61 of RFC 4361",
        Message(1, 2, PHONE, ciaddr=ip("10.20.0.100"), options={53: b"\3", 61: b"\xff\0\0\0\1\0\3\0\1" + PHONE}),
        "01010600 00000002 00000000 0a140064 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350103 3d0fff0000000100030001001234ab45de",
    ),
    (
        "DISCOVER through a relay, option 82",
        Message(1, 3, PHONE, hops=1, giaddr=ip("10.30.0.1"), options={53: b"\1", 82: b"\1\4ge-0\5\4\x0a\x1e\0\0"}),
        "01010601 00000003 00000000 00000000 00000000 00000000 0a1e0001 001234ab45de 00000000000000000000",
        "350101 520c010467652d3005040a1e0000",
    ),
    (
        "ACK with an ACS in 43 and 125",
        Message(2, 4, PHONE, yiaddr=ip("10.20.0.100"), options={53: b"\5", 43: b"\1\3a:/", 125: b"\0\0\x0d\xe9\5\x0b\3a:/"}),
        "02010600 00000004 00000000 00000000 0a140064 00000000 00000000 001234ab45de 00000000000000000000",
        "350105 2b050103613a2f 7d0a00000de9050b03613a2f",
    ),
    (
        "NAK with its reason",
        Message(2, 5, PHONE, options={53: b"\6", 54: octets("10.20.0.1"), 56: b"not yours"}),
        "02010600 00000005 00000000 00000000 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350106 36040a140001 38096e6f7420796f757273",
    ),
    (
        "DECLINE",
        Message(1, 6, PHONE, options={53: b"\4", 50: octets("10.20.0.100"), 54: octets("10.20.0.1")}),
        "01010600 00000006 00000000 00000000 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350104 32040a140064 36040a140001",
    ),
    (
        "RELEASE",
        Message(1, 7, PHONE, ciaddr=ip("10.20.0.100"), options={53: b"\7", 54: octets("10.20.0.1")}),
        "01010600 00000007 00000000 0a140064 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350107 36040a140001",
    ),
    (
        "INFORM",
        Message(1, 8, PHONE, ciaddr=ip("10.20.0.7"), options={53: b"\x08", 81: b"\5\0\0\4desk\0"}),
        "01010600 00000008 00000000 0a140007 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350108 51090500000464 65736b00",
    ),
    (
        "BOOTP, an empty option and a token ring address of sixteen octets",
        Message(1, 9, bytes(range(16)), htype=6, options={80: b"", 12: b"desk"}),
        "01061000 00000009 00000000 00000000 00000000 00000000 00000000 000102030405060708090a0b0c0d0e0f",
        "5000 0c046465736b",
    ),
    (
        "an option of 300 octets, in two pieces",
        Message(2, 10, PHONE, options={53: b"\2", 160: b"h" * 300}),
        "02010600 0000000a 00000000 00000000 00000000 00000000 00000000 001234ab45de 00000000000000000000",
        "350102 a0ff" + "68" * 255 + "a02d" + "68" * 45,
    ),
]  # fmt: skip


def wire(head: str, options: str) -> bytes:
    """Return the octets: sname and file are empty, the end is padded to 300 (RFC 1542 2.1)."""
    return bytes.fromhex(head + "00" * 192 + COOKIE + options + "ff").ljust(300, b"\0")


@contextmanager
def untyped() -> Iterator[None]:
    """Let scapy know no option's type, so that it frames them all as octets."""
    known, scapy.DHCPOptions = scapy.DHCPOptions, {}
    try:
        yield
    finally:
        scapy.DHCPOptions = known


class Unframed(Exception):
    """Scapy finds octets that are no option before the end."""


def framed(data: bytes) -> dict[int, bytes]:
    """Return the options of an options field as scapy frames them, pieces joined (RFC 3396)."""
    found: dict[int, bytes] = {}
    with untyped():
        for each in scapy.DHCPOptionsField("options", b"").m2i(None, data):
            match each:
                case "pad":
                    continue
                case "end":
                    break
                case bytes():
                    raise Unframed
                case (code, octets_):
                    found[code] = found.get(code, b"") + octets_
    return found


def fields(data: bytes) -> tuple[Any, ...]:
    """Return the fixed fields as scapy reads them."""
    read = scapy.BOOTP(data[:236])
    addresses = tuple(
        int(IPv4Address(getattr(read, each))) for each in ("ciaddr", "yiaddr", "siaddr", "giaddr")
    )
    head = (read.op, read.htype, read.hops, read.xid, read.secs, int(read.flags))
    # Null terminated strings (RFC 2131 2): nothing stands behind a NUL at the beginning.
    texts = (text.rstrip(b"\0") if text[:1] != b"\0" else b"" for text in (read.sname, read.file))
    return (*head, addresses, read.chaddr[: read.hlen], *texts)


def ours(message: Message) -> tuple[Any, ...]:
    addresses = (message.ciaddr, message.yiaddr, message.siaddr, message.giaddr)
    head = (message.op, message.htype, message.hops, message.xid, message.secs, message.flags)
    return (*head, addresses, message.chaddr, message.sname, message.file)


@pytest.mark.parametrize(
    ("message", "head", "options"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_message_and_its_octets_are_one(message: Message, head: str, options: str) -> None:
    data = wire(head, options)
    assert data == dhcp.encode(message)
    assert message == dhcp.decode(data)


@pytest.mark.parametrize(
    ("message", "head", "options"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_scapy_reads_and_writes_the_same(message: Message, head: str, options: str) -> None:
    data = wire(head, options)
    assert ours(message) == fields(data)
    assert message.options == framed(data[240:])
    pieces = [(c, d[i : i + 255]) for c, d in message.options.items() for i in range(0, max(1, len(d)), 255)]
    written = scapy.DHCPOptionsField("options", b"").i2m(None, [*pieces, "end"])
    assert data[240:].startswith(written)


def agree(data: bytes) -> str:
    """Hold our reading of a datagram against scapy's; return what it was."""
    try:
        message = dhcp.decode(data)
    except Malformed:
        return refused(data)
    assert fields(data) == ours(message) or 52 in message.options
    if 52 not in message.options:
        assert message.options == framed(data[240:])
    return "message"


def refused(data: bytes) -> str:
    """Say what is wrong with a datagram that we refuse; fail where scapy finds nothing wrong."""
    if len(data) < 240 or data[236:240].hex() != COOKIE or data[2] > 16:
        return "header"
    try:
        options = framed(data[240:])
    except Unframed:
        return "framing"
    if len(options.get(53, b"\1")) != 1:
        return "message type"
    overload = options.get(52)
    assert overload is not None, data.hex()
    if len(overload) != 1 or overload[0] not in {1, 2, 3}:
        return "overload"
    try:
        for bit, start, end in ((1, 108, 236), (2, 44, 108)):
            if overload[0] & bit and len(framed(data[start:end]).get(53, b"\1")) != 1:
                return "message type"
    except Unframed:
        return "framing in overload"
    joined = b"".join(framed(data[a:b]).get(53, b"") for a, b in ((240, len(data)), (108, 236), (44, 108)))
    assert len(joined) != 1, data.hex()
    return "message type"


@pytest.mark.fuzz
def test_fuzz_mutated_datagrams_are_read_as_scapy_reads_them() -> None:
    seen: dict[str, int] = {}
    draw = Random(11)
    for _ in range(max(300, EXAMPLES)):
        kind = agree(mutate(draw))
        seen[kind] = seen.get(kind, 0) + 1
    assert {"message", "framing", "header"} <= set(seen), seen


@pytest.mark.fuzz
@given(tail=st.binary(max_size=300))
def test_fuzz_arbitrary_options_are_framed_as_scapy_frames_them(tail: bytes) -> None:
    agree(dhcp.header(Message(1, 1, MAC)) + tail)


def typed() -> Mapping[int, Any]:
    """Return the options that scapy knows as addresses or numbers, and we do too."""
    kinds = {IPField: 4, IntField: 4, ShortField: 2, ByteField: 1}
    return {
        code: (field, kinds[type(field)])
        for code, field in scapy.DHCPOptions.items()
        if type(field) in kinds and code in table.OPTIONS and not isinstance(field, FieldLenField)
    }


def numbers(value: object) -> list[int]:
    found = value if isinstance(value, tuple) else (value,)
    return [int(each) for each in found]


@pytest.mark.fuzz
@given(code=st.sampled_from(sorted(typed())), data=st.binary(max_size=16))
def test_fuzz_values_are_those_that_scapy_reads(code: int, data: bytes) -> None:
    field, size = typed()[code]
    try:
        value = table.decode(code, data)
    except Malformed:
        many = table.OPTIONS[code].kind.shape.endswith("a list of them")
        assert (
            not data
            or len(data) % size
            or (len(data) != size and not many)
            or table.OPTIONS[code].kind is FLAG
        )
        return
    if isinstance(value, bytes | str) or code == 2:
        return  # opaque to us; option 2 is signed (RFC 2132 3.4), which scapy leaves out
    left, read = data, []
    while left:
        left, each = field.getfield(None, left)
        read.append(int(IPv4Address(each)) if isinstance(each, str) else int(each))
    assert read == numbers(value)


def test_the_values_that_are_compared_are_many() -> None:
    assert len(typed()) > 15

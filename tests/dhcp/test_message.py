"""The codec of messages: framing, overload, fragments; scapy is the second opinion."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message
from netprov.errors import Malformed

DISCOVER = Message(
    op=1, xid=0x12345678, chaddr=bytes.fromhex("001234ab45de"), flags=dhcp.BROADCAST,
    options={53: b"\x01", 55: bytes([1, 3, 6, 15]), 60: b"CP-8851-3PCC"},
)  # fmt: skip

octets4 = st.integers(0, 0xFFFFFFFF)
codes = st.integers(1, 254).filter(lambda code: code not in {52, 53})
messages = st.builds(
    Message,
    op=st.sampled_from([1, 2]),
    xid=octets4,
    chaddr=st.binary(min_size=6, max_size=6),
    htype=st.just(1),
    hops=st.integers(0, 16),
    secs=st.integers(0, 0xFFFF),
    flags=st.sampled_from([0, 0x8000]),
    ciaddr=octets4,
    yiaddr=octets4,
    siaddr=octets4,
    giaddr=octets4,
    sname=st.text("abc", max_size=64).map(str.encode),
    file=st.text("abc", max_size=128).map(str.encode),
    options=st.dictionaries(codes, st.binary(max_size=700), max_size=6),
)


@given(message=messages)
def test_message_survives_its_own_encoding(message: Message) -> None:
    assert message == dhcp.decode(dhcp.encode(message))


def test_reply_is_padded_to_300_octets() -> None:
    """RFC 1542 section 2.1."""
    assert len(dhcp.encode(DISCOVER)) == 300


def test_fragments_of_one_option_are_joined_in_the_order_options_file_sname() -> None:
    """RFC 3396 section 5."""
    head = dhcp.header(Message(op=2, xid=1, chaddr=b"\0" * 6, sname=b"\x2b\x01c\xff", file=b"\x2b\x01b\xff"))
    found = dhcp.decode(head + b"\x35\x01\x05\x34\x01\x03\x2b\x01a\xff")
    assert found.options[43] == b"abc"
    assert found.sname == found.file == b""


def test_long_option_is_split_at_255_octets() -> None:
    """RFC 3396 section 7."""
    data = bytes(range(256)) + bytes(100)
    wire = dhcp.fragments(125, data)
    assert wire[:2] == bytes([125, 255])
    assert wire[257:259] == bytes([125, 101])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(239),
        bytes(240),
        dhcp.header(DISCOVER) + b"\x35",
        dhcp.header(DISCOVER) + b"\x35\x02\x01",
        dhcp.header(DISCOVER) + b"\x35\x02\x01\x01\xff",
        dhcp.header(DISCOVER) + b"\x34\x01\x04\xff",
    ],
)
def test_broken_framing_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        dhcp.decode(data)


def test_options_that_do_not_fit_go_to_file_then_sname() -> None:
    """RFC 2132 9.3; option 82 stays last (RFC 3046 2.2)."""
    head = Message(op=2, xid=1, chaddr=b"\0" * 6)
    rest = {15: b"d" * 100, 66: b"t" * 120, 160: b"u" * 60, 82: b"\x01\x01p"}
    wire = dhcp.overloaded(head, b"\x35\x01\x02", rest, 240 + 130)
    assert len(wire) <= 240 + 130
    found = dhcp.decode(wire)
    assert found.options == {
        53: b"\x02",
        52: b"\x03",
        15: b"d" * 100,
        66: b"t" * 120,
        160: b"u" * 60,
        82: b"\x01\x01p",
    }
    assert wire.rstrip(b"\0").endswith(b"\x52\x03\x01\x01p\xff")


@given(message=messages)
def test_scapy_reads_what_we_write(message: Message) -> None:
    bootp = _scapy_bootp(dhcp.encode(message))
    assert bootp.xid == message.xid
    assert bootp.flags.value == message.flags
    assert bootp.chaddr[:6] == message.chaddr
    assert bootp.yiaddr == _dotted(message.yiaddr)
    assert bootp.giaddr == _dotted(message.giaddr)
    assert bootp.file.rstrip(b"\0") == message.file
    assert bytes(bootp)[: len(dhcp.header(message))] == dhcp.header(message)


def test_we_read_what_scapy_writes() -> None:
    from scapy.layers.dhcp import BOOTP, DHCP

    wire = bytes(
        BOOTP(op=1, xid=7, chaddr=b"\x00\x12\x34\xab\x45\xde", giaddr="10.20.0.9", flags="B")
        / DHCP(
            options=[
                ("message-type", "request"),
                ("requested_addr", "10.20.0.50"),
                ("param_req_list", [1, 66]),
                "end",
            ]
        )
    )
    found = dhcp.decode(wire)
    assert found.type == dhcp.Type.REQUEST
    assert found.address(50) == 0x0A140032
    assert found.giaddr == 0x0A140009
    assert found.options[55] == b"\x01\x42"


def _scapy_bootp(wire: bytes) -> Any:
    from scapy.layers.dhcp import BOOTP

    return BOOTP(wire)


def _dotted(address: int) -> str:
    return ".".join(str(octet) for octet in address.to_bytes(4, "big"))

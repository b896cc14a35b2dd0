"""The TFTP codec: one case list both ways, round trips, garbage, and tftpy as the independent oracle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tftpy.TftpPacketFactory import TftpPacketFactory

from netprov.errors import Malformed
from netprov.tftp.packet import (
    Ack,
    Data,
    Error,
    ErrorCode,
    Opcode,
    OptionAck,
    Packet,
    TftpRequest,
    decode,
    encode,
)

CASES: list[tuple[str, Packet, str]] = [
    ("rrq", TftpRequest(Opcode.RRQ, "a.xml"), "0001 612e786d6c00 6f6374657400"),
    (
        "rrq with options",
        TftpRequest(Opcode.RRQ, "a", "octet", {"blksize": "1428", "tsize": "0"}),
        "0001 6100 6f6374657400 626c6b73697a6500 3134323800 7473697a6500 3000",
    ),
    ("wrq", TftpRequest(Opcode.WRQ, "a", "netascii"), "0002 6100 6e6574617363696900"),
    ("data", Data(65535, b"\x01\x02"), "0003 ffff 0102"),
    ("empty data", Data(1, b""), "0003 0001"),
    ("ack", Ack(7), "0004 0007"),
    ("error", Error(ErrorCode.FILE_NOT_FOUND, "gone"), "0005 0001 676f6e6500"),
    ("oack", OptionAck({"windowsize": "16"}), "0006 77696e646f7773697a6500 313600"),
]


@pytest.mark.parametrize(("value", "octets"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_packet_both_ways(value: Packet, octets: str) -> None:
    assert bytes.fromhex(octets) == encode(value)
    assert value == decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "00",
        "0000",
        "0007",
        "0100",
        "0003",
        "000400",
        "0005",
        "0001",
        "000161",
        "00016100",
        "0001" + "61" * 3000,
    ],
)
def test_garbage_is_malformed(octets: str) -> None:
    with pytest.raises(Malformed):
        decode(bytes.fromhex(octets))


def test_mode_and_option_names_are_read_in_any_case() -> None:
    assert decode(b"\0\1f\0OCTET\0BlkSize\x00008\0") == TftpRequest(
        Opcode.RRQ, "f", "octet", {"blksize": "008"}
    )


def test_an_option_without_value_is_ignored() -> None:
    assert decode(b"\0\1f\0octet\0tsize\0") == TftpRequest(Opcode.RRQ, "f", "octet", {})


def test_a_request_whose_last_nul_is_missing_is_read() -> None:
    assert decode(b"\0\1f\0octet") == TftpRequest(Opcode.RRQ, "f")


TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=20)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
PACKETS: st.SearchStrategy[Packet] = st.one_of(
    st.builds(Data, st.integers(0, 65535), st.binary(max_size=600)),
    st.builds(Ack, st.integers(0, 65535)),
    st.builds(Error, st.integers(0, 65535), TEXT),
    st.builds(OptionAck, st.dictionaries(NAMES, TEXT, max_size=4)),
    st.builds(
        TftpRequest,
        st.sampled_from([Opcode.RRQ, Opcode.WRQ]),
        TEXT,
        st.sampled_from(["octet", "netascii"]),
        st.dictionaries(NAMES, TEXT, max_size=4),
    ),
)


@given(PACKETS)
def test_what_is_encoded_is_decoded(packet: Packet) -> None:
    assert packet == decode(encode(packet))


@pytest.mark.fuzz
@given(st.binary(max_size=100) | st.binary(max_size=60).map(lambda data: b"\0\1" + data))
def test_fuzz_arbitrary_octets_are_a_packet_or_malformed(data: bytes) -> None:
    try:
        packet = decode(data)
    except Malformed:
        return
    assert packet == decode(encode(packet))


@given(st.integers(0, 65535), st.binary(max_size=64))
def test_tftpy_reads_our_blocks_alike(block: int, payload: bytes) -> None:
    theirs = TftpPacketFactory().parse(encode(Data(block, payload)))
    assert (block, payload) == (theirs.blocknumber, theirs.data)


@given(st.text("abcxyz./-_0189", min_size=1, max_size=30), st.integers(8, 65464))
def test_tftpy_reads_our_requests_alike(name: str, size: int) -> None:
    theirs = TftpPacketFactory().parse(encode(TftpRequest(Opcode.RRQ, name, "octet", {"blksize": str(size)})))
    assert (name, "octet", str(size)) == (
        theirs.filename,
        theirs.mode,
        str(_text(theirs.options["blksize"])),
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

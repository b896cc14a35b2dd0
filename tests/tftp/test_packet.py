"""The TFTP codec: one case list both ways, round trips, garbage, and tftpy as the independent oracle."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tftpy.TftpPacketFactory import TftpPacketFactory
from tftpy.TftpShared import TftpException

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


def theirs(data: bytes) -> Packet | None:
    """Return what tftpy reads, as a packet of ours; None for what it refuses."""
    try:
        packet = TftpPacketFactory().parse(data)
    except (TftpException, AssertionError, UnicodeDecodeError, struct.error):
        return None
    match packet.opcode:
        case Opcode.DATA:
            return Data(packet.blocknumber, packet.data)
        case Opcode.ACK:
            return Ack(packet.blocknumber)
        case Opcode.ERROR:
            text = (packet.errmsg or b"").partition(b"\0")[0]  # it drops the last octet, whatever it is
            return Error(packet.errorcode, text.decode("ascii", "replace"))
        case Opcode.OACK:
            return OptionAck(lowered(packet.options))
        case opcode:
            return TftpRequest(opcode, packet.filename, packet.mode, lowered(packet.options))


def lowered(options: dict[str, str]) -> dict[str, str]:
    """Return options as RFC 2347 has them: names in any case, of two alike the first here."""
    found: dict[str, str] = {}
    for name, value in options.items():
        found.setdefault(name.lower(), value)
    return found


def is_strict(data: bytes) -> bool:
    """Say whether a packet keeps to RFC 1350 and 2347 where we are more lenient than tftpy, by its octets."""
    opcode, rest = data[:2], data[2:]
    if opcode in {b"\0\3", b"\0\4"}:
        return len(data) >= 4
    if opcode == b"\0\5":
        return len(data) == 4 or (len(data) > 4 and data.endswith(b"\0"))
    texts = rest.split(b"\0")
    options = texts[:-1] if opcode == b"\0\6" else texts[2:-1]
    return (
        opcode in {b"\0\1", b"\0\2", b"\0\6"}
        and data.isascii()
        and not texts[-1]
        and all(options)
        and len(options) % 2 == 0
        and len(texts) > (0 if opcode == b"\0\6" else 2)
    )


STRINGS = st.lists(
    st.sampled_from([b"", b"a", b"octet", b"OCTET", b"blksize", b"BlkSize", b"512", b"tsize", b"0", b"\xff"]),
    max_size=7,
).map(b"\0".join)
GARBAGE = st.builds(
    lambda opcode, rest, end: bytes([0, opcode]) + rest + end,
    st.integers(0, 7),
    STRINGS | st.binary(max_size=60),
    st.sampled_from([b"", b"\0"]),
)


@pytest.mark.fuzz
@given(st.binary(max_size=100) | GARBAGE)
def test_fuzz_arbitrary_octets_are_the_packet_that_tftpy_reads_or_malformed(data: bytes) -> None:
    expected = theirs(data)
    try:
        packet = decode(data)
    except Malformed:
        assert expected is None
        assert not is_strict(data)
        return
    if data.isascii() or isinstance(packet, Data | Ack):  # other octets of a text are U+FFFD
        assert packet == decode(encode(packet))
    if is_strict(data) and len(data) > 2:
        names = data[2:].lower().split(b"\0")
        # Of an option that comes twice tftpy takes the last value, and we the first: RFC 2347 allows it once.
        if len(set(names)) == len(names):
            assert packet == expected


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

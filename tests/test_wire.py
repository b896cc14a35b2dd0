"""The cursors that every codec is built on: never past the end, never short."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import LocalViolation, Malformed
from netprov.wire import Reader, Writer


def test_integers_are_big_endian() -> None:
    reader = Reader(bytes.fromhex("01 0203 04050607"))
    assert (reader.u8(), reader.u16(), reader.u32()) == (0x01, 0x0203, 0x04050607)
    assert reader.remaining() == 0


def test_read_past_the_end_says_where() -> None:
    reader = Reader(b"\x01\x02\x03")
    reader.u16()
    with pytest.raises(Malformed, match="2 octets wanted at offset 2, 1 left"):
        reader.u16()


def test_failed_read_moves_nothing() -> None:
    reader = Reader(b"\x01")
    with pytest.raises(Malformed):
        reader.u32()
    assert reader.rest() == b"\x01"


def test_restriction_hides_what_follows() -> None:
    reader = Reader(b"\x01\x02\x03\x04")
    with reader.restrict_to(2):
        assert reader.rest() == b"\x01\x02"
        with pytest.raises(Malformed):
            reader.u8()
    assert reader.rest() == b"\x03\x04"


def test_restriction_must_be_consumed_exactly() -> None:
    reader = Reader(b"\x01\x02\x03")
    with pytest.raises(Malformed, match="1 octets left over at offset 1"), reader.restrict_to(2):
        reader.u8()


def test_restriction_beyond_the_end_is_refused() -> None:
    reader = Reader(b"\x01")
    with pytest.raises(Malformed, match="2 octets announced at offset 0, 1 left"), reader.restrict_to(2):
        reader.u8()


def test_negative_length_is_refused() -> None:
    with pytest.raises(Malformed):
        Reader(b"\x01\x02", 1).take(-1)


@given(st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.binary(max_size=255))
def test_writer_agrees_with_struct(octet: int, short: int, long: int, tail: bytes) -> None:
    writer = Writer()
    writer.u8(octet)
    writer.u16(short)
    writer.u32(long)
    writer.raw(tail)
    assert writer.getvalue() == struct.pack("!BHI", octet, short, long) + tail
    assert len(writer) == 7 + len(tail)


@pytest.mark.parametrize(("size", "value"), [("u8", 256), ("u16", 65536), ("u32", 1 << 32), ("u8", -1)])
def test_value_that_does_not_fit_is_our_own_bug(size: str, value: int) -> None:
    with pytest.raises(LocalViolation, match="does not fit"):
        getattr(Writer(), size)(value)

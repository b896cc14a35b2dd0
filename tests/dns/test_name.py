"""Names: compression, limits, and the text form."""

from __future__ import annotations

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dns.message.name import MAX_NAME, format_name, parse_name, read_name
from netprov.errors import Malformed

HEADER = bytes(12)
NAME = b"\x03www\x07example\x03com\x00"


def test_pointer_leads_back_to_a_name_and_ends_it_rfc_1035_4_1_4() -> None:
    message = HEADER + NAME + b"\x04mail\xc0\x10" + b"rest"
    assert read_name(message, 12) == (NAME, 12 + len(NAME))
    start = 12 + len(NAME)
    assert read_name(message, start) == (b"\x04mail" + NAME[4:], start + 7)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"\xc0\x0c", "does not point backwards"),
        (b"\xc0\x20" + bytes(30), "does not point backwards"),
        (b"\x01a\xc0\x0c", "does not point backwards"),
        (b"\xc0", "past the end"),
        (b"\x40a\x00", "label type"),
        (b"\x80a\x00", "label type"),
        (b"\x05ab", "past the end"),
        (b"\x3f" + bytes(62), "past the end"),
        ((b"\x3f" + b"x" * 63) * 4 + b"\x00", "more than 255 octets"),
    ],
)
def test_name_that_is_none_is_malformed_rfc_1035_3_1(octets: bytes, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_name(HEADER + octets, 12)


def test_chain_of_pointers_makes_no_name_of_more_than_255_octets_rfc_1035_3_1() -> None:
    label = b"\x3f" + b"x" * 63
    message, starts = HEADER + label + b"\x00", [12]
    for _ in range(4):
        starts.append(len(message))
        message += label + (0xC000 | starts[-2]).to_bytes(2, "big")
    assert len(read_name(message, starts[2])[0]) == 3 * 64 + 1
    with pytest.raises(Malformed, match="more than 255 octets"):
        read_name(message, starts[3])


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=8))
def test_text_of_any_name_is_read_back_and_is_dnspythons(labels: list[bytes]) -> None:
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\x00"
    if len(wire) <= MAX_NAME:
        text = format_name(wire)
        assert parse_name(text) == wire
        assert dns.name.from_text(text).to_wire() == wire

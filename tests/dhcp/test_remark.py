"""What an operator is told about octets that some server sends: one judge for check, decode, doctor and explain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dhcp.option.remark import Oddity, remarks
from netprov.dhcp.option.table import OPTIONS, encode

URL = b"http://acs.example/"
FORUM = b"\x00\x00\x0d\xe9"
CISCO = b"\x00\x00\x00\x09"

CASES: list[tuple[str, int, bytes, list[tuple[Oddity, str]]]] = [
    ("43 whole", 43, bytes([1, len(URL)]) + URL, []),
    ("43 a URL", 43, URL, [(Oddity.BARE_URL, "It is a URL without sub-options")]),
    # The length says two octets more than there are: not a URL, though one begins at the third octet.
    (
        "43 cut off",
        43,
        bytes([1, len(URL) + 2]) + URL,
        [(Oddity.NOT_SUBOPTIONS, "It is not made of whole sub-options (code, length, value): 21 octets")],
    ),
    ("43 without ACS", 43, bytes([2, 1]) + b"x", [(Oddity.NO_ACS, "It has no sub-option 1")]),
    ("43 empty", 43, b"", [(Oddity.EMPTY, "Option 43 is empty.")]),
    ("66 address", 66, b"10.30.0.9", []),
    ("66 list", 66, b"10.30.0.9; 10.30.0.10", []),
    ("66 ends in NUL", 66, b"10.30.0.9\0", [(Oddity.NUL, "It ends in NUL, which RFC 2132 section 2 forbids")]),
    ("66 NUL in words", 66, b"10.30.0.9\\0", [(Oddity.NUL, "It ends in the two characters \\0")]),
    ("66 NUL inside", 66, b"10.30.0.9\0x", [(Oddity.NUL, "It has NUL inside")]),
    ("66 quoted", 66, b'"10.30.0.9"', [(Oddity.QUOTED, "It has quotation marks")]),
    ("66 quoted by apostrophes", 66, b"'10.30.0.9'", [(Oddity.QUOTED, "It has quotation marks")]),
    ("66 with a path after a blank", 66, b"10.30.0.9 /tftpboot", [(Oddity.BLANK, "It has a blank")]),
    ("66 with a newline", 66, b"10.30.0.9\n", [(Oddity.BLANK, "It has a blank")]),
    ("66 binary", 66, b"\x0a\x14\x00\x01", [(Oddity.BINARY_ADDRESS, "Four octets, which may mean 10.20.0.1")]),
    ("66 binary and NUL", 66, b"\x0a\x14\x00\x01\0", [(Oddity.BINARY_ADDRESS, "Four octets")]),
    ("66 of three letters and NUL", 66, b"abc\0", [(Oddity.NUL, "It ends in NUL")]),
    ("66 hex as text", 66, b"31302e33302e302e39", [(Oddity.HEX_TEXT, "It is text that spells out hexadecimal")]),
    ("67 with a blank", 67, b"boot file", []),
    ("15 with a dot", 15, b"example.org.", [(Oddity.FINAL_DOT, "It ends in a dot")]),
    ("150 address", 150, b"\x0a\x14\x00\x01", []),
    (
        "150 text",
        150,
        b"10.20.0.1",
        [(Oddity.MALFORMED, "These octets are no TFTP Server Address"), (Oddity.TEXT_ADDRESS, "It is the text")],
    ),
    ("125 whole", 125, FORUM + b"\x04\x0b\x02ab", []),
    (
        "125 shorter than its sub-option",
        125,
        CISCO + b"\x07\x05\x0bABCDEFGHIJK",
        [(Oddity.LENGTHS, "Enterprise 9 says 7 octets, its sub-option 5 needs 11.")],
    ),
    ("125 longer than the option", 125, CISCO + b"\x14\x05\x0bABC", [(Oddity.LENGTHS, "Enterprise 9 says 20 octets; 5 follow.")]),
    ("125 cut off", 125, b"\x00\x00\x0d", [(Oddity.LENGTHS, "Its last 3 octets are no enterprise number")]),
    ("125 of another vendor", 125, CISCO + b"\x03\x01\x01x", [(Oddity.NO_ACS, "It holds nothing of enterprise 3561")]),
    ("125 with the URL in 1", 125, FORUM + bytes([2 + len(URL), 1, len(URL)]) + URL, [(Oddity.WRONG_SUBOPTION, "Its sub-option 1")]),
    ("80 empty", 80, b"", []),
    ("200 unknown and empty", 200, b"", []),
    ("3 of three octets", 3, b"\x0a\x14\x00", [(Oddity.MALFORMED, "These octets are no Router")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "data", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_octets_are_judged(option: int, data: bytes, expected: list[tuple[Oddity, str]]) -> None:
    found = remarks(option, data)
    assert [oddity for oddity, _ in expected] == [each.oddity for each in found]
    assert all(each.text.startswith(start) for each, (_, start) in zip(found, expected, strict=True)), found


@given(st.integers(1, 254), st.binary(max_size=40))
def test_whatever_the_octets_they_are_judged(option: int, data: bytes) -> None:
    for each in remarks(option, data):
        assert each.text.endswith(".")
        assert not each.clause.endswith(".")


SOUND = [
    (66, "10.20.0.1"),
    (160, "https://pr1.example.com/$PSN.xml"),
    (150, ["10.20.0.1", "10.20.0.2"]),
    (43, {"acs_url": "https://acs.example.com/"}),
    (125, {"acs_url": "https://acs.example.com/", "provisioning_code": "P1"}),
    (15, "example.com"),
    (121, [{"to": "10.30.0.0/16", "via": "10.20.0.254"}]),
    (119, ["example.com"]),
]


@pytest.mark.parametrize(("option", "value"), SOUND, ids=[str(code) for code, _ in SOUND])
def test_nothing_is_said_of_what_netprov_writes(option: int, value: object) -> None:
    assert remarks(option, encode(option, value)) == ()
    assert option in OPTIONS

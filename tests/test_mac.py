"""MAC addresses: every usual notation reads alike, and nothing else is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.mac import find_mac, format_mac, parse_mac, parse_mac_prefix, read_mac

PHONE = bytes.fromhex("001234ab45de")
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "text",
    [
        "00:12:34:ab:45:de",
        "00-12-34-AB-45-DE",
        "00 12 34 ab 45 de",
        "00.12.34.ab.45.de",
        "0:12:34:ab:45:de",
        "0012.34ab.45de",
        "0012:34ab:45de",
        "0012-34AB-45DE",
        "001234-ab45de",
        "001234ab45de",
        "001234AB45DE",
        "SEP001234AB45DE",
        "sep0012.34ab.45de",
        "  001234ab45de\n",
    ],
)
def test_every_usual_notation_is_the_same_address(text: str) -> None:
    assert parse_mac(text) == PHONE
    assert read_mac(text) == "00:12:34:ab:45:de"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SEP",
        "desk",
        "00:12:34:ab:45",
        "00:12:34:ab:45:de:01",
        "00:12-34:ab:45:de",
        "0012.34a.b45de",
        "001234ab45d",
        "001234ab45dg",
        "1.23E+11",
        "10.20.0.1",
        "٠٠:12:34:ab:45:de",
    ],
)
def test_other_text_is_no_address(text: str) -> None:
    assert parse_mac(text) == b""
    assert read_mac(text) == ""


@pytest.mark.parametrize("text", ["001234", "00:12:34", "00-12-34", "0012.34", "SEP001234", "00 12 34"])
def test_the_beginning_of_an_address_reads_alike_in_every_notation(text: str) -> None:
    assert bytes.fromhex("001234") == parse_mac_prefix(text)


@pytest.mark.parametrize("text", ["", "0", "00:1", "00123", "00:12:34:ab:45:de:01", "00:12-34", "lobby"])
def test_half_an_octet_begins_no_address(text: str) -> None:
    assert parse_mac_prefix(text) == b""


def test_an_address_is_found_in_a_path() -> None:
    assert find_mac("/cisco/001234ab45de.cfg") == "00:12:34:ab:45:de"
    assert find_mac("/cisco/001234ab45de0.cfg") == ""


@given(
    st.binary(min_size=6, max_size=6), st.sampled_from(["", ":", "-", ".", " "]), st.sampled_from([2, 4, 6])
)
def test_what_is_written_in_groups_is_read_back(octets: bytes, separator: str, size: int) -> None:
    digits = octets.hex()
    text = separator.join(digits[i : i + size] for i in range(0, 12, size))
    assert octets == parse_mac(text) == parse_mac(text.upper())
    assert octets == parse_mac(format_mac(octets))


_OWN_NOTATION = re.compile(
    r"""mac[^\n]*replace\(['"]:['"]|mac\.hex\(['"]|chaddr\.hex\(|fromhex\([^)\n]*mac|\{2\}\[?[:.-]|0-9a-f\]\{12\}""",
    re.IGNORECASE,
)
"""Taking colons out, putting them in, octets from digits, a pattern of pairs or of twelve digits."""


def test_no_module_reads_or_writes_addresses_in_its_own_way() -> None:
    strays = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "netprov").rglob("*.py"))
        if path.name not in {"mac.py", "remark.py"}  # remarks look for digits of any length
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if _OWN_NOTATION.search(line)
    ]
    assert strays == []

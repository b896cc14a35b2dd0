"""MAC addresses as text: every usual notation is read, one is written."""

from __future__ import annotations

import re
from functools import lru_cache

SIZE = 6
DIGITS = r"[0-9a-f]{12}"
PAIRS = r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
"""An address as it stands in file names, without and with separators."""

NOTATION = r"^([Ss][Ee][Pp])?[0-9A-Fa-f]{1,2}([:. -]?[0-9A-Fa-f]{1,2}){5}$"
"""What an editor may take for an address: a little more than `parse_mac` reads."""

PATTERN = r"(?:[0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}"
"""A MAC address within other text; what it finds is for `parse_mac` to judge."""

_CANONICAL = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_DIGITS = re.compile(r"[0-9A-Fa-f]+")
_SEPARATOR = re.compile(r"[:. -]")
_ALONE = re.compile(rf"(?<![0-9a-f]){DIGITS}(?![0-9a-f])")
_CISCO_NAME = "SEP"
"""What stands before a phone's MAC address in the names that Cisco's software gives to phones and their files."""


def parse_mac_prefix(text: str) -> bytes:
    """Return the one to six octets that a text spells, in any notation of a MAC address; b"" if it spells none."""
    digits = text.strip()
    if digits[:3].upper() == _CISCO_NAME:
        digits = digits[3:]
    groups = _SEPARATOR.split(digits)
    if len(set(_SEPARATOR.findall(digits))) > 1 or not all(map(_DIGITS.fullmatch, groups)):
        return b""
    if len(groups) == SIZE and all(len(group) <= 2 for group in groups):
        # Solaris, macOS and dhcpd leave the leading nought of an octet out.
        groups = [group.zfill(2) for group in groups]
    size = len(groups[0])
    joined = "".join(groups)
    if len(groups) > 1 and (size not in {2, 4, 6} or any(len(group) != size for group in groups[:-1])):
        return b""
    if len(groups[-1]) > size or len(joined) % 2 or len(joined) > 2 * SIZE:
        return b""
    return bytes.fromhex(joined)


@lru_cache(maxsize=16384)
def parse_mac(text: str) -> bytes:
    """Return the six octets of a MAC address in any notation; b"" if the text is none.

    Read are 00:12:34:ab:45:de, 00-12-34-AB-45-DE, 0:12:34:ab:45:de, 0012.34ab.45de, 001234-ab45de, 001234ab45de, blanks
    as separators, and each of them after SEP.
    """
    found = parse_mac_prefix(text)
    return found if len(found) == SIZE else b""


def find_mac(text: str) -> str:
    """Return the MAC address, as twelve digits in lower case, that stands somewhere in a text; "" if none does."""
    found = _ALONE.search(text)
    return read_mac(found[0]) if found else ""


def format_mac(octets: bytes) -> str:
    """Write a hardware address of any length: pairs of digits in lower case, joined by colons."""
    return octets.hex(":")


def read_mac(text: str) -> str:
    """Return a MAC address in the notation of `format_mac`; "" if the text is none."""
    return text if _CANONICAL.fullmatch(text) else format_mac(parse_mac(text))


def bare_mac(text: str) -> str:
    """Return a MAC address as twelve digits in lower case, as file names have it; "" if the text is none."""
    return parse_mac(text).hex()

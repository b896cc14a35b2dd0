"""What is odd about the octets of an option, whoever sends it: the mistakes that keep phones from provisioning.

One judge for `check`, `decode`, `doctor` and `explain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import ACS_URL_43, ACS_URL_125, TEXT_CODES
from netprov.dhcp.option.table import OPTIONS
from netprov.dhcp.option.vendor import BROADBAND_FORUM, SUBOPTIONS_43, SUBOPTIONS_125, decode_tlv
from netprov.errors import Malformed
from netprov.wire import Reader


class Oddity(StrEnum):
    """What kind of mistake it is."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    """Octets that are not of the option's kind."""
    NUL = "nul"
    QUOTED = "quoted"
    BLANK = "blank"
    BINARY_ADDRESS = "binary-address"
    TEXT_ADDRESS = "text-address"
    HEX_TEXT = "hex-text"
    FINAL_DOT = "final-dot"
    NOT_SUBOPTIONS = "not-suboptions"
    BARE_URL = "bare-url"
    LENGTHS = "lengths"
    """Lengths inside that disagree."""
    WRONG_SUBOPTION = "wrong-suboption"
    NO_ACS = "no-acs"
    UNKNOWN_SUBOPTION = "unknown-suboption"
    END_MARK = "end-mark"


HARMLESS = frozenset({Oddity.NO_ACS, Oddity.UNKNOWN_SUBOPTION, Oddity.END_MARK})
"""Worth a word, but no client fails by it that has no use for the option."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that an operator should know about an option; `text` is a sentence."""

    oddity: Oddity
    text: str

    @property
    def clause(self) -> str:
        """The sentence as what follows a colon."""
        first = self.text[:1].lower() if self.text[1:2].islower() or self.text[1:2] == " " else self.text[:1]
        return first + self.text[1:].removesuffix(".")


_TEXTS = frozenset({*TEXT_CODES, code.DOMAIN, code.BOOT_FILE, code.HOST_NAME, code.VENDOR_CLASS})
_WORDS = frozenset({*TEXT_CODES, code.DOMAIN})
"""Texts without a blank; several addresses are joined by semicolons."""
_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")
_HEX = re.compile(rb"(0x)?([0-9A-Fa-f]{2}[: ]?){8,}")
_QUOTES = (b'"', b"\xe2\x80\x9c", b"\xe2\x80\x9d")


def remarks(option: int, data: bytes) -> tuple[Remark, ...]:
    """Return what an operator should know about the octets of an option."""
    if not data:
        empty = Remark(Oddity.EMPTY, f"Option {option} is empty.")
        return () if option == code.RAPID_COMMIT or option not in OPTIONS else (empty,)
    return tuple(_remarks(option, data))


def _remarks(option: int, data: bytes) -> Iterator[Remark]:
    if option in _TEXTS:
        yield from _text(data, one_word=option in _WORDS)
    elif option == code.VENDOR_INFO:
        yield from _vendor_info(data)
    elif option == code.VENDOR_IDENTIFYING:
        yield from _vendor_identifying(data)
    else:
        yield from _of_its_kind(option, data)
    if option == code.TFTP_ADDRESSES and all(32 <= octet < 127 for octet in data):
        text = f"It is the text {data.decode()!r}: option 150 is four octets an address (RFC 5859)."
        yield Remark(Oddity.TEXT_ADDRESS, text)
    if _HEX.fullmatch(data) and option != code.CLIENT_IDENTIFIER:
        text = "It is text that spells out hexadecimal digits: the server was given hex as a string."
        yield Remark(Oddity.HEX_TEXT, text)
    if option == code.DOMAIN and data.endswith(b"."):
        yield Remark(Oddity.FINAL_DOT, "It ends in a dot; phones expect the name without.")


def _of_its_kind(option: int, data: bytes) -> Iterator[Remark]:
    row = OPTIONS.get(option)
    if row is None:
        return
    try:
        row.kind.decode(data)
    except Malformed as error:
        yield Remark(Oddity.MALFORMED, f"These octets are no {row.name}: {error}.")


def _text(data: bytes, *, one_word: bool) -> Iterator[Remark]:
    if _is_binary_address(data):
        text = f"Four octets, which may mean {IPv4Address(data[:4])}: a phone wants that as text."
        yield Remark(Oddity.BINARY_ADDRESS, text)
        return
    yield from _nul(data)
    bare = data.rstrip(b"\0")
    if b"\0" in bare:
        yield Remark(Oddity.NUL, "It has NUL inside; most clients read no further.")
    if any(quote in bare for quote in _QUOTES) or (bare[:1] == b"'" == bare[-1:]):
        text = "It has quotation marks inside: they were taken for part of the text."
        yield Remark(Oddity.QUOTED, text)
    inside = one_word and any(b" " in part.strip() for part in bare.split(b";"))
    if inside or bare != bare.strip() or any(octet < 32 and octet for octet in bare):
        where = "inside" if inside else "at an end"
        yield Remark(
            Oddity.BLANK,
            f"It has a blank or a control character {where}, which is no part of an address or URL.",
        )


def _is_binary_address(data: bytes) -> bool:
    """Say whether text is an address in binary; dnsmasq may end it with NUL."""
    four = data[:4]
    return (
        len(data) in {4, 5}
        and (len(data) == 4 or data[4] == 0)
        and not all(32 <= octet < 127 for octet in four)
        and not (four.rstrip(b"\0") and all(32 <= octet < 127 for octet in four.rstrip(b"\0")))
    )


def _nul(data: bytes) -> Iterator[Remark]:
    if data.endswith(b"\0"):
        text = "It ends in NUL, which RFC 2132 section 2 forbids; some clients take it as part of the text."
        yield Remark(Oddity.NUL, text)
    elif data.endswith(b"\\0"):
        yield Remark(Oddity.NUL, "It ends in the two characters \\0: NUL was meant, and is forbidden too.")


def _vendor_info(data: bytes) -> Iterator[Remark]:
    yield from _nul(data)
    if _URL.match(data):
        text = (
            "It is a URL without sub-options: Cisco's DHCP_Option_To_Use takes it, a TR-069 client does not "
            "(it wants 01, the length, the URL)."
        )
        yield Remark(Oddity.BARE_URL, text)
        return
    try:
        pairs = decode_tlv(data)
    except Malformed as error:
        text = f"It is not made of whole sub-options (code, length, value): {error}. A TR-069 client finds no ACS in it."
        yield Remark(Oddity.NOT_SUBOPTIONS, text)
        return
    if data.endswith(b"\xff"):
        text = "It ends in 255, which needs no sending and is known to confuse a client."
        yield Remark(Oddity.END_MARK, text)
    if ACS_URL_43 not in pairs:
        yield Remark(Oddity.NO_ACS, "It has no sub-option 1, the ACS's URL.")
    unknown = [str(each) for each in pairs if each not in SUBOPTIONS_43]
    if unknown:
        text = f"TR-069 does not define sub-option {', '.join(unknown)}; another vendor may."
        yield Remark(Oddity.UNKNOWN_SUBOPTION, text)


def _vendor_identifying(data: bytes) -> Iterator[Remark]:
    """Judge option 125 block by block: enterprise number, length, sub-options (RFC 3925 section 4)."""
    reader = Reader(data)
    devices: dict[int, bytes] = {}
    while reader.remaining():
        if reader.remaining() < 5:
            left = reader.remaining()
            text = f"Its last {left} octets are no enterprise number and length, which take 5."
            yield Remark(Oddity.LENGTHS, text)
            return
        enterprise, length = reader.u32(), reader.u8()
        if length > reader.remaining():
            text = f"Enterprise {enterprise} says {length} octets; {reader.remaining()} follow."
            yield Remark(Oddity.LENGTHS, text)
            return
        block = reader.take(length)
        if disagreement := _too_short(block):
            text = f"Enterprise {enterprise} says {length} octets, its sub-option {disagreement[0]} needs {disagreement[1]}."
            yield Remark(Oddity.LENGTHS, text)
            return
        devices |= decode_tlv(block) if enterprise == BROADBAND_FORUM else {}
    if not devices:
        text = "It holds nothing of enterprise 3561, the Broadband Forum's, so a TR-069 client ignores it."
        yield Remark(Oddity.NO_ACS, text)
    elif b"://" in devices.get(1, b""):
        text = (
            f"Its sub-option 1 holds a URL: in option 125 the ACS's URL is sub-option {ACS_URL_125}; "
            "1 is a device's OUI."
        )
        yield Remark(Oddity.WRONG_SUBOPTION, text)
    elif unknown := [str(each) for each in devices if each not in SUBOPTIONS_125]:
        yield Remark(Oddity.UNKNOWN_SUBOPTION, f"TR-069 does not define sub-option {', '.join(unknown)}.")


def _too_short(block: bytes) -> tuple[int, int] | None:
    """Return the sub-option that a block has no room for, and the octets that it says it has; None if all fit."""
    position = 0
    while position < len(block):
        if block[position] == 0:
            position += 1
            continue
        if block[position] == 255 and position == len(block) - 1:
            return None
        length = block[position + 1] if position + 1 < len(block) else 1
        if position + 2 + length > len(block):
            return block[position], length
        position += 2 + length
    return None

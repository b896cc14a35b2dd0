"""What each DHCP option says about where to provision from, and why another says nothing usable.

Cisco's guides: the options of `DHCP_Option_To_Use` in its order; RFC 2132 9.4, RFC 5859,
TR-069 3.1 for the ACS's URL in sub-options. Not documented, so read leniently: a plain URL in
60, 43 or 125.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netprov.dhcp.option import table as code
from netprov.dhcp.option.provisioning import ACS_URL_43, ACS_URL_125, ORDER
from netprov.dhcp.option.vendor import broadband_forum, decode_tlv
from netprov.errors import Malformed
from netprov.number import whole
from netprov.phone.action import addresses
from netprov.phone.rule.ladder import rungs
from netprov.phone.rule.url import parse_url


@dataclass(frozen=True, slots=True)
class Source:
    """One option that names a provisioning server: values for the ladder, or the URL of an ACS."""

    option: int
    values: tuple[str, ...] = ()
    acs_url: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """One option that is there but says nothing that a phone can use."""

    option: int
    reason: str


def read_options(
    options: Mapping[int, bytes], order: tuple[int, ...] = ORDER
) -> tuple[Source | Unusable, ...]:
    """Read every provisioning option that is there, in order of preference."""
    return tuple(_read(each, options[each]) for each in order if each in options)


def parse_order(text: str) -> tuple[int, ...]:
    """Read `DHCP_Option_To_Use`; what is not a number is ignored, an empty value is the default."""
    numbers = tuple(
        number for part in text.replace(" ", "").split(",") if (number := whole(part)) is not None
    )
    return numbers or ORDER


def _read(option: int, data: bytes) -> Source | Unusable:
    match option:
        case code.TFTP_ADDRESSES:
            return _address_list(option, data)
        case code.VENDOR_INFO:
            return _text(option, data) if _is_text(data) else _acs(option, data, decode_tlv, ACS_URL_43)
        case code.VENDOR_IDENTIFYING:
            return _text(option, data) if _is_text(data) else _acs(option, data, broadband_forum, ACS_URL_125)
        case code.VENDOR_CLASS:
            text = _strip(data)
            if "://" not in text:
                return Unusable(option, f"{text!r} is a vendor class, not a URL")
            return _text(option, data)
        case _:
            return _text(option, data)


def _address_list(option: int, data: bytes) -> Source | Unusable:
    if data and len(data) % 4 == 0:
        return Source(option, addresses(data))
    shown = f": it holds the text {_strip(data)!r}" if _is_text(data) else ""
    return Unusable(option, f"{len(data)} octets are not a list of addresses of 4 octets each{shown}")


def _text(option: int, data: bytes) -> Source | Unusable:
    text = _strip(data)
    if not text:
        return Unusable(option, "it is empty")
    if not _is_text(data):
        if len(data) == 4 or (len(data) == 5 and not data[4]):  # dnsmasq ends text with NUL
            return Unusable(option, f"4 raw octets ({addresses(data)[0]} in binary), where text is wanted")
        return Unusable(option, "it holds octets that are not text")
    values, reasons = [], []
    for value in filter(None, (part.strip() for part in text.split(";"))):
        try:
            rungs(value, "/", "/")
            values.append(value)
        except Malformed as error:
            reasons.append(str(error))
    if not values:
        return Unusable(option, "; ".join(reasons) or "nothing stands between its semicolons")
    return Source(option, tuple(values))


def _acs(
    option: int, data: bytes, decode: Callable[[bytes], Mapping[int, bytes]], wanted: int
) -> Source | Unusable:
    try:
        url = decode(data).get(wanted)
    except Malformed as error:
        return Unusable(option, f"its sub-options cannot be read: {error}")
    if not url:
        return Unusable(
            option, "no ACS URL in it (sub-option 1 of 43, sub-option 11 of enterprise 3561 in 125)"
        )
    text = _strip(url)
    try:
        url_of = parse_url(text)
    except Malformed as error:
        return Unusable(option, f"the ACS URL {text!r}: {error}")
    if url_of.scheme == "tftp":
        return Unusable(option, f"the ACS URL {text!r} is neither http nor https")
    return Source(option, acs_url=text)


def _strip(data: bytes) -> str:
    return data.rstrip(b"\0").decode("ascii", "replace").strip()


def _is_text(data: bytes) -> bool:
    return all(32 <= octet < 127 for octet in data.rstrip(b"\0")) and bool(data.rstrip(b"\0"))

"""Values of options as dnsmasq takes them (dnsmasq(8), --dhcp-option): the shape decides what they are taken for."""

from __future__ import annotations

from ipaddress import IPv4Address

from netprov.dhcp.option import table as code
from netprov.errors import Malformed

_ADDRESSES = frozenset(
    {*range(3, 12), 16, 21, 28, 32, 33, 41, 42, 44, 45, 48, 49, *range(65, 77), code.TFTP_ADDRESSES}
)
"""Options of which dnsmasq takes addresses and nothing else, but for those of texts below."""

_TEXTS = frozenset({12, 14, 15, 17, 18, 40, 64, code.TFTP_NAME, 67, 100, 101})
"""Options of which it takes everything for text."""

_NUMBERS = frozenset({2, 13, 19, 20, 22, 23, 26, 27, 35, 37, 38, 46, 58, 59, 108})
"""Options of which it takes numbers, and knows the size."""

_SIP_SERVERS = 120


def value_of(number: int, data: bytes) -> str:
    """Return the value of an option; raise `ValueError` with the reason for one that dnsmasq cannot be told."""
    if not data:
        raise ValueError("an option without a value is one that dnsmasq does not send")
    if number in _TEXTS:
        return _text(data)
    if number in _ADDRESSES:
        return _addresses(data)
    if number in _NUMBERS:
        return str(int.from_bytes(data, "big"))
    if number == code.SEARCH:
        return _names(data)
    if number == _SIP_SERVERS:
        if data[0] != 1:
            raise ValueError("dnsmasq 2.89 takes one name, and several differently: write addresses")
        return _addresses(data[1:])
    return data.hex(":") if len(data) > 1 else f"{data[0]}b"


def _addresses(data: bytes) -> str:
    if len(data) % 4:
        raise ValueError("dnsmasq takes addresses here, and these octets are none")
    found = [IPv4Address(data[start : start + 4]) for start in range(0, len(data), 4)]
    if IPv4Address(0) in found:
        raise ValueError("0.0.0.0 is what dnsmasq takes its own address for")
    return ",".join(map(str, found))


def _text(data: bytes) -> str:
    text = data.decode("latin-1")
    if not (text.isascii() and text.isprintable()):
        raise ValueError("dnsmasq takes text here, and these octets are none")
    return quoted(text)


def quoted(text: str) -> str:
    """Return a text in quotation marks."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _names(data: bytes) -> str:
    try:
        value = code.decode(code.SEARCH, data)
    except Malformed as error:
        raise ValueError(str(error)) from error
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

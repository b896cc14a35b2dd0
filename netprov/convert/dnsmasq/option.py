"""`dhcp-option` of dnsmasq: tags, the option's number, and the octets that dnsmasq makes of what is written.

The kind of a value goes by the option where dnsmasq knows it, else by how the value looks (dnsmasq(8), dhcp-option;
`parse_dhcp_opt` in option.c): dotted quads are addresses, pairs with colons octets, digits a number, the rest text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from netprov.dhcp.option import name as dns_name

NAMES: Mapping[str, int] = {
    "netmask": 1,
    "time-offset": 2,
    "router": 3,
    "dns-server": 6,
    "log-server": 7,
    "lpr-server": 9,
    "hostname": 12,
    "boot-file-size": 13,
    "domain-name": 15,
    "swap-server": 16,
    "root-path": 17,
    "extension-path": 18,
    "ip-forward-enable": 19,
    "default-ttl": 23,
    "mtu": 26,
    "broadcast": 28,
    "static-route": 33,
    "arp-timeout": 35,
    "nis-domain": 40,
    "nis-server": 41,
    "ntp-server": 42,
    "vendor-encap": 43,
    "netbios-ns": 44,
    "netbios-dd": 45,
    "netbios-nodetype": 46,
    "lease-time": 51,
    "T1": 58,
    "T2": 59,
    "vendor-class": 60,
    "nis+-domain": 64,
    "nis+-server": 65,
    "tftp-server": 66,
    "bootfile-name": 67,
    "smtp-server": 69,
    "pop3-server": 70,
    "user-class": 77,
    "client-arch": 93,
    "posix-timezone": 100,
    "tzdb-timezone": 101,
    "ipv6-only": 108,
    "domain-search": 119,
    "sip-server": 120,
    "classless-static-route": 121,
    "vendor-id-encap": 125,
    "tftp-server-address": 150,
}
"""Names, as `dnsmasq --help dhcp` lists them."""

_ADDRESSES = frozenset(
    {
        1,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        16,
        21,
        28,
        32,
        33,
        41,
        42,
        44,
        45,
        48,
        49,
        54,
        65,
        68,
        *range(69, 77),
        150,
    }
)
_TEXTS = frozenset({12, 14, 15, 17, 18, 40, 64, 66, 67, 100, 101})
_SIZES: Mapping[int, int] = {
    2: 4,
    13: 2,
    19: 1,
    20: 1,
    22: 2,
    23: 1,
    26: 2,
    27: 1,
    35: 4,
    37: 1,
    38: 4,
    46: 1,
    58: 4,
    59: 4,
    108: 4,
}
_DOTTED = re.compile(r"\d+(\.\d+){3}(/\d+)?\Z")
_OCTETS = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2})+\Z")
_NUMBER = re.compile(r"(-?\d+)([bsi]?)\Z")
_SUFFIX = {"b": 1, "s": 2, "i": 4}


@dataclass(frozen=True, slots=True)
class Part:
    """Text between two commas; quoted text is never a number or an address."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """One dhcp-option, taken apart."""

    needs: frozenset[str]
    lacks: frozenset[str]
    code: int
    values: tuple[Part, ...]
    vendor: str | None = None
    """`vendor:`, a suboption of 43 for clients whose vendor class contains this."""
    encap: int = 0
    """`encap:`, a suboption of this option."""
    enterprise: int = 0
    """`vi-encap:`, a suboption of 125 under this enterprise number."""


def split(text: str) -> list[Part]:
    """Split at commas outside quotes; raise `ValueError` for a quote that does not end."""
    parts: list[Part] = []
    current, quoted, inside = "", False, False
    escaped = False
    for sign in text:
        if escaped:
            current += sign
            escaped = False
        elif sign == "\\" and inside:
            escaped = True
        elif sign == '"':
            inside, quoted = not inside, True
        elif sign == "," and not inside:
            parts.append(Part(current if quoted else current.strip(), quoted))
            current, quoted = "", False
        else:
            current += sign
    if inside:
        raise ValueError("a quotation mark is missing")
    return [*parts, Part(current if quoted else current.strip(), quoted)]


def tags(parts: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tags that are needed, and those that must be missing."""
    names = [re.sub(r"\A(tag|net|set):", "", part) for part in parts]
    lacks = frozenset(name.lstrip("!#") for name in names if name.startswith(("!", "#")))
    return frozenset(names) - {name for name in names if name.startswith(("!", "#"))}, lacks


def declared(value: str) -> Declared:
    """Take one dhcp-option apart; a bare word before the number is a tag, as OpenWrt writes it. Raises `ValueError`."""
    parts = split(value)
    marks: list[str] = []
    vendor, encap, enterprise = None, 0, 0
    for index, part in enumerate(parts):
        text = part.text
        prefix, _, rest = text.partition(":")
        if prefix in {"option", "option6"} or text.isdigit():
            if prefix == "option6":
                raise ValueError("DHCPv6 is not served")
            number = int(text) if text.isdigit() else int(rest) if rest.isdigit() else NAMES.get(rest, 0)
            if not number:
                raise ValueError(f"the option's name {rest} is not known")
            needs, lacks = tags(marks)
            return Declared(needs, lacks, number, tuple(parts[index + 1 :]), vendor, encap, enterprise)
        match prefix:
            case "vendor":
                vendor = rest
            case "encap":
                encap = int(rest)
            case "vi-encap":
                enterprise = int(rest)
            case _:
                marks.append(text)
    raise ValueError("no option is named")


def octets(each: Declared) -> bytes:
    """Return the octets that dnsmasq sends; raise `ValueError` for what it takes its own address for, or refuses."""
    own_space = not (each.vendor is not None or each.encap or each.enterprise)
    known = each.code if own_space else 0
    texts = [part.text for part in each.values]
    joined = ",".join(texts)
    quoted = any(part.quoted for part in each.values)
    if known in {119, 120} and not all(map(_DOTTED.match, texts)):
        names = dns_name.encode_list(texts)
        return names if known == 119 else b"\0" + names
    if known in _TEXTS or quoted:
        return joined.encode()
    if all(map(_DOTTED.match, texts)):
        if "0.0.0.0" in texts:
            raise ValueError("0.0.0.0 stands for the server's own address: write that address")
        return (b"\1" if known == 120 else b"") + b"".join(map(_dotted, texts))
    if known in _ADDRESSES:
        raise ValueError(f"{joined} is no address")
    if _OCTETS.match(joined):
        return bytes(int(pair, 16) for pair in joined.split(":"))
    if found := _NUMBER.match(joined):
        return _number(int(found[1]), _SUFFIX.get(found[2]) or _SIZES.get(known, 0))
    return joined.encode()


def _number(value: int, size: int) -> bytes:
    size = size or (4 if value & 0xFFFF0000 else 2 if value & 0xFF00 else 1)
    return (value & ((1 << 8 * size) - 1)).to_bytes(size, "big")


def _dotted(text: str) -> bytes:
    """Return the octets of an address, or of a network as routes have it (RFC 3442)."""
    address, slash, length = text.partition("/")
    packed = IPv4Address(address).packed
    if not slash:
        return packed
    return bytes([int(length)]) + packed[: (int(length) + 7) // 8]

"""DHCP options as other servers name and write them, put where an inventory has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal

from netprov.inventory.convert.draft import Section

Shape = Literal["addresses", "text", "number", "names", "routes", "octets"]

SHAPES: Mapping[int, Shape] = {
    **dict.fromkeys((3, 4, 5, 6, 7, 8, 9, 41, 42, 44, 69, 72, 150), "addresses"),
    **dict.fromkeys((12, 15, 17, 40, 66, 67, 100, 101, 114, 132, 159, 160, 176, 252), "text"),
    **dict.fromkeys((2, 13, 23, 26, 35), "number"),
    119: "names",
    121: "routes",
}
"""How the value of an option is written in an inventory; any other is octets."""

FIELDS: Mapping[int, str] = {3: "router", 6: "dns", 42: "ntp", 15: "domain", 51: "lease", 121: "routes"}
"""Options that a network has a key of its own for."""

DERIVED: Mapping[int, str] = {
    1: "follows from the subnet",
    28: "follows from the subnet",
    54: "follows from the server's address",
    58: "follows from the lease",
    59: "follows from the lease",
}

ISC_NAMES: Mapping[str, int] = {
    "subnet-mask": 1,
    "time-offset": 2,
    "routers": 3,
    "time-servers": 4,
    "domain-name-servers": 6,
    "log-servers": 7,
    "host-name": 12,
    "domain-name": 15,
    "root-path": 17,
    "interface-mtu": 26,
    "broadcast-address": 28,
    "ntp-servers": 42,
    "vendor-encapsulated-options": 43,
    "netbios-name-servers": 44,
    "dhcp-lease-time": 51,
    "dhcp-server-identifier": 54,
    "dhcp-renewal-time": 58,
    "dhcp-rebinding-time": 59,
    "vendor-class-identifier": 60,
    "tftp-server-name": 66,
    "bootfile-name": 67,
    "boot-file-name": 67,
    "pcode": 100,
    "tcode": 101,
    "domain-search": 119,
    "rfc3442-classless-static-routes": 121,
    "classless-static-route": 121,
    "vivso": 125,
    "vivso-suboptions": 125,
    "tftp-server-address": 150,
    "voip-tftp-server": 150,
}
"""Names of ISC dhcpd and of Kea."""

DNSMASQ_NAMES: Mapping[str, int] = {
    "netmask": 1,
    "time-offset": 2,
    "router": 3,
    "dns-server": 6,
    "log-server": 7,
    "hostname": 12,
    "domain-name": 15,
    "root-path": 17,
    "mtu": 26,
    "broadcast": 28,
    "ntp-server": 42,
    "vendor-encap": 43,
    "netbios-ns": 44,
    "lease-time": 51,
    "T1": 58,
    "T2": 59,
    "vendor-class": 60,
    "tftp-server": 66,
    "bootfile-name": 67,
    "posix-timezone": 100,
    "tzdb-timezone": 101,
    "domain-search": 119,
    "classless-static-route": 121,
    "vendor-id-encap": 125,
    "tftp-server-address": 150,
}

_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]{1,2}(?:[: ][0-9a-fA-F]{1,2})+|(?:[0-9a-fA-F]{2})+)\Z")


def put(section: Section, code: int, parts: Sequence[str], *, network: bool) -> str:
    """Put an option into a network, class or phone; return why it cannot be, or ""."""
    if code in DERIVED:
        return DERIVED[code]
    try:
        value = shaped(code, parts)
    except ValueError as error:
        return str(error)
    if network and code in FIELDS:
        section[FIELDS[code]] = value
    elif code in FIELDS and code in {51, 121}:
        return f"option {code} is set for whole networks only"
    else:
        section.setdefault("options", {})[code] = value
    return ""


def shaped(code: int, parts: Sequence[str]) -> Any:
    """Return an option's value as an inventory has it. Raises ValueError."""
    texts = [part.strip() for part in parts]
    if not texts:
        raise ValueError(f"option {code} has no value")
    match SHAPES.get(code, "number" if code == 51 else "octets"):
        case "addresses":
            return [str(IPv4Address(text)) for text in texts]
        case "text":
            return ",".join(texts).strip('"')
        case "number":
            return int(texts[0])
        case "names":
            return [text.strip('"') for text in texts]
        case "routes":
            return list(_routes(texts))
    return octets(",".join(texts))


def octets(text: str) -> Section:
    """Return a value of no known type: hexadecimal digits, or text as it stands."""
    found = _HEX.match(text)
    if found and not text.startswith('"'):
        digits = "".join(pair.rjust(2, "0") for pair in re.split("[: ]", found[1]))
        return {"raw": f"0x{digits}"}
    return {"raw": text.strip('"')}


def _routes(texts: Sequence[str]) -> list[Section]:
    if len(texts) % 2 or "/" not in texts[0]:
        raise ValueError("routes are carried over only as pairs of network and router")
    return [
        {"to": str(IPv4Network(to)), "via": str(IPv4Address(via))}
        for to, via in zip(texts[::2], texts[1::2], strict=True)
        if to != "0.0.0.0/0"
    ]

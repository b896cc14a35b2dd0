"""Options of ISC's servers: their names, their types, and the octets of what a configuration writes.

dhcp-options(5) and the Kea Administrator Reference Manual, "Standard DHCPv4 Options" and "Custom DHCPv4 Options".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network

from netprov.dhcp.option import name as dns_name

NAMES: Mapping[str, int] = {
    "subnet-mask": 1,
    "time-offset": 2,
    "routers": 3,
    "time-servers": 4,
    "ien116-name-servers": 5,
    "name-servers": 5,
    "domain-name-servers": 6,
    "log-servers": 7,
    "cookie-servers": 8,
    "lpr-servers": 9,
    "host-name": 12,
    "boot-size": 13,
    "domain-name": 15,
    "root-path": 17,
    "ip-forwarding": 19,
    "default-ip-ttl": 23,
    "interface-mtu": 26,
    "broadcast-address": 28,
    "static-routes": 33,
    "arp-cache-timeout": 35,
    "nis-domain": 40,
    "nis-servers": 41,
    "ntp-servers": 42,
    "vendor-encapsulated-options": 43,
    "netbios-name-servers": 44,
    "netbios-node-type": 46,
    "dhcp-lease-time": 51,
    "dhcp-server-identifier": 54,
    "dhcp-renewal-time": 58,
    "dhcp-rebinding-time": 59,
    "vendor-class-identifier": 60,
    "tftp-server-name": 66,
    "bootfile-name": 67,
    "boot-file-name": 67,
    "smtp-server": 69,
    "www-server": 72,
    "user-class": 77,
    "pcode": 100,
    "tcode": 101,
    "v6-only-preferred": 108,
    "v4-captive-portal": 114,
    "default-url": 114,
    "domain-search": 119,
    "rfc3442-classless-static-routes": 121,
    "classless-static-route": 121,
    "vivco-suboptions": 124,
    "vivso-suboptions": 125,
    "vivso": 125,
    "tftp-server-address": 150,
    "voip-tftp-server": 150,
}
"""Names of the options that phones' servers give."""

TYPES: Mapping[int, str] = {
    **dict.fromkeys((1, 28, 54), "ip-address"),
    **dict.fromkeys((3, 4, 5, 6, 7, 8, 9, 33, 41, 42, 44, 69, 72), "array of ip-address"),
    **dict.fromkeys((12, 15, 17, 40, 60, 66, 67, 77, 100, 101, 114), "text"),
    **dict.fromkeys((2,), "integer 32"),
    **dict.fromkeys((35, 51, 58, 59, 108), "unsigned integer 32"),
    **dict.fromkeys((13, 26), "unsigned integer 16"),
    **dict.fromkeys((23, 46), "unsigned integer 8"),
    19: "boolean",
    119: "domain-list",
}
"""Types of the standard options, as dhcpd writes types."""

_KEA_TYPES: Mapping[str, str] = {
    "ipv4-address": "ip-address",
    "string": "text",
    "tuple": "tuple",
    "binary": "octets",
    "empty": "empty",
    "fqdn": "domain-list",
    "boolean": "boolean",
    **{f"uint{size}": f"unsigned integer {size}" for size in (8, 16, 32)},
    **{f"int{size}": f"integer {size}" for size in (8, 16, 32)},
}
_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{1,2}[: ])*[0-9a-fA-F]{1,2}|(?:[0-9a-fA-F]{2})+)\Z")


def kea_type(kind: str, *, array: bool, record: str = "") -> str:
    """Return Kea's name of a type as dhcpd has it."""
    if kind == "record":
        return "{" + ", ".join(_KEA_TYPES.get(each.strip(), "?") for each in record.split(",")) + "}"
    return f"{'array of ' if array else ''}{_KEA_TYPES.get(kind, '?')}"


def encode(kind: str, values: Sequence[str]) -> bytes:
    """Return the octets of the values of one option; raise `ValueError` for what is no such value."""
    if kind.startswith("{"):
        kinds = [each.strip() for each in kind.strip("{}").split(",")]
        if len(kinds) != len(values):
            raise ValueError(f"{len(values)} values for {len(kinds)} fields")
        return b"".join(_one(each, value) for each, value in zip(kinds, values, strict=True))
    if kind == "domain-list":
        return dns_name.encode_list([unquoted(value).rstrip(".") for value in values])
    if kind.startswith("array of "):
        return b"".join(_one(kind.removeprefix("array of "), each) for each in values)
    if kind in {"text", "string", "octets"}:
        return _one(kind, ",".join(values))
    if len(values) != 1:
        raise ValueError(f"{len(values)} values where one is wanted")
    return _one(kind, values[0])


def _one(kind: str, value: str) -> bytes:
    text = unquoted(value.strip())
    match kind.split():
        case ["ip-address"]:
            return IPv4Address(text).packed
        case ["text"]:
            return text.encode()
        case ["string"]:
            return text.encode() if value.strip().startswith('"') else octets(text)
        case ["octets"]:
            return octets(text)
        case ["tuple"]:
            return bytes([len(text)]) + text.encode()
        case ["empty"]:
            return b""
        case ["boolean" | "flag"]:
            if text not in {"true", "on", "false", "off"}:
                raise ValueError(f"{text!r} is neither true nor false")
            return bytes([text in {"true", "on"}])
        case [*signed, "integer", size] if size in {"8", "16", "32"}:
            return int(text, 0).to_bytes(int(size) // 8, "big", signed=signed in ([], ["signed"]))
    raise ValueError(f"values of type {kind} are not carried over")


def octets(text: str) -> bytes:
    """Return octets written in hexadecimal. Raises `ValueError`."""
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].encode()
    found = _HEX.match(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not octets in hexadecimal")
    return bytes.fromhex("".join(pair.rjust(2, "0") for pair in re.split("[: ]", found[1])))


def expression(words: Sequence[str]) -> bytes:
    """Return the octets of a constant data expression (dhcp-eval(5)); raise `ValueError` for one that is worked out."""
    if len(words) == 1 and words[0].startswith('"'):
        return unquoted(words[0]).encode("latin-1")
    if len(words) == 1 and _HEX.match(words[0]):
        return octets(words[0])
    raise ValueError("values that are worked out for each client are not carried over")


def unquoted(text: str) -> str:
    """Return a text without its double quotes, its escapes resolved (dhcpd.conf(5), lexical)."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", _escape, text[1:-1])


def _escape(found: re.Match[str]) -> str:
    what = found[1]
    if what[0] == "x" and len(what) > 1:
        return chr(int(what[1:], 16))
    if what.isdigit():
        return chr(int(what, 8))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(what, what)


def routes(values: Sequence[str]) -> bytes:
    """Return option 121 from pairs of network and router (Kea 2.6's classless-static-route). Raises `ValueError`."""
    data = b""
    for each in values:
        to, _, via = each.partition(" - ")
        network = IPv4Network(to.strip())
        significant = network.network_address.packed[: (network.prefixlen + 7) // 8]
        data += bytes([network.prefixlen]) + significant + IPv4Address(via.strip()).packed
    return data

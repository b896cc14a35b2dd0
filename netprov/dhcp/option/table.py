"""The table of DHCP options, and the way of a value: as written in the inventory, as octets, as decoded, as text.

RFC 2132 unless a row says otherwise. An option that has no row is opaque octets, written `{raw: …}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netprov.dhcp.option import vendor
from netprov.dhcp.option.kind import (
    ADDRESS,
    ADDRESSES,
    CLIENT_ID,
    CODES,
    FLAG,
    I32,
    NAMES,
    OPAQUE,
    ROUTES,
    SECONDS,
    TEXT,
    U8,
    U16,
    USER_CLASS,
    Kind,
    raw,
)
from netprov.errors import BadValue, Malformed

PAD, END = 0, 255


@dataclass(frozen=True, slots=True)
class Option:
    """One row: the code, its name in the standard, the kind of its value, where it is specified, a value as written."""

    code: int
    name: str
    kind: Kind
    reference: str
    own_example: str = ""

    @property
    def example(self) -> str:
        """Return a value as an operator writes it, "" if none is known."""
        return self.own_example or self.kind.example


_ROWS = (
    Option(1, "Subnet Mask", ADDRESS, "RFC 2132 3.3"),
    Option(2, "Time Offset", I32, "RFC 2132 3.4"),
    Option(3, "Router", ADDRESSES, "RFC 2132 3.5"),
    Option(4, "Time Server", ADDRESSES, "RFC 2132 3.6"),
    Option(5, "Name Server", ADDRESSES, "RFC 2132 3.7"),
    Option(6, "Domain Name Server", ADDRESSES, "RFC 2132 3.8"),
    Option(7, "Log Server", ADDRESSES, "RFC 2132 3.9"),
    Option(8, "Cookie Server", ADDRESSES, "RFC 2132 3.10"),
    Option(9, "LPR Server", ADDRESSES, "RFC 2132 3.11"),
    Option(12, "Host Name", TEXT, "RFC 2132 3.14", "lobby"),
    Option(13, "Boot File Size", U16, "RFC 2132 3.15"),
    Option(15, "Domain Name", TEXT, "RFC 2132 3.17", "example.com"),
    Option(17, "Root Path", TEXT, "RFC 2132 3.19"),
    Option(19, "IP Forwarding", FLAG, "RFC 2132 4.1"),
    Option(23, "Default IP TTL", U8, "RFC 2132 4.5"),
    Option(26, "Interface MTU", U16, "RFC 2132 5.1"),
    Option(28, "Broadcast Address", ADDRESS, "RFC 2132 5.3"),
    Option(35, "ARP Cache Timeout", SECONDS, "RFC 2132 6.2"),
    Option(40, "NIS Domain", TEXT, "RFC 2132 8.1", "example.com"),
    Option(41, "NIS Servers", ADDRESSES, "RFC 2132 8.2"),
    Option(42, "NTP Servers", ADDRESSES, "RFC 2132 8.3"),
    Option(43, "Vendor Specific Information", vendor.VENDOR_SPECIFIC, "RFC 2132 8.4, TR-069 3.1"),
    Option(44, "NetBIOS Name Server", ADDRESSES, "RFC 2132 8.5"),
    Option(50, "Requested IP Address", ADDRESS, "RFC 2132 9.1"),
    Option(51, "IP Address Lease Time", SECONDS, "RFC 2132 9.2"),
    Option(52, "Option Overload", U8, "RFC 2132 9.3"),
    Option(53, "DHCP Message Type", U8, "RFC 2132 9.6"),
    Option(54, "Server Identifier", ADDRESS, "RFC 2132 9.7"),
    Option(55, "Parameter Request List", CODES, "RFC 2132 9.8"),
    Option(56, "Message", TEXT, "RFC 2132 9.9"),
    Option(57, "Maximum DHCP Message Size", U16, "RFC 2132 9.10"),
    Option(58, "Renewal (T1) Time", SECONDS, "RFC 2132 9.11"),
    Option(59, "Rebinding (T2) Time", SECONDS, "RFC 2132 9.12"),
    Option(60, "Vendor Class Identifier", TEXT, "RFC 2132 9.13", "CP-8851-3PCC"),
    Option(61, "Client Identifier", CLIENT_ID, "RFC 2132 9.14, RFC 4361"),
    Option(66, "TFTP Server Name", TEXT, "RFC 2132 9.4", "10.20.0.1"),
    Option(67, "Bootfile Name", TEXT, "RFC 2132 9.5", "boot.cfg"),
    Option(69, "SMTP Server", ADDRESSES, "RFC 2132 8.15"),
    Option(72, "WWW Server", ADDRESSES, "RFC 2132 8.18"),
    Option(77, "User Class", USER_CLASS, "RFC 3004"),
    Option(80, "Rapid Commit", OPAQUE, "RFC 4039"),
    Option(81, "Client FQDN", OPAQUE, "RFC 4702"),
    Option(82, "Relay Agent Information", vendor.RELAY, "RFC 3046"),
    Option(100, "POSIX Time Zone", TEXT, "RFC 4833", "EST5EDT,M3.2.0,M11.1.0"),
    Option(101, "TZDB Time Zone", TEXT, "RFC 4833", "America/New_York"),
    Option(108, "IPv6-Only Preferred", SECONDS, "RFC 8925"),
    Option(114, "Captive Portal", TEXT, "RFC 8910", "https://pr1.example.com/"),
    Option(116, "Auto-Configure", FLAG, "RFC 2563"),
    Option(118, "Subnet Selection", ADDRESS, "RFC 3011"),
    Option(119, "Domain Search", NAMES, "RFC 3397"),
    Option(120, "SIP Servers", OPAQUE, "RFC 3361"),
    Option(121, "Classless Static Route", ROUTES, "RFC 3442"),
    Option(124, "V-I Vendor Class", vendor.VENDOR_CLASSES, "RFC 3925 3"),
    Option(125, "V-I Vendor-Specific Information", vendor.VENDOR_IDENTIFYING, "RFC 3925 4, TR-069 Annex F"),
    Option(132, "DHCP VLAN", TEXT, "guide, DHCP VLAN Option", "'120'"),
    Option(145, "FORCERENEW Nonce", OPAQUE, "RFC 6704"),
    Option(150, "TFTP Server Address", ADDRESSES, "RFC 5859"),
    Option(159, "Provisioning Server", TEXT, "guide, DHCP Option To Use", "10.20.0.1"),
    Option(160, "Provisioning URL", TEXT, "guide, DHCP Option To Use", "https://pr1.example.com/$PSN.xml"),
    Option(175, "Etherboot", OPAQUE, "RFC 3942"),
    Option(176, "IP Telephone", TEXT, "RFC 3942"),
    Option(252, "Web Proxy Auto-Discovery", TEXT, "private use"),
)

OPTIONS: Mapping[int, Option] = {row.code: row for row in _ROWS}

MASK, TIME_OFFSET, ROUTER, DNS, HOST_NAME, DOMAIN = 1, 2, 3, 6, 12, 15
NTP, VENDOR_INFO, REQUESTED_ADDRESS, LEASE_TIME, OVERLOAD, MESSAGE_TYPE = 42, 43, 50, 51, 52, 53
SERVER_ID, REQUEST_LIST, MESSAGE, MAX_SIZE, T1, T2, VENDOR_CLASS, CLIENT_IDENTIFIER = range(54, 62)
TFTP_NAME, BOOT_FILE, USER_CLASSES, RAPID_COMMIT, FQDN, RELAY_INFO = 66, 67, 77, 80, 81, 82
SUBNET_SELECTION, SEARCH, STATIC_ROUTES, VENDOR_CLASS_LIST, VENDOR_IDENTIFYING = 118, 119, 121, 124, 125
TFTP_ADDRESSES, PROVISIONING_SERVER, PROVISIONING_URL, PROXY_DISCOVERY = 150, 159, 160, 252

_LEFT_OUT = "leave it out"

NOT_SETTABLE: Mapping[int, tuple[str, str]] = {
    PAD: ("it is padding", _LEFT_OUT),
    MASK: ("it follows from the network", "write the prefix length with the network's `subnet:`"),
    REQUESTED_ADDRESS: ("only clients send it", "to give a phone an address, write `address:` of the phone"),
    LEASE_TIME: ("it is the network's", "write `lease:` of the network"),
    OVERLOAD: ("it is set where the reply needs it", _LEFT_OUT),
    MESSAGE_TYPE: ("it is the type of the message", _LEFT_OUT),
    SERVER_ID: ("it is this server's address", "write `address:` of the network"),
    REQUEST_LIST: ("only clients send it", _LEFT_OUT),
    MESSAGE: ("it is the text of a refusal", _LEFT_OUT),
    MAX_SIZE: ("only clients send it", _LEFT_OUT),
    T1: ("it is the network's", "write `renew:` of the network"),
    T2: ("it is the network's", "write `rebind:` of the network"),
    CLIENT_IDENTIFIER: ("only clients send it", _LEFT_OUT),
    RELAY_INFO: ("only relay agents send it", _LEFT_OUT),
    END: ("it ends the options", _LEFT_OUT),
}
"""Options that an inventory may not set: why, and what to do instead."""

MAX_OPTION = 2048
"""Octets of one option that an inventory may set; more would not fit a datagram beside the rest."""


def name(code: int) -> str:
    """Return the standard's name of an option, `Option 200` for one without a row."""
    row = OPTIONS.get(code)
    return row.name if row else f"Option {code}"


def encode(code: int, value: object) -> bytes:
    """Return the octets of a value as written in the inventory; raise `ValueError` with words for the operator.

    `{raw: text}` and `{raw: '0x…'}` are taken for every code; a code without a row takes nothing else.
    """
    if code in NOT_SETTABLE:
        why, remedy = NOT_SETTABLE[code]
        raise BadValue(f"option {code} ({name(code)}) cannot be set: {why}", remedy)
    if not 1 <= code <= 254:
        raise BadValue(f"{code} is not an option number", "write a number from 1 to 254")
    row = OPTIONS.get(code)
    if isinstance(value, Mapping) and set(value) == {"raw"}:
        data = raw(value["raw"])
    elif row is None:
        raise BadValue(f"option {code} has no known type", "write {raw: 'text'} or {raw: '0x0102'}")
    else:
        try:
            data = row.kind.encode(value)
        except ValueError as error:
            message, remedy = (
                (error.message, error.remedy) if isinstance(error, BadValue) else (str(error), "")
            )
            example = f", for example `{code}: {row.example}`" if row.example else ""
            remedy = remedy or f"write {row.kind.shape}{example}"
            raise BadValue(f"option {code} ({row.name}): {message}", remedy) from None
    if len(data) > MAX_OPTION:
        raise BadValue(f"option {code} is {len(data)} octets long; {MAX_OPTION} is the most", "shorten it")
    return data


def decode(code: int, data: bytes) -> Any:
    """Return the value of an option; raise `Malformed` if its octets are not of its kind."""
    row = OPTIONS.get(code)
    return row.kind.decode(data) if row else data


def show(code: int, data: bytes) -> str:
    """Return an option's value as text for people; octets that are not of its kind in hexadecimal."""
    kind = OPTIONS[code].kind if code in OPTIONS else OPAQUE
    try:
        return kind.format(kind.decode(data))
    except Malformed:
        return f"0x{data.hex()} (malformed)"

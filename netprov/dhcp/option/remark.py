"""What is odd about an option that some server sends: the mistakes that keep phones from provisioning."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

from netprov.dhcp.option import table as code
from netprov.dhcp.option.table import OPTIONS
from netprov.dhcp.option.vendor import SUBOPTIONS_43, SUBOPTIONS_125, decode_tlv
from netprov.errors import Malformed

_TEXTS = {
    code.DOMAIN,
    code.TFTP_NAME,
    code.BOOT_FILE,
    code.PROVISIONING_SERVER,
    code.PROVISIONING_URL,
    code.HOST_NAME,
    code.VENDOR_CLASS,
}

_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")


def remarks(option: int, data: bytes) -> list[str]:
    """Return what an operator should know about the octets of an option, in sentences."""
    found = []
    row = OPTIONS.get(option)
    if row is not None:
        try:
            row.kind.decode(data)
        except Malformed as error:
            found.append(f"These octets are no {row.name}: {error}.")
    if data.endswith(b"\0") and option in _TEXTS | {code.VENDOR_INFO}:
        found.append(
            "It ends in NUL, which RFC 2132 section 2 forbids; some clients take it as part of the text."
        )
    if option in _TEXTS and len(data) == 4 and not all(32 <= octet < 127 for octet in data):
        found.append(f"Four octets, which may mean {IPv4Address(data)}: a phone wants that as text.")
    if option == code.TFTP_ADDRESSES and data and all(32 <= octet < 127 for octet in data):
        found.append(f"It is the text {data.decode()!r}: option 150 is four octets an address (RFC 5859).")
    if re.fullmatch(rb"(0x)?([0-9A-Fa-f]{2}[: ]?){8,}", data) and option != code.CLIENT_IDENTIFIER:
        found.append("It is text that spells out hexadecimal digits: the server was given hex as a string.")
    if option == code.VENDOR_INFO:
        found += _vendor_info(data)
    if option == code.VENDOR_IDENTIFYING:
        found += _vendor_identifying(data)
    if option == code.DOMAIN and data.endswith(b"."):
        found.append("It ends in a dot; phones expect the name without.")
    return found


def _vendor_info(data: bytes) -> list[str]:
    if _URL.match(data):
        text = (
            "It is a URL without sub-options: Cisco's DHCP_Option_To_Use takes it, a TR-069 client does not"
        )
        return [f"{text} (it wants 01, the length, the URL)."]
    try:
        pairs = decode_tlv(data)
    except Malformed as error:
        return [
            f"It is not made of whole sub-options (code, length, value): {error}. A TR-069 client finds no ACS in it."
        ]
    found = []
    if data.endswith(b"\xff"):
        found.append("It ends in 255, which needs no sending and is known to confuse a client.")
    if 1 not in pairs:
        found.append("It has no sub-option 1, the ACS's URL.")
    unknown = [str(each) for each in pairs if each not in SUBOPTIONS_43]
    if unknown:
        found.append(f"TR-069 does not define sub-option {', '.join(unknown)}; another vendor may.")
    return found


def _vendor_identifying(data: bytes) -> list[str]:
    try:
        pairs = decode_tlv(data[5:]) if data[:4] == b"\x00\x00\x0d\xe9" else {}
    except Malformed:
        return []
    if not pairs:
        return ["It holds nothing of enterprise 3561, the Broadband Forum's, so a TR-069 client ignores it."]
    if 1 in pairs and b"://" in pairs[1]:
        return [
            "Its sub-option 1 holds a URL: in option 125 the ACS's URL is sub-option 11; 1 is a device's OUI."
        ]
    unknown = [str(each) for each in pairs if each not in SUBOPTIONS_125]
    return [f"TR-069 does not define sub-option {', '.join(unknown)}."] if unknown else []

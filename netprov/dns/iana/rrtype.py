"""The registry of record types: mnemonics, numbers, and which are no data.

RFC 1035 3.2.2, RFC 3597 5 (`TYPE65280`), RFC 6895 3.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

TYPES: Mapping[str, int] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "WKS": 11,
    "PTR": 12,
    "HINFO": 13,
    "MINFO": 14,
    "MX": 15,
    "TXT": 16,
    "RP": 17,
    "AFSDB": 18,
    "X25": 19,
    "ISDN": 20,
    "RT": 21,
    "NSAP": 22,
    "SIG": 24,
    "KEY": 25,
    "PX": 26,
    "GPOS": 27,
    "AAAA": 28,
    "LOC": 29,
    "SRV": 33,
    "NAPTR": 35,
    "KX": 36,
    "CERT": 37,
    "DNAME": 39,
    "OPT": 41,
    "APL": 42,
    "DS": 43,
    "SSHFP": 44,
    "IPSECKEY": 45,
    "RRSIG": 46,
    "NSEC": 47,
    "DNSKEY": 48,
    "DHCID": 49,
    "NSEC3": 50,
    "NSEC3PARAM": 51,
    "TLSA": 52,
    "SMIMEA": 53,
    "HIP": 55,
    "NINFO": 56,
    "RKEY": 57,
    "TALINK": 58,
    "CDS": 59,
    "CDNSKEY": 60,
    "OPENPGPKEY": 61,
    "CSYNC": 62,
    "ZONEMD": 63,
    "SVCB": 64,
    "HTTPS": 65,
    "SPF": 99,
    "NID": 104,
    "L32": 105,
    "L64": 106,
    "LP": 107,
    "EUI48": 108,
    "EUI64": 109,
    "TKEY": 249,
    "TSIG": 250,
    "IXFR": 251,
    "AXFR": 252,
    "MAILB": 253,
    "MAILA": 254,
    "ANY": 255,
    "URI": 256,
    "CAA": 257,
    "AVC": 258,
    "AMTRELAY": 260,
    "TA": 32768,
    "DLV": 32769,
}
"""Mnemonics of the IANA registry that operators and tools write."""

MNEMONICS: Mapping[int, str] = {number: text for text, number in TYPES.items()}

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DNAME, OPT, DS, RRSIG, NSEC = (
    TYPES[each]
    for each in [
        "A",
        "NS",
        "CNAME",
        "SOA",
        "PTR",
        "MX",
        "TXT",
        "AAAA",
        "SRV",
        "DNAME",
        "OPT",
        "DS",
        "RRSIG",
        "NSEC",
    ]
)
TSIG, IXFR, AXFR, ANY = (TYPES[each] for each in ("TSIG", "IXFR", "AXFR", "ANY"))
META = frozenset(range(128, 256)) | {OPT}
"""Types that are no data: question types and pseudo-records (RFC 6895 3.1)."""


def parse_type(text: str) -> int:
    """Parse a type's mnemonic or its RFC 3597 form, `TYPE65280`. Raises ValueError."""
    number = TYPES.get(text.upper())
    if number is not None:
        return number
    match = re.fullmatch(r"TYPE(\d{1,5})", text.upper())
    if not match or int(match[1]) > 0xFFFF:
        raise ValueError(f"{text!r} is no record type; write an unknown one as TYPE65280")
    return int(match[1])


def format_type(number: int) -> str:
    """Format a type as its mnemonic, or in RFC 3597 form."""
    return MNEMONICS.get(number, f"TYPE{number}")

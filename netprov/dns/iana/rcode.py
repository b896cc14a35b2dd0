"""The registry of response codes: how a query went.

RFC 1035 4.1.1, RFC 6895 2.3; those above 15 need OPT (RFC 6891 6.1.3) or TSIG (RFC 8945 3) to be told.
"""

from __future__ import annotations

from enum import IntEnum


class Rcode(IntEnum):
    """A response code of a message."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    YXDOMAIN = 6
    YXRRSET = 7
    NXRRSET = 8
    NOTAUTH = 9
    NOTZONE = 10
    DSOTYPENI = 11
    BADVERS = 16
    BADCOOKIE = 23


class TsigRcode(IntEnum):
    """A response code of a TSIG record, where 16 is another one than in OPT."""

    NOERROR = 0
    BADSIG = 16
    BADKEY = 17
    BADTIME = 18
    BADTRUNC = 22


def format_rcode(number: int) -> str:
    """Format a response code as its name, or as `RCODE12`, which the registry has none for."""
    try:
        return Rcode(number).name
    except ValueError:
        return f"RCODE{number}"

"""The registries of flags: those of a header's second 16 bits, and those of OPT (RFC 6895 2.1, RFC 6891 6.1.4).

They are plain numbers to be joined with `|`: `enum.IntFlag` takes a microsecond for each.
"""

from __future__ import annotations

from enum import IntEnum


class Flag(IntEnum):
    """A flag of a header."""

    QR = 0x8000
    AA = 0x0400
    TC = 0x0200
    RD = 0x0100
    RA = 0x0080
    AD = 0x0020
    CD = 0x0010


class EdnsFlag(IntEnum):
    """A flag of the OPT record."""

    DO = 0x8000


RCODE_MASK = 0x000F
"""Where the response code's lower four bits stand beside the flags."""

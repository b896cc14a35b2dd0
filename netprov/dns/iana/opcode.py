"""The registry of opcodes: what a message asks to be done (RFC 1035 4.1.1, RFC 6895 2.2)."""

from __future__ import annotations

from enum import IntEnum

MASK = 0x7800
"""Where the opcode stands in the second 16 bits of a header."""

SHIFT = 11


class Opcode(IntEnum):
    """The kind of a message."""

    QUERY = 0
    IQUERY = 1
    STATUS = 2
    NOTIFY = 4
    UPDATE = 5
    DSO = 6


def opcode(flags: int) -> int:
    """Return the opcode in a header's second 16 bits; it need not be a known one."""
    return (flags & MASK) >> SHIFT

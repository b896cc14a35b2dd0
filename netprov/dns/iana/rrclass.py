"""The registry of classes (RFC 1035 3.2.4, RFC 6895 3.2)."""

from __future__ import annotations

from enum import IntEnum


class RRClass(IntEnum):
    """The class of a record or question."""

    IN = 1
    CH = 3
    HS = 4
    NONE = 254
    ANY = 255

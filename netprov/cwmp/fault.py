"""The fault codes of CWMP (TR-069 Amendment 6 annex A.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FAULTS: Final[Mapping[int, str]] = {
    8000: "Method not supported",
    8001: "Request denied",
    8002: "Internal error",
    8003: "Invalid arguments",
    8004: "Resources exceeded",
    8005: "Retry request",
    8006: "ACS version incompatible with CPE",
    9000: "Method not supported",
    9001: "Request denied",
    9002: "Internal error",
    9003: "Invalid arguments",
    9004: "Resources exceeded",
    9005: "Invalid parameter name",
    9006: "Invalid parameter type",
    9007: "Invalid parameter value",
    9008: "Attempt to set a non-writable parameter",
    9009: "Notification request rejected",
    9010: "File transfer failure",
    9011: "Upload failure",
    9012: "File transfer server authentication failure",
    9013: "Unsupported protocol for file transfer",
    9014: "File transfer failure: unable to join multicast group",
    9015: "File transfer failure: unable to contact file server",
    9016: "File transfer failure: unable to access file",
    9017: "File transfer failure: unable to complete download",
    9018: "File transfer failure: file corrupted or otherwise unusable",
    9019: "File transfer failure: file authentication failure",
}
"""What each code says: 8000 to 8006 are the ACS's, 9000 to 9019 the CPE's."""

SERVER_FAULTS: Final = frozenset(
    {8002, 8004, 8005, 9002, 9004, 9009, 9010, 9011, 9012, 9016, 9017, 9018, 9019}
)
"""Codes whose SOAP faultcode is Server: the request was right, the receiver could not; all others are Client."""


def describe(code: int) -> str:
    """Return what a code says."""
    return FAULTS.get(code, f"fault {code}")

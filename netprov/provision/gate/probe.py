"""Marks of our own probes: in whose name they ask, and, by who may read the secrets, a signature that lets them have what that phone gets.

Without a signature a mark is a word like any path's, and gives nothing that a path would not. A signature is for one phone, one
way, one path and two minutes: seen in clear over HTTP or TFTP it gives what was seen with it.
"""

from __future__ import annotations

import hmac

from netprov.hostport import Scheme
from netprov.mac import read_mac

FRESH_S = 120
"""Seconds either way that a signature is good for: clocks of two machines differ."""


def sign(key: str | None, mac: str, scheme: Scheme, path: str, now: float) -> str:
    """Return a mark in a phone's name, unsigned without a key."""
    if not key or not mac:
        return f"doctor {mac}".rstrip()
    return f"doctor {int(now)} {_signature(key, int(now), scheme, path)} {mac}"


def probed(value: str) -> str:
    """Return the MAC address in whose name a probe asks, "" for none."""
    return read_mac(value.rpartition(" ")[2])


def is_signed(value: str, key: str | None, scheme: Scheme, path: str, now: float) -> bool:
    """Say whether a mark is signed for this request by who knows the secrets."""
    parts = value.split(" ")
    if not key or len(parts) != 4 or not (parts[1].isascii() and parts[1].isdigit() and len(parts[1]) < 16):
        return False
    when = int(parts[1])
    if abs(now - when) > FRESH_S:
        return False
    return hmac.compare_digest(_signature(key, when, scheme, path).encode(), parts[2].encode())


def _signature(key: str, when: int, scheme: Scheme, path: str) -> str:
    return hmac.digest(key.encode(), f"{when} {scheme} {path.lstrip('/').lower()}".encode(), "sha256").hex()[
        :32
    ]

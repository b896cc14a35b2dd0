"""DNS cookies: a client that returns the server's cookie has an address that it can be reached at.

RFC 7873 5.2, RFC 9018 4 (the interoperable server cookie, by SipHash-2-4), so that several servers that share a secret
accept each other's.
"""

from __future__ import annotations

import hmac

COOKIE = 10
"""Option code."""

CLIENT_SIZE = 8
LIFETIME = 3600
"""Seconds for which a server cookie is accepted (RFC 9018 4.3)."""

AHEAD = 300
"""Seconds by which a cookie of another server may be ahead of our clock."""

_HEAD = b"\x01\x00\x00\x00"
_MASK = (1 << 64) - 1


def is_well_formed(option: bytes) -> bool:
    """Say whether an option has a possible length (RFC 7873 5.2.2): a client cookie, alone or with a server cookie."""
    return len(option) == CLIENT_SIZE or 16 <= len(option) <= 40


def make(option: bytes, address: bytes, secret: bytes, now: float) -> bytes:
    """Return the option to answer with: the client cookie, and a fresh server cookie for its packed address."""
    client = option[:CLIENT_SIZE]
    return client + _server_cookie(client, address, secret, int(now) & 0xFFFFFFFF)


def is_valid(option: bytes, address: bytes, secret: bytes, now: float) -> bool:
    """Say whether an option holds a server cookie that we made for this address, not long ago."""
    if len(option) != CLIENT_SIZE + 16 or option[8:12] != _HEAD:
        return False
    made = int.from_bytes(option[12:16], "big")
    age = (int(now) - made) & 0xFFFFFFFF
    if LIFETIME < age < (1 << 32) - AHEAD:
        return False
    return hmac.compare_digest(option[8:], _server_cookie(option[:8], address, secret, made))


def _server_cookie(client: bytes, address: bytes, secret: bytes, made: int) -> bytes:
    head = _HEAD + made.to_bytes(4, "big")
    return head + siphash24(secret, client + head + address)


def siphash24(key: bytes, data: bytes) -> bytes:
    """Return SipHash-2-4 with a key of 16 octets, as 8 octets little-endian."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    state = (
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    )
    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v0, v1, v2, v3 = _rounds((*state[:3], state[3] ^ word), 2)
        state = (v0 ^ word, v1, v2, v3)
    v0, v1, v2, v3 = _rounds((state[0], state[1], state[2] ^ 0xFF, state[3]), 4)
    return (v0 ^ v1 ^ v2 ^ v3).to_bytes(8, "little")


def _rounds(state: tuple[int, int, int, int], count: int) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0 = (v0 + v1) & _MASK
        v1 = (v1 << 13 | v1 >> 51) & _MASK ^ v0
        v0 = (v0 << 32 | v0 >> 32) & _MASK
        v2 = (v2 + v3) & _MASK
        v3 = (v3 << 16 | v3 >> 48) & _MASK ^ v2
        v0 = (v0 + v3) & _MASK
        v3 = (v3 << 21 | v3 >> 43) & _MASK ^ v0
        v2 = (v2 + v1) & _MASK
        v1 = (v1 << 17 | v1 >> 47) & _MASK ^ v2
        v2 = (v2 << 32 | v2 >> 32) & _MASK
    return v0, v1, v2, v3

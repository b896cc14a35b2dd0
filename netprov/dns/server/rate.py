"""Response rate limiting: no source prefix gets more replies over UDP than a client behind it could want.

After Vixie and Schryver, "DNS Response Rate Limiting" (2012), simplified: one bucket a prefix whatever is asked, for an
authoritative server on a LAN has no remote client that asks much. Some of what is over the limit is answered empty and
truncated ("slip"), so that a real client behind a spoofed prefix comes back over TCP.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What becomes of a reply."""

    SEND = "send"
    SLIP = "slip"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Limit:
    """Replies a second for each prefix; every `slip`-th one over it is truncated, the others are dropped."""

    rate: int = 100
    slip: int = 2
    prefix4: int = 24
    prefix6: int = 56


BURST = 2
"""Seconds of its rate that a prefix which was silent may use at once."""

REMEMBERED = 50_000
"""Prefixes a generation remembers."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    over: int = 0


class Limiter:
    """Counts replies by prefix, in bounded memory."""

    __slots__ = ("_limit", "_old", "_young")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._young: dict[bytes, _Bucket] = {}
        self._old: dict[bytes, _Bucket] = {}

    def judge(self, address: bytes, now: float) -> Verdict:
        """Decide on one reply to a packed address; `now` is in seconds."""
        limit = self._limit
        bucket = self._bucket(self._prefix(address), now)
        bucket.tokens = min(limit.rate * BURST, bucket.tokens + (now - bucket.at) * limit.rate)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return Verdict.SEND
        bucket.over += 1
        return Verdict.SLIP if limit.slip and bucket.over % limit.slip == 0 else Verdict.DROP

    def _bucket(self, prefix: bytes, now: float) -> _Bucket:
        bucket = self._young.get(prefix)
        if bucket is None:
            bucket = self._old.get(prefix) or _Bucket(self._limit.rate * BURST, now)
            if len(self._young) >= REMEMBERED:
                self._old, self._young = self._young, {}
            self._young[prefix] = bucket
        return bucket

    def _prefix(self, address: bytes) -> bytes:
        bits = self._limit.prefix4 if len(address) == 4 else self._limit.prefix6
        kept = int.from_bytes(address, "big") >> (len(address) * 8 - bits)
        return bytes([len(address)]) + kept.to_bytes(16, "big")

"""Nonces of HTTP Digest (RFC 7616 section 3.3): unforgeable, good for a while, each count of one taken once."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

NONCE_LIFE: Final = 300
"""Seconds that a nonce is good for; an older one is answered as stale, and the client tries again unasked."""

_FORM: Final = re.compile(r"([0-9a-f]{1,12})-([0-9a-f]{1,12})-[0-9a-f]{32}", re.ASCII)
_COUNT: Final = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)
_REMEMBERED: Final = 50_000


class Nonces:
    """Issues nonces and takes them back; `key` is random, for one run.

    Only counts of requests whose password was right are kept. A client that counts nothing, as RFC 2069 has it, can be
    replayed within a nonce's life, which TLS has to prevent.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._serial = 0
        self._counts: dict[int, int] = {}
        self._forgotten = 0

    def issue(self, now: float) -> str:
        """Return a new nonce."""
        self._serial += 1
        return self._sign(int(now), self._serial)

    def take(self, nonce: str, count: str | None, now: float) -> bool:
        """Say whether a nonce is ours, not old, and not yet used with this count; None where the client counts not."""
        found = _FORM.fullmatch(nonce)
        if found is None:
            return False
        moment, serial = int(found[1], 16), int(found[2], 16)
        if not hmac.compare_digest(nonce, self._sign(moment, serial)) or abs(now - moment) > NONCE_LIFE:
            return False
        if count is None:
            return True
        if not _COUNT.fullmatch(count) or int(count, 16) <= self._counts.get(serial, 0):
            return False
        return self._keep(serial, int(count, 16))

    def _keep(self, serial: int, count: int) -> bool:
        if serial not in self._counts and serial <= self._forgotten:
            return False
        self._counts[serial] = count
        if len(self._counts) > _REMEMBERED:
            oldest = next(iter(self._counts))
            del self._counts[oldest]
            self._forgotten = max(self._forgotten, oldest)  # so that what is forgotten is not good again
        return True

    def _sign(self, moment: int, serial: int) -> str:
        text = f"{moment:x}-{serial:x}"
        return f"{text}-{hmac.digest(self._key, text.encode(), hashlib.sha256).hex()[:32]}"

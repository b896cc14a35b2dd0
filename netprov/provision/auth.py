"""HTTP authentication as a server asks for it: Basic (RFC 7617) and Digest (RFC 7616, MD5 and SHA-256).

Nonces are a time and its authentication code, so nothing is kept; they are good for a while, repeats included:
on a LAN, with phones that fetch once an hour, a replay within minutes gains nothing that was not just sent.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Literal

AuthScheme = Literal["basic", "digest"]
REALM = "netprov"
NONCE_LIFE = 300
"""Seconds; a stale nonce costs the phone one of its two retries, so not too few."""

_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who may fetch, and the password."""

    user: str
    password: str


class Authority:
    """Asks for credentials and judges them; `key` makes the nonces unforgeable."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def challenge(self, scheme: AuthScheme, now: float, *, stale: bool = False) -> tuple[str, ...]:
        """Return the values of WWW-Authenticate, the strongest first (RFC 7616 section 3.7)."""
        if scheme == "basic":
            return (f'Basic realm="{REALM}", charset="UTF-8"',)
        nonce = self._nonce(int(now))
        more = ", stale=true" if stale else ""
        return tuple(
            f'Digest realm="{REALM}", qop="auth", algorithm={name}, nonce="{nonce}"{more}'
            for name in ("SHA-256", "MD5")
        )

    def judge(
        self,
        header: str | None,
        account: Account,
        scheme: AuthScheme,
        *,
        method: str,
        target: str,
        now: float,
    ) -> Literal["good", "bad", "stale"]:
        """Judge an Authorization field."""
        kind, _, rest = (header or "").partition(" ")
        if kind.lower() != scheme:
            return "bad"
        if scheme == "basic":
            return "good" if _basic(rest, account) else "bad"
        fields = {m[1].lower(): m[2] if m[2] is not None else m[3] for m in _PAIR.finditer(rest)}
        if fields.get("uri") != target or not _digest(fields, account, method):
            return "bad"
        return self._fresh(fields.get("nonce", ""), now)

    def _nonce(self, moment: int) -> str:
        return f"{moment:x}.{hmac.digest(self._key, str(moment).encode(), 'sha256').hex()[:32]}"

    def _fresh(self, nonce: str, now: float) -> Literal["good", "bad", "stale"]:
        try:
            moment = int(nonce.partition(".")[0], 16)
        except ValueError:
            return "bad"
        if not hmac.compare_digest(nonce.encode(), self._nonce(moment).encode()):
            return "stale"  # of an earlier run of this server
        return "good" if abs(now - moment) <= NONCE_LIFE else "stale"


def _basic(encoded: str, account: Account) -> bool:
    try:
        given = b64decode(encoded.strip(), validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(given, f"{account.user}:{account.password}".encode())


def _digest(fields: dict[str, str], account: Account, method: str) -> bool:
    """Check a Digest response (RFC 7616 section 3.4.1); without qop, RFC 2069's older form is taken too."""
    name = _ALGORITHMS.get(fields.get("algorithm", "MD5").upper())
    if name is None or fields.get("realm") != REALM or fields.get("username") != account.user:
        return False

    def digest(*parts: str) -> str:
        return hashlib.new(name, ":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    secret = digest(account.user, REALM, account.password)
    what = digest(method, fields["uri"])
    if fields.get("qop"):
        count, own = fields.get("nc", ""), fields.get("cnonce", "")
        expected = digest(secret, fields.get("nonce", ""), count, own, fields["qop"], what)
    else:
        expected = digest(secret, fields.get("nonce", ""), what)
    return hmac.compare_digest(expected.encode(), fields.get("response", "").lower().encode())

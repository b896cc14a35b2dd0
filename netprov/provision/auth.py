"""HTTP authentication as a server asks for it: Basic (RFC 7617) and Digest (RFC 7616, MD5 and SHA-256)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from netprov.auth_param import parse_parameters
from netprov.nonce import Nonces

AuthScheme = Literal["basic", "digest"]
REALM = "netprov"

Verdict = Literal["good", "none", "stale", "scheme", "user", "password", "other"]
"""What is to be said of credentials; `none` are there, `scheme` is another one than was asked for."""

REASONS: Mapping[Verdict, str] = {
    "none": "credentials wanted",
    "stale": "credentials wanted anew: the nonce is old or was used",
    "scheme": "credentials of another scheme than is asked for",
    "user": "wrong user name",
    "password": "wrong password",
    "other": "credentials that do not fit the challenge",
}

_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who may fetch, and the password."""

    user: str
    password: str


class Authority:
    """Asks for credentials and judges them; `key` makes the nonces unforgeable."""

    def __init__(self, key: bytes) -> None:
        self._nonces = Nonces(key)

    def challenge(self, scheme: AuthScheme, now: float, *, stale: bool = False) -> tuple[str, ...]:
        """Return the values of WWW-Authenticate, the strongest first (RFC 7616 section 3.7)."""
        if scheme == "basic":
            return (f'Basic realm="{REALM}", charset="UTF-8"',)
        nonce = self._nonces.issue(now)
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
    ) -> Verdict:
        """Judge an Authorization field."""
        if not header:
            return "none"
        kind, _, rest = header.partition(" ")
        if kind.lower() != scheme:
            return "scheme"
        if scheme == "basic":
            return _basic(rest, account)
        fields = parse_parameters(rest)
        if fields.get("uri") != target:
            return "other"
        verdict = _digest(fields, account, method)
        if verdict != "good":
            return verdict
        count = fields.get("nc", "") if fields.get("qop") else None
        return "good" if self._nonces.take(fields.get("nonce", ""), count, now) else "stale"


def _basic(encoded: str, account: Account) -> Verdict:
    try:
        user, colon, password = b64decode(encoded.strip(), validate=True).partition(b":")
    except ValueError:
        return "other"
    if not colon:
        return "other"
    same_password = hmac.compare_digest(password, account.password.encode())
    if not hmac.compare_digest(user, account.user.encode()):
        return "user"
    return "good" if same_password else "password"


def _digest(fields: dict[str, str], account: Account, method: str) -> Verdict:
    """Check a Digest response (RFC 7616 section 3.4.1); without qop, RFC 2069's older form is taken too."""
    name = _ALGORITHMS.get(fields.get("algorithm", "MD5").upper())
    if name is None or fields.get("realm") != REALM or fields.get("qop", "auth") not in {"", "auth"}:
        return "other"
    if fields.get("username") != account.user:
        return "user"

    def digest(*parts: str) -> str:
        return hashlib.new(name, ":".join(parts).encode("utf-8", "replace")).hexdigest()

    secret = digest(account.user, REALM, account.password)
    what = digest(method, fields["uri"])
    if fields.get("qop"):
        count, own = fields.get("nc", ""), fields.get("cnonce", "")
        expected = digest(secret, fields.get("nonce", ""), count, own, fields["qop"], what)
    else:
        expected = digest(secret, fields.get("nonce", ""), what)
    same = hmac.compare_digest(expected.encode(), fields.get("response", "").lower().encode())
    return "good" if same else "password"

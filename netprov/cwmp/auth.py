"""HTTP authentication of phones by the ACS: Digest with MD5 and qop auth, Basic where allowed (TR-069 section 3.4.5).

RFC 2617 as TR-069 names it; nothing newer, because phones do not speak it. A nonce carries its own time and is signed,
so that nothing is kept between requests; within its life it can be replayed, which TLS has to prevent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

REALM: Final = "netprov ACS"
SECRET: Final = "acs"  # noqa: S105 - a name, no password
"""The name of the secret that holds the password."""

NONCE_LIFE: Final = 300
"""Seconds that a nonce is good for; an older one is answered as stale, and the phone tries again unasked."""

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Credentials:
    """What phones must say; `basic` lets them say it in the clear."""

    username: str
    password: str
    basic: bool = False


class Gate:
    """Lets phones in that know the password; `secret` signs nonces and is random, for one run."""

    def __init__(self, credentials: Credentials, secret: bytes) -> None:
        self._credentials = credentials
        self._secret = secret

    def admits(self, authorization: str, method: str, now: float) -> bool:
        """Tell whether an Authorization header proves the password; the header is whatever came."""
        scheme, _, rest = authorization.strip().partition(" ")
        if scheme.lower() == "basic" and self._credentials.basic:
            return self._basic(rest.strip())
        return scheme.lower() == "digest" and self._digest(_fields(rest), method, now)

    def challenges(self, authorization: str, now: float) -> tuple[str, ...]:
        """Return the WWW-Authenticate headers of a 401, Digest first."""
        given = _fields(authorization).get("nonce", "")
        stale = ", stale=true" if given and self._signed(given) else ""
        digest = f'Digest realm="{REALM}", qop="auth", nonce="{self._nonce(int(now))}", algorithm=MD5{stale}'
        return (digest, f'Basic realm="{REALM}"') if self._credentials.basic else (digest,)

    def _basic(self, encoded: str) -> bool:
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        known = f"{self._credentials.username}:{self._credentials.password}".encode()
        return hmac.compare_digest(given, known)

    def _digest(self, fields: dict[str, str], method: str, now: float) -> bool:
        nonce = fields.get("nonce", "")
        if not self._signed(nonce) or not 0 <= now - int(nonce.partition("-")[0]) <= NONCE_LIFE:
            return False
        if fields.get("qop") != "auth" or fields.get("algorithm", "MD5").upper() != "MD5":
            return False
        user, password = self._credentials.username, self._credentials.password
        # Quirk: phones sign the URI as they wrote it, path or whole URL; any one will do, the password is what counts.
        first = _md5(f"{user}:{REALM}:{password}")
        second = _md5(f"{method}:{fields.get('uri', '')}")
        expected = _md5(f"{first}:{nonce}:{fields.get('nc', '')}:{fields.get('cnonce', '')}:auth:{second}")
        same_user = hmac.compare_digest(fields.get("username", "").encode(), user.encode())
        return (
            hmac.compare_digest(fields.get("response", "").lower().encode(), expected.encode()) and same_user
        )

    def _nonce(self, made: int) -> str:
        signature = hmac.new(self._secret, str(made).encode(), hashlib.sha256).hexdigest()[:32]
        return f"{made}-{signature}"

    def _signed(self, nonce: str) -> bool:
        made = nonce.partition("-")[0]
        return bool(re.fullmatch(r"[0-9]{1,12}", made)) and hmac.compare_digest(
            nonce.encode(), self._nonce(int(made)).encode()
        )


def _fields(text: str) -> dict[str, str]:
    return {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(text)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()

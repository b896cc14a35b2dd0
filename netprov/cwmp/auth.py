"""HTTP authentication of phones by the ACS: Digest with MD5 and qop auth, Basic where allowed (TR-069 section 3.4.5).

RFC 2617 as TR-069 names it; nothing newer, because phones do not speak it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from netprov.auth_param import parse_parameters
from netprov.nonce import Nonces

REALM: Final = "netprov ACS"
SECRET: Final = "acs"  # noqa: S105 - a name, no password
"""The name of the secret that holds the password."""

Verdict = Literal["good", "none", "stale", "scheme", "user", "password", "other"]
"""What is to be said of credentials; `none` are there, `scheme` is another one than was asked for."""

REASONS: Final[Mapping[Verdict, str]] = {
    "scheme": "credentials of another scheme than the ACS asks for",
    "user": "wrong user name",
    "password": "wrong password",
    "other": "credentials that do not fit the challenge",
}


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
        self._nonces = Nonces(secret)

    def judge(self, authorization: str, method: str, now: float) -> Verdict:
        """Judge an Authorization header, which is whatever came."""
        scheme, _, rest = authorization.strip().partition(" ")
        match scheme.lower():
            case "":
                return "none"
            case "basic" if self._credentials.basic:
                return self._basic(rest.strip())
            case "digest":
                return self._digest(parse_parameters(rest), method, now)
            case _:
                return "scheme"

    def challenges(self, now: float, *, stale: bool = False) -> tuple[str, ...]:
        """Return the WWW-Authenticate headers of a 401, Digest first; `stale` asks for the same password again."""
        more = ", stale=true" if stale else ""
        digest = f'Digest realm="{REALM}", qop="auth", nonce="{self._nonces.issue(now)}", algorithm=MD5{more}'
        return (digest, f'Basic realm="{REALM}"') if self._credentials.basic else (digest,)

    def _basic(self, encoded: str) -> Verdict:
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return "other"
        if not colon:
            return "other"
        same_password = hmac.compare_digest(password, self._credentials.password.encode())
        if not hmac.compare_digest(user, self._credentials.username.encode()):
            return "user"
        return "good" if same_password else "password"

    def _digest(self, fields: dict[str, str], method: str, now: float) -> Verdict:
        nonce = fields.get("nonce", "")
        qop = fields.get("qop", "")
        if qop not in {"", "auth"} or fields.get("algorithm", "MD5").upper() != "MD5":
            return "other"
        user, password = self._credentials.username, self._credentials.password
        if not hmac.compare_digest(fields.get("username", "").encode(), user.encode()):
            return "user"
        # Quirk: phones sign the URI as they wrote it, path or whole URL; any one will do, the password is what counts.
        first = _md5(f"{user}:{REALM}:{password}")
        second = _md5(f"{method}:{fields.get('uri', '')}")
        # Without qop it is RFC 2069's form, which RFC 2617 section 3.2.2.1 leaves to the client.
        counted = f":{fields.get('nc', '')}:{fields.get('cnonce', '')}:auth" if qop else ""
        expected = _md5(f"{first}:{nonce}{counted}:{second}")
        if not hmac.compare_digest(fields.get("response", "").lower().encode(), expected.encode()):
            return "password"
        return "good" if self._nonces.take(nonce, fields.get("nc", "") if qop else None, now) else "stale"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()

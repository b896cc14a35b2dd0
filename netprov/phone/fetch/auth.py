"""Answers to HTTP challenges: Basic (RFC 7617) and Digest (RFC 7616, MD5 and SHA-256, qop auth or none)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping

from netprov.auth_param import parse_parameters, quote

ALGORITHMS: Mapping[str, str] = {
    "MD5": "md5",
    "MD5-SESS": "md5",
    "SHA-256": "sha256",
    "SHA-256-SESS": "sha256",
}


def authorization(
    challenge: str,
    *,
    user: str,
    password: str,
    method: str,
    path: str,
    draw: Callable[[int], int],
    count: int = 1,
) -> str:
    """Return the Authorization header for a challenge, "" for a scheme that phones do not know.

    `count` is how many requests have answered this challenge, with this one (RFC 7616 section 3.4, "nc").
    """
    scheme, _, rest = challenge.strip().partition(" ")
    match scheme.lower():
        case "basic":
            return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        case "digest":
            fields = parse_parameters(rest)
            own = f"{draw(1 << 32):08x}"
            return _digest(fields, own, count, user=user, password=password, uri=(method, path))
        case _:
            return ""


def _digest(
    fields: Mapping[str, str], cnonce: str, count: int, *, user: str, password: str, uri: tuple[str, str]
) -> str:
    algorithm = fields.get("algorithm", "MD5")
    if algorithm.upper() not in ALGORITHMS:
        return ""

    def digest(text: str) -> str:
        return hashlib.new(ALGORITHMS[algorithm.upper()], text.encode()).hexdigest()

    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    first = digest(f"{user}:{realm}:{password}")
    if algorithm.upper().endswith("-SESS"):
        first = digest(f"{first}:{nonce}:{cnonce}")
    second = digest(":".join(uri))
    qop = "auth" if "auth" in re.split(r"[\s,]+", fields.get("qop", "")) else ""
    middle = f"{nonce}:{count:08x}:{cnonce}:{qop}" if qop else nonce
    parts = [f"username={quote(user)}", f"realm={quote(realm)}", f"nonce={quote(nonce)}", f'uri="{uri[1]}"']
    parts.append(f'response="{digest(f"{first}:{middle}:{second}")}"')
    parts.append(f"algorithm={algorithm}")
    if qop:
        parts += [f"qop={qop}", f"nc={count:08x}", f'cnonce="{cnonce}"']
    if "opaque" in fields:
        parts.append(f"opaque={quote(fields['opaque'])}")
    return "Digest " + ", ".join(parts)

"""What a record may tell of a request that was refused: its line and harmless fields, escaped and short.

Never a body, which may hold passwords, nor the values of fields that are not known to be harmless: Authorization, Cookie
and whatever else carries credentials are told by name alone (RFC 9110 section 11.6, RFC 6265).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from aiohttp import web

from netprov.text import visible

MOST = 400
"""Characters of an excerpt."""
_VALUE = 100
"""Characters of one field's value."""

_HARMLESS = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"range",
        b"soapaction",
        b"transfer-encoding",
        b"upgrade",
        b"user-agent",
    }
)

_LINE = re.compile(rb"[A-Z]{1,24} +(?:[ !#-~]+ HTTP/\d(?:\.\d+)?|[*/][!#-~]*)")
"""A whole request line, and nothing that may be the middle of a field: what came last need not be where the request began."""
_QUERY = re.compile(r"\?\S*")
_USER = re.compile(r"//[^/@\s]*@")
_NAME = re.compile(rb"[!#$%&'*+.^`|~\w-]{1,60}", re.ASCII)


def excerpt(request: web.BaseRequest) -> str:
    """Return what may be told of a request that was read."""
    version = f"HTTP/{request.version.major}.{request.version.minor}"
    return _joined(f"{request.method} {request.raw_path} {version}", request.raw_headers)


def excerpt_of(sent: bytes) -> str:
    """Return what may be told of octets that are no request; of those without a request line, how many they are."""
    line, _, rest = sent.partition(b"\n")
    if not _LINE.fullmatch(line.rstrip(b"\r")):
        # Printable octets may be the middle of somebody's credentials; others say what was spoken: 16 03 is TLS.
        begins = f" that begin with {sent[:3].hex(' ')}" if sent and not 0x20 <= sent[0] < 0x7F else ""
        return f"{len(sent)} octets{begins}"
    head = re.split(rb"\r?\n\r?\n", rest, maxsplit=1)[0] if not rest.startswith((b"\r\n", b"\n")) else b""
    fields = (each.rstrip(b"\r").partition(b":") for each in head.split(b"\n") if each.strip())
    return _joined(line.decode("ascii"), ((name, value if colon else b"") for name, colon, value in fields))


def _joined(line: str, fields: Iterable[tuple[bytes, bytes]]) -> str:
    line = _QUERY.sub("?…", _USER.sub("//…@", line.rstrip()))
    told = [visible(line)[:MOST], *(_field(name, value) for name, value in fields)]
    return "; ".join(told)[:MOST]


def _field(name: bytes, value: bytes) -> str:
    if not _NAME.fullmatch(name):
        return "a line that is no field"
    shown = name.decode("ascii")
    if name.lower() not in _HARMLESS:
        return f"{shown}: …"
    return f"{shown}: {visible(value.strip().decode('latin-1'))[:_VALUE]}"

"""An HTTP request and its reply as the responder sees them; reading and writing them is the server library's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; field names in lower case, repeated ones joined with a comma (RFC 9110 section 5.3)."""

    method: str
    target: str
    version: int
    """The minor version: 0 or 1."""
    fields: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A reply without its framing, which is the connection's."""

    status: int
    fields: Sequence[tuple[str, str]] = ()
    body: bytes = b""

"""Reads a request that is a head and nothing else, with llhttp; any other is left to the HTTP library."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import httptools

from netprov.provision.http import HttpRequest

_LONGEST: Final = 4096
_SHORT: Final = 512
"""Octets of a request that is remembered with what it was found to be."""
_MOST: Final = 64
_VERSIONS: Final = {"1.0": 0, "1.1": 1}
_LEFT: Final = frozenset({"content-length", "transfer-encoding", "expect", "upgrade", "trailer"})
"""Fields of requests that are more than a head."""
_HOST: Final = re.compile(r"(?:[\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """A request, and whether its connection is kept afterwards."""

    request: HttpRequest
    keep: bool


class _Fields:
    """Gathers what llhttp finds."""

    __slots__ = ("complete", "count", "fields", "target", "twice")

    def __init__(self) -> None:
        self.target = b""
        self.fields: dict[str, str] = {}
        self.count = 0
        self.twice = False
        self.complete = False

    def on_url(self, url: bytes) -> None:
        """Take the target."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; repeated ones are joined (RFC 9110 section 5.3), but for Host, of which there is one."""
        self.count += 1
        key, text = (
            name.decode("ascii").lower(),
            value.decode("ascii").strip(" \t"),
        )  # RFC 9112 5.1: llhttp leaves what follows
        if key in self.fields:
            self.twice = self.twice or key == "host"
            text = f"{self.fields[key]}, {text}"
        self.fields[key] = text

    def on_message_complete(self) -> None:
        """Note the end."""
        self.complete = True


def is_host(value: str) -> bool:
    """Say whether this is what a Host field may hold (RFC 9110 section 7.2): a host, or nothing, and perhaps a port."""
    return _HOST.fullmatch(value) is not None


def read_head(data: bytes) -> Head | None:
    """Return the one plain GET or HEAD that data is, whole; None for all else, the malformed among it."""
    if not data.startswith((b"GET /", b"HEAD /")) or len(data) > _LONGEST:
        return None
    return _known(data) if len(data) <= _SHORT else _read(data)


def _read(data: bytes) -> Head | None:
    if data.find(b"\r\n\r\n") != len(data) - 4 or not data.isascii():
        return None
    found = _Fields()
    parser = httptools.HttpRequestParser(found)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    version = _VERSIONS.get(parser.get_http_version())
    fields = found.fields
    if (
        not found.complete
        or found.twice
        or found.count > _MOST
        or version is None
        or not _LEFT.isdisjoint(fields)
    ):
        return None
    if (version and "host" not in fields) or not is_host(fields.get("host", "")):
        return None
    request = HttpRequest(parser.get_method().decode(), found.target.decode(), version, fields)
    options = {each.strip().lower() for each in fields.get("connection", "").split(",")}
    return Head(request, "close" not in options and (bool(version) or "keep-alive" in options))


_known = lru_cache(maxsize=4096)(_read)
"""A phone asks with the same octets day by day, and so do all of a model where its MAC address is not in the path."""

"""Bodies of requests as they come in: each is bounded, those of one sender are, and so are all together."""

from __future__ import annotations

from collections import Counter
from typing import Final

from aiohttp import web

TOGETHER: Final = 32 << 20
"""Octets of all bodies that are on their way."""
OF_ONE: Final = 4 << 20
"""Octets of those that one address sends."""


class TooMuch(Exception):
    """More is on its way than there is room for: later, perhaps."""


class Bodies:
    """Reads bodies; `shed` is how many there was no room for."""

    def __init__(self, each: int, *, of_one: int = OF_ONE, together: int = TOGETHER) -> None:
        self._each = each
        self._of_one = of_one
        self._together = together
        self._held: Counter[str] = Counter()
        self._all = 0
        self.shed = 0

    async def read(self, request: web.BaseRequest, address: str) -> bytes:
        """Return a body; raises `HTTPRequestEntityTooLarge`, or `TooMuch` if there is no room now."""
        if (request.content_length or 0) > self._each:
            raise web.HTTPRequestEntityTooLarge(self._each, request.content_length or 0)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        pieces: list[bytes] = []
        size = 0
        try:
            async for piece in request.content.iter_any():
                if size + len(piece) > self._each:
                    raise web.HTTPRequestEntityTooLarge(self._each, size + len(piece))
                if not self._has_room(address, len(piece)):
                    self.shed += 1
                    raise TooMuch
                size += len(piece)
                self._all += len(piece)
                self._held[address] += len(piece)
                pieces.append(piece)
        finally:
            self._all -= size
            self._held[address] -= size
            if not self._held[address]:
                del self._held[address]
        return b"".join(pieces)

    def _has_room(self, address: str, octets: int) -> bool:
        return self._all + octets <= self._together and self._held[address] + octets <= self._of_one

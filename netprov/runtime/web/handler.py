"""aiohttp's protocol of one connection, with what it lacks: malformed requests are told, half-closed peers answered."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPMethod
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

Refused = Callable[[web.BaseRequest, int, str, bytes], None]

_PIECE = re.compile(rb".*?\r\n\r\n|.+", re.DOTALL)
"""What ends where a head ends, or is the rest."""
_WHOLE_LINE = re.compile(rb"([!#$%&'*+.^`|~\w-]+) [!-~]+ HTTP/(\d\.\d)\r?\n", re.ASCII)


class Handler(RequestHandler):
    """One connection; `refused` is told of requests that are none, with the octets that came last."""

    __slots__ = ("_finished", "_half_closed", "_last", "_newest", "_refused")

    def __init__(self, manager: web.Server, *, refused: Refused, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._refused = refused
        self._last = b""
        self._half_closed = False
        self._finished = 0
        self._newest: StreamReader | None = None

    def data_received(self, data: bytes) -> None:
        """Parse what came, a head at a time: of octets that hold a malformed one the library forgets those before it."""
        if data.find(b"\r\n\r\n") in {-1, len(data) - 4}:
            self._parse(data)
            return
        for piece in _PIECE.findall(data):
            self._parse(piece)

    def _parse(self, data: bytes) -> None:
        """Parse some octets; the body that turns out malformed ends there, for the library would wait for the rest of it."""
        self._last = data or self._last
        current = self._current_request
        open_body = self._messages[-1][1] if self._messages else current.content if current else None
        before = self._request_count
        super().data_received(data)
        if self._messages:
            self._newest = self._messages[-1][1]
        if open_body is not None and self._request_count > before and not open_body.is_eof():
            open_body.set_exception(HttpProcessingError(code=400, message="malformed body"))

    def eof_received(self) -> bool:  # type: ignore[override]
        """Say whether answers are due, so that the connection is kept for them; half a request gets none."""
        # Not asked of the library's queue: between that and its current request, one is in neither.
        whole = self._newest is None or self._newest.is_eof()
        self._half_closed = self._request_count > self._finished and whole
        return self._half_closed

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; close after the last that can be asked for."""
        sent = await super().finish_response(request, resp, start_time)
        self._finished += 1
        if self._half_closed and self._request_count == self._finished:
            self._close = True
        return sent

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request, and tell."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        reason = (exc.message or message or "malformed").splitlines()[0].rstrip(":.")
        status = _refusal(self._last, status)
        self._refused(request, status, reason, self._last)
        response = web.Response(status=status, text=f"{reason}\n")
        response.force_close()
        return response


class HandlerServer(web.Server):
    """Makes a `Handler` for every connection."""

    def __init__(
        self,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        refused: Refused,
        **settings: Any,
    ) -> None:
        super().__init__(answer, **settings)
        self._refused = refused

    def __call__(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        return Handler(self, loop=self._loop, refused=self._refused, **self._kwargs)


def _refusal(sent: bytes, status: int) -> int:
    """Return the status for what the library takes for malformed: well-formed lines may ask for what there is not here.

    505 for other versions (RFC 9110 section 15.6.6), 501 for unknown methods (section 9.1).
    """
    found = _WHOLE_LINE.match(sent)
    if found is None:
        return status
    method, version = found.groups()
    if version not in {b"1.0", b"1.1"}:
        return 505
    return status if method.decode() in HTTPMethod.__members__ else 501

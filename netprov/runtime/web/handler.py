"""aiohttp's protocol of one connection, with what it lacks: malformed requests are told, half-closed peers answered."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

Refused = Callable[[web.BaseRequest, int, str, bytes], None]

_REQUEST_LINE = re.compile(rb"[!-~]{1,24} [ -~]*")
_SHOWN = 200


class Handler(RequestHandler):
    """One connection; `refused` is told of requests that are none, with the octets that came last."""

    __slots__ = ("_finished", "_half_closed", "_last", "_refused")

    def __init__(self, manager: web.Server, *, refused: Refused, **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._refused = refused
        self._last = b""
        self._half_closed = False
        self._finished = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._last = data or self._last
        super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Say whether answers are due, so that the connection is kept for them; half a request gets none."""
        current = self._current_request
        whole = all(payload.is_eof() for _, payload in self._messages) and (
            current is None or current.content.is_eof()
        )
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


def first_line(sent: bytes) -> str:
    """Return the request line of what was sent; of what has none, how it begins.

    Nothing after the line: that may be somebody's credentials.
    """
    line = sent.partition(b"\n")[0].rstrip(b"\r")
    if _REQUEST_LINE.fullmatch(line):
        return line[:_SHOWN].decode("ascii")
    return f"{len(sent)} octets that begin with {sent[:16].hex(' ')}"

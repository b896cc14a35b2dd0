"""The first protocol of every connection: what can be answered at once is, in one piece; the rest goes to aiohttp."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from netprov.provision.http import HttpRequest, Response
from netprov.runtime.web.head import Head, read_head
from netprov.runtime.web.stream import Stream

Quick = Callable[[HttpRequest, Stream], Response | None]
"""Answers a request without a body at once; None for one that needs more than that."""

_STATUS: Final = {each.value: f"{each.value} {each.phrase}" for each in HTTPStatus}


class Door(asyncio.Protocol):
    """Waits for requests on one connection.

    `answered` is told of each that was answered here; `hand_over` takes the connection, with what has come, from the
    first request on that needs aiohttp.
    """

    def __init__(
        self, quick: Quick, answered: Callable[[Stream], None], hand_over: Callable[[Stream, bytes], None]
    ) -> None:
        self._quick = quick
        self._answered = answered
        self._hand_over = hand_over
        self._stream: Stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, Stream)
        self._stream = transport

    def data_received(self, data: bytes) -> None:
        """Answer, or hand over."""
        stream = self._stream
        head = read_head(data)
        response = None if head is None else self._try(head.request)
        if head is None or response is None:
            self._hand_over(stream, data)
            return
        self._answered(stream)
        stream.write(format_reply(head, response))
        if not head.keep:
            stream.close()

    def eof_received(self) -> bool:
        """Say that no answers are due: each was given with its request."""
        return False

    def _try(self, request: HttpRequest) -> Response | None:
        try:
            return self._quick(request, self._stream)
        except Exception:  # noqa: BLE001 - aiohttp meets it again, tells of it and answers 500
            return None


def format_reply(head: Head, response: Response) -> bytes:
    """Return a reply with its framing (RFC 9112)."""
    lines = [
        f"HTTP/1.{head.request.version} {_STATUS.get(response.status, str(response.status))}",
        *(f"{name}: {value}" for name, value in response.fields),
        f"Content-Length: {len(response.body)}",
        f"Date: {_date(int(time.time()))}",
        "Server: netprov",
    ]
    if head.keep and not head.request.version:
        lines.append("Connection: keep-alive")
    elif not head.keep and head.request.version:
        lines.append("Connection: close")
    octets = "\r\n".join((*lines, "\r\n")).encode("latin-1", "replace")
    return octets if head.request.method == "HEAD" else octets + response.body


class _Clock:
    second = -1
    text = ""


def _date(second: int) -> str:
    """Return the time as HTTP writes it, worked out once a second."""
    if second != _Clock.second:
        _Clock.second, _Clock.text = second, formatdate(second, usegmt=True)
    return _Clock.text

"""The first protocol of every connection: what can be answered at once is, in one piece; the rest goes to aiohttp."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
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

    `answered` is told when one was answered here and others may follow; `hand_over` takes the connection, with what has come, from the
    first request on that needs aiohttp.
    """

    def __init__(
        self, quick: Quick, answered: Callable[[Stream], None], hand_over: Callable[[Stream, bytes], None]
    ) -> None:
        self._quick = quick
        self._answered = answered
        self._hand_over = hand_over
        self._stream: Stream
        self.has_answered = False

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
        reply = format_reply(head, response)
        self.has_answered = True
        if head.keep:
            self._answered(stream)
            stream.write(reply)
        else:
            stream.end(reply)

    def eof_received(self) -> bool:
        """Say that no answers are due: each was given with its request."""
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """Let go of the connection, which has hold of this."""
        del self._stream

    def _try(self, request: HttpRequest) -> Response | None:
        try:
            return self._quick(request, self._stream)
        except Exception:  # noqa: BLE001 - aiohttp meets it again, tells of it and answers 500
            return None


def format_reply(head: Head, response: Response) -> bytes:
    """Return a reply with its framing (RFC 9112)."""
    version = head.request.version
    start = _start(response.status, tuple(response.fields), len(response.body), version, head.keep)
    body = b"" if head.request.method == "HEAD" else response.body
    return b"".join((start, _date(int(time.time())), body))


@lru_cache(maxsize=1024)
def _start(
    status: int,
    fields: tuple[tuple[str, str], ...],
    length: int,
    version: int,
    keep: bool,
) -> bytes:
    """Return a reply's head up to its date: the fleet's replies differ in little else."""
    lines = [
        f"HTTP/1.{version} {_STATUS.get(status, str(status))}",
        *(f"{name}: {value}" for name, value in fields),
        f"Content-Length: {length}",
        "Server: netprov",
    ]
    if keep and not version:
        lines.append("Connection: keep-alive")
    elif not keep and version:
        lines.append("Connection: close")
    return "\r\n".join((*lines, "")).encode("latin-1", "replace")


class _Clock:
    second = -1
    field = b""


def _date(second: int) -> bytes:
    """Return the field that tells the time, and the end of the head; worked out once a second."""
    if second != _Clock.second:
        _Clock.second, _Clock.field = second, f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode()
    return _Clock.field

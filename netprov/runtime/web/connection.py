"""The open connections of a web server: one that sends no request in time is closed, and the idlest when too many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web
    from aiohttp.web_protocol import RequestHandler

MOST: Final = 4096
"""Open connections in all; one more, and the one that has been idle longest has to go."""

FIRST: Final = 30.0
"""Seconds until the first request must be there, headers and all."""

NEXT: Final = 75.0
"""Seconds a connection may idle between requests: longer than a session may."""

_SWEEP: Final = 1.0


@dataclass(slots=True)
class _Visitor:
    """A connection: when it must have sent a request, how many are under way, whether any was answered."""

    deadline: float
    busy: int = 0
    answered: bool = False


class Visitors:
    """The connections of one aiohttp server; `accept` is the protocol factory to listen with."""

    def __init__(
        self,
        server: web.Server,
        clock: Callable[[], float],
        *,
        most: int = MOST,
        first: float = FIRST,
        following: float = NEXT,
    ) -> None:
        self._server = server
        self._clock = clock
        self._most = most
        self._first = first
        self._following = following
        self._visitors: dict[RequestHandler, _Visitor] = {}

    def accept(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        if len(self._visitors) >= self._most:
            self._make_room()
        handler: RequestHandler = self._server()
        self._visitors[handler] = _Visitor(self._clock() + self._first)
        return handler

    def forget(self, handler: RequestHandler) -> None:
        """Note that a connection came to nothing: its handshake failed."""
        self._visitors.pop(handler, None)

    @contextmanager
    def request(self, handler: RequestHandler) -> Iterator[None]:
        """Note that a request of a connection is being answered."""
        visitor = self._visitors.pop(handler, None) or _Visitor(0)
        self._visitors[handler] = visitor  # the order is that of the last request
        visitor.busy += 1
        visitor.answered = True
        try:
            yield
        finally:
            visitor.busy -= 1
            visitor.deadline = self._clock() + self._following

    async def sweep(self) -> None:
        """Close what is overdue, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP)
            now, open_ = self._clock(), set(self._server.connections)
            for handler, visitor in tuple(self._visitors.items()):
                gone = visitor.answered and handler not in open_
                if not visitor.busy and (gone or visitor.deadline <= now):
                    self._close(handler)

    def _make_room(self) -> None:
        gone = [
            handler
            for handler, visitor in self._visitors.items()
            if visitor.answered and not visitor.busy and handler.transport is None
        ]
        if gone:
            for handler in gone:
                del self._visitors[handler]
            return
        # One without a transport is not connected yet; closed now, aiohttp would never close what is about to connect.
        idlest = next(
            (
                handler
                for handler, visitor in self._visitors.items()
                if not visitor.busy and handler.transport is not None
            ),
            None,
        )
        if idlest is not None:
            self._close(idlest)

    def _close(self, handler: RequestHandler) -> None:
        del self._visitors[handler]
        transport = handler.transport
        handler.force_close()
        if transport is not None:
            transport.abort()  # a client that does not read would keep a mere close() waiting

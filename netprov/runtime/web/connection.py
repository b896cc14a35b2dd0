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
class _Connection:
    """A connection: when it must have sent a request, how many are under way, whether any was answered."""

    deadline: float
    busy: int = 0
    answered: bool = False


class Connections:
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
        self._connections: dict[RequestHandler, _Connection] = {}

    def accept(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        if len(self._connections) >= self._most:
            self._make_room()
        handler: RequestHandler = self._server()
        self._connections[handler] = _Connection(self._clock() + self._first)
        return handler

    def forget(self, handler: RequestHandler) -> None:
        """Note that a connection came to nothing: its handshake failed."""
        self._connections.pop(handler, None)

    @contextmanager
    def request(self, handler: RequestHandler) -> Iterator[None]:
        """Note that a request of a connection is being answered."""
        connection = self._connections.pop(handler, None) or _Connection(0)
        self._connections[handler] = connection  # the order is that of the last request
        connection.busy += 1
        connection.answered = True
        try:
            yield
        finally:
            connection.busy -= 1
            connection.deadline = self._clock() + self._following

    async def sweep(self) -> None:
        """Close what is overdue, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP)
            now, open_ = self._clock(), set(self._server.connections)
            for handler, connection in tuple(self._connections.items()):
                gone = connection.answered and handler not in open_
                if not connection.busy and (gone or connection.deadline <= now):
                    self._close(handler)

    def _make_room(self) -> None:
        gone = [
            handler
            for handler, connection in self._connections.items()
            if connection.answered and not connection.busy and handler.transport is None
        ]
        if gone:
            for handler in gone:
                del self._connections[handler]
            return
        # One without a transport is not connected yet; closed now, aiohttp would never close what is about to connect.
        idlest = next(
            (
                handler
                for handler, connection in self._connections.items()
                if not connection.busy and handler.transport is not None
            ),
            None,
        )
        if idlest is not None:
            self._close(idlest)

    def _close(self, handler: RequestHandler) -> None:
        del self._connections[handler]
        transport = handler.transport
        handler.force_close()
        if transport is not None:
            transport.abort()  # a client that does not read would keep a mere close() waiting

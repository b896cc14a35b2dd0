"""An accepted connection, plain or TLS, as an asyncio transport: straight on the socket, one callback a readiness.

asyncio's own TLS keeps 256 KiB a connection, and a protocol between two transports, which costs a phone's fetch more than
the server's answer does.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from ssl import SSLError, SSLObject
from typing import Any, Final

from netprov.runtime.net.poll import READ, WRITE, Poller
from netprov.runtime.web.tls_layer import TlsLayer

_RECEIVE: Final = 16384
"""Octets read at once."""
_DISCARDED: Final = 64
"""Reads at most before a connection is closed on a peer that is still talking."""
_SEND: Final = 65536
_HIGH: Final = 65536
"""Octets that wait to be sent before the protocol is asked to pause."""

_AGAIN = (BlockingIOError, InterruptedError)


class Stream(asyncio.Transport):
    """A connection whose handshake is done; `begin` connects its protocol.

    `peer` and `local` are the addresses and ports of both ends; `closed` is called once, when it is over.
    """

    def __init__(
        self,
        sock: socket.socket,
        poller: Poller,
        *,
        tls: TlsLayer | None = None,
        peer: tuple[str, int],
        local: tuple[str, int],
        closed: Callable[[Stream], None],
    ) -> None:
        super().__init__()
        self._sock = sock
        self.peer = peer
        self.local = local
        self._closed = closed
        self._layer = tls
        self._fd = sock.fileno()
        self._poller = poller
        self._loop = asyncio.get_running_loop()
        self._protocol: asyncio.Protocol
        self._buffer = bytearray()
        self._watched = 0
        self._registered = tls is not None  # it was watched for the handshake
        self._reading = True
        self._closing = False
        self._lost = False
        self._writing_paused = False
        self._half_closed = False
        self._more = False  # the socket probably holds more than was read of it

    def begin(self, protocol: asyncio.Protocol) -> None:
        """Connect the protocol, and take in what is there already: mostly the first request."""
        self._protocol = protocol
        if self._registered:
            self._watched = READ
            self._poller.hand_over(self._fd, self._ready)
        protocol.connection_made(self)
        self._read()
        if not self._registered and self._fd >= 0:  # most plain ones are answered, and over
            self._registered = True
            self._watched = self._wanted()
            self._poller.register(self._fd, self._watched, self._ready)

    @property
    def is_over(self) -> bool:
        """Whether it is closed, and everything was sent."""
        return self._fd < 0

    @property
    def tls(self) -> SSLObject | None:
        """The TLS of the connection, None of a plain one."""
        return None if self._layer is None else self._layer.connection

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Give what comes from now on to another protocol."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who is given what comes."""
        return self._protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Answer what the HTTP server asks about; it is not given the socket, which needs no more options."""
        if name == "peername":
            return self.peer
        if name == "sockname":
            return self.local
        if (tls := self.tls) is not None:
            if name == "ssl_object":
                return tls
            if name == "sslcontext":
                return tls.context
        return default

    def is_closing(self) -> bool:
        """Say whether it is closed or about to be."""
        return self._closing

    def is_reading(self) -> bool:
        """Say whether it takes in data."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Take in no more until `resume_reading`."""
        self._reading = False
        self._watch()

    def resume_reading(self) -> None:
        """Go on; OpenSSL may hold what the socket no longer shows."""
        if self._half_closed:
            return
        self._reading = True
        self._watch()
        if self._layer is not None:
            self._loop.call_soon(self._read)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send what fits at once, keep the rest."""
        if self._closing:
            return
        if self._layer is not None:
            try:
                self._layer.write(data)
            except OSError as error:
                self._lose(error)
                return
            data = self._layer.take()
        self._put(data)
        if len(self._buffer) > _HIGH and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def end(self, data: bytes) -> None:
        """Send a last reply, and close: with TLS, what says so leaves with it. The protocol may be gone afterwards."""
        if self._closing:
            return
        if self._layer is None:
            self.write(data)
        else:
            with suppress(OSError):
                self._layer.write(data)
        if not self._closing:
            self._closing = True
            self._say_closed()
            if not self._buffer and not self._lost:
                self._finish(None)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send pieces as one."""
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        """Return how many octets wait to be sent."""
        return len(self._buffer)

    def close(self) -> None:
        """Close once everything is sent."""
        if not self._closing:
            self._closing = True
            self._say_closed()
            if not self._buffer:
                self._loop.call_soon(self._finish, None)

    def abort(self) -> None:
        """Close at once."""
        self._lose(None)

    @property
    def _sendfile_compatible(self) -> Any:
        """Tell asyncio's `loop.sendfile` that there is none, in the way that aiohttp takes as "read it and write it"."""
        raise NotImplementedError

    def _watch(self) -> None:
        wanted = self._wanted()
        if wanted != self._watched and self._fd >= 0 and self._registered:
            self._watched = wanted
            self._poller.modify(self._fd, wanted)

    def _wanted(self) -> int:
        return (READ if self.is_reading() else 0) | (WRITE if self._buffer else 0)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & READ:
            self._read()
        elif events & ~WRITE:
            self._lose(ConnectionResetError("connection lost"))

    def _read(self) -> None:
        if self._layer is not None:
            self._read_records(self._layer)
        elif self.is_reading() and (data := self._receive()) is not None:
            if data:
                self._protocol.data_received(data)
            else:
                self._ended()

    def _read_records(self, layer: TlsLayer) -> None:
        """Give the protocol what is in the records that are here: those that OpenSSL holds, then what the socket does."""
        asked = False
        try:
            while self.is_reading():
                if (data := layer.read()) is not None:
                    if not data:
                        self._ended()
                        break
                    self._protocol.data_received(data)
                elif asked or (octets := self._receive()) is None:
                    break
                elif not octets:
                    self._ended()
                    break
                else:
                    asked = len(octets) < _RECEIVE
                    layer.put(octets)
        except SSLError as error:
            self._put(layer.take())  # the alert that says why
            self._lose(error)
            return
        if not self._closing:
            self._put(
                layer.take()
            )  # a session ticket that no reply has taken along, an answer to a change of keys

    def _receive(self) -> bytes | None:
        """Return what the socket has, b"" at its end, None for nothing yet; one that is broken is lost."""
        try:
            data = self._sock.recv(_RECEIVE)
        except _AGAIN:
            return None
        except OSError as error:
            self._lose(error)
            return None
        self._more = len(data) == _RECEIVE
        return data

    def _ended(self) -> None:
        """The peer sends no more; what it asked for is still answered, if the protocol says that something is due."""
        if self._protocol.eof_received():
            self._reading = False
            self._half_closed = True
            self._watch()
        else:
            self.close()

    def _flush(self) -> None:
        sent = self._send(self._buffer)
        del self._buffer[:sent]
        if self._buffer:
            return
        self._watch()
        if self._writing_paused:
            self._writing_paused = False
            self._protocol.resume_writing()
        if self._closing:
            self._finish(None)

    def _put(self, data: bytes | bytearray | memoryview) -> None:
        """Send, and keep what the kernel does not take."""
        if not data:
            return
        if self._buffer:
            self._buffer += data
            return
        sent = self._send(data)
        if sent < len(data) and self._fd >= 0 and not self._lost:
            self._buffer += memoryview(data)[sent:]
            self._watch()

    def _say_closed(self) -> None:
        """Let the peer know that no more is sent, behind all that is."""
        if self._layer is not None:
            self._layer.close()
            self._put(self._layer.take())
        if self._buffer:
            self._watch()

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        """Return how many octets the kernel took; on an error the connection is lost."""
        sent = 0
        try:
            if len(data) <= _SEND:
                return self._sock.send(data)
            with memoryview(data) as view:
                while sent < len(view):
                    sent += self._sock.send(view[sent : sent + _SEND])
        except _AGAIN:
            pass
        except OSError as error:
            self._lose(error)
        return sent

    def _discard(self) -> None:
        """Read what is there: closed with unread octets, a socket sends a reset, and the peer may lose our last answer."""
        with suppress(OSError):
            for _ in range(_DISCARDED):
                if not self._sock.recv(_RECEIVE):
                    return

    def _lose(self, error: OSError | None) -> None:
        self._closing = self._lost = True
        self._buffer.clear()
        self._loop.call_soon(self._finish, error)

    def _finish(self, error: OSError | None) -> None:
        if self._fd < 0:
            return
        self._poller.unregister(self._fd)
        self._fd = -1
        if self._more and error is None:
            self._discard()
        self._sock.close()
        self._closed(self)
        self._protocol.connection_lost(error)

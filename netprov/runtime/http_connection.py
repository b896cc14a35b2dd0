"""One HTTP connection on a non-blocking socket, plain or TLS: handshake, requests, replies, farewell.

Written on sockets rather than on asyncio's transports: those keep 256 KiB for every TLS handshake that a stranger
merely begins, and spend more on a fetch than the cryptography does (docs/provisioning.md has the figures).
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from netprov.machine import Event
from netprov.provision.event import TlsFailed
from netprov.provision.http import Limits, Rejected, Request, RequestReader, Response, encode_head
from netprov.runtime.poll import READ, WRITE, Poller
from netprov.runtime.tree import OpenFile

_READ_SIZE = 65536
_FILE_CHUNK = 262144
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WANTS = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError, InterruptedError)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds a client may take; a deadline is not moved by octets that trickle in."""

    handshake: float = 10.0
    head: float = 10.0
    body: float = 60.0
    idle: float = 15.0
    reply: float = 60.0
    linger: float = 2.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A reply: its response, and the part of a file that is its body instead, if `file` is set."""

    response: Response
    length: int
    file: OpenFile | None = None
    first: int = 0


class Host(Protocol):
    """What a connection needs of its server."""

    poller: Poller
    patience: Patience
    limits: Limits

    def answer(self, request: Request, connection: Connection) -> Outgoing:
        """Answer one request."""

    def date(self) -> str:
        """Return the time as HTTP writes it."""

    def report(self, event: Event) -> None:
        """Tell of something."""

    def forget(self, connection: Connection) -> None:
        """Note that a connection is gone."""

    def idle(self, connection: Connection) -> None:
        """Note that a connection waits for its next request."""


class Connection:
    """Drives one accepted socket from readiness to readiness."""

    __slots__ = (
        "_closing",
        "_events",
        "_file",
        "_host",
        "_in_body",
        "_lingers",
        "_out",
        "_past",
        "_position",
        "_reader",
        "_sock",
        "_step",
        "address",
        "deadline",
        "port",
        "secure",
        "server",
    )

    def __init__(
        self, host: Host, sock: socket.socket, *, peer: tuple[str, int], local: tuple[str, int], secure: bool
    ) -> None:
        self._host = host
        self._sock = sock
        self.address = peer[0]
        self.server, self.port = local
        self.secure = secure
        self._reader = RequestReader(host.limits)
        self._out: memoryview | None = None
        self._file: OpenFile | None = None
        self._position = self._past = 0
        self._closing = self._lingers = self._in_body = False
        self._events = READ
        patience = host.patience
        self.deadline = monotonic() + (patience.handshake if secure else patience.head)
        self._step: Callable[[], None] = self._handshake if secure else self._receive
        host.poller.register(sock.fileno(), READ, self._ready)

    def begin(self) -> None:
        """Look whether the client has spoken already; the first octets are seldom later than the connection."""
        self._ready(READ)

    @property
    def busy(self) -> bool:
        """Whether a request is being received or answered."""
        return self._out is not None or self._file is not None or not self._reader.idle

    def peer_certificate(self) -> bytes | None:
        """Return the verified client certificate in DER, if there is one."""
        if not isinstance(self._sock, ssl.SSLSocket):
            return None
        return self._sock.getpeercert(binary_form=True) or None

    def close(self) -> None:
        """Close at once."""
        if self._sock.fileno() < 0:
            return
        self._host.poller.unregister(self._sock.fileno())
        self._sock.close()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._host.forget(self)

    def _ready(self, _events: int) -> None:
        try:
            self._step()
        except (OSError, ValueError):
            self.close()  # reset, or broken TLS: there is nobody left to tell

    def _wait(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self._host.poller.modify(self._sock.fileno(), events)

    def _handshake(self) -> None:
        assert isinstance(self._sock, ssl.SSLSocket)
        try:
            self._sock.do_handshake()
        except ssl.SSLWantReadError:
            self._wait(READ)
        except ssl.SSLWantWriteError:
            self._wait(WRITE)
        except (ssl.SSLError, OSError) as error:
            self._host.report(TlsFailed(self.address, _reason(error), self.server))
            self.close()
        else:
            self.deadline = monotonic() + self._host.patience.head
            self._step = self._receive
            self._wait(READ)
            self._receive()

    def _receive(self) -> None:
        while True:
            try:
                data = self._sock.recv(_READ_SIZE)
            except ssl.SSLWantWriteError:
                self._wait(WRITE)
                return
            except _WANTS:
                self._wait(READ)
                return
            if not data:
                self.close()
                return
            was_idle = self._reader.idle
            self._reader.feed(data)
            if was_idle:
                self.deadline = min(self.deadline, monotonic() + self._host.patience.head)
            self._serve()
            if self._step != self._receive or self._sock.fileno() < 0:
                return
            # Only a TLS record already decrypted, or a full buffer, makes another read worth its system call.
            if not self.secure and len(data) < _READ_SIZE:
                self._wait(READ)
                return

    def _serve(self) -> None:
        """Answer what has arrived whole, one request at a time, as fast as the client takes the replies."""
        while True:
            if self._out is not None or self._file is not None:
                if not self._flush():
                    return
                if self._closing:
                    self._part()
                    return
                self._step = self._receive
                self._in_body = False
                self.deadline = monotonic() + self._host.patience.idle
                self._host.idle(self)
            request = self._reader.next_request()
            if request is None:
                self._expect_more()
                if self._out is None:
                    return
            else:
                self._take(request)

    def _expect_more(self) -> None:
        """Give a body its time once its head has come, and say `100 Continue` to a client that waits for it."""
        if self._reader.in_body and not self._in_body:
            self._in_body = True
            self.deadline = monotonic() + self._host.patience.body
            if self._reader.wants_continue():
                self._out = memoryview(_CONTINUE)
        self._wait(READ)

    def _take(self, request: Request | Rejected) -> None:
        self.deadline = monotonic() + self._host.patience.reply
        if isinstance(request, Request):
            self._closing = not request.keep_alive
            self._reply(self._host.answer(request, self), request)
            return
        self._closing = self._lingers = True
        body = f"{request.reason}\n".encode()
        response = Response(request.status, (("Content-Type", "text/plain"),), body)
        self._reply(Outgoing(response, len(body)), None)

    def _reply(self, outgoing: Outgoing, request: Request | None) -> None:
        head = encode_head(
            outgoing.response,
            length=outgoing.length,
            date=self._host.date(),
            keep_alive=not self._closing,
            version=request.version if request else 1,
        )
        headless = request is not None and request.method == "HEAD"
        if outgoing.file is not None:
            if headless:
                outgoing.file.close()
            else:
                self._file = outgoing.file
                self._position = outgoing.first
                self._past = outgoing.first + outgoing.length
        self._out = memoryview(head if headless else head + outgoing.response.body)

    def _flush(self) -> bool:
        """Send what is due; say whether all of it went."""
        self._step = self._serve
        try:
            while self._out is not None:
                sent = self._sock.send(self._out)
                self._out = self._out[sent:] if sent < len(self._out) else None
            for _ in range(8):
                if self._file is None:
                    return True
                self._transmit_file(self._file)
        except ssl.SSLWantReadError:
            self._wait(READ)
            return False
        except _WANTS:
            self._wait(WRITE)
            return False
        if self._file is not None:
            self._wait(WRITE)  # others get their turn
        return self._file is None

    def _transmit_file(self, file: OpenFile) -> None:
        left = min(self._past - self._position, _FILE_CHUNK)
        if left:
            if self.secure:
                sent = self._sock.send(os.pread(file.fd, min(left, _READ_SIZE), self._position) or b"\0")
            else:
                sent = os.sendfile(self._sock.fileno(), file.fd, self._position, left)
            if not sent:
                raise ConnectionError("the file became shorter")
            self._position += sent
            self.deadline = monotonic() + self._host.patience.reply
        if self._position >= self._past:
            file.close()
            self._file = None

    def _part(self) -> None:
        """Say that no more will come, and wait a little for the client to go: a reset would eat the reply."""
        if isinstance(self._sock, ssl.SSLSocket):
            with suppress(ssl.SSLError, OSError, ValueError):
                self._sock.unwrap()  # sends close_notify (RFC 8446 section 6.1); its answer is not awaited
        if self._reader.idle and not self._lingers:
            self.close()
            return
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()
            return
        self.deadline = monotonic() + self._host.patience.linger
        self._step = self._drain
        self._wait(READ)
        self._drain()

    def _drain(self) -> None:
        for _ in range(16):
            try:
                data = socket.socket.recv(self._sock, _READ_SIZE)
            except _WANTS:
                return
            if not data:
                break
        else:
            return
        self.close()


def _reason(error: OSError) -> str:
    """Return what went wrong in a handshake, in OpenSSL's words, which name the peer's alert."""
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return "the client hung up"
    reason = getattr(error, "reason", None) or error.strerror or "broken"
    return str(reason).replace("_", " ").lower()

"""TLS handshakes under way: each has its time, the oldest goes when there are too many, and a failure has a reason."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from netprov.runtime.net.poll import READ, WRITE, Poller
from netprov.runtime.web.tls_layer import TlsLayer

Done = Callable[[socket.socket, TlsLayer], None]
"""Told the socket, which the poller watches for reading still, and its TLS."""
Failed = Callable[[str, bytes], None]
"""Told the reason, and what was sent where that was no TLS."""

_RECEIVE: Final = 16384
_LOOK: Final = 512
"""Octets of what is no TLS that are told: enough for a request line."""
_REFUSAL: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 31\r\nConnection: close\r\n\r\n"
    b"This port speaks HTTPS (TLS).\r\n"
)
_METHOD = re.compile(rb"[A-Z]{3,12} [!-~]")


@dataclass(slots=True)
class _Handshake:
    sock: socket.socket
    tls: TlsLayer
    deadline: float
    done: Done
    failed: Failed
    known: bool
    unsent: bytes = b""
    events: int = READ
    begun: bool = False


class Handshakes:
    """Shakes hands on any number of sockets.

    Done here and not by asyncio, which tells nobody of a handshake that failed; that a phone refuses the certificate
    is the commonest reason for it to stay unprovisioned.
    """

    def __init__(
        self,
        poller: Poller,
        clock: Callable[[], float],
        *,
        most: int,
        timeout: float,
    ) -> None:
        self._poller = poller
        self._clock = clock
        self._most = most
        self._timeout = timeout
        self._under_way: dict[int, _Handshake] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(
        self, sock: socket.socket, context: ssl.SSLContext, done: Done, failed: Failed, *, known: bool = False
    ) -> None:
        """Begin one on an accepted, non-blocking socket; of a `known` phone's, only another one's takes the place.

        `done` takes the socket when it can carry requests; `failed` is told why it comes to nothing.
        """
        fd, deadline = sock.fileno(), self._clock() + self._timeout
        self._under_way[fd] = _Handshake(sock, TlsLayer(context), deadline, done, failed, known)
        self._poller.register(fd, READ, partial(self._ready, fd))
        if len(self._under_way) > self._most:
            strangers = (each for each, under_way in self._under_way.items() if not under_way.known)
            self._take(next(strangers, next(iter(self._under_way)))).sock.close()
        self._ready(fd, READ)  # where many come at once, the first message is there

    def sweep(self) -> None:
        """End those that have had their time; call this once a second."""
        now = self._clock()
        for fd, each in tuple(self._under_way.items()):
            if each.deadline <= now:
                self._end(fd, "the client did not finish the handshake")

    def close(self) -> None:
        """End all."""
        for fd in tuple(self._under_way):
            self._take(fd).sock.close()

    def _ready(self, fd: int, _events: int) -> None:
        each = self._under_way.get(fd)
        if each is None:
            return  # it was the oldest itself
        try:
            if each.unsent and not self._send(fd, each, each.unsent):
                return
            done = self._shake(fd, each)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(fd, _reason(error))
            return
        if done:
            # What it has to send still, a session ticket, goes with the first reply.
            del self._under_way[fd]
            each.done(each.sock, each.tls)

    def _shake(self, fd: int, each: _Handshake) -> bool:
        """Read once, and answer; say whether the handshake is done. Raises `OSError`."""
        data = each.sock.recv(_RECEIVE)
        if not data:
            raise ConnectionResetError
        if not each.begun and _METHOD.match(data):
            self._refuse(fd, each, data)
            return False
        each.begun = True
        each.tls.put(data)
        try:
            done = each.tls.shake()
        except ssl.SSLError:
            with suppress(OSError):
                each.sock.send(each.tls.take())  # the alert that says why
            raise
        if not done:
            self._send(fd, each, each.tls.take())
        return done

    def _send(self, fd: int, each: _Handshake, data: bytes) -> bool:
        """Send, and wait for a message or, if something is left, for room; say whether all has gone."""
        if data:
            try:
                each.unsent = data[each.sock.send(data) :]
            except (BlockingIOError, InterruptedError):
                each.unsent = data
        self._await(fd, each, WRITE if each.unsent else READ)
        return not each.unsent

    def _refuse(self, fd: int, each: _Handshake, sent: bytes) -> None:
        """Tell one that speaks HTTP here so, in HTTP."""
        with suppress(OSError):
            each.sock.send(_REFUSAL)
        self._end(fd, "plain HTTP on a port that speaks TLS", sent[:_LOOK])

    def _await(self, fd: int, each: _Handshake, events: int) -> None:
        if each.events != events:
            each.events = events
            self._poller.modify(fd, events)

    def _take(self, fd: int) -> _Handshake:
        self._poller.unregister(fd)
        return self._under_way.pop(fd)

    def _end(self, fd: int, reason: str, sent: bytes = b"") -> None:
        each = self._take(fd)
        each.sock.close()
        each.failed(reason, sent)


def _reason(error: OSError) -> str:
    """Return what went wrong in a handshake, in OpenSSL's words, which name the peer's alert."""
    if isinstance(error, ssl.SSLEOFError | ConnectionError) or error.errno == errno.ENOTCONN:
        return "the client hung up"
    reason = getattr(error, "reason", None) or error.strerror or "broken"
    return str(reason).replace("_", " ").lower()

"""TLS handshakes under way: each has its time, the oldest goes when there are too many, and a failure has a reason."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from netprov.runtime.net.poll import READ, WRITE, Poller


@dataclass(slots=True)
class _Handshake:
    sock: ssl.SSLSocket
    deadline: float
    failed: Callable[[str], None]
    events: int = READ


class Handshakes:
    """Shakes hands on any number of sockets; `done` takes each socket when it can carry requests.

    Done here and not by asyncio, which tells nobody of a handshake that failed; that a phone refuses the certificate
    is the commonest reason for it to stay unprovisioned.
    """

    def __init__(
        self,
        poller: Poller,
        clock: Callable[[], float],
        *,
        most: int,
        timeouts: float,
        done: Callable[[ssl.SSLSocket], None],
    ) -> None:
        self._poller = poller
        self._clock = clock
        self._most = most
        self._timeouts = timeouts
        self._done = done
        self._under_way: dict[int, _Handshake] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(self, sock: socket.socket, context: ssl.SSLContext, failed: Callable[[str], None]) -> None:
        """Begin one on an accepted, non-blocking socket; `failed` is told the reason if it comes to nothing."""
        try:
            sock.getpeername()  # else wrap_socket would lose the socket without closing it
            tls = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except OSError as error:  # gone again already
            sock.close()
            failed(_reason(error))
            return
        fd = tls.fileno()
        self._under_way[fd] = _Handshake(tls, self._clock() + self._timeouts, failed)
        self._poller.register(fd, READ, partial(self._ready, fd))
        if len(self._under_way) > self._most:
            self._take(next(iter(self._under_way))).sock.close()
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
            each.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._await(fd, each, READ)
        except ssl.SSLWantWriteError:
            self._await(fd, each, WRITE)
        except OSError as error:
            self._end(fd, _reason(error))
        else:
            self._done(self._take(fd).sock)

    def _await(self, fd: int, each: _Handshake, events: int) -> None:
        if each.events != events:
            each.events = events
            self._poller.modify(fd, events)

    def _take(self, fd: int) -> _Handshake:
        self._poller.unregister(fd)
        return self._under_way.pop(fd)

    def _end(self, fd: int, reason: str) -> None:
        each = self._take(fd)
        each.sock.close()
        each.failed(reason)


def _reason(error: OSError) -> str:
    """Return what went wrong in a handshake, in OpenSSL's words, which name the peer's alert."""
    if isinstance(error, ssl.SSLEOFError | ConnectionError) or error.errno == errno.ENOTCONN:
        return "the client hung up"
    reason = getattr(error, "reason", None) or error.strerror or "broken"
    return str(reason).replace("_", " ").lower()

"""What the processes of the HTTP service say to each other, over a Unix socket between them: whole, in order, never waited for.

Sockets that connections are accepted from go beside it, over a socket of their own.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from netprov.hostport import Scheme
from netprov.machine import Event
from netprov.pki.request import PkiPlan
from netprov.provision.config import Listener, Provision
from netprov.provision.http import HttpRequest
from netprov.provision.respond import Answered
from netprov.provision.secret import Secrets
from netprov.runtime.handover import Place
from netprov.runtime.web.tls import TlsFiles

_LENGTH: Final = struct.Struct("!I")
_MOST_SOCKETS: Final = 250
"""The kernel takes 253 in one message (SCM_MAX_FD)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a request came in, and from whom, as far as the connection tells."""

    scheme: Scheme
    address: str
    server: str
    port: int
    certificate_mac: str = ""


@dataclass(frozen=True, slots=True)
class Edition:
    """All that a worker answers from."""

    provision: Provision
    secrets: Secrets
    ca: bytes
    pki: PkiPlan
    tls: TlsFiles


@dataclass(frozen=True, slots=True)
class Prepare:
    """To a worker: make ready for an edition, as `pack` makes it, and say `Ready` with its number."""

    edition: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Commit:
    """To a worker: answer from what was prepared, on these sockets, which are on their way; then say `Done`."""

    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Abort:
    """To a worker: forget what was prepared."""


@dataclass(frozen=True, slots=True)
class Stop:
    """To a worker: end what is under way, and then yourself."""


@dataclass(frozen=True, slots=True)
class Reply:
    """To a worker: the answer to the question of that number."""

    number: int
    answered: Answered | None


@dataclass(frozen=True, slots=True)
class AskedFrom:
    """To a worker: a connection from there is the service's own self-check."""

    place: Place


@dataclass(frozen=True, slots=True)
class AreYouAlive:
    """To a worker: say `Alive`."""


@dataclass(frozen=True, slots=True)
class Alive:
    """From a worker: its loop turns."""


@dataclass(frozen=True, slots=True)
class Ready:
    """From a worker: it is ready for the edition of that number, or why it cannot be."""

    number: int
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """From a worker: it answers from the new edition, and has let go of sockets that are not wanted any more."""


@dataclass(frozen=True, slots=True)
class Told:
    """From a worker: what there is to report, in its order, each with its time in seconds since the epoch."""

    events: tuple[tuple[float, Event], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """From a worker: a request whose answer hangs on what one process alone keeps."""

    number: int
    request: HttpRequest
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class Figures:
    """From a worker, once a second if they have changed."""

    connections: int = 0
    handshakes: int = 0
    shed: int = 0


class Channel(asyncio.Protocol):
    """One end; `received` is given every message, `lost` is told that the other process has gone."""

    def __init__(self, received: Callable[[object], None], lost: Callable[[], None]) -> None:
        self._received = received
        self._lost = lost
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.over = asyncio.Event()
        """Set once it is closed, and everything that came was received."""

    async def open(self, sock: socket.socket) -> None:
        """Begin; the socket is this one's from now on."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=sock)

    def send(self, message: object) -> None:
        """Let a message go, or be dropped if there is nobody any more."""
        if self._transport is not None:
            data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
            self._transport.write(_LENGTH.pack(len(data)) + data)

    @property
    def waiting(self) -> int:
        """Octets that the other process has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Close once everything is sent."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take in octets, and hand on what is whole."""
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= _LENGTH.size:
            end = at + _LENGTH.size + _LENGTH.unpack_from(self._buffer, at)[0]
            if len(self._buffer) < end:
                break
            with memoryview(self._buffer) as view:
                message = pickle.loads(view[at + _LENGTH.size : end])  # noqa: S301 - of a process of ours
            at = end
            self._received(message)
        del self._buffer[:at]

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell that the other one has gone."""
        self._transport = None
        self.over.set()
        self._lost()


def pack(edition: Edition) -> bytes:
    """Return an edition as it is sent; that of ten thousand phones takes a fifth of a second, so do it in a thread."""
    return pickle.dumps(edition, pickle.HIGHEST_PROTOCOL)


def unpack(packed: bytes) -> Edition:
    """Return the edition, with as much time."""
    edition = pickle.loads(packed)  # noqa: S301 - of a process of ours
    assert isinstance(edition, Edition)
    return edition


def send_sockets(to: socket.socket, sockets: Sequence[socket.socket]) -> None:
    """Give sockets to the other process; there is room for them, or `OSError` is raised."""
    for at in range(0, len(sockets), _MOST_SOCKETS):
        socket.send_fds(to, [b"s"], [each.fileno() for each in sockets[at : at + _MOST_SOCKETS]])


def receive_sockets(sock: socket.socket, count: int) -> list[socket.socket]:
    """Return so many sockets that the other process gave before it said so. Raises `OSError`."""
    received: list[socket.socket] = []
    while len(received) < count:
        data, fds, _, _ = socket.recv_fds(sock, 1, _MOST_SOCKETS)
        received += [socket.socket(fileno=fd) for fd in fds]
        if not data:
            raise ConnectionResetError
    return received

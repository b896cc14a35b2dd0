"""Binds the planned sockets whose address is on this machine; one inventory serves several machines."""

from __future__ import annotations

import errno
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from netprov.errors import ServiceError
from netprov.provision.config import Listener
from netprov.runtime.address import is_here
from netprov.runtime.handover import Place, release, share
from netprov.runtime.net.poll import READ
from netprov.runtime.refusal import bind_refused
from netprov.runtime.role import Notice, RoleContext

_BACKLOG = 1024
_INET, _INET6, _STREAM = int(socket.AF_INET), int(socket.AF_INET6), int(socket.SOCK_STREAM)
_UDP_BUFFER = 4 * 1024 * 1024


class Watcher(Protocol):
    """What tells when a socket is ready: a `Poller`, or a `PollThread` from inside its thread."""

    def register(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        """Watch a file descriptor."""

    def unregister(self, fd: int) -> None:
        """Watch no longer."""


Key = tuple[bool, str, int]
"""What tells sockets apart to the kernel: whether it is UDP, the address, the port."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Sockets that are bound for a change which is not made yet: committed by their set, or aborted."""

    listeners: Mapping[Key, Listener]
    fresh: Mapping[Key, socket.socket]
    absent: Mapping[Key, Listener]

    def abort(self) -> None:
        """Close what was bound."""
        for sock in self.fresh.values():
            sock.close()


class SocketSet:
    """The bound sockets of one service, which follow the plan and the addresses of this machine.

    `ready` is called with a listener and its socket when there is something to read or accept.
    """

    def __init__(
        self,
        service: str,
        poller: Watcher,
        ready: Callable[[Listener, socket.socket], None],
        *,
        context: RoleContext,
    ) -> None:
        self._service = service
        self._poller = poller
        self._ready = ready
        self._report = context.report
        self._handover = context.handover
        self._inherited = context.inherited
        self._sockets: dict[Key, socket.socket] = {}
        self._listeners: Mapping[Key, Listener] = {}
        self._absent: Mapping[Key, Listener] = {}
        self._begun = False
        self._turns: Counter[Key] = Counter()

    def __len__(self) -> int:
        return len(self._sockets)

    def release(self, wanted: Sequence[Listener] | None) -> tuple[Place, ...]:
        """Let others of us bind the TCP ports that are not wanted any more, and return them; with None let nobody."""
        held = [((address, port), sock) for (udp, address, port), sock in self._sockets.items() if not udp]
        places = [(each.address, each.port) for each in wanted or () if not each.is_datagram]
        return release(held, None if wanted is None else places)

    def prepare(self, wanted: Sequence[Listener]) -> Binding:
        """Bind what is new and on this machine; what there is stays as it is. Raises `ServiceError`.

        A plan that would leave this machine with nothing to serve on is refused if it names an address that the one
        served does not: an address that went away is waited for, whatever else changes; one that is mistyped is not.
        """
        listeners: dict[Key, Listener] = {}
        for each in wanted:
            listeners.setdefault(_key(each), each)
        fresh: dict[Key, socket.socket] = {}
        absent: dict[Key, Listener] = {}
        try:
            for key, listener in listeners.items():
                if key in self._sockets:
                    if not is_here(listener.address):
                        absent[key] = listener
                elif (sock := self._open(listener, key)) is not None:
                    fresh[key] = sock
                else:
                    absent[key] = listener
            known = {each.address for each in self._listeners.values()}
            named = self._begun and any(each.address not in known for each in listeners.values())
            if named and listeners and len(absent) == len(listeners):
                raise none_bound(self._service, wanted)
        except ServiceError:
            Binding({}, fresh, {}).abort()
            raise
        return Binding(listeners, fresh, absent)

    def commit(self, binding: Binding) -> None:
        """Close what is not wanted or not here any more, and serve on what was bound."""
        for key in [
            each for each in self._sockets if each not in binding.listeners or each in binding.absent
        ]:
            self._close(self._sockets.pop(key))
        self._listeners = binding.listeners
        for key, sock in binding.fresh.items():
            if not binding.listeners[key].is_datagram:  # those that were shared did not yet
                sock.listen(_BACKLOG)
            self._sockets[key] = sock
            self._poller.register(sock.fileno(), READ, partial(self._readable, key, sock))
        self._tell(binding)
        self._absent, self._begun = binding.absent, True

    def held(self) -> dict[Listener, socket.socket]:
        """Return the sockets that there are, for another process to serve on too."""
        return {self._listeners[key]: sock for key, sock in self._sockets.items()}

    def turns(self, listener: Listener) -> int:
        """Return how often what had come to a socket was read, or accepted, to the end."""
        return self._turns[_key(listener)]

    def adopt(self, sockets: Mapping[Listener, socket.socket]) -> None:
        """Serve on these, which another process has bound, and on no others."""
        self.close()
        self._listeners = {_key(listener): listener for listener in sockets}
        for listener, sock in sockets.items():
            key = _key(listener)
            sock.setblocking(False)
            self._sockets[key] = sock
            self._poller.register(sock.fileno(), READ, partial(self._readable, key, sock))

    def close(self) -> None:
        """Close them all."""
        for sock in self._sockets.values():
            self._close(sock)
        self._sockets.clear()

    def listening(self) -> tuple[str, ...]:
        """Return what they are, for people."""
        return tuple(str(self._listeners[key]) for key in self._sockets)

    def waiting(self) -> tuple[str, ...]:
        """Return the planned addresses that are not on this machine."""
        return tuple(dict.fromkeys(each.address for each in self._absent.values()))

    def _tell(self, binding: Binding) -> None:
        for key, listener in binding.absent.items():
            if key not in self._absent:
                text = f"{listener} is not on this machine: served by another one, or here as soon as it is"
                self._report(self._service, Notice(text))
        for key in binding.fresh.keys() & self._absent.keys():
            self._report(self._service, Notice(f"{binding.listeners[key]} has come, and is served"))
        if binding.listeners and len(binding.absent) == len(binding.listeners) != len(self._absent):
            error = none_bound(self._service, binding.listeners.values())
            self._report(self._service, Notice(f"waits: {error}", "warning"))

    def _open(self, listener: Listener, key: Key) -> socket.socket | None:
        given = self._inherited(*key)
        if given is None:
            return bind(listener, shared=self._handover.covers(key[1:]))
        _ready_for(listener, given)
        if not listener.is_datagram:
            given.listen(_BACKLOG)
        return given

    def _readable(self, key: Key, sock: socket.socket, _events: int) -> None:
        self._ready(self._listeners[key], sock)
        self._turns[key] += 1

    def _close(self, sock: socket.socket) -> None:
        self._poller.unregister(sock.fileno())
        sock.close()


def _key(listener: Listener) -> Key:
    return listener.is_datagram, listener.address, listener.port


def bind(listener: Listener, *, shared: bool = False) -> socket.socket | None:
    """Return a bound, non-blocking socket, None if the address is not on this machine; `shared` with who lets it go.

    Raises `ServiceError` with the remedy for everything else.
    """
    family = socket.AF_INET6 if ":" in listener.address else socket.AF_INET
    datagrams = listener.is_datagram
    sock = socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _ready_for(listener, sock)
        if not datagrams:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            share(sock, shared=shared)
        sock.bind((listener.address, listener.port))
        if not datagrams and not shared:
            sock.listen(_BACKLOG)  # or nobody could be told that it is taken
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRNOTAVAIL:
            return None
        protocol: Literal["udp", "tcp"] = "udp" if listener.is_datagram else "tcp"
        raise bind_refused(str(listener), protocol, listener.port, error) from error
    return sock


def _ready_for(listener: Listener, sock: socket.socket) -> None:
    if listener.is_datagram:
        enlarge(sock)
    else:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted inherits it


def accept(sock: socket.socket, address: str) -> tuple[socket.socket, tuple[str, int]]:
    """Return the next connection to a listening socket at an address, and who it is from. Raises `OSError`.

    `socket.accept` looks up the names of family and kind in enums each time, which takes longer than the kernel does.
    """
    fd, peer = sock._accept()  # type: ignore[attr-defined]  # noqa: SLF001 - what `socket.accept` begins with
    accepted = socket.socket(_INET6 if ":" in address else _INET, _STREAM, 0, fileno=fd)
    accepted.setblocking(False)
    return accepted, (peer[0], peer[1])


def enlarge(sock: socket.socket) -> None:
    """Ask for room for a burst of requests; the kernel gives what it allows."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER)


def none_bound(service: str, listeners: Iterable[Listener]) -> ServiceError:
    """Return the error for a machine that has none of the planned addresses."""
    addresses = list(dict.fromkeys(each.address for each in listeners))
    return ServiceError(
        f"{service}: no address of the inventory is on this machine (wanted: {', '.join(addresses) or 'none'})",
        f"add one to an interface, `ip address add {addresses[0]}/24 dev INTERFACE`, or correct `networks:` and `hosts:`"
        if addresses
        else "give `networks:` or `hosts:` an address",
    )

"""The transfers under way: one socket and machine each, the timer of every one, and how many there may be.

Everything here runs in the service's thread.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count
from time import monotonic

from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.event import FileSent, TransferFailed
from netprov.runtime.net.listen import Watcher
from netprov.runtime.net.poll import READ
from netprov.state.tree import OpenFile
from netprov.tftp.packet import TftpRequest
from netprov.tftp.sender import Sender
from netprov.tftp.transfer import Failed, Finished, Source, TransferLimits

MAX_TRANSFERS = 8192
"""Transfers at a time; a request beyond is dropped, and the client asks again."""
MAX_UNPROVEN = 2048
"""Transfers of which nothing is acknowledged yet; one more, and the oldest goes. A live client acknowledges in
milliseconds, so it loses its place only to some 100,000 requests a second."""
MAX_PER_ADDRESS = 512
"""Transfers at a time of one address, so that a forged one cannot take all."""

_RECEIVE = 512
"""Octets of a datagram in a transfer that are looked at: a read-only server gets acknowledgements."""

Key = tuple[str, int, str]
"""What tells transfers apart: the client's address and port, and the server's address."""


@dataclass(slots=True)
class Transfer:
    """One transfer; `file` is what is open for it, `proven` whether its peer has acknowledged anything."""

    key: Key
    sock: socket.socket
    sender: Sender
    peer: tuple[str, int]
    file: OpenFile | None
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """How many transfers there may be: in all, with nothing acknowledged, and of one address."""

    transfers: int = MAX_TRANSFERS
    unproven: int = MAX_UNPROVEN
    each: int = MAX_PER_ADDRESS


class Transfers:
    """Sends what was begun; `proved` is told of addresses that acknowledge, `report` of how transfers end."""

    def __init__(
        self,
        watcher: Watcher,
        limits: TransferLimits,
        room: Room,
        *,
        report: Callable[[Event], None],
        proved: Callable[[str], None],
    ) -> None:
        self._watcher = watcher
        self._limits = limits
        self._room = room
        self._report = report
        self._proved = proved
        self._transfers: dict[Key, Transfer] = {}
        self._unproven: dict[Key, Transfer] = {}
        self._per_address: Counter[str] = Counter()
        self._waiting: list[tuple[float, int, Transfer]] = []
        self._serial = count()

    def __len__(self) -> int:
        return len(self._transfers)

    def __iter__(self) -> Iterator[Transfer]:
        return iter(list(self._transfers.values()))

    def repeat(self, key: Key, now: float) -> bool:
        """Answer a request that was sent again, if its transfer is under way; say whether it is."""
        transfer = self._transfers.get(key)
        if transfer is None:
            return False
        _send(transfer, transfer.sender.repeated(now))
        return True

    def has_room(self, address: str) -> bool:
        """Say whether an address may have one transfer more; the oldest that nobody acknowledged makes room."""
        if self._per_address[address] >= self._room.each:
            oldest = next((each for each in self._unproven.values() if each.peer[0] == address), None)
        elif len(self._unproven) >= self._room.unproven or len(self._transfers) >= self._room.transfers:
            oldest = next(iter(self._unproven.values()), None)
        else:
            return True
        if oldest is not None:
            self._close(oldest)
        return oldest is not None

    def begin(self, request: TftpRequest, source: Source, key: Key, *, heard: int) -> None:
        """Begin to send a source to who asked for it, in so many octets; it is closed with the transfer."""
        peer = key[:2]
        file = source if isinstance(source, OpenFile) else None
        try:
            sock = _open_socket(key[2])
        except OSError as error:  # no descriptors left, or the address has gone from this machine
            self._report(Dropped(f"no socket for a transfer: {error.strerror}", Endpoint(*peer)))
            if file is not None:
                file.close()
            return
        now = monotonic()
        sender = Sender(request, source, peer=Endpoint(*peer), now=now, limits=self._limits, heard=heard)
        transfer = Transfer(key, sock, sender, peer, file)
        self._transfers[key] = self._unproven[key] = transfer
        self._per_address[peer[0]] += 1
        self._watcher.register(sock.fileno(), READ, partial(self._advance, transfer))
        self._wake(now + self._limits.min_timeout, transfer)
        _send(transfer, sender.begin(now))

    def _advance(self, transfer: Transfer, _events: int) -> None:
        """The hot path: one datagram in, the next window out."""
        try:
            data, source = transfer.sock.recvfrom(_RECEIVE)
        except OSError:
            return
        if source[:2] != transfer.peer:
            transfer.sender.receive(data, Endpoint(*source[:2]), monotonic())
            for datagram in transfer.sender.datagrams_to_send():
                with suppress(OSError):
                    transfer.sock.sendto(
                        datagram.data, (datagram.destination.address, datagram.destination.port)
                    )
            return
        sender = transfer.sender
        packets = sender.advance(data, monotonic())
        if packets:
            _send(transfer, packets)
            sender.look_ahead()
        if not transfer.proven and sender.proven:
            transfer.proven = True
            del self._unproven[transfer.key]
            self._proved(transfer.peer[0])
        if sender.outcome is not None:
            self._close(transfer)

    def _wake(self, when: float, transfer: Transfer) -> None:
        """Look at a transfer's timer at `when`; it has one entry, however often its deadline moves meanwhile."""
        heappush(self._waiting, (when, next(self._serial), transfer))

    def expire(self, now: float) -> float | None:
        """Do what is due, and return when to look again."""
        if self._waiting and self._waiting[0][0] <= now:
            self._expire(now)
        return self._waiting[0][0] if self._waiting else None

    def _expire(self, now: float) -> None:
        again: list[tuple[float, Transfer]] = []
        while self._waiting and self._waiting[0][0] <= now:
            transfer = heappop(self._waiting)[2]
            due = transfer.sender.timer()
            if due is not None and due <= now:
                _send(transfer, transfer.sender.expire(now))
                due = transfer.sender.timer()
            if due is not None:
                again.append((max(due, now + 0.001), transfer))
            elif transfer.sock.fileno() >= 0:
                self._close(transfer)
        for due, transfer in again:
            self._wake(due, transfer)

    def close(self) -> None:
        """End all."""
        for transfer in tuple(self._transfers.values()):
            self._close(transfer)

    def _close(self, transfer: Transfer) -> None:
        if self._transfers.pop(transfer.key, None) is None:
            return
        self._unproven.pop(transfer.key, None)
        self._per_address[transfer.peer[0]] -= 1
        if not self._per_address[transfer.peer[0]]:
            del self._per_address[transfer.peer[0]]
        self._watcher.unregister(transfer.sock.fileno())
        transfer.sock.close()
        if transfer.file is not None:
            transfer.file.close()
        match transfer.sender.outcome:
            case Finished(filename, peer, octets, seconds, retransmissions):
                self._report(FileSent(peer, filename, octets, seconds, retransmissions))
            case Failed(filename, peer, reason):
                self._report(TransferFailed(peer, filename, reason))


def _send(transfer: Transfer, packets: Sequence[bytes]) -> None:
    try:
        for packet in packets:
            transfer.sock.sendto(packet, transfer.peer)
    except OSError:
        pass  # a full queue or a vanished route: the timer sends it again, or gives up


def _open_socket(address: str) -> socket.socket:
    """Open a socket of its own for a transfer, at the address that was asked (RFC 1350 section 4)."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind((address, 0))
    except OSError:
        sock.close()
        raise
    return sock

"""The TFTP server: requests on every planned socket that is on this machine, one socket and machine a transfer.

All of it runs in a thread of its own, beside asyncio's: nearly every client waits for each block, so the time from an
acknowledgement to the next block is the speed of the transfer.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count
from time import monotonic, time
from typing import Any

from netprov.errors import Malformed
from netprov.machine import Dropped, Endpoint, Event
from netprov.plan import Plan
from netprov.provision.answer import Content, Redirect, Refusal, TreeFile
from netprov.provision.catalog import Catalog, tidy_path
from netprov.provision.config import Listener
from netprov.provision.event import PROBE, Asked, FileSent, TransferFailed
from netprov.provision.requester import Requester
from netprov.runtime.handover import Place
from netprov.runtime.net.listen import Binding, SocketSet
from netprov.runtime.net.poll import READ
from netprov.runtime.net.poll_thread import PollThread
from netprov.runtime.net.sender import Origin, Senders, minute_of_day
from netprov.runtime.role import Prepared, RoleContext, reload
from netprov.runtime.tftp.admission import Admission
from netprov.runtime.tftp.text import Texts
from netprov.runtime.throttle import EACH_SECOND, WINDOW_S, Throttle
from netprov.state.catalog import discard_secrets, load_catalog, publish_secrets
from netprov.state.tree import OpenFile, open_file
from netprov.tftp.packet import Error, ErrorCode, Opcode, TftpRequest, decode, encode
from netprov.tftp.sender import Sender
from netprov.tftp.transfer import Failed, Finished, Memory, Source, TransferLimits

MAX_TRANSFERS = 8192
"""Transfers at a time; a request beyond is dropped, and the client asks again."""
MAX_UNPROVEN = 2048
"""Transfers of which nothing is acknowledged yet; one more, and the oldest goes. A live client acknowledges in
milliseconds, so it loses its place only to some 100,000 requests a second."""
MAX_PER_ADDRESS = 512
"""Transfers at a time of one address, so that a forged one cannot take all."""

_BATCH = 64
_REQUEST = 2048
"""Octets of a request that are looked at: 512 are the most (RFC 2347), and longer ones are refused in words."""
_RECEIVE = 512
"""Octets of a datagram in a transfer that are looked at: a read-only server gets acknowledgements."""
_NETASCII_LIMIT = 1024 * 1024
_CODES = {403: ErrorCode.ACCESS_VIOLATION, 404: ErrorCode.FILE_NOT_FOUND}

TOLD_EACH_SECOND = 1000
"""Requests and transfers of a kind that are told one by one in a second."""


@dataclass(slots=True)
class _Transfer:
    key: tuple[str, int, str]
    sock: socket.socket
    sender: Sender
    peer: tuple[str, int]
    file: OpenFile | None
    proven: bool = False


class TftpService:
    """Serves `tftp` listeners of the plan."""

    name = "tftp"

    def __init__(
        self,
        context: RoleContext,
        *,
        limits: TransferLimits | None = None,
        max_transfers: int = MAX_TRANSFERS,
        max_unproven: int = MAX_UNPROVEN,
        max_per_address: int = MAX_PER_ADDRESS,
    ) -> None:
        self._state = context.state
        # Requests that get an answer are few: who asks too often gets none.
        self._throttle = Throttle(
            self.name, context.report, each=TOLD_EACH_SECOND, more={Dropped.event_kind: EACH_SECOND}
        )
        self._window: asyncio.TimerHandle | None = None
        self._senders = Senders(context.state)
        self._limits = limits or TransferLimits()
        self._max_transfers = max_transfers
        self._max_unproven = max_unproven
        self._max_per_address = max_per_address
        self._admission = Admission(context.state)
        self._texts = Texts()
        self._transfers: dict[tuple[str, int, str], _Transfer] = {}
        self._unproven: dict[tuple[str, int, str], _Transfer] = {}
        self._per_address: Counter[str] = Counter()
        self._waiting: list[tuple[float, int, _Transfer]] = []
        self._serial = count()
        self._events: list[Event] = []
        self._listening: Sequence[str] = ()
        self._waiting_for: Sequence[str] = ()

    async def start(self, plan: Plan) -> None:
        """Bind, and serve."""
        _raise_descriptor_limit()
        self._loop = asyncio.get_running_loop()
        self._thread = PollThread(self.name, self._turn)
        heard = RoleContext(self._state, lambda _service, event: self._report(event))
        self._sockets = SocketSet(self.name, self._thread, self._requests, context=heard)
        try:
            await reload(self, plan)
        except BaseException:
            await self._thread.close()
            raise

    def release(self, _: Plan | None) -> Sequence[Place]:
        """Return nothing: its port is no other role's."""
        return ()

    async def prepare(self, plan: Plan) -> Prepared:
        """Bind what is new; transfers under way end as they began."""
        catalog = await asyncio.to_thread(load_catalog, plan.provision, self._state)
        listeners = [each for each in plan.provision.listeners if each.scheme == "tftp"]
        try:
            binding = await self._thread.call(partial(self._sockets.prepare, listeners))
        except BaseException:
            discard_secrets(self._state)
            raise

        async def commit() -> None:
            await asyncio.to_thread(publish_secrets, self._state)
            await self._thread.call(partial(self._swap, catalog, binding))

        async def abort() -> None:
            discard_secrets(self._state)
            await self._thread.call(binding.abort)

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Close; transfers under way get up to a second, if their client has ever answered."""
        await self._thread.call(self._sockets.close)
        deadline = monotonic() + 1.0
        while self._someone_reads() and monotonic() < deadline:  # noqa: ASYNC110 - no transfer pays for an event at the end
            await asyncio.sleep(0.02)
        await self._thread.call(self._close_all)
        await self._thread.close()
        self._senders.close()
        if self._window is not None:
            self._window.cancel()
            self._settle()

    def _someone_reads(self) -> bool:
        return any(each.proven for each in list(self._transfers.values()))

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._listening

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._waiting_for

    def _swap(self, catalog: Catalog, binding: Binding) -> None:
        self._catalog = catalog
        self._sockets.commit(binding)
        self._listening, self._waiting_for = self._sockets.listening(), self._sockets.waiting()

    def _turn(self, now: float) -> float | None:
        """Do what is due, and hand on what is to be reported; the end of every turn of the thread."""
        if self._waiting and self._waiting[0][0] <= now:
            self._expire(now)
        if self._events:
            events, self._events = self._events, []
            self._loop.call_soon_threadsafe(self._hand_on, events)
        return self._waiting[0][0] if self._waiting else None

    def _hand_on(self, events: Sequence[Event]) -> None:
        if self._window is None:
            self._window = self._loop.call_later(WINDOW_S, self._settle)
        self._throttle.tell(events)

    def _settle(self) -> None:
        self._window = None
        self._throttle.settle()

    def _report(self, event: Event) -> None:
        self._events.append(event)

    # Requests.

    def _requests(self, listener: Listener, sock: socket.socket) -> None:
        for _ in range(_BATCH):
            try:
                data, source = sock.recvfrom(_REQUEST)
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            self._request(data, source[:2], listener, sock)

    def _request(self, data: bytes, peer: tuple[str, int], listener: Listener, sock: socket.socket) -> None:
        now = monotonic()
        if not self._admission.admit(peer[0], now):
            self._drop("too many requests", peer)
            return
        try:
            request = decode(data)
        except Malformed as error:
            self._drop(str(error), peer)
            return
        if not isinstance(request, TftpRequest):
            self._drop("not a request", peer)
            return
        key = (*peer, listener.address)
        if (transfer := self._transfers.get(key)) is not None:
            self._send(transfer, transfer.sender.repeated(now))
            return
        if not self._has_room(peer[0]):
            self._drop("too many transfers", peer)
            return
        source = self._open(request, peer, listener)
        if isinstance(source, Error):
            # As little as a silent victim may be sent, if the request is not from where it says.
            shown = source.message[: self._limits.amplification * len(data) - 5]
            with suppress(OSError):
                sock.sendto(encode(Error(source.code, shown)), peer)
            return
        self._begin(request, source, key, listener, heard=len(data))

    def _has_room(self, address: str) -> bool:
        """Say whether an address may have one transfer more; the oldest that nobody acknowledged makes room."""
        if self._per_address[address] >= self._max_per_address:
            oldest = next((each for each in self._unproven.values() if each.peer[0] == address), None)
        elif len(self._unproven) >= self._max_unproven or len(self._transfers) >= self._max_transfers:
            oldest = next(iter(self._unproven.values()), None)
        else:
            return True
        if oldest is not None:
            self._close(oldest)
        return oldest is not None

    def _open(self, request: TftpRequest, peer: tuple[str, int], listener: Listener) -> Source | Error:
        """Return what is to be sent, or the refusal; either is reported."""
        if request.opcode == Opcode.WRQ:
            return self._refuse(request, peer, 403, "this server is read-only")
        if request.mode not in {"octet", "netascii"}:
            return self._refuse(request, peer, 400, "mode is neither octet nor netascii")
        path = tidy_path(request.filename)
        if path is None:
            return self._refuse(request, peer, 404, "not a path of any file")
        now, origin = time(), Origin(self._senders, peer[0])
        requester = Requester(
            "tftp",
            peer[0],
            listener.address,
            listener.port,
            link_mac=origin.mac,
            at_port=origin.at_port,
            now=now,
            minute=minute_of_day(now),
        )
        if mark := request.options.get(PROBE):
            requester = self._catalog.marked(requester, mark, path, now)
        answer = self._catalog.respond(path, requester)
        match answer:
            case Content(kind=kind, body=body, mac=mac):
                proven = not mac or self._catalog.is_proven(mac, requester)
                self._report(
                    _asked(request, peer, path, 200, kind=kind, octets=len(body), mac=mac, proven=proven)
                )
                return self._texts.of(body) if request.mode == "netascii" else Memory(body)
            case TreeFile():
                return self._open_file(request, answer, peer, path)
            case Redirect():
                return self._refuse(request, peer, 404, "TFTP cannot redirect")
            case Refusal():
                mac = answer.mac
                told = {
                    "mac": mac,
                    "proven": not mac or self._catalog.is_proven(mac, requester),
                    "why": answer.why,
                }
                return self._refuse(request, peer, answer.status, answer.reason, **told)

    def _open_file(
        self, request: TftpRequest, wanted: TreeFile, peer: tuple[str, int], path: str
    ) -> Source | Error:
        opened = open_file(wanted)
        if opened is None:
            return self._refuse(request, peer, 404, "no such file")
        if request.mode == "octet":
            self._report(_asked(request, peer, path, 200, kind="file", octets=opened.size, mac=wanted.mac))
            return opened
        try:
            if opened.size > _NETASCII_LIMIT:
                return self._refuse(request, peer, 400, "too large for netascii: ask for octet mode")
            text = self._texts.of_file(opened)
        except OSError:
            return self._refuse(request, peer, 404, "cannot be read")
        finally:
            opened.close()
        self._report(_asked(request, peer, path, 200, kind="file", octets=text.size, mac=wanted.mac))
        return text

    def _refuse(
        self, request: TftpRequest, peer: tuple[str, int], status: int, reason: str, **told: Any
    ) -> Error:
        path = request.filename[:200].encode("ascii", "backslashreplace").decode("ascii")
        self._report(_asked(request, peer, path, status, reason=reason, **told))
        return Error(_CODES.get(status, ErrorCode.NOT_DEFINED), reason)

    def _drop(self, reason: str, peer: tuple[str, int]) -> None:
        self._report(Dropped(reason, Endpoint(*peer)))

    # Transfers.

    def _begin(
        self,
        request: TftpRequest,
        source: Source,
        key: tuple[str, int, str],
        listener: Listener,
        *,
        heard: int,
    ) -> None:
        peer = key[:2]
        file = source if isinstance(source, OpenFile) else None
        try:
            sock = _open_socket(listener.address)
        except OSError as error:  # no descriptors left, or the address has gone from this machine
            self._drop(f"no socket for a transfer: {error.strerror}", peer)
            if file is not None:
                file.close()
            return
        now = monotonic()
        sender = Sender(request, source, peer=Endpoint(*peer), now=now, limits=self._limits, heard=heard)
        transfer = _Transfer(key, sock, sender, peer, file)
        self._transfers[key] = self._unproven[key] = transfer
        self._per_address[peer[0]] += 1
        self._thread.register(sock.fileno(), READ, partial(self._advance, transfer))
        self._wake(now + self._limits.min_timeout, transfer)
        self._send(transfer, sender.begin(now))

    def _advance(self, transfer: _Transfer, _events: int) -> None:
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
        packets = transfer.sender.advance(data, monotonic())
        if packets:
            self._send(transfer, packets)
            transfer.sender.look_ahead()
        if not transfer.proven and transfer.sender.proven:
            transfer.proven = True
            del self._unproven[transfer.key]
            self._admission.proved(transfer.peer[0])
        if transfer.sender.outcome is not None:
            self._close(transfer)

    def _send(self, transfer: _Transfer, packets: Sequence[bytes]) -> None:
        try:
            for packet in packets:
                transfer.sock.sendto(packet, transfer.peer)
        except OSError:
            pass  # a full queue or a vanished route: the timer sends it again, or gives up

    def _wake(self, when: float, transfer: _Transfer) -> None:
        """Look at a transfer's timer at `when`; it has one entry, however often its deadline moves meanwhile."""
        heappush(self._waiting, (when, next(self._serial), transfer))

    def _expire(self, now: float) -> None:
        again: list[tuple[float, _Transfer]] = []
        while self._waiting and self._waiting[0][0] <= now:
            transfer = heappop(self._waiting)[2]
            due = transfer.sender.timer()
            if due is not None and due <= now:
                self._send(transfer, transfer.sender.expire(now))
                due = transfer.sender.timer()
            if due is not None:
                again.append((max(due, now + 0.001), transfer))
            elif transfer.sock.fileno() >= 0:
                self._close(transfer)
        for due, transfer in again:
            self._wake(due, transfer)

    def _close_all(self) -> None:
        for transfer in tuple(self._transfers.values()):
            self._close(transfer)

    def _close(self, transfer: _Transfer) -> None:
        if self._transfers.pop(transfer.key, None) is None:
            return
        self._unproven.pop(transfer.key, None)
        self._per_address[transfer.peer[0]] -= 1
        if not self._per_address[transfer.peer[0]]:
            del self._per_address[transfer.peer[0]]
        self._thread.unregister(transfer.sock.fileno())
        transfer.sock.close()
        if transfer.file is not None:
            transfer.file.close()
        match transfer.sender.outcome:
            case Finished(filename, peer, octets, seconds, retransmissions):
                self._report(FileSent(peer, filename, octets, seconds, retransmissions))
            case Failed(filename, peer, reason):
                self._report(TransferFailed(peer, filename, reason))


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


def _raise_descriptor_limit() -> None:
    """Let this process have as many sockets as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _asked(request: TftpRequest, peer: tuple[str, int], path: str, status: int, **told: Any) -> Asked:
    return Asked("tftp", peer[0], request.opcode.name, path, status, probe=PROBE in request.options, **told)

"""The TFTP server: requests on every planned socket that is on this machine, one socket and machine a transfer.

All of it runs in a thread of its own, beside asyncio's: nearly every client waits for each block, so the time from an
acknowledgement to the next block is the speed of the transfer.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

from netprov.errors import Malformed
from netprov.machine import Dropped, Endpoint, Event
from netprov.plan import Plan
from netprov.provision.answer import Unasked
from netprov.provision.catalog import Catalog
from netprov.provision.config import Listener
from netprov.provision.secret import Secrets
from netprov.provision.source import Sourced
from netprov.runtime.handover import Place
from netprov.runtime.net.listen import Binding, SocketSet
from netprov.runtime.net.poll_thread import PollThread
from netprov.runtime.net.sender import Senders
from netprov.runtime.role import Notice, Prepared, RoleContext, reload
from netprov.runtime.self_check import Askers, Probe
from netprov.runtime.source.pool import SourcePool
from netprov.runtime.tftp.admission import Admission
from netprov.runtime.tftp.opener import Opener
from netprov.runtime.tftp.transfers import Room, Transfers
from netprov.runtime.throttle import EACH_SECOND, WINDOW_S, Throttle
from netprov.state.catalog import discard_secrets, load_catalog, publish_secrets
from netprov.tftp.packet import Error, ErrorCode, Opcode, TftpRequest, decode, encode
from netprov.tftp.transfer import TransferLimits

_BATCH = 64
_REQUEST = 2048
"""Octets of a request that are looked at: 512 are the most (RFC 2347), and longer ones are refused in words."""

TOLD_EACH_SECOND = 1000
"""Requests and transfers of a kind that are told one by one in a second."""


_NO_FILE = "self-check"

MOST_ASKING = 256
"""Requests that wait for a source at a time."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A read request: from where it came, and how many octets it had."""

    request: TftpRequest
    peer: tuple[str, int]
    listener: Listener
    sock: socket.socket
    heard: int


class TftpService:
    """Serves `tftp` listeners of the plan."""

    name = "tftp"

    def __init__(
        self,
        context: RoleContext,
        *,
        limits: TransferLimits | None = None,
        room: Room | None = None,
    ) -> None:
        self._state = context.state
        self._inherited = context.inherited
        # Requests that get an answer are few: who asks too often gets none.
        self._throttle = Throttle(
            self.name, context.report, each=TOLD_EACH_SECOND, more={Dropped.event_kind: EACH_SECOND}
        )
        self._window: asyncio.TimerHandle | None = None
        self._senders = Senders(context.state)
        self._limits = limits or TransferLimits()
        self._room = room or Room()
        self._admission = Admission(context.state)
        self._opener = Opener(self._senders, self._report)
        self.transfers: Transfers
        self._events: list[Event] = []
        self._sources = SourcePool({}, Secrets(), self._notice)
        self._asking: set[tuple[str, int, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: Sequence[str] = ()
        self._waiting_for: Sequence[str] = ()
        self._served: Sequence[Listener] = ()
        self._askers = Askers()

    async def start(self, plan: Plan) -> None:
        """Bind, and serve."""
        _raise_descriptor_limit()
        self._loop = asyncio.get_running_loop()
        self._thread = PollThread(self.name, self._turn)
        self.transfers = Transfers(
            self._thread, self._limits, self._room, report=self._report, proved=self._admission.proved
        )
        heard = RoleContext(
            self._state, lambda _service, event: self._report(event), inherited=self._inherited
        )
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
            before, self._sources = (
                self._sources,
                SourcePool(plan.provision.sources, catalog.secrets, self._notice),
            )
            await before.close()

        async def abort() -> None:
            discard_secrets(self._state)
            await self._thread.call(binding.abort)

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Close; transfers under way get up to a second, if their client has ever answered."""
        await self._sources.close()
        await asyncio.gather(*self._tasks)
        await self._thread.call(self._sockets.close)
        deadline = monotonic() + 1.0
        while self._someone_reads() and monotonic() < deadline:  # noqa: ASYNC110 - no transfer pays for an event at the end
            await asyncio.sleep(0.02)
        await self._thread.call(self.transfers.close)
        await self._thread.close()
        self._senders.close()
        if self._window is not None:
            self._window.cancel()
            self._settle()

    async def leave(self) -> None:
        """Take no request any more; transfers go on."""
        await self._thread.call(lambda: self._sockets.commit(self._sockets.prepare(())))

    def under_way(self) -> int:
        """Return how many transfers are under way."""
        return sum(each.proven for each in self.transfers)

    def _someone_reads(self) -> bool:
        return self.under_way() > 0

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._listening

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._waiting_for

    def probes(self) -> Sequence[Probe]:
        """Return what serves: each socket, by the thread that reads it."""
        return [
            Probe(
                str(each), partial(self._ask_nothing, each), partial(self._sockets.turns, each), each.address
            )
            for each in self._served
        ]

    async def _ask_nothing(self, listener: Listener) -> None:
        """Ask our own socket for a file that there is not; any answer will do."""
        with self._askers.open(socket.SOCK_DGRAM, listener.address) as sock:
            sock.connect((listener.address, listener.port))
            await self._loop.sock_sendall(sock, encode(TftpRequest(Opcode.RRQ, _NO_FILE)))
            await self._loop.sock_recv(sock, _REQUEST)

    def _swap(self, catalog: Catalog, binding: Binding) -> None:
        self._opener.catalog = catalog
        self._sockets.commit(binding)
        self._served = tuple(self._sockets.held())
        self._listening, self._waiting_for = self._sockets.listening(), self._sockets.waiting()

    def _turn(self, now: float) -> float | None:
        """Do what is due, and hand on what is to be reported; the end of every turn of the thread."""
        due = self.transfers.expire(now)
        if self._events:
            events, self._events = self._events, []
            self._loop.call_soon_threadsafe(self._hand_on, events)
        return due

    def _hand_on(self, events: Sequence[Event]) -> None:
        if self._window is None:
            self._window = self._loop.call_later(WINDOW_S, self._settle)
        self._throttle.tell(events)

    def _settle(self) -> None:
        self._window = None
        self._throttle.settle()

    def _report(self, event: Event) -> None:
        self._events.append(event)

    def _notice(self, notice: Notice) -> None:
        """Report what is told in asyncio's loop, not in the thread."""
        self._hand_on([notice])

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
        if peer in self._askers:
            with suppress(OSError):
                sock.sendto(encode(Error(ErrorCode.FILE_NOT_FOUND, _NO_FILE)), peer)
            return
        key = (*peer, listener.address)
        if key in self._asking or self.transfers.repeat(key, now):
            return
        if not self.transfers.has_room(peer[0]) or len(self._asking) >= MOST_ASKING:
            self._drop("too many transfers", peer)
            return
        self._answer(_Read(request, peer, listener, sock, len(data)), {})

    def _answer(self, read: _Read, sourced: Sourced) -> None:
        """Begin a transfer, or refuse; a source that has values of the profile is asked first, and meanwhile others are served."""
        request, peer, listener = read.request, read.peer, read.listener
        key = (*peer, listener.address)
        source = self._opener.open(request, peer, listener, sourced)
        if isinstance(source, Unasked):
            self._asking.add(key)
            self._loop.call_soon_threadsafe(self._ask, read, source, sourced)
        elif isinstance(source, Error):
            # As little as a silent victim may be sent, if the request is not from where it says.
            shown = source.message[: self._limits.amplification * read.heard - 5]
            with suppress(OSError):
                read.sock.sendto(encode(Error(source.code, shown)), peer)
        else:
            self.transfers.begin(request, source, key, heard=read.heard)

    # Sources, in asyncio's loop.

    def _ask(self, read: _Read, unasked: Unasked, sourced: Sourced) -> None:
        task = asyncio.create_task(self._asked(read, unasked, sourced))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _asked(self, read: _Read, unasked: Unasked, sourced: Sourced) -> None:
        outcome = await self._sources.ask(unasked.source, unasked.device)
        try:
            await self._thread.call(partial(self._again, read, {**sourced, unasked.source: outcome}))
        except Exception as error:  # noqa: BLE001 - whatever it is: this request is lost alone, and that is told
            self._notice(Notice(f"a read request was not answered: {type(error).__name__}: {error}", "error"))

    def _again(self, read: _Read, sourced: Sourced) -> None:
        """Answer with what a source said; in the thread."""
        self._asking.discard((*read.peer, read.listener.address))
        self._answer(read, sourced)

    def _drop(self, reason: str, peer: tuple[str, int]) -> None:
        self._report(Dropped(reason, Endpoint(*peer)))


def _raise_descriptor_limit() -> None:
    """Let this process have as many sockets as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

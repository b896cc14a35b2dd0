"""The syslog listener: UDP 514 on this server's addresses; what phones tell goes to the device record."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from netprov.hostport import SYSLOG_PORT
from netprov.plan import Plan
from netprov.provision.config import Listener
from netprov.provision.event import PhoneSaid, SyslogLine
from netprov.provision.syslog import MAX_MESSAGE, parse_message, recognise
from netprov.runtime.handover import Place
from netprov.runtime.net.listen import SocketSet
from netprov.runtime.net.poll import Poller
from netprov.runtime.role import Prepared, RoleContext, Suppressed
from netprov.runtime.self_check import Askers, Probe, moved

_BATCH = 128

EACH_SECOND = 50
"""Lines of one address that are taken in each second: a phone that boots says some twenty."""

WINDOW_S = 1.0

MOST_SOURCES = 4096
"""Addresses that are heard in one second; more at once are no phones."""


class SyslogService:
    """Listens where the plan says; it sends nothing."""

    name = "syslog"

    def __init__(self, context: RoleContext, *, port: int = SYSLOG_PORT, window: float = WINDOW_S) -> None:
        self._context = context
        self._port = port
        self._window_s = window
        self._heard: Counter[str] = Counter()
        self._window: asyncio.TimerHandle | None = None
        self._shed = 0
        self._askers = Askers()

    async def start(self, plan: Plan) -> None:
        """Bind, and listen."""
        self._poller = Poller()
        self._sockets = SocketSet(self.name, self._poller, self._receive, context=self._context)
        try:
            self._sockets.commit(self._sockets.prepare(self._listeners(plan)))
        except BaseException:
            self._poller.close()
            raise

    def release(self, _: Plan | None) -> Sequence[Place]:
        """Return nothing: its port is no other role's."""
        return ()

    async def prepare(self, plan: Plan) -> Prepared:
        """Bind what is new."""
        binding = self._sockets.prepare(self._listeners(plan))

        async def commit() -> None:
            self._sockets.commit(binding)

        async def abort() -> None:
            binding.abort()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Close."""
        self._sockets.close()
        self._poller.close()
        if self._window is not None:
            self._window.cancel()
            self._settle()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._sockets.listening()

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._sockets.waiting()

    def probes(self) -> Sequence[Probe]:
        """Return what serves."""
        return [
            Probe(
                str(each), partial(self._say_nothing, each), partial(self._sockets.turns, each), each.address
            )
            for each in self._sockets.held()
        ]

    async def _say_nothing(self, listener: Listener) -> None:
        """Send our own socket an empty message, and wait until it is read: there is no answer to syslog."""
        before = self._sockets.turns(listener)
        with self._askers.open(socket.SOCK_DGRAM, listener.address) as sock:
            sock.sendto(b"", (listener.address, listener.port))
            await moved(partial(self._sockets.turns, listener), before)

    def _receive(self, _listener: Listener, sock: socket.socket) -> None:
        with suppress(BlockingIOError, InterruptedError, ConnectionError):
            for _ in range(_BATCH):
                data, source = sock.recvfrom(MAX_MESSAGE)
                if source[:2] not in self._askers and self._admits(source[0]):
                    self._take(data, source[0])

    def _admits(self, address: str) -> bool:
        """Say whether one more line of an address is taken in; what is shed is told by its number, a second later."""
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(self._window_s, self._settle)
        if self._heard[address] >= EACH_SECOND or len(self._heard) >= MOST_SOURCES:
            self._shed += 1
            return False
        self._heard[address] += 1
        return True

    def _settle(self) -> None:
        """End a second: tell what was shed in it, whether or not anything follows."""
        self._window = None
        self._heard.clear()
        shed, self._shed = self._shed, 0
        if shed:
            self._context.report(self.name, Suppressed(SyslogLine.event_kind, shed))

    def _take(self, data: bytes, address: str) -> None:
        message = parse_message(data)
        told = recognise(message.text)
        self._context.report(
            self.name,
            PhoneSaid(address, told.mac, told)
            if told is not None
            else SyslogLine(address, message.severity, message.text),
        )

    def _listeners(self, plan: Plan) -> list[Listener]:
        return [Listener("syslog", address, self._port) for address in plan.provision.syslog]

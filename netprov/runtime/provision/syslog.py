"""The syslog listener: UDP 514 on this server's addresses; what phones tell goes to the device record."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress

from netprov.hostport import SYSLOG_PORT
from netprov.plan import Plan
from netprov.provision.config import Listener
from netprov.provision.event import PhoneSaid, SyslogLine
from netprov.provision.syslog import MAX_MESSAGE, parse_message, recognise
from netprov.runtime.net.listen import SocketSet
from netprov.runtime.net.poll import Poller
from netprov.runtime.role import RoleContext

_BATCH = 128


class SyslogService:
    """Listens where the plan says; it sends nothing."""

    name = "syslog"

    def __init__(self, context: RoleContext) -> None:
        self._context = context

    async def start(self, plan: Plan) -> None:
        """Bind, and listen."""
        self._poller = Poller()
        self._sockets = SocketSet(self.name, self._poller, context=self._context)
        try:
            self._bind(plan)
        except BaseException:
            self._poller.close()
            raise

    async def reload(self, plan: Plan) -> None:
        """Bind what is new, close what is no longer wanted."""
        self._bind(plan)

    async def stop(self) -> None:
        """Close."""
        self._sockets.close()
        self._poller.close()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._sockets.listening()

    def _bind(self, plan: Plan) -> None:
        wanted = [Listener("syslog", address, SYSLOG_PORT) for address in plan.provision.syslog]
        if wanted or len(self._sockets):
            self._sockets.bind(wanted, self._receive)

    def _receive(self, _listener: Listener, sock: socket.socket) -> None:
        with suppress(BlockingIOError, InterruptedError, ConnectionError):
            for _ in range(_BATCH):
                data, source = sock.recvfrom(MAX_MESSAGE)
                message = parse_message(data)
                told = recognise(message.text)
                self._context.report(
                    self.name,
                    PhoneSaid(source[0], told.mac, told)
                    if told is not None
                    else SyslogLine(source[0], message.severity, message.text),
                )

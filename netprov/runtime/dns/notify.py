"""The pump of NOTIFY: a socket for each of our addresses that secondaries are told from."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import Callable, Sequence

from netprov.dns.config import DnsConfig
from netprov.dns.server.notifier import Notifier, Peer
from netprov.dns.zone.zone import Zone
from netprov.machine import Endpoint, Event


class NotifyPump:
    """Joins the notifier to sockets and the clock."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._machine = Notifier(lambda most: secrets.randbelow(most + 1))
        self._sockets: dict[str, socket.socket] = {}
        self._timer: asyncio.TimerHandle | None = None

    def announce(self, zones: Sequence[Zone], config: DnsConfig, ours: Sequence[str]) -> None:
        """Tell all secondaries of zones, each from the address of ours that shares its family."""
        peers = []
        for secondary in config.secondaries:
            address = str(secondary.address)
            source = next((host for host in ours if (":" in host) == (":" in address)), "")
            peers.append(Peer(address, secondary.port, source, config.keys.get(secondary.key)))
        self._machine.announce(zones, peers, time.time())
        self._flush()

    def stop(self) -> None:
        """Tell nobody any more."""
        if self._timer:
            self._timer.cancel()
        for sock in self._sockets.values():
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()
        self._sockets.clear()

    def _flush(self) -> None:
        for event in self._machine.events():
            self._report(event)
        for datagram in self._machine.datagrams_to_send():
            try:
                sock = self._socket(datagram.source, datagram.destination.address)
                sock.sendto(datagram.data, (datagram.destination.address, datagram.destination.port))
            except OSError:
                continue  # the next try may find a way there
        if self._timer:
            self._timer.cancel()
        due = self._machine.timer()
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - time.time()), self._tick)

    def _tick(self) -> None:
        self._machine.handle_timer(time.time())
        self._flush()

    def _socket(self, source: str, destination: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        found = self._sockets.get(source)
        if found is None:
            found = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            found.bind((source, 0))
            asyncio.get_running_loop().add_reader(found, self._receive, found)
            self._sockets[source] = found
        return found

    def _receive(self, sock: socket.socket) -> None:
        while True:
            try:
                datagram, source = sock.recvfrom(4096)
            except OSError:
                break
            self._machine.receive(datagram, Endpoint(source[0], source[1]), time.time())
        self._flush()

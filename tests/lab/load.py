"""DHCP load through a relay of our own making: many phones at once, and a record of every lease acknowledged."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.errors import LabError
from netprov.lab.lan import Host

REQUESTED, SERVER_ID, MESSAGE_TYPE, VENDOR_CLASS = 50, 54, 53, 60
RETRY_S = 0.6


@dataclass
class Load:
    """Phones behind a relay agent on `host`, at `relay` (giaddr), asking the server at `server`.

    `acknowledged` is what they were told, in the order they were told: the truth that a server must keep.
    """

    host: Host
    relay: str
    server: str
    in_flight: int = 24
    acknowledged: list[tuple[int, str]] = field(default_factory=list)
    _waiting: dict[int, tuple[bytes, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.host.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind((self.relay, 67))
        self._socket.setblocking(False)
        self._next = 0

    def close(self) -> None:
        """Close the relay's socket."""
        self._socket.close()

    @property
    def leases(self) -> dict[int, str]:
        """Return the last lease acknowledged to each phone."""
        return dict(self.acknowledged)

    def run(self, until: Callable[[], bool], *, timeout: float, limit: int) -> None:
        """Let phones ask, new ones all the time up to `limit` of them, until a condition holds."""
        deadline = time.monotonic() + timeout
        while not until():
            if time.monotonic() > deadline:
                raise LabError(f"{len(self.leases)} leases after {timeout} s")
            while self._next < limit and len(self._waiting) < self.in_flight:
                self._ask(self._next, self._request(self._next, {MESSAGE_TYPE: bytes([Type.DISCOVER])}))
                self._next += 1
            self._repeat()
            self._listen(0.02)

    def confirm(self, phones: dict[int, str], *, timeout: float) -> dict[int, str]:
        """Reboot phones that remember their address (INIT-REBOOT) and return what each was answered."""
        before = len(self.acknowledged)
        others, self._waiting = self._waiting, {}
        for number, address in phones.items():
            options = {MESSAGE_TYPE: bytes([Type.REQUEST]), REQUESTED: IPv4Address(address).packed}
            self._ask(number, self._request(number, options))
        deadline = time.monotonic() + timeout
        while self._waiting and time.monotonic() < deadline:
            self._repeat()
            self._listen(0.02)
        self._waiting = others
        return dict(self.acknowledged[before:])

    def _request(self, number: int, options: dict[int, bytes]) -> bytes:
        return dhcp.encode(
            Message(
                op=dhcp.BOOTREQUEST,
                xid=0x1000 + number,
                chaddr=b"\x00\x12\x34" + number.to_bytes(3, "big"),
                hops=1,
                giaddr=int(IPv4Address(self.relay)),
                options={**options, VENDOR_CLASS: b"CP-8851-3PCC"},
            )
        )

    def _ask(self, number: int, packet: bytes) -> None:
        self._socket.sendto(packet, (self.server, 67))
        self._waiting[number] = (packet, time.monotonic())

    def _repeat(self) -> None:
        """Send again what was not answered; a server that is down is no reason to stop."""
        now = time.monotonic()
        for number, (packet, asked) in list(self._waiting.items()):
            if now - asked > RETRY_S:
                try:
                    self._ask(number, packet)
                except ConnectionRefusedError:
                    self._waiting[number] = (packet, now)

    def _listen(self, timeouts: float) -> None:
        select.select([self._socket], [], [], timeouts)
        while True:
            try:
                reply = dhcp.decode(self._socket.recv(2048))
            except ConnectionRefusedError:
                continue
            except BlockingIOError:
                return
            self._take(reply.xid - 0x1000, reply)

    def _take(self, number: int, reply: Message) -> None:
        address = IPv4Address(reply.yiaddr)
        if number not in self._waiting:
            return
        match reply.type:
            case Type.OFFER:
                options = {
                    MESSAGE_TYPE: bytes([Type.REQUEST]),
                    REQUESTED: address.packed,
                    SERVER_ID: reply.options[SERVER_ID],
                }
                self._ask(number, self._request(number, options))
            case Type.ACK:
                self.acknowledged.append((number, str(address)))
                del self._waiting[number]
            case Type.NAK:
                self._ask(number, self._request(number, {MESSAGE_TYPE: bytes([Type.DISCOVER])}))

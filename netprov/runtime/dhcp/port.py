"""One interface that DHCP serves on: its sockets, and how replies leave it (RFC 2131 section 4.1)."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Sequence
from dataclasses import replace

from netprov.dhcp.message import CLIENT_PORT, SERVER_PORT, Type, hardware_address
from netprov.dhcp.option.table import MESSAGE_TYPE
from netprov.errors import ServiceError
from netprov.machine import Datagram, Endpoint
from netprov.runtime.net.frame import Prober, Program, RawSender, attach_filter
from netprov.runtime.net.mmsg import SLOT, SLOTS, Batch, batch

URGENT_BATCH = 256
"""Requests, renewals, releases taken from one socket before what they caused is written and answered."""

DISCOVER_BATCH = 64
"""DISCOVERs taken from one socket before requests are looked for again: who has an offer comes first."""

RECEIVE_BUFFER = 2 << 20
_SO_RCVBUFFORCE = 33
_SO_ATTACH_REUSEPORT_CBPF = 51
_MOST_SOURCES = 4096
_UDP_HEADER = 8


def _picks_discover(offset: int, *, discover: int, other: int) -> Program:
    """Return classic BPF that answers one value for a DISCOVER whose option 53 comes first, another for the rest."""
    return (
        (0x30, 0, 0, offset + 240),  # ldb: code of the first option
        (0x15, 0, 3, MESSAGE_TYPE),
        (0x30, 0, 0, offset + 242),  # ldb: its value
        (0x15, 0, 1, Type.DISCOVER),
        (0x06, 0, 0, discover),
        (0x06, 0, 0, other),
    )


class Port:
    """The sockets of one interface, or of none in particular (""), which hears relay agents only.

    A pair of sockets hears broadcasts. A pair for each of our addresses hears what is sent to it, and is what
    replies leave by, so that they come from the address that they name as the server. Of each pair, the kernel
    gives DISCOVERs to the second: when more comes in than can be answered, it is DISCOVERs that overflow, and
    the exchanges under way are finished.
    """

    def __init__(self, interface: str, addresses: Iterable[str], *, probes: bool) -> None:
        self.interface = interface
        self.index = interface_index(interface) if interface else 0
        self.urgent: list[socket.socket] = []
        self.discover: list[socket.socket] = []
        self._senders: dict[str, socket.socket] = {}
        self._sources: dict[bytes, Endpoint] = {}
        self._batches: dict[socket.socket, Batch] = {}
        self.raw: RawSender | None = None
        self.prober: Prober | None = None
        try:
            self._everyone = self._open("0.0.0.0")
            for address in addresses:
                self._senders[address] = self._open(address)
            if interface:
                self.raw = RawSender(interface)
                self.prober = Prober(interface) if probes else None
        except PermissionError as error:
            self.close()
            remedy = "Run it as root, or as the systemd unit, which has CAP_NET_BIND_SERVICE and CAP_NET_RAW."
            raise ServiceError(f"DHCP on {interface or 'any interface'}: {error.strerror}", remedy) from error
        except BaseException:
            self.close()
            raise

    def receive(self, sock: socket.socket, most: int) -> list[tuple[bytes, Endpoint]]:
        """Take what has come in on one of the sockets, so many at the most."""
        found: list[tuple[bytes, Endpoint]] = []
        slots = self._batches[sock]
        memory, sources = slots.memory, self._sources
        # Fewer than a full batch: the socket is empty, or its interface went down; what has come in is answered.
        full = True
        while full and len(found) < most:
            lengths = slots.receive()
            full = len(lengths) == SLOTS
            start = 0
            for length, origin in zip(lengths, slots.sources(len(lengths)), strict=True):
                source = sources.get(origin) or self._source(origin)
                found.append((memory[start : start + length], source))
                start += SLOT
        return found

    def send(self, datagram: Datagram) -> None:
        """Send one reply; raise OSError as send(2) does."""
        to = datagram.destination
        if to.mac and self.raw is not None:
            self.raw.send(datagram, SERVER_PORT)
            return
        try:
            self._senders.get(datagram.source, self._everyone).sendto(datagram.data, (to.address, to.port))
        except OSError:
            if self.raw is None or to.port != CLIENT_PORT:
                raise
            # The kernel's table of neighbours is full (1,024 of them unless gc_thresh3 says more), for one: whoever
            # asked for an answer here told its hardware address.
            mac = hardware_address(datagram.data)
            self.raw.send(datagram._replace(destination=replace(to, mac=mac)), SERVER_PORT)

    def _source(self, origin: bytes) -> Endpoint:
        """Return the endpoint of a packed port and address, and remember it."""
        if len(self._sources) >= _MOST_SOURCES:
            self._sources.clear()
        port = int.from_bytes(origin[:2], "big")
        endpoint = self._sources[origin] = Endpoint(socket.inet_ntoa(origin[2:]), port, self.interface)
        return endpoint

    def close(self) -> None:
        """Close every socket."""
        for each in (*self.urgent, *self.discover):
            each.close()
        for other in (self.raw, self.prober):
            if other is not None:
                other.close()

    def _open(self, address: str) -> socket.socket:
        """Open a pair of sockets on an address; return the one that replies leave by."""
        urgent = self._bind(address, self.urgent, discover=0, other=0xFFFF)
        # The group's members count in the order they were bound.
        attach_filter(urgent, _picks_discover(0, discover=1, other=0), option=_SO_ATTACH_REUSEPORT_CBPF)
        self._bind(address, self.discover, discover=0xFFFF, other=0)
        return urgent

    def _bind(self, address: str, into: list[socket.socket], *, discover: int, other: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        into.append(sock)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        # A broadcast goes to both of a pair; this keeps one of the two copies.
        attach_filter(sock, _picks_discover(_UDP_HEADER, discover=discover, other=other))
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if self.interface:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode())
        try:
            sock.bind((address, SERVER_PORT))
        except OSError as error:
            raise _unbound(error, self.interface or "any interface", address) from error
        self._batches[sock] = batch(sock)
        return sock


def _unbound(error: OSError, where: str, address: str) -> Exception:
    match error.errno:
        case errno.EADDRNOTAVAIL:
            remedy = f"Give it to the interface (ip address add {address}/24 dev {where}), or write the one it has as `address:` of the network."
            return ServiceError(f"{where} has no address {address}", remedy)
        case errno.EADDRINUSE:
            remedy = "Stop the other DHCP server (ss -lunp 'sport = :67' names it)."
            return ServiceError(f"UDP port 67 is taken on {address}", remedy)
    return error


def interface_index(interface: str) -> int:
    """Return an interface's index; raise `ServiceError` if there is none of that name."""
    try:
        return socket.if_nametoindex(interface)
    except OSError as error:
        names: Sequence[str] = [name for _, name in socket.if_nameindex()]
        remedy = f"Name one of this machine's under `interface:` of the network: {', '.join(names)}."
        raise ServiceError(f"there is no interface {interface}", remedy) from error

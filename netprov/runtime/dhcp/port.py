"""One interface that DHCP serves on: its sockets, and how replies leave it (RFC 2131 section 4.1)."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from netprov.dhcp.message import CLIENT_PORT, SERVER_PORT, Type, hardware_address
from netprov.dhcp.option.table import MESSAGE_TYPE
from netprov.dhcp.reply import EVERYONE
from netprov.errors import ServiceError
from netprov.hostport import format_hostport
from netprov.machine import Datagram, Endpoint
from netprov.runtime.address import index_of
from netprov.runtime.net.frame import Prober, Program, RawSender, attach_filter
from netprov.runtime.net.mmsg import SLOT, SLOTS, Batch, batch
from netprov.runtime.refusal import bind_refused

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


EVERY_ADDRESS = "0.0.0.0"

Pair = tuple[socket.socket, socket.socket]
"""The sockets of one address: for requests, by which replies leave; for DISCOVERs."""


class Port:
    """The sockets of one interface, or of none in particular (""), which hears relay agents only.

    A pair of sockets hears broadcasts. A pair for each of our addresses hears what is sent to it, and is what
    replies leave by, so that they come from the address that they name as the server. Of each pair, the kernel
    gives DISCOVERs to the second: when more comes in than can be answered, it is DISCOVERs that overflow, and
    the exchanges under way are finished.
    """

    def __init__(self, interface: str, addresses: Sequence[str], *, probes: bool) -> None:
        self.interface = interface
        self.probes = probes
        self.index = interface_index(interface) if interface else 0
        self._pairs: dict[str, Pair] = {}
        self._sources: tuple[dict[bytes, Endpoint], dict[bytes, Endpoint]] = ({}, {})
        self._batches: dict[socket.socket, Batch] = {}
        self.raw: RawSender | None = None
        self.prober: Prober | None = None
        self.received = 0
        """Messages so far."""
        try:
            self.adopt(self.open((EVERY_ADDRESS, *addresses)), addresses)
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

    @property
    def urgent(self) -> Sequence[socket.socket]:
        """The sockets that requests come in on."""
        return self._urgent

    @property
    def discover(self) -> Sequence[socket.socket]:
        """The sockets that DISCOVERs come in on."""
        return self._discover

    def addresses(self) -> Sequence[str]:
        """Return our addresses that it serves at."""
        return [address for address in self._pairs if address != EVERY_ADDRESS]

    def open(self, addresses: Iterable[str]) -> dict[str, Pair]:
        """Bind a pair of sockets for each address that has none yet; nothing is read from them before `adopt`."""
        fresh: dict[str, Pair] = {}
        try:
            for address in addresses:
                if address not in self._pairs:
                    fresh[address] = self._open(address)
        except BaseException:
            close_pairs(fresh)
            raise
        return fresh

    def adopt(self, fresh: Mapping[str, Pair], addresses: Iterable[str]) -> None:
        """Serve on the pairs that were opened, and close those of addresses that are not named any more."""
        wanted = {EVERY_ADDRESS, *addresses}
        gone = {address: self._pairs[address] for address in self._pairs if address not in wanted}
        for pair in gone.values():
            for sock in pair:
                self._batches.pop(sock, None)
        close_pairs(gone)
        self._pairs = {**{a: pair for a, pair in self._pairs.items() if a in wanted}, **fresh}
        self._line_up()

    def _line_up(self) -> None:
        self._senders = {address: urgent for address, (urgent, _) in self._pairs.items()}
        self._urgent = [urgent for urgent, _ in self._pairs.values()]
        self._discover = [discover for _, discover in self._pairs.values()]
        self._batches = {sock: batch(sock) for pair in self._pairs.values() for sock in pair}

    def receive(self, sock: socket.socket, most: int) -> list[tuple[bytes, Endpoint]]:
        """Take what has come in on one of the sockets, so many at the most."""
        found: list[tuple[bytes, Endpoint]] = []
        slots = self._batches[sock]
        broadcast = sock in self._pairs[EVERY_ADDRESS]
        memory, sources = slots.memory, self._sources[broadcast]
        # Fewer than a full batch: the socket is empty, or its interface went down; what has come in is answered.
        full = True
        while full and len(found) < most:
            lengths = slots.receive()
            full = len(lengths) == SLOTS
            start = 0
            for length, origin in zip(lengths, slots.sources(len(lengths)), strict=True):
                source = sources.get(origin) or self._source(origin, broadcast=broadcast)
                found.append((memory[start : start + length], source))
                start += SLOT
        self.received += len(found)
        return found

    def unread(self) -> bool:
        """Say whether something has come in that nobody has taken yet."""
        poll = select.poll()
        for sock in (*self._urgent, *self._discover):
            poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))

    def send(self, datagram: Datagram) -> None:
        """Send one reply; raise OSError as send(2) does."""
        to = datagram.destination
        # A broadcast over the UDP socket needs an entry in the kernel's table of neighbours, which whoever invents addresses
        # fills; then the kernel drops it and says nothing.
        if self.raw is not None and (to.mac or to.address == EVERYONE):
            self.raw.send(datagram, SERVER_PORT)
            return
        try:
            sender = self._senders.get(datagram.source) or self._senders[EVERY_ADDRESS]
            sender.sendto(datagram.data, (to.address, to.port))
        except OSError:
            if self.raw is None or to.port != CLIENT_PORT:
                raise
            # The kernel's table of neighbours is full (1,024 of them unless gc_thresh3 says more), for one: whoever
            # asked for an answer here told its hardware address.
            mac = hardware_address(datagram.data)
            self.raw.send(datagram._replace(destination=replace(to, mac=mac)), SERVER_PORT)

    def _source(self, origin: bytes, *, broadcast: bool) -> Endpoint:
        """Return the endpoint of a packed port and address, and remember it."""
        sources = self._sources[broadcast]
        if len(sources) >= _MOST_SOURCES:
            sources.clear()
        port = int.from_bytes(origin[:2], "big")
        address = socket.inet_ntoa(origin[2:])
        endpoint = sources[origin] = Endpoint(address, port, self.interface, broadcast=broadcast)
        return endpoint

    def close(self) -> None:
        """Close every socket."""
        close_pairs(self._pairs)
        for other in (self.raw, self.prober):
            if other is not None:
                other.close()

    def _open(self, address: str) -> Pair:
        """Open a pair of sockets on an address; replies leave by the first."""
        urgent = self._bind(address, discover=0, other=0xFFFF)
        try:
            # The group's members count in the order they were bound.
            attach_filter(urgent, _picks_discover(0, discover=1, other=0), option=_SO_ATTACH_REUSEPORT_CBPF)
            return urgent, self._bind(address, discover=0xFFFF, other=0)
        except BaseException:
            urgent.close()
            raise

    def _bind(self, address: str, *, discover: int, other: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._set_up(sock, discover=discover, other=other)
            sock.bind((address, SERVER_PORT))
        except OSError as error:
            sock.close()
            if isinstance(error, PermissionError):
                raise
            raise _unbound(error, self.interface or "any interface", address) from error
        return sock

    def _set_up(self, sock: socket.socket, *, discover: int, other: int) -> None:
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


def close_pairs(pairs: Mapping[str, Pair]) -> None:
    """Close pairs of sockets."""
    for pair in pairs.values():
        for sock in pair:
            sock.close()


def _unbound(error: OSError, where: str, address: str) -> Exception:
    match error.errno:
        case errno.EADDRNOTAVAIL:
            return absent_address(where, address)
        case _:
            return bind_refused(f"dhcp {format_hostport(address, SERVER_PORT)}", "udp", SERVER_PORT, error)


def absent_address(interface: str, address: str) -> ServiceError:
    """Return the error for an address of ours that this machine does not have."""
    remedy = f"Give it to the interface (ip address add {address}/24 dev {interface or 'INTERFACE'}), or write the one it has as `address:` of the network."
    return ServiceError(f"{interface or 'this machine'} has no address {address}", remedy)


def absent_interface(interface: str) -> ServiceError:
    """Return the error for an interface that this machine does not have."""
    names = ", ".join(name for _, name in socket.if_nameindex())
    return ServiceError(
        f"there is no interface {interface}",
        f"Name one of this machine's under `interface:` of the network: {names}.",
    )


def interface_index(interface: str) -> int:
    """Return an interface's index; raise `ServiceError` if there is none of that name."""
    index = index_of(interface)
    if not index:
        raise absent_interface(interface)
    return index

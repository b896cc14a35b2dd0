"""DHCP for emulated phones: one packet socket on an interface, as many clients behind it as phones boot.

A client without an address has no UDP socket to speak from (RFC 2131 section 4.1), so frames are built here. The lease's
address, and the route through option 3, are given to the interface and taken back at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import fcntl
import socket
import struct
import time
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Self

from netprov.dhcp.client import Client, Identity
from netprov.dhcp.client_event import Acquired, Refused
from netprov.dhcp.message import CLIENT_PORT, SERVER_PORT
from netprov.errors import ServiceError
from netprov.mac import format_mac, parse_mac
from netprov.machine import Dropped, Endpoint
from netprov.phone.action import AskDhcp, Failed, Lease, Trouble, addresses
from netprov.runtime.net.rtnetlink import Interface

ETH_P_IP = 0x0800
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1
SO_ATTACH_FILTER = 26
_GONE = frozenset({errno.ENODEV, errno.ENXIO, errno.EADDRNOTAVAIL})
"""What the kernel says of an interface that is not there any more."""

LOOK_S = 0.2
"""Seconds between looks whether an interface that went down is up again."""

_SIOCGIFFLAGS, _IFF_UP = 0x8913, 1

BATCH = 64
"""Frames read per wake-up."""

_FILTER = (
    (0x28, 0, 0, 12),  # ldh [12]: EtherType
    (0x15, 0, 6, ETH_P_IP),
    (0x30, 0, 0, 23),  # ldb [23]: protocol
    (0x15, 0, 4, socket.IPPROTO_UDP),
    (0xB1, 0, 0, 14),  # ldxb 4*([14]&0xf)
    (0x48, 0, 0, 16),  # ldh [x+16]: destination port
    (0x15, 0, 1, CLIENT_PORT),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)
"""Classic BPF: IPv4, UDP, to the client port; so that ten thousand phones' other packets cost nothing here."""


class DhcpLink:
    """The link that phones share; a context manager."""

    def __init__(
        self, interface: str, *, draw: Callable[[int], int], timeouts: float, many: bool = False
    ) -> None:
        """`draw(bits)` returns that many random bits; `timeouts` is how long a phone waits for a lease, in seconds.

        `many`: addresses come and go beside each other, so each is one of its own and the subnet is a route; Linux
        drops every address of a subnet with the first one.
        """
        self.interface = interface
        self._draw = draw
        self._timeouts = timeouts
        self._clients: dict[bytes, tuple[Client, asyncio.Future[Lease]]] = {}
        self._refusals: dict[bytes, str] = {}
        self._many = many
        self._added: dict[str, int] = {}
        self._routes: dict[tuple[int, int, str], bool] = {}
        self.returned: Callable[[], None] | None = None
        """Called when the interface is up again after it was down or gone."""
        self._watching: asyncio.Task[None] | None = None
        self._kernel: Interface | None = None
        self._index = interface_index(interface)
        self._socket = _packet_socket(interface)
        self._mac = interface_mac(interface)

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._socket, self._readable)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))
        self._shut()
        self._take_back()

    async def ask(self, action: AskDhcp) -> Lease | Failed:
        """Obtain a lease for one phone, and give its address to the interface."""
        try:
            self._follow()
        except ServiceError as error:
            return Failed(Trouble.UNREACHABLE, error.message)
        mac = parse_mac(action.client_mac)
        # A reply sent to the phone's own MAC address teaches the server that address; where the interface has
        # another, later packets would be for a stranger. So such a phone asks for broadcasts (RFC 2131 4.1).
        borrowed = action.client_mac.lower() != self._mac
        identity = Identity(
            mac, vendor_class=action.vendor_class, request_list=action.requested, broadcast=borrowed
        )
        client = Client(identity, self._draw, self.interface)
        future: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        self._clients[mac] = client, future
        try:
            client.start(time.monotonic())
            self._flush(mac)
            async with asyncio.timeout(self._timeouts):
                lease = await self._waiting(mac)
        except TimeoutError:
            if mac in self._refusals:
                return Failed(Trouble.DHCP_NAK, self._refusals.pop(mac))
            return Failed(Trouble.TIMEOUT, f"{self._timeouts:g} s")
        finally:
            del self._clients[mac]
        try:
            self._configure(lease)
        except OSError as error:
            if error.errno in _GONE:
                return Failed(Trouble.UNREACHABLE, f"{self.interface} went away: {error.strerror}")
            raise ServiceError(f"cannot set {lease.address} on {self.interface}: {error.strerror}") from error
        return lease

    def _follow(self) -> None:
        """Go on with the interface that has the name now, where the one before was removed. Raises `ServiceError`."""
        index = interface_index(self.interface)
        if index == self._index:
            return
        fresh = _packet_socket(self.interface)
        self._shut()
        if self._kernel is not None:
            self._kernel.close()
        # What was set on the other one went with it.
        self._kernel, self._added, self._routes = None, {}, {}
        self._index, self._socket, self._mac = index, fresh, interface_mac(self.interface)
        asyncio.get_running_loop().add_reader(fresh, self._readable)

    async def _until_up(self, tell: Callable[[], None]) -> None:
        """Wait until an interface of the name is up, and tell; the kernel has forgotten the routes meanwhile."""
        while not _is_up(self.interface):  # noqa: ASYNC110 - the socket of an interface that is gone hears no more
            await asyncio.sleep(LOOK_S)
        self._watching = None
        self._routes = {}
        tell()

    def _shut(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def _waiting(self, mac: bytes) -> Lease:
        """Run the client's timers until it is bound."""
        client, future = self._clients[mac]
        while not future.done():
            due = client.timer()
            wait = None if due is None else max(0.0, due - time.monotonic())
            await asyncio.wait((future,), timeout=wait)
            if not future.done():
                client.handle_timer(time.monotonic())
                self._flush(mac)
        return future.result()

    def _readable(self) -> None:
        for _ in range(BATCH):
            try:
                frame = self._socket.recv(2048)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise
                if self.returned is not None and self._watching is None:
                    self._watching = asyncio.create_task(self._until_up(self.returned))
                return
            payload, source = _payload(frame)
            mac = payload[28:34]
            if mac in self._clients:
                self._clients[mac][0].receive(payload, source, time.monotonic())
                self._flush(mac)

    def _flush(self, mac: bytes) -> None:
        client, future = self._clients[mac]
        for event in client.events():
            match event:
                case Acquired(lease) if not future.done():
                    future.set_result(Lease(lease.address, lease.server_id, dict(lease.options)))
                case Refused(_, text):
                    self._refusals[mac] = text or "without a reason"
                case Dropped():
                    pass
        for datagram in client.datagrams_to_send():
            with contextlib.suppress(OSError):
                self._socket.send(_frame(mac, datagram.data))

    def _configure(self, lease: Lease) -> None:
        """Give the interface the address and the routes; what is there already stays as it is. Raises `OSError`."""
        if self._kernel is None:
            self._kernel = Interface(self.interface)
        mask = int.from_bytes(lease.options.get(1, b"\xff\xff\xff\xff"), "big")
        length = 32 if self._many else mask.bit_count()
        if self._kernel.add_address(lease.address, length):
            self._added[lease.address] = length
        if self._many:
            subnet = int.from_bytes(socket.inet_aton(lease.address), "big") & mask
            self._add_route(subnet, mask.bit_count(), "")
        for router in addresses(lease.options.get(3, b""))[:1]:
            self._add_route(0, 0, router)

    def _add_route(self, network: int, length: int, via: str) -> None:
        if (network, length, via) not in self._routes and self._kernel is not None:
            with contextlib.suppress(OSError):  # a router that is not on the link: the phone gets no route
                ours = self._kernel.add_route(IPv4Network((network, length)), via)
                self._routes[network, length, via] = ours

    def drop(self, address: str) -> None:
        """Take one address back, when its phone is done; the first stays, since Linux drops routes with the last."""
        if self._kernel and address in self._added and address != next(iter(self._added)):
            self._kernel.remove_address(address, self._added.pop(address))

    def _take_back(self) -> None:
        """Remove what was added to the interface."""
        if self._kernel is None:
            return
        with contextlib.suppress(OSError):
            for (network, length, via), ours in self._routes.items():
                if ours:
                    self._kernel.remove_route(IPv4Network((network, length)), via)
            for address, length in self._added.items():
                self._kernel.remove_address(address, length)
        self._kernel.close()


def interface_index(interface: str) -> int:
    """Return the number of an interface, which one that is made anew has not. Raises `ServiceError`."""
    try:
        return socket.if_nametoindex(interface)
    except OSError as error:
        raise ServiceError(
            f"no interface {interface}: {error.strerror or error}", "`ip link` lists them"
        ) from error


def _is_up(interface: str) -> bool:
    """Tell whether there is an interface of that name, and up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, _SIOCGIFFLAGS, struct.pack("256s", interface[:15].encode()))
        except OSError:
            return False
    return bool(struct.unpack_from("=H", answer, 16)[0] & _IFF_UP)


def interface_mac(interface: str) -> str:
    """Return the MAC address of an interface. Raises `ServiceError`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe, 0x8927, struct.pack("256s", interface[:15].encode()))
        except OSError as error:
            raise ServiceError(
                f"no interface {interface}: {error.strerror or error}", "`ip link` lists them"
            ) from error
    return format_mac(answer[18:24])


def _packet_socket(interface: str) -> socket.socket:
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ETH_P_IP))
    except PermissionError as error:
        raise ServiceError(
            f"cannot open a packet socket: {error.strerror}",
            "run as root, or grant CAP_NET_RAW and CAP_NET_ADMIN",
        ) from error
    try:
        program = b"".join(struct.pack("HBBI", *instruction) for instruction in _FILTER)
        buffer = ctypes.create_string_buffer(program)
        filter_ = struct.pack("HL", len(_FILTER), ctypes.addressof(buffer))
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filter_)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.bind((interface, ETH_P_IP))
        index = interface_index(interface)
        # The phone's MAC address need not be the interface's: replies to it must reach us all the same.
        membership = struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b"")
        sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership)
    except OSError as error:
        sock.close()
        raise ServiceError(
            f"cannot use interface {interface}: {error.strerror}", "`ip link` lists interfaces; it must be up"
        ) from error
    return sock


def _frame(mac: bytes, data: bytes) -> bytes:
    """Build a broadcast frame from 0.0.0.0:68 to 255.255.255.255:67."""
    udp = struct.pack(">HHHH", CLIENT_PORT, SERVER_PORT, 8 + len(data), 0) + data
    pseudo = struct.pack(">4s4sBBH", b"\0" * 4, b"\xff" * 4, 0, socket.IPPROTO_UDP, len(udp))
    udp = udp[:6] + struct.pack(">H", _checksum(pseudo + udp) or 0xFFFF) + udp[8:]
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0, b"\0" * 4, b"\xff" * 4
    )
    header = header[:10] + struct.pack(">H", _checksum(header)) + header[12:]
    return b"\xff" * 6 + mac + struct.pack(">H", ETH_P_IP) + header + udp


def _payload(frame: bytes) -> tuple[bytes, Endpoint]:
    """Return the UDP payload of a frame that passed the filter."""
    start = 14 + 4 * (frame[14] & 0x0F)
    source = socket.inet_ntoa(frame[26:30])
    port, _, length = struct.unpack_from(">HHH", frame, start) if len(frame) >= start + 8 else (0, 0, 8)
    return frame[start + 8 : start + length], Endpoint(source, port)


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)

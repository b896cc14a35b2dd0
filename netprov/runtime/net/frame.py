"""The link layer below UDP: frames to clients without an address, ARP and ping probes, socket filters.

Ethernet, ARP (RFC 826, RFC 5227 2.1.1), IPv4 (RFC 791), UDP (RFC 768), ICMP echo (RFC 792), classic BPF.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Sequence

from netprov.machine import Datagram

ETH_P_IP = 0x0800
ETH_P_ARP = 0x0806
ETH_P_ALL = 0x0003
"""Also what this machine sends, which a socket for one protocol never hears (packet(7))."""
EVERY_MAC = b"\xff" * 6

_SO_ATTACH_FILTER = 26
_ARP = struct.Struct(">HHBBH6s4s6s4s")
_IP = struct.Struct(">BBHHHBBH4s4s")
_UDP = struct.Struct(">HHHH")

Program = Sequence[tuple[int, int, int, int]]
"""Classic BPF: operation, jump if true, jump if false, operand."""

OTHER_SERVERS: Program = (
    (0x30, 0, 0, 9),  # ldb [9]: protocol, from the start of the IP header
    (0x15, 0, 6, socket.IPPROTO_UDP),
    (0xB1, 0, 0, 0),  # ldxb 4*([0]&0xf)
    (0x48, 0, 0, 0),  # ldh [x+0]: source port
    (0x15, 0, 3, 67),
    (0x48, 0, 0, 2),  # ldh [x+2]: destination port
    (0x15, 0, 1, 68),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)
"""Classic BPF for a packet socket of type DGRAM: what DHCP servers say to clients."""


class RawSender:
    """Sends UDP datagrams to a link-layer address, from an interface's own (RFC 2131 section 4.1)."""

    def __init__(self, interface: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            self._socket.bind((interface, 0))
        except OSError:
            self._socket.close()
            raise
        self.mac: bytes = self._socket.getsockname()[4]

    def send(self, datagram: Datagram, source_port: int) -> None:
        """Send one datagram; raise OSError as send(2) does."""
        to = datagram.destination
        packet = udp_packet(datagram.data, datagram.source, source_port, to.address, to.port)
        self._socket.send((to.mac or EVERY_MAC) + self.mac + b"\x08\x00" + packet)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Prober:
    """Asks whether an address is in use: by ARP on its own link, by ping elsewhere."""

    def __init__(self, interface: str) -> None:
        self._arp = _packet_socket(interface, ETH_P_ARP)
        self._mac: bytes = self._arp.getsockname()[4]
        self._icmp = _ping_socket()
        self._identifier = os.getpid() & 0xFFFF

    def sockets(self) -> list[socket.socket]:
        """Return the sockets that answers come in on."""
        return [self._arp] + ([self._icmp] if self._icmp else [])

    def ask(self, address: str, *, relayed: bool) -> None:
        """Send one probe; raise OSError as send(2) does."""
        target = socket.inet_aton(address)
        if not relayed:
            # A probe has no sender address, so that it changes nobody's cache (RFC 5227 2.1.1).
            request = _ARP.pack(1, ETH_P_IP, 6, 4, 1, self._mac, bytes(4), bytes(6), target)
            self._arp.send(EVERY_MAC + self._mac + b"\x08\x06" + request)
        elif self._icmp is not None:
            echo = struct.pack(">BBHHH", 8, 0, 0, self._identifier, 1)
            echo = echo[:2] + checksum(echo).to_bytes(2, "big") + echo[4:]
            self._icmp.sendto(echo, (address, 0))

    def answers(self) -> list[tuple[str, bytes]]:
        """Return the addresses that have answered, without waiting, and who: b"" where it was a ping."""
        found = []
        for frame in _drain(self._arp):
            if len(frame) >= 42 and frame[12:14] == b"\x08\x06" and frame[22:28] != self._mac:
                found.append((socket.inet_ntoa(frame[28:32]), frame[22:28]))
        if self._icmp is not None:
            for packet in _drain(self._icmp):
                start = (packet[0] & 15) * 4 if packet else 0
                if packet[start : start + 1] == b"\0":
                    found.append((socket.inet_ntoa(packet[12:16]), b""))
        return found

    def close(self) -> None:
        """Close the sockets."""
        for each in self.sockets():
            each.close()


def server_watch(interface: str, *, own: bool = False) -> socket.socket:
    """Open a socket that hears what DHCP servers on a link tell clients, those of this machine aside unless `own`."""
    watch = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    try:
        attach_filter(watch, OTHER_SERVERS)
        watch.bind((interface, ETH_P_ALL if own else ETH_P_IP))
        watch.setblocking(False)
    except OSError:
        watch.close()
        raise
    return watch


def attach_filter(sock: socket.socket, program: Program, *, option: int = _SO_ATTACH_FILTER) -> None:
    """Let the kernel drop what a classic BPF program does not accept (socket(7), SO_ATTACH_FILTER)."""
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("HL", len(program), ctypes.addressof(buffer)))


def udp_packet(data: bytes, source: str, source_port: int, address: str, port: int) -> bytes:
    """Return an IPv4 packet that carries one UDP datagram."""
    near, far = socket.inet_aton(source), socket.inet_aton(address)
    length = 8 + len(data)
    pseudo = near + far + struct.pack(">BBH", 0, socket.IPPROTO_UDP, length)
    # A computed sum of zero is sent as all ones (RFC 768).
    total = checksum(pseudo + _UDP.pack(source_port, port, length, 0) + data) or 0xFFFF
    head = _IP.pack(0x45, 0x10, 20 + length, 0, 0x4000, 64, socket.IPPROTO_UDP, 0, near, far)
    head = head[:10] + checksum(head).to_bytes(2, "big") + head[12:]
    return head + _UDP.pack(source_port, port, length, total) + data


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def _packet_socket(interface: str, protocol: int) -> socket.socket:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        sock.bind((interface, protocol))
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _ping_socket() -> socket.socket | None:
    """Open a raw ICMP socket, None where that is not allowed: addresses behind relays are then not probed."""
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    except PermissionError:
        return None
    sock.setblocking(False)
    return sock


def _drain(sock: socket.socket) -> list[bytes]:
    frames: list[bytes] = []
    while len(frames) < 256:
        try:
            frames.append(sock.recv(2048))
        except OSError:
            break
    return frames

"""Frames of one hostile host: everything at every port, in the names of invented, listed and living phones.

What no server can repel is left out: ARP in the name of the server itself. ARP in the names of phones is left to
tests/lab/test_arp_forged.py: the phones of an attack share one interface, whose MAC address is not theirs.
"""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.dns.stub import build_query
from netprov.mac import parse_mac
from netprov.runtime.net.frame import checksum
from netprov.tftp.packet import Opcode, TftpRequest, encode

EVERYBODY = b"\xff" * 6
VENDOR = b"Cisco Systems, Inc. IP Phone CP-8851-3PCC"


class Hostile:
    """A host that sends what it likes; `server` is the server's address, `mac` its hardware address."""

    def __init__(self, server: str, mac: bytes, phones: Sequence[str], seed: int = 1) -> None:
        self._server = server
        self._mac = mac
        self._phones = [parse_mac(each) for each in phones]
        self._random = random.Random(seed)
        self._kinds: Sequence[Callable[[], bytes]] = (
            self._discover, self._discover, self._forged, self._dns, self._dns, self._tftp, self._syslog,
            self._syn, self._arp, self._garbage,
        )  # fmt: skip

    def frames(self, count: int) -> Iterator[bytes]:
        """Yield frames, all kinds by turns."""
        for number in range(count):
            yield self._kinds[number % len(self._kinds)]()

    def _octets(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def _address(self) -> str:
        return f"10.20.{self._random.randrange(4)}.{self._random.randrange(1, 255)}"

    def _frame(self, source: str, protocol: int, payload: bytes, *, to: str = "") -> bytes:
        target = to or self._server
        addresses = socket.inet_aton(source) + socket.inet_aton(target)
        if protocol == socket.IPPROTO_TCP:
            pseudo = addresses + struct.pack(">HH", protocol, len(payload))
            payload = payload[:16] + struct.pack(">H", checksum(pseudo + payload)) + payload[18:]
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0)
        head = head[:10] + struct.pack(">H", checksum(head + addresses)) + addresses
        mac = EVERYBODY if target == "255.255.255.255" else self._mac
        return mac + b"\x02" + self._octets(5) + b"\x08\x00" + head + payload

    def _udp(self, source: str, port: int, data: bytes, *, to: str = "", own: int = 0) -> bytes:
        sender = own or self._random.randrange(1024, 65535)
        return self._frame(
            source, socket.IPPROTO_UDP, struct.pack(">HHHH", sender, port, 8 + len(data), 0) + data, to=to
        )

    def _bootp(self, mac: bytes, kind: Type, ciaddr: int = 0, **options: bytes) -> bytes:
        wanted = {53: bytes([kind]), **{int(code[1:]): data for code, data in options.items()}}
        xid = self._random.getrandbits(32)
        data = dhcp.encode(
            Message(
                op=dhcp.BOOTREQUEST, xid=xid, chaddr=mac, ciaddr=ciaddr, flags=dhcp.BROADCAST, options=wanted
            )
        )
        return self._udp("0.0.0.0", 67, data, to="255.255.255.255", own=68)

    def _discover(self) -> bytes:
        return self._bootp(b"\x02" + self._octets(5), Type.DISCOVER, _60=VENDOR)

    def _forged(self) -> bytes:
        """DECLINE, RELEASE, REQUEST or DISCOVER in the name of a phone."""
        mac, address = self._random.choice(self._phones), socket.inet_aton(self._address())
        server = socket.inet_aton(self._server)
        match self._random.choice((Type.DECLINE, Type.RELEASE, Type.REQUEST, Type.DISCOVER)):
            case Type.DECLINE:
                return self._bootp(mac, Type.DECLINE, _50=address, _54=server)
            case Type.RELEASE:
                return self._bootp(mac, Type.RELEASE, int.from_bytes(address, "big"), _54=server)
            case Type.REQUEST:
                return self._bootp(mac, Type.REQUEST, _50=address, _54=server, _60=VENDOR)
            case _:
                return self._bootp(mac, Type.DISCOVER, _60=VENDOR)

    def _dns(self) -> bytes:
        name = f"{self._octets(6).hex()}.example.com"
        return self._udp(self._address(), 53, build_query(name, 1, id_=self._random.getrandbits(16)))

    def _tftp(self) -> bytes:
        name = f"{self._random.choice(self._phones).hex()}.cfg"
        return self._udp(self._address(), 69, encode(TftpRequest(Opcode.RRQ, name)))

    def _syslog(self) -> bytes:
        return self._udp(self._address(), 514, b"<14>" + self._octets(100))

    def _syn(self) -> bytes:
        port = self._random.choice((80, 443, 7547))
        sequence = self._random.getrandbits(32)
        segment = struct.pack(
            ">HHIIBBHHH", self._random.randrange(1024, 65535), port, sequence, 0, 0x50, 2, 65535, 0, 0
        )
        return self._frame(self._address(), socket.IPPROTO_TCP, segment)

    def _arp(self) -> bytes:
        mine = b"\x02" + self._octets(5)
        address = socket.inet_aton(f"10.20.3.{self._random.randrange(201, 255)}")
        body = struct.pack(
            ">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mine, address, bytes(6), socket.inet_aton(self._server)
        )
        return EVERYBODY + mine + b"\x08\x06" + body

    def _garbage(self) -> bytes:
        port = self._random.choice((53, 67, 69, 514))
        return self._udp(self._address(), port, self._octets(self._random.randrange(1, 400)))


def write_frames(path: Path, frames: Iterator[bytes]) -> None:
    """Write frames as flood.c reads them."""
    path.write_bytes(b"".join(len(each).to_bytes(2, "big") + each for each in frames))

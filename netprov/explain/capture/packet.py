"""Packets of a capture file, reduced to what matters here: addresses, ports, payloads.

Ethernet with 802.1Q, Linux's cooked captures, the loopback's and raw IP are read; IPv4 alone, and of what is fragmented the
first fragment alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from netprov.explain.capture.frame import read_frames
from netprov.mac import SIZE, format_mac

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_ICMP, _TCP, _UDP = 1, 6, 17
_IPV4, _ARP = b"\x08\x00", b"\x08\x06"
_TAGS = (b"\x81\x00", b"\x88\xa8")
_MOST_TAGS = 4
_PORTS = Struct("!HH")
_TCP_HEAD = Struct("!HHIIBB")


class Packet(NamedTuple):
    """One packet; `number` counts from 1 as Wireshark's does, `time` is in seconds.

    `kind` is udp, tcp, icmp or arp; `sport` and `dport` are its source and destination port, `flags` those of TCP. For
    arp, `destination` is the address asked for; for icmp, `icmp_code` is that of a "destination unreachable", and addresses
    and ports are of the packet it is about. `left` octets at the end of the payload are not kept: no reader wants them. A named
    tuple, which is made in a sixth of the time: there may be millions.
    """

    number: int
    time: float
    kind: str
    mac: str
    source: str
    destination: str
    sport: int = 0
    dport: int = 0
    payload: bytes = b""
    flags: int = 0
    seq: int = 0
    ack: int = 0
    cut: bool = False
    """Whether the capture holds less of its data than was sent (a short snap length)."""
    icmp_code: int = 0
    arp_operation: int = 0
    left: int = 0

    @property
    def size(self) -> int:
        """Return the octets of its payload, kept or not."""
        return len(self.payload) + self.left


def read_packets(path: str) -> Iterator[Packet]:
    """Read a capture file. Raises `LabError` where it cannot be read."""
    for number, (time, link, data) in enumerate(read_frames(path), 1):
        head = _LINKS.get(link)
        if head is None:
            continue
        kind, mac, start = head(data)
        packet = None
        if kind == _IPV4:
            packet = _internet(number, time, mac, data, start)
        elif kind == _ARP:
            packet = _arp(number, time, data, start)
        if packet is not None:
            yield packet


_Head = tuple[bytes, bytes, int]
"""EtherType, source's MAC address, where what it carries begins."""


def _ethernet(data: bytes) -> _Head:
    place = 12
    for _ in range(_MOST_TAGS):
        if data[place : place + 2] not in _TAGS:
            break
        place += 4
    return data[place : place + 2], data[6:12], place + 2


def _cooked(data: bytes) -> _Head:
    return data[14:16], data[6:12], 16


def _cooked2(data: bytes) -> _Head:
    return data[0:2], data[12:18], 20


def _raw(_: bytes) -> _Head:
    return _IPV4, b"", 0


def _loopback(_: bytes) -> _Head:
    return _IPV4, b"", 4


_LINKS: Mapping[int, Callable[[bytes], _Head]] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked,
    228: _raw,
    276: _cooked2,
}
"""LINKTYPE values of tcpdump.org."""


def _arp(number: int, time: float, data: bytes, start: int) -> Packet | None:
    if len(data) < start + 28:
        return None
    sender, source = data[start + 8 : start + 14], data[start + 14 : start + 18]
    operation = int.from_bytes(data[start + 6 : start + 8], "big")
    target = data[start + 24 : start + 28]
    return Packet(
        number, time, "arp", _mac(sender), _dotted(source), _dotted(target), arp_operation=operation
    )


def _internet(number: int, time: float, mac: bytes, data: bytes, start: int) -> Packet | None:
    """Read an IPv4 packet (RFC 791); without the padding of a short Ethernet frame."""
    if len(data) < start + 20 or data[start] >> 4 != 4:
        return None
    body = start + (data[start] & 15) * 4
    total = int.from_bytes(data[start + 2 : start + 4], "big")
    end = min(len(data), start + total) if total else len(data)
    fragment = int.from_bytes(data[start + 6 : start + 8], "big") & 0x1FFF
    if fragment or body < start + 20:
        return None
    source, destination = _dotted(data[start + 12 : start + 16]), _dotted(data[start + 16 : start + 20])
    protocol = data[start + 9]
    if protocol == _TCP and end >= body + 20:
        sport, dport, seq, ack, offset, flags = _TCP_HEAD.unpack_from(data, body)
        payload = data[body + (offset >> 4) * 4 : end]
        return Packet(
            number,
            time,
            "tcp",
            _mac(mac),
            source,
            destination,
            sport,
            dport,
            payload,
            flags & 0x3F,
            seq,
            ack,
            cut=bool(total) and body + (offset >> 4) * 4 + len(payload) < start + total,
        )
    if protocol == _UDP and end >= body + 8:
        sport, dport = _PORTS.unpack_from(data, body)
        length = int.from_bytes(data[body + 4 : body + 6], "big")
        payload = data[body + 8 : min(end, body + length) if length else end]
        cut = not data[start + 6] & 0x20 and len(payload) < length - 8
        return Packet(number, time, "udp", _mac(mac), source, destination, sport, dport, payload, cut=cut)
    if protocol == _ICMP and data[body : body + 1] == b"\x03":
        return _unreachable(number, time, mac, data, body)
    return None


def _unreachable(number: int, time: float, mac: bytes, data: bytes, start: int) -> Packet | None:
    """Read what an ICMP "destination unreachable" is about (RFC 792)."""
    inner = start + 8
    if len(data) < inner + 20 or data[inner + 9] not in {_TCP, _UDP}:
        return None
    body = inner + (data[inner] & 15) * 4
    if len(data) < body + 4:
        return None
    source, destination = _dotted(data[inner + 12 : inner + 16]), _dotted(data[inner + 16 : inner + 20])
    sport, dport = _PORTS.unpack_from(data, body)
    return Packet(
        number, time, "icmp", _mac(mac), source, destination, sport, dport, icmp_code=data[start + 1]
    )


@lru_cache(4096)
def _mac(data: bytes) -> str:
    return format_mac(data) if len(data) == SIZE else ""


@lru_cache(4096)
def _dotted(data: bytes) -> str:
    return ".".join(map(str, data))

"""A stranger who sends as fast as he is let: datagrams at every UDP port, connections at every TCP port.

    python -m tests.lab.flood udp 10.20.0.1 50000     datagrams a second, over all ports
    python -m tests.lab.flood tcp 10.20.0.1 1500      connections open at once

Ends on SIGTERM, and says then what it has sent, as JSON. `sendmmsg` moves 32 datagrams a call, so that one core sends far
more than is asked for; what is random in a datagram is made anew for every one.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.runtime.net.mmsg import _Iovec, _Mmsghdr

SOURCES = [f"10.20.1.{host}" for host in range(1, 33)]
"""Addresses of the stranger, who has many."""

BURST = 32
UDP = (67, 53, 69, 514)
TCP = (80, 443, 7547, 53)


@dataclass(frozen=True, slots=True)
class Shape:
    """A datagram, and where its octets are random: at, length."""

    octets: bytes
    random: tuple[tuple[int, int], ...] = ()


def discover(vendor: bytes) -> Shape:
    """Return a DISCOVER of a client that nobody has ever seen, again and again."""
    options = {53: bytes([Type.DISCOVER]), 60: vendor, 55: b"\x01\x03\x06\x0f\x42"}
    octets = dhcp.encode(Message(op=dhcp.BOOTREQUEST, xid=1, chaddr=bytes(6), options=options))
    return Shape(octets, ((4, 4), (29, 5)))


def query(name: bytes) -> Shape:
    """Return a query for an A record below a random label."""
    octets = bytes.fromhex("0000010000010000000000000c") + bytes(12) + name + b"\x00\x01\x00\x01"
    return Shape(octets, ((0, 2), (13, 12)))


NAME = b"\x07example\x03com\x00"
SHAPES: dict[int, tuple[Shape, ...]] = {
    67: (discover(b"CP-8851-3PCC"), discover(b"MSFT 5.0"), Shape(bytes(300), ((0, 300),))),
    53: (
        query(NAME),
        Shape(bytes.fromhex("000001000001000000000000") + NAME + b"\x00\x06\x00\x01", ((0, 2),)),
        Shape(bytes(40), ((0, 40),)),
    ),
    69: (
        Shape(b"\x00\x01" + b"x" * 12 + b".cnf.xml\x00octet\x00", ((2, 2),)),
        Shape(b"\x00\x01Cisco/001234000001.cfg\x00octet\x00blksize\x001400\x00"),
        Shape(bytes(20), ((0, 20),)),
    ),
    514: (Shape(b"<13>" + b"a" * 60, ((4, 8),)), Shape(bytes(60), ((0, 60),))),
}


class Blast:
    """Sends bursts to one port from one address."""

    def __init__(self, sock: socket.socket, shapes: Sequence[Shape]) -> None:
        self._sock = sock
        self._shapes = [shapes[number % len(shapes)] for number in range(BURST)]
        self._memory = [ctypes.create_string_buffer(each.octets, len(each.octets)) for each in self._shapes]
        self._iovecs = (_Iovec * BURST)()
        self._headers = (_Mmsghdr * BURST)()
        for number, buffer in enumerate(self._memory):
            self._iovecs[number] = _Iovec(ctypes.addressof(buffer), len(buffer))
            header = self._headers[number].header
            header.iov, header.iovlen = ctypes.addressof(self._iovecs[number]), 1
        self._send = ctypes.CDLL(None, use_errno=True).sendmmsg

    def send(self) -> int:
        """Send a burst; return how many datagrams left."""
        for buffer, shape in zip(self._memory, self._shapes, strict=True):
            for at, length in shape.random:
                ctypes.memmove(ctypes.addressof(buffer) + at, os.urandom(length), length)
        return max(0, int(self._send(self._sock.fileno(), self._headers, BURST, socket.MSG_DONTWAIT)))


def blasts(server: str) -> Iterator[tuple[int, Blast]]:
    """Yield a sender for every port and address in turn; DHCP comes from nobody's address, broadcast."""
    for source in SOURCES:
        for port in UDP:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((source, 68 if port == 67 else 0))
            sock.connect(("255.255.255.255" if port == 67 else server, port))
            yield port, Blast(sock, SHAPES[port])


def send_datagrams(server: str, rate: int, going: Callable[[], bool]) -> Counter[int]:
    """Send so many datagrams a second, as long as it is going on; return how many to each port."""
    sent: Counter[int] = Counter()
    began, total = time.monotonic(), 0
    for port, blast in cycle(list(blasts(server))):
        if not going():
            break
        count = blast.send()
        sent[port] += count
        total += BURST
        if (ahead := total / rate - (time.monotonic() - began)) > 0.002:
            time.sleep(ahead)
        elif ahead < -1:  # the machine has not let us: no catching up
            began, total = time.monotonic(), 0
    return sent


FIRST_WORDS = {
    80: (b"", b"GET / HTTP/1.1\r\nHost:", b"GET /nothing.xml HTTP/1.1\r\nHost: a\r\n\r\n", os.urandom(200)),
    443: (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", os.urandom(200)),
    7547: (b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", os.urandom(200)),
    53: (b"", b"\x00\x20", os.urandom(200)),
}


def open_connections(server: str, most: int, going: Callable[[], bool]) -> Counter[int]:
    """Open connections as fast as the machine does, so many at once; return how many came about, by port."""
    made: Counter[int] = Counter()
    held: deque[socket.socket] = deque()
    pending: dict[int, tuple[socket.socket, int, bytes]] = {}
    poll = select.epoll()
    turns = cycle(
        [(source, port, words) for source in SOURCES for port in TCP for words in FIRST_WORDS[port]]
    )
    while going():
        while len(pending) < 64:
            source, port, words = next(turns)
            sock = socket.socket()
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            sock.bind((source, 0))
            with contextlib.suppress(BlockingIOError):
                sock.connect((server, port))
            poll.register(sock.fileno(), select.EPOLLOUT)
            pending[sock.fileno()] = sock, port, words
        for fd, events in poll.poll(0.05):
            sock, port, words = pending.pop(fd)
            poll.unregister(fd)
            if events & (select.EPOLLERR | select.EPOLLHUP):
                sock.close()
                continue
            made[port] += 1
            with contextlib.suppress(OSError):
                sock.send(words)
            held.append(sock)
            if len(held) > most:
                held.popleft().close()
    return made


def main(kind: str, server: str, number: str) -> None:
    """Flood until SIGTERM."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    flood = send_datagrams if kind == "udp" else open_connections
    print("floods", flush=True)
    began = time.monotonic()
    done = flood(server, int(number), lambda: not stop)
    print(json.dumps({"seconds": time.monotonic() - began, **done}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

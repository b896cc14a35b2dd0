"""Connections of a hostile host: closed at once, half way, or never, at every port that takes any.

python -m tests.hostile.connections INTERFACE SERVER SECONDS
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import time
from collections import deque
from contextlib import suppress

from netprov.runtime.net.rtnetlink import Interface

PORTS = (80, 443, 7547, 53)
SAID = (
    b"",
    b"GET /0012",
    b"GET / HTTP/1.1\r\nHost: pr1\r\n",
    b"GET /001234aa0000.cfg HTTP/1.1\r\nHost: pr1\r\n\r\n",
    b"POST /report/001234aa0000.xml HTTP/1.1\r\nHost: pr1\r\nContent-Length: 100\r\n\r\nabc",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00\x00\r\n\r\n",
    b"\xff\xff" + b"x" * 1000,
)
HELD = 2000
"""Connections that stay open, before the oldest is closed."""
ADDRESSES = tuple(f"10.20.3.{number}" for number in range(210, 250))


def main(interface: str, server: str, seconds: float) -> None:
    """Connect from many addresses as fast as it goes."""
    kernel = Interface(interface)
    for address in ADDRESSES:
        kernel.add_address(address, 22)
    held: deque[socket.socket] = deque()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sock = socket.socket()
        sock.settimeout(1)
        with suppress(OSError):
            sock.bind((random.choice(ADDRESSES), 0))
            sock.connect((server, random.choice(PORTS)))
            sock.sendall(random.choice(SAID))
        match random.randrange(3):
            case 0:
                sock.close()
            case 1:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
            case _:
                held.append(sock)
                if len(held) > HELD:
                    held.popleft().close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))

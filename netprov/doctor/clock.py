"""What time the phones are told: one question to an NTP server (RFC 4330, RFC 5905 section 14)."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from dataclasses import dataclass

from netprov.errors import Malformed
from netprov.hostport import NTP_PORT

PATIENCE_S = 1.5
TRIES = 2
FAR_OFF = 300.0
"""Seconds of difference to this machine's clock that are worth a word."""

_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970."""

_PACKET = struct.Struct(">BBbb11I")


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """What an NTP server said: its time in seconds since 1970, and whether it knows it."""

    server: str
    time: float
    synchronised: bool


def build_query(cookie: int) -> bytes:
    """Return a client's packet; `cookie` (64 bits) comes back as the originate timestamp."""
    return _PACKET.pack(0x23, *[0] * 12, cookie >> 32, cookie & 0xFFFFFFFF)


def parse_reply(data: bytes, cookie: int) -> tuple[float, bool]:
    """Return the server's time and whether it is synchronised.

    Raises `Malformed` for a packet that does not answer this query. Before 2036 and after: a timestamp whose
    highest bit is 0 counts from the second era (RFC 4330 section 3).
    """
    if len(data) < _PACKET.size:
        raise Malformed(f"{len(data)} octets are no NTP packet")
    first, stratum, _, _, *words = _PACKET.unpack(data[: _PACKET.size])
    if first & 7 != 4 or (words[5] << 32 | words[6]) != cookie:
        raise Malformed("not an answer to this query")
    seconds = words[9] + (0 if words[9] & 0x80000000 else 1 << 32)
    if not words[9]:
        raise Malformed("it says no time")
    return seconds - _EPOCH + words[10] / 2**32, first >> 6 != 3 and 0 < stratum < 16


async def ask(server: str, *, port: int = NTP_PORT) -> TimeAnswer | None:
    """Return what a server says, or None if it says nothing."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        try:
            sock.connect((server, port))
        except OSError:
            return None
        for _ in range(TRIES):
            cookie = int.from_bytes(os.urandom(8), "big")
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await loop.sock_sendall(sock, build_query(cookie))
                    while True:
                        try:
                            time, known = parse_reply(await loop.sock_recv(sock, 512), cookie)
                        except Malformed:
                            continue
                        return TimeAnswer(server, time, known)
            except (TimeoutError, OSError):
                continue
    return None

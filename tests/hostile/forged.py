"""Sends datagrams in the names of many addresses of the loopback network, at a rate, until it is ended.

python -m tests.hostile.forged ADDRESS PORT RATE FIRST DATAGRAM...   (in hexadecimal; "FIRST sent" is said once they are)
"""

from __future__ import annotations

import socket
import sys
import time
from itertools import cycle

VICTIMS = tuple(f"127.0.2.{number}" for number in range(1, 101))


def main(address: str, port: int, rate: int, first: int, datagrams: list[bytes]) -> None:
    """Send a hundred at a time, each from another address and port."""
    begun, sent = time.monotonic(), 0
    for datagram in cycle(datagrams):
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in VICTIMS]
        for sock, victim in zip(socks, VICTIMS, strict=True):
            sock.bind((victim, 0))
            sock.sendto(datagram, (address, port))
        for sock in socks:
            sock.close()
        if sent < first <= sent + len(socks):
            print(f"{first} sent", flush=True)
        sent += len(socks)
        time.sleep(max(0.0, begun + sent / rate - time.monotonic()))


if __name__ == "__main__":
    place, number, speed, count, *octets = sys.argv[1:]
    main(place, int(number), int(speed), int(count), [bytes.fromhex(each) for each in octets])

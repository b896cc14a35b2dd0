"""A small DHCP relay agent, as a router on a remote network runs one (RFC 2131, RFC 1542 section 4, RFC 3046).

    python -m netprov.lab.relay lan1 10.30.0.1 10.20.0.1

takes clients' broadcasts on lan1 to the server 10.20.0.1 with 10.30.0.1 as giaddr, and the answers back. It
lets a lab have remote networks where no other relay is installed; the tests use real ones. Absent: more than
one network or server, and option 82 from relays below (such messages pass unchanged).
"""

from __future__ import annotations

import select
import socket
import sys
from ipaddress import IPv4Address

from netprov.dhcp.message import BOOTREPLY, BOOTREQUEST, CLIENT_PORT, SERVER_PORT, Message, decode, encode
from netprov.errors import Malformed

RELAY_INFO = 82
CIRCUIT_ID = 1
MAX_HOPS = 16
"""RFC 1542 section 4.1.1: requests that came further are dropped."""


def to_server(message: Message, giaddr: IPv4Address, circuit: str) -> Message | None:
    """Return a client's message as it goes on to the server, or None if it must not."""
    if message.op != BOOTREQUEST or message.hops >= MAX_HOPS:
        return None
    if message.giaddr:
        return message._replace(hops=message.hops + 1)
    options = {code: data for code, data in message.options.items() if code != RELAY_INFO}
    options[RELAY_INFO] = bytes([CIRCUIT_ID, len(circuit)]) + circuit.encode()
    return message._replace(hops=message.hops + 1, giaddr=int(giaddr), options=options)


def to_client(message: Message, giaddr: IPv4Address) -> Message | None:
    """Return a server's message as the client shall see it, or None if it is not for a client of ours."""
    if message.op != BOOTREPLY or message.giaddr != int(giaddr):
        return None
    return message._replace(options={c: data for c, data in message.options.items() if c != RELAY_INFO})


def relay(interface: str, giaddr: IPv4Address, server: str) -> None:
    """Relay for ever."""
    downlink = _socket(interface, "")
    uplink = _socket("", str(giaddr))
    print("ready", flush=True)  # noqa: T201 - the word that the starter waits for
    while True:
        ready, _, _ = select.select([downlink, uplink], [], [])
        for sock in ready:
            try:
                message = decode(sock.recv(4096))
            except Malformed:
                continue
            if sock is downlink:
                outward = to_server(message, giaddr, interface)
                if outward:
                    uplink.sendto(encode(outward), (server, SERVER_PORT))
            else:
                inward = to_client(message, giaddr)
                if inward:
                    # Clients take a broadcast in every state; a unicast would need their ARP (RFC 1542 4.1.2).
                    downlink.sendto(encode(inward), ("255.255.255.255", CLIENT_PORT))


def _socket(interface: str, address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if interface:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    sock.bind((address, SERVER_PORT))
    return sock


if __name__ == "__main__":
    relay(sys.argv[1], IPv4Address(sys.argv[2]), sys.argv[3])

"""Other DHCP servers on our links: asked for at the start, listened for ever after."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type, dotted
from netprov.dhcp.option import table as code
from netprov.dhcp.other import OtherServer
from netprov.dhcp.reply import EVERYONE
from netprov.errors import Malformed
from netprov.machine import Datagram, Endpoint
from netprov.runtime.address import index_of
from netprov.runtime.net.frame import RawSender, server_watch

WAIT_S = 1.0
"""How long another server has to answer before we start; one that first pings may answer later, and is then reported."""

REPEAT_S = 600.0
"""A server is reported again after this time."""


class Watch:
    """Hears other servers on one interface; `own` are the server identifiers that are ours."""

    def __init__(self, interface: str, own: frozenset[int]) -> None:
        self.interface = interface
        self.index = index_of(interface)
        self.socket: socket.socket = server_watch(interface)
        self._own = own
        self._told: dict[int, float] = {}

    def others(self, now: float) -> Iterator[OtherServer]:
        """Yield the servers heard since the last call, each once in ten minutes."""
        for _ in range(64):
            try:
                packet = self.socket.recv(2048)
            except OSError:
                return
            found = _speaker(packet)
            if found is None or found[0] in self._own:
                continue
            address, mac = found
            if now - self._told.get(address, -REPEAT_S) >= REPEAT_S and len(self._told) < 1024:
                self._told[address] = now
                yield OtherServer(dotted(address), mac, self.interface)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


async def ask(watch: Watch, sender: RawSender, now: float) -> list[OtherServer]:
    """Ask a link for DHCP servers as a client that takes no offer; return those that answer in time."""
    mac = b"\x02" + os.urandom(5)
    discover = Message(
        op=dhcp.BOOTREQUEST,
        xid=int.from_bytes(os.urandom(4), "big"),
        chaddr=mac,
        flags=dhcp.BROADCAST,
        options={code.MESSAGE_TYPE: bytes([Type.DISCOVER]), code.REQUEST_LIST: bytes([1, 3, 6])},
    )
    destination = Endpoint(EVERYONE, dhcp.SERVER_PORT, watch.interface)
    sender.send(Datagram(dhcp.encode(discover), destination, "0.0.0.0"), dhcp.CLIENT_PORT)
    await asyncio.sleep(WAIT_S)
    return list(watch.others(now))


def _speaker(packet: bytes) -> tuple[int, bytes] | None:
    """Return the server identifier of an IPv4 packet from a server to a client, and the client's address."""
    start = (packet[0] & 15) * 4 + 8 if packet else 0
    try:
        reply = dhcp.decode(packet[start:])
    except Malformed:
        return None
    address = reply.address(code.SERVER_ID)
    if reply.op != dhcp.BOOTREPLY or not address:
        return None
    return address, reply.chaddr

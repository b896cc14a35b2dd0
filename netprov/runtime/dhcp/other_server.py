"""Other DHCP servers on our links: asked for at the start, listened for ever after."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type, dotted
from netprov.dhcp.option import table as code
from netprov.dhcp.other import LOOK_S, Lookout, OtherServer
from netprov.dhcp.reply import EVERYONE
from netprov.dhcp.server import Server
from netprov.errors import Malformed
from netprov.machine import Datagram, Endpoint, Event
from netprov.runtime.address import index_of
from netprov.runtime.net.frame import RawSender, server_watch
from netprov.runtime.role import Notice


class Watch:
    """Asks for other servers on one interface, and hears them; `own` are the server identifiers that are ours."""

    def __init__(self, interface: str, own: frozenset[int]) -> None:
        self.interface = interface
        self.index = index_of(interface)
        self.socket: socket.socket = server_watch(interface)
        self._own = own
        # One client that asks again: a server that pings before it offers pings once for it.
        self._discover = _discover()
        self.lookout: Lookout | None = None
        """Set when it begins to look."""

    def heard(self) -> Iterator[OtherServer]:
        """Yield every answer of another server since the last call."""
        for _ in range(64):
            try:
                packet = self.socket.recv(2048)
            except OSError:
                return
            found = _speaker(packet)
            if found is None or found[0] in self._own:
                continue
            address, mac = found
            yield OtherServer(dotted(address), mac, self.interface)

    def look(self, sender: RawSender, now: float) -> None:
        """Begin to look, or ask again where it is time to; raise OSError as send(2) does."""
        if self.lookout is None:
            self.lookout = Lookout(now)
        if self.lookout.ask(now):
            destination = Endpoint(EVERYONE, dhcp.SERVER_PORT, self.interface)
            sender.send(Datagram(self._discover, destination, "0.0.0.0"), dhcp.CLIENT_PORT)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


class OtherServerKeeper:
    """Keeps DHCP from offering on links where another server is, and tells of it."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report
        self._deaf: dict[str, str] = {}

    def begin(self, watches: Mapping[str, Watch]) -> None:
        """Say what is waited for."""
        if watches:
            names = ", ".join(watches)
            text = f"looks for other DHCP servers on {names}, for {LOOK_S:.0f} s, before it offers anything there"
            self._report(Notice(text))

    def look(
        self, watches: Mapping[str, Watch], senders: Mapping[str, RawSender], server: Server, now: float
    ) -> None:
        """Ask for other servers where it is time to, and offer nothing where there are some."""
        for name, watch in watches.items():
            try:
                watch.look(senders[name], now)
                self._deaf.pop(name, None)
            except OSError as error:
                text = f"cannot ask for other DHCP servers on {name}: {error.strerror}"
                if self._deaf.get(name) != text:
                    self._deaf[name] = text
                    self._report(Notice(text, "warning"))
        self._hush(watches, server, now)

    def overhear(self, watch: Watch, server: Server, now: float) -> None:
        """Take in what other servers say on a link."""
        for other in watch.heard():
            if watch.lookout is not None and watch.lookout.hear(int(IPv4Address(other.address)), now):
                self._report(other)
        self._hush({watch.interface: watch}, server, now)

    def suspect(self, watches: Mapping[str, Watch], events: Iterable[Event]) -> None:
        """Have the link asked of which a client named another server."""
        for event in events:
            if isinstance(event, OtherServer) and (watch := watches.get(event.interface)) and watch.lookout:
                watch.lookout.suspect()

    def _hush(self, watches: Mapping[str, Watch], server: Server, now: float) -> None:
        """Offer on each link, or do not, as its lookout says; tell of each change."""
        for name, watch in watches.items():
            why = watch.lookout.reason(now) if watch.lookout is not None else ""
            if why == server.hushed().get(name, ""):
                continue
            server.hush(name, why, now)
            if watch.lookout is not None and watch.lookout.found:
                remedy = "stop it, or write `other_servers: allow` under the network"
                text = f"nothing is offered on {name}: {why}; own leases are still confirmed; {remedy}"
                self._report(Notice(text, "error"))
            elif not why:
                self._report(Notice(f"offers on {name}: no other DHCP server answers there"))


def _discover() -> bytes:
    """Return what a client sends that takes no offer."""
    discover = Message(
        op=dhcp.BOOTREQUEST,
        xid=int.from_bytes(os.urandom(4), "big"),
        chaddr=b"\x02" + os.urandom(5),
        flags=dhcp.BROADCAST,
        options={code.MESSAGE_TYPE: bytes([Type.DISCOVER]), code.REQUEST_LIST: bytes([1, 3, 6])},
    )
    return dhcp.encode(discover)


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

"""The kernel sorts DISCOVERs from requests, whether they come by broadcast or from a relay agent."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Sequence

import pytest

from netprov.dhcp import message as dhcp
from netprov.dhcp.message import Message, Type
from netprov.machine import Datagram, Endpoint
from netprov.runtime.dhcp.port import Port
from tests.lab.conftest import MakeLan

pytestmark = pytest.mark.lab

MAC = bytes.fromhex("001234ab45de")


def datagram(kind: Type, *, first: bool = True) -> bytes:
    options = {53: bytes([kind]), 55: b"\x01"}
    order = options if first else dict(reversed(options.items()))
    return dhcp.encode(Message(op=1, xid=kind, chaddr=MAC, options=order))


def heard(sockets: Sequence[socket.socket], port: Port) -> list[int]:
    """Return the transaction IDs of what has come in, which are the message types."""
    select.select(sockets, [], [], 0.5)
    return [dhcp.decode(data).xid for sock in sockets for data, _ in port.receive(sock, 10)]


@pytest.mark.parametrize("destination", ["10.20.0.1", "255.255.255.255"])
def test_discovers_have_a_queue_of_their_own(make_lan: MakeLan, destination: str) -> None:
    lan = make_lan(clients=[None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.2/24")
    with lan["server"].entered():
        port = Port("lan0", ["10.20.0.1"], probes=False)
    with lan["client0"].entered():
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lan0")
        for data in (
            datagram(Type.DISCOVER),
            datagram(Type.REQUEST),
            datagram(Type.RELEASE),
            datagram(Type.DISCOVER, first=False),
            b"short",
        ):
            sender.sendto(data, (destination, 67))
        assert heard(port.discover, port) == [Type.DISCOVER]
        taken = [each for sock in port.urgent for each in port.receive(sock, 10)]
        urgent = [data for data, _ in taken]
        # A client that broadcasts is on this link (REBINDING); one that sends to our address may be anywhere.
        assert {source.broadcast for _, source in taken} == {destination == "255.255.255.255"}
        # A DISCOVER whose first option is another is not recognised, and treated as the rest. What is too short to
        # have an option does not leave the kernel.
        assert [dhcp.decode(data).xid for data in urgent] == [Type.REQUEST, Type.RELEASE, Type.DISCOVER]
    port.close()


class FullTable:
    """A socket of a kernel whose table of neighbours is full."""

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:
        raise OSError(errno.ENOBUFS, "No buffer space available")


def test_client_that_the_kernel_finds_no_room_for_is_answered_at_its_hardware_address(
    make_lan: MakeLan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 2131 4.1."""
    lan = make_lan(clients=["02:00:00:00:00:07"])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.7/24")
    with lan["server"].entered():
        port = Port("lan0", ["10.20.0.1"], probes=False)
    monkeypatch.setitem(port._senders, "10.20.0.1", FullTable())
    reply = dhcp.encode(Message(op=2, xid=7, chaddr=bytes.fromhex("020000000007"), ciaddr=0x0A140007))
    with lan["client0"].entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client:
        client.bind(("10.20.0.7", 68))
        client.settimeout(5)
        port.send(Datagram(reply, Endpoint("10.20.0.7", 68, "lan0"), "10.20.0.1"))
        assert client.recvfrom(1000) == (reply, ("10.20.0.1", 67))
        # A relay agent's hardware address is not in the message.
        with pytest.raises(OSError, match="No buffer space"):
            port.send(Datagram(reply, Endpoint("10.20.0.9", 67, "lan0"), "10.20.0.1"))
    port.close()

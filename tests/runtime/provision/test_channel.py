"""What processes of the HTTP service say to each other arrives whole and in order, however the octets come; so do sockets."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import ExitStack

import pytest

from netprov.provision.event import Asked
from netprov.provision.http import HttpRequest, Response
from netprov.provision.respond import Answered
from netprov.runtime.provision.channel import (
    Abort,
    Arrival,
    Ask,
    Channel,
    Figures,
    Reply,
    Told,
    receive_sockets,
    send_sockets,
)

ASKED = Asked("https", "10.20.0.50", "GET", "/x", 200, kind="profile", octets=3, mac="00:12:34:ab:45:de")
MESSAGES = [
    Ask(
        0,
        HttpRequest("PUT", "/report/x", 1, {"host": "a"}, bytes(100_000)),
        Arrival("http", "::1", "::1", 80),
    ),
    Abort(),
    Told(((1.5, ASKED), (2.5, ASKED))),
    Reply(1, Answered(Response(200, (("A", "b"),), b"body"), ASKED)),
    Reply(2, None),
    Figures(1, 2, 3),
]


class Sent(asyncio.Transport):
    """Keeps what a channel writes."""

    def __init__(self) -> None:
        super().__init__()
        self.octets = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.octets += bytes(data)


def encoded() -> bytes:
    sent, channel = Sent(), Channel(lambda _: None, lambda: None)
    channel.connection_made(sent)
    for message in MESSAGES:
        channel.send(message)
    return sent.octets


@pytest.mark.parametrize("size", [1, 3, 4, 5, 1000, 65536, 10_000_000])
def test_messages_arrive_whole_in_whatever_pieces(size: int) -> None:
    async def go() -> list[object]:
        received: list[object] = []
        channel, octets = Channel(received.append, lambda: None), encoded()
        for at in range(0, len(octets), size):
            channel.data_received(octets[at : at + size])
        return received

    assert asyncio.run(go()) == MESSAGES


def test_all_that_was_said_is_heard_before_the_end_is() -> None:
    async def go() -> list[object]:
        heard: list[object] = []
        ours, theirs = socket.socketpair()
        channel = Channel(heard.append, lambda: heard.append("over"))
        theirs.sendall(encoded()[:100_300])
        theirs.close()
        await channel.open(ours)
        await asyncio.wait_for(channel.over.wait(), 10)
        channel.send(Abort())  # nobody is there: nothing happens
        return heard

    heard = asyncio.run(go())
    assert heard[0] == MESSAGES[0]
    assert heard[-1] == "over"


@pytest.mark.parametrize("number", [0, 1, 251, 600])
def test_any_number_of_sockets_is_handed_over_in_their_order(number: int) -> None:
    with ExitStack() as stack:
        one = stack.enter_context(socket.socket())
        other = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        stack.enter_context(ours)
        stack.enter_context(theirs)
        given = [other if each % 3 else one for each in range(number)]
        send_sockets(ours, given)
        received = [stack.enter_context(each) for each in receive_sockets(theirs, number)]
        inodes = [[os.fstat(each.fileno()).st_ino for each in socks] for socks in (given, received)]
        assert inodes[0] == inodes[1]


def test_end_that_has_gone_gives_no_sockets() -> None:
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with theirs:
        ours.close()
        with pytest.raises(ConnectionResetError):
            receive_sockets(theirs, 1)

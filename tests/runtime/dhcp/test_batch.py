"""The gatherer: a datagram alone is taken in at once, many are taken in together, and a full turn is followed by another."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from netprov.runtime.dhcp.batch import COMMIT_SHARE, GATHER_S, BatchReader, CommitCost, Flow


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setblocking(False)
    with near, far:
        yield near, far


class Pump:
    """Takes up to `most` datagrams each turn, and keeps what it took."""

    def __init__(self, sock: socket.socket, most: int = 100) -> None:
        self.turns: list[list[bytes]] = []
        self._sock, self._most = sock, most

    def drain(self) -> Flow:
        taken: list[bytes] = []
        while len(taken) < self._most:
            try:
                taken.append(self._sock.recv(100))
            except BlockingIOError:
                break
        self.turns.append(taken)
        if not taken:
            return Flow.NOTHING
        return Flow.MORE if len(taken) == self._most else Flow.SOME


async def until(pump: Pump, datagrams: int) -> None:
    async with asyncio.timeout(5):
        while sum(map(len, pump.turns)) < datagrams or pump.turns[-1]:
            await asyncio.sleep(0.001)


def test_turns_go_on_until_nothing_is_found_and_begin_anew(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    pump = Pump(near)

    async def check() -> None:
        reader = BatchReader(pump.drain, lambda: 0.02)
        reader.start([near])
        far.send(b"1")
        await until(pump, 1)
        assert pump.turns == [[b"1"], []]
        for each in (b"2", b"3"):
            far.send(each)
        await until(pump, 3)
        assert pump.turns[2:] == [[b"2", b"3"], []]
        reader.stop()
        far.send(b"4")
        await asyncio.sleep(0)
        assert len(pump.turns) == 4

    asyncio.run(check())


def test_what_comes_within_a_pause_is_taken_in_together(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    pump = Pump(near)

    async def check() -> None:
        reader = BatchReader(pump.drain, lambda: 0.02)
        reader.start([near])
        far.send(b"1")
        while not pump.turns:
            await asyncio.sleep(0)
        for each in (b"2", b"3", b"4"):
            far.send(each)
        await until(pump, 4)
        assert pump.turns == [[b"1"], [b"2", b"3", b"4"], []]
        reader.stop()

    asyncio.run(check())


def test_full_turn_is_followed_by_another_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    pump = Pump(near, most=2)

    async def check() -> None:
        for each in range(5):
            far.send(bytes([each]))
        reader = BatchReader(pump.drain, lambda: 0.02)
        reader.start([near])
        await until(pump, 5)
        assert pump.turns == [[b"\0", b"\1"], [b"\2", b"\3"], [b"\4"], []]
        reader.stop()

    asyncio.run(check())


def test_a_turn_that_took_its_period_is_followed_by_another_at_once(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """What came meanwhile has gathered already: a pause would only be delay."""
    near, far = pair
    pump = Pump(near)
    at: list[float] = []

    async def check() -> None:
        loop = asyncio.get_running_loop()

        def slow() -> Flow:
            at.append(loop.time())
            flow = pump.drain()
            if len(pump.turns) == 1:
                far.send(b"2")
                while loop.time() < at[0] + 0.05:
                    pass
            return flow

        reader = BatchReader(slow, lambda: 0.05)
        reader.start([near])
        far.send(b"1")
        await until(pump, 2)
        reader.stop()
        assert pump.turns == [[b"1"], [b"2"], []]

    asyncio.run(check())


def test_commits_are_so_far_apart_that_they_take_a_small_share_of_the_cpu() -> None:
    cost = CommitCost()
    assert cost.period() == 0
    for _ in range(200):
        cost.note(0.0001)
    assert cost.period() == pytest.approx(COMMIT_SHARE * 0.0001)
    for _ in range(200):
        cost.note(0.01)
    assert cost.period() == GATHER_S

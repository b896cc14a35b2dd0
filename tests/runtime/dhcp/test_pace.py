"""Bursts of replies: none lost, none reordered, none too large."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from netprov.machine import Datagram, Endpoint
from netprov.runtime.dhcp.pace import BURST, MOST, Pacer


def replies(first: int, count: int) -> list[Datagram]:
    return [
        Datagram(str(number).encode(), Endpoint("10.20.0.9", 67)) for number in range(first, first + count)
    ]


def test_few_replies_leave_at_once() -> None:
    sent: list[Datagram] = []

    async def run() -> None:
        Pacer(sent.append).send(replies(0, BURST))

    asyncio.run(run())
    assert sent == replies(0, BURST)


def test_many_replies_leave_in_bursts_with_turns_of_the_loop_between() -> None:
    sent: list[Datagram] = []
    sizes: list[int] = []

    async def run() -> None:
        Pacer(sent.append).send(replies(0, 3 * BURST + 1))
        async with asyncio.timeout(30):
            while len(sent) < 3 * BURST + 1:
                sizes.append(len(sent))
                await asyncio.sleep(0)

    asyncio.run(run())
    assert sorted(set(sizes)) == [BURST, 2 * BURST, 3 * BURST]
    assert sent == replies(0, 3 * BURST + 1)


@given(st.lists(st.integers(0, 3 * BURST), max_size=5))
def test_every_reply_leaves_once_in_order_whatever_comes_next(counts: list[int]) -> None:
    sent: list[Datagram] = []

    async def run() -> None:
        pacer, first = Pacer(sent.append), 0
        for count in counts:
            pacer.send(replies(first, count))
            first += count
            assert first - len(sent) <= MOST
        pacer.finish()

    asyncio.run(run())
    assert sent == replies(0, sum(counts))

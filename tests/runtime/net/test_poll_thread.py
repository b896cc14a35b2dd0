"""Calls into a thread of sockets."""

from __future__ import annotations

import asyncio
import threading

import pytest

from netprov.runtime.net.poll_thread import PollThread


def test_call_that_nobody_waits_for_any_more_is_done_and_the_thread_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def go() -> tuple[list[int], int]:
        thread = PollThread("test", lambda _now: None)
        held, began, done = threading.Event(), threading.Event(), list[int]()

        def hold() -> None:
            began.set()
            held.wait(10)

        first = asyncio.create_task(thread.call(hold))
        await asyncio.to_thread(began.wait, 10)
        given_up = asyncio.create_task(thread.call(lambda: done.append(1)))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        held.set()
        await first
        answer = await thread.call(lambda: 4)
        await thread.close()
        return done, answer

    assert asyncio.run(go()) == ([1], 4)
    assert caplog.text == ""

"""How a verb that has something to take back ends: SIGTERM and SIGHUP let it, as Ctrl-C does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import TypeVar

_Result = TypeVar("_Result")


def run_until_told(work: Coroutine[None, None, _Result]) -> _Result:
    """Run as `asyncio.run` does; a terminal that is closed and `kill` cancel the work, and the exit code tells of the signal.

    One that whoever started us ignores (nohup) stays ignored.
    """
    told: list[int] = []

    async def attended() -> _Result:
        task = asyncio.current_task()
        assert task is not None

        def end(number: int) -> None:
            told.append(number)
            task.cancel()

        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, end, number)
        return await work

    try:
        return asyncio.run(attended())
    except asyncio.CancelledError:
        if not told:
            raise
        raise SystemExit(128 + told[0]) from None

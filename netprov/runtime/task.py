"""Tasks that a service lives by: one that fails is told of and begun again, never missed in silence."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from typing import Final

from netprov.runtime.role import Notice

FIRST_PAUSE_S: Final = 1.0
"""Seconds until a task that failed is begun again; twice as many each time."""
LONGEST_PAUSE_S: Final = 60.0
"""The most; a task that has lived that long is not failing any more."""


def keep(
    name: str,
    body: Callable[[], Coroutine[object, object, None]],
    tell: Callable[[Notice], None],
    *,
    first_pause: float = FIRST_PAUSE_S,
) -> asyncio.Task[None]:
    """Return the task that runs `body` until it returns or is cancelled; `name` says to people what does not go on."""
    return asyncio.create_task(_keep(name, body, tell, first_pause), name=name)


async def _keep(
    name: str,
    body: Callable[[], Coroutine[object, object, None]],
    tell: Callable[[Notice], None],
    first_pause: float,
) -> None:
    loop = asyncio.get_running_loop()
    pause = first_pause
    while True:
        began = loop.time()
        try:
            return await body()
        except Exception as error:  # noqa: BLE001 - whatever it is: the service goes on, and says so
            if loop.time() - began > LONGEST_PAUSE_S:
                pause = first_pause
            tell(Notice(f"{name} failed, and begins again in {pause:g} s: {_told(error)}", "error"))
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _told(error: Exception) -> str:
    """Say what an error of our own is, and where it rose."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"

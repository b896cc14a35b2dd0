"""Work that blocks, in a thread of its own: a thread that hangs keeps nobody from ending, as those of a pool would."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class NoThreadError(Exception):
    """The system has no thread to give."""


def in_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Begin the work, and return what it is going to return or raise, `NoThreadError` too; nobody has to wait for it."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(done: Callable[[], None]) -> None:
        if not future.cancelled():
            done()

    def failed(error: BaseException) -> None:
        future.set_exception(error)
        future.exception()  # who waited may have given up

    def body() -> None:
        try:
            done = partial(future.set_result, work())
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            done = partial(failed, error)
        with suppress(RuntimeError):  # the loop is over
            loop.call_soon_threadsafe(settle, done)

    try:
        threading.Thread(target=body, name=name, daemon=True).start()
    except RuntimeError as error:
        failed(NoThreadError(str(error)))
    return future

"""What takes long is told while it lasts: one line on standard error, on a terminal only, gone at the end."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from netprov.text import visible

FIRST_S = 1.0
"""Seconds after which something is said: what is over by then needs no words."""
EVERY_S = 0.25
_CLEAR = "\r\x1b[K"


@dataclass(slots=True)
class Progress:
    """What is being done; `text` may be changed at any time, by any thread."""

    text: str


@contextmanager
def progress(
    text: str, *, stream: TextIO | None = None, first: float = FIRST_S, every: float = EVERY_S
) -> Iterator[Progress]:
    """Say what is done, and for how long, after `first` seconds and then `every` so many; nothing where nobody looks."""
    told, out = Progress(text), stream or sys.stderr
    if not out.isatty() or os.environ.get("TERM") == "dumb":
        yield told
        return
    over = threading.Event()
    shower = threading.Thread(target=_show, args=(told, over, out, first, every), daemon=True)
    shower.start()
    try:
        yield told
    finally:
        over.set()
        shower.join()


def _show(told: Progress, over: threading.Event, out: TextIO, first: float, every: float) -> None:
    began, shown = time.monotonic(), False
    while not over.wait(every if shown else first):
        width = shutil.get_terminal_size().columns - 1
        line = f"{visible(told.text)} … {int(time.monotonic() - began)} s"
        out.write(_CLEAR + line[:width])
        out.flush()
        shown = True
    if shown:
        out.write(_CLEAR)
        out.flush()

"""One log line an event: the service, the kind of event, its fields; to the journal or a terminal.

An event that has its own sentence (`__str__`) is logged as that; any other as `Kind field=value …`, without
the fields that are declared `repr=False`, which is where secrets are kept.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO

from netprov.machine import Dropped, Endpoint, Event
from netprov.runtime.role import Notice
from netprov.text import visible

DELAY_S = 0.02
"""Seconds that a line may wait for others: a write, and a turn of the loop for it, cost as much as the line."""
LONGEST = 2000
"""Characters of an event that a line holds."""
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
"""What a log level is called, each with less than the one before."""
INFORMATION = LEVELS["info"]
_SYSLOG = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class _Lines(logging.Formatter):
    """`dns: text`; the journal gets a priority prefix (sd-daemon(3)) instead of a time of our own."""

    def __init__(self, *, journal: bool) -> None:
        super().__init__(
            "%(name)s: %(message)s" if journal else "%(asctime)s %(name)s: %(message)s", "%H:%M:%S"
        )
        self._journal = journal
        self._second = -1
        self._time = ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return the time; it is worked out once a second, because it costs more than the rest of the line."""
        second = int(record.created)
        if second != self._second:
            self._second, self._time = second, super().formatTime(record, datefmt)
        return self._time

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, whatever the message holds."""
        line = visible(super().format(record).replace("\n", " "))
        return f"<{_SYSLOG.get(record.levelno, 6)}>{line}" if self._journal else line


def configure(*, verbose: bool) -> EventLog:
    """Send log lines to standard error, and return the log of events; `verbose` adds dropped datagrams and the like."""
    # None of these is in a line of ours, and each costs more than the line (logging, "Optimization").
    logging._srcfile = None  # noqa: SLF001 - the documented way
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    journal = "JOURNAL_STREAM" in os.environ
    handler.setFormatter(_Lines(journal=journal))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for noisy in ("asyncio", "aiohttp", "pyroute2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return EventLog(sys.stderr, journal=journal, verbose=verbose)


class EventLog:
    """Writes events straight to a stream, in the form of `configure`'s lines, those of one moment in one piece.

    The way through `logging` costs more than composing the profile that most of them tell of.
    """

    def __init__(self, stream: TextIO, *, journal: bool, verbose: bool) -> None:
        self._write = stream.write
        self._lines: deque[str] = deque()
        self._due: asyncio.AbstractEventLoop | None = None
        self._journal = journal
        self._lowest = logging.DEBUG if verbose else logging.INFO
        self._levels: dict[str, int] = {}
        self._second = 0
        self._time = ""

    def __call__(self, service: str, event: Event) -> None:
        """Write one event."""
        level = level_of(event)
        if level < self._levels.get(service, self._lowest):
            return
        text = visible(describe(event)[:LONGEST].replace("\n", " "))
        prefix = f"<{_SYSLOG[level]}>" if self._journal else self._clock()
        self._lines.append(f"{prefix}{service}: {text}\n")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a thread of its own, or before and after the loop
            self.flush()
            return
        if self._due is not loop:
            self._due = loop
            loop.call_later(DELAY_S, self.flush)

    def level(self, service: str) -> str:
        """Return the lowest level of a service's events that is written."""
        lowest = self._levels.get(service, self._lowest)
        return next(name for name, number in LEVELS.items() if number == lowest)

    def set_level(self, level: str, services: Iterable[str]) -> None:
        """Write the events of services from this level on, and what they log otherwise."""
        for service in services:
            self._levels[service] = LEVELS[level]
            logging.getLogger(service).setLevel(LEVELS[level])

    def flush(self) -> None:
        """Write what waits; call this once at the end, for what the last moment has brought."""
        self._due = None
        text = ""
        with suppress(IndexError):  # other threads add lines meanwhile
            while True:
                text += self._lines.popleft()
        if not text:
            return
        # Standard error may be a pipe that nobody reads any more; serving goes on.
        with suppress(OSError, ValueError):
            self._write(text)

    def _clock(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._time = second, time.strftime("%H:%M:%S ", time.localtime(second))
        return self._time


def level_of(event: Event) -> int:
    """Return how much an event matters: everyday ones are for who looks closely."""
    if named := event.severity if isinstance(event, Notice) else getattr(event, "log_level", ""):
        return LEVELS[named]
    everyday = isinstance(event, Dropped) or getattr(event, "everyday", False)
    return LEVELS["debug" if everyday else "info"]


def describe(event: Event) -> str:
    """Return an event as one line of text."""
    if type(event).__str__ is not object.__str__:
        return str(event)
    fields = (f"{f.name}={_text(getattr(event, f.name))}" for f in dataclasses.fields(event) if f.repr)
    return " ".join([event.event_kind, *fields])


def _text(value: object) -> str:
    match value:
        case Endpoint():
            return f"{value.address}:{value.port}" + (f"%{value.interface}" if value.interface else "")
        case bytes():
            return value.hex()
        case str():
            return repr(value) if " " in value or not value else value
        case _:
            return str(value)

"""Phones that live on in a lab: each a `netprov phone --stay` on its host, with its console beside it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

from netprov.lab.lan import Host

MERCY_S = 3.0
"""How long a phone may take to say what its life came to, in seconds."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One phone: its name, its host, and the words that `netprov phone` is given beside `--stay`."""

    name: str
    host: Host
    words: tuple[str, ...]


def live_all(tenants: Sequence[Tenant]) -> Iterator[tuple[str, str | int]]:
    """Let every phone live; yield each line with the phone's name, and last for each its exit code."""
    with ExitStack() as stack, selectors.DefaultSelector() as ready:
        begun: dict[str, bytes] = {}
        for tenant in tenants:
            process = stack.enter_context(_ended(_start(tenant)))
            assert process.stdout is not None
            ready.register(process.stdout, selectors.EVENT_READ, (tenant.name, process))
        while ready.get_map():
            for key, _ in ready.select():
                name, process = key.data
                data = os.read(key.fd, 1 << 16)
                *lines, begun[name] = (begun.get(name, b"") + data).split(b"\n")
                yield from ((name, line.decode("utf-8", "replace")) for line in lines)
                if not data:
                    ready.unregister(key.fileobj)
                    yield name, process.wait()


def _start(tenant: Tenant) -> subprocess.Popen[bytes]:
    words = ["phone", *tenant.words, "--interface", tenant.host.interface, "--stay"]
    with tenant.host.entered():
        return subprocess.Popen(
            [sys.executable, "-m", "netprov", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(MERCY_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _close(process.stdout)


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        stream.close()

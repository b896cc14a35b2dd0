"""Asks a program: what is known of the phone goes in as JSON, one JSON object comes out, and nothing of it stays behind."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic

from netprov.provision.config import Program
from netprov.provision.source import MAX_OCTETS, Row, SourceFailed, read_object
from netprov.text import visible

_MAX_SAID = 2000
"""Octets of its standard error that are looked at."""
_CHUNK = 65536
_BY_HAND = "run it by hand, with {} on its standard input"


def ask_program(name: str, program: Program, facts: Mapping[str, str], timeout: float) -> Row:
    """Run the program and return what it says. Raises `SourceFailed`; blocks, no longer than the time-out.

    It runs in a session of its own, with hardly an environment. All of its group is ended with it, however it ends: until then
    its leader is not waited for, so that the number of the group is nobody else's. What leaves the group is not found.
    """
    deadline = monotonic() + timeout
    try:
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )
    except OSError as error:
        fault = f"its program cannot be started: {error.strerror}"
        raise SourceFailed(name, fault, f"see that {program.command[0]} is there, and can be run") from None
    with process:
        exchange = _Exchange(process, json.dumps(facts).encode())
        try:
            ended = exchange.run(deadline)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    remedy = _BY_HAND.format(json.dumps(facts))
    if len(exchange.said) > MAX_OCTETS:
        fault = f"its program says more than {MAX_OCTETS} octets"
        raise SourceFailed(name, fault, remedy, why="source-answer")
    if not ended:
        raise SourceFailed(name, f"its program did not end within {timeout:.3g} s", remedy)
    if code != 0:
        how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        words = visible(exchange.complaint.decode("utf-8", "replace").strip().partition("\n")[0])[:200]
        raise SourceFailed(name, f"its program {how}{f': {words}' if words else ''}", remedy)
    return read_object(name, bytes(exchange.said))


class _Exchange:
    """What goes between this process and the program until that ends, says too much, or takes too long."""

    def __init__(self, process: subprocess.Popen[bytes], told: bytes) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._pid = process.pid
        self._told = told
        self.said = bytearray()
        self.complaint = bytearray()

    def run(self, deadline: float) -> bool:
        """Say whether it ended by itself."""
        leader = os.pidfd_open(self._pid)
        try:
            with selectors.DefaultSelector() as selector:
                for pipe in (self._stdin, self._stdout, self._stderr):
                    os.set_blocking(pipe.fileno(), False)
                selector.register(self._stdin, selectors.EVENT_WRITE, self._write)
                selector.register(self._stdout, selectors.EVENT_READ, self._read)
                selector.register(self._stderr, selectors.EVENT_READ, self._hear)
                selector.register(leader, selectors.EVENT_READ)
                return self._turns(selector, leader, deadline)
        finally:
            os.close(leader)

    def _turns(self, selector: selectors.DefaultSelector, leader: int, deadline: float) -> bool:
        while (left := deadline - monotonic()) > 0:
            over = False
            for key, _ in selector.select(left):
                if key.fd == leader:
                    over = True
                elif not key.data():
                    selector.unregister(key.fileobj)
            if len(self.said) > MAX_OCTETS:
                return False
            if over:
                # What it said last is in the pipes; a child that holds them open is not waited for.
                while len(self.said) <= MAX_OCTETS and self._read(only=True):
                    pass
                self._hear()
                return True
        return False

    def _write(self) -> bool:
        try:
            self._told = self._told[os.write(self._stdin.fileno(), self._told) :]
        except BlockingIOError:
            return True
        except OSError:
            self._told = b""  # it does not want to know
        if not self._told:
            with suppress(OSError):
                self._stdin.close()
        return bool(self._told)

    def _read(self, *, only: bool = False) -> bool:
        try:
            data = os.read(self._stdout.fileno(), _CHUNK)
        except BlockingIOError:
            return not only
        self.said += data
        return bool(data)

    def _hear(self) -> bool:
        try:
            data = os.read(self._stderr.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        self.complaint += data[: max(0, _MAX_SAID - len(self.complaint))]
        return bool(data)

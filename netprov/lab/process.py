"""Programs that run inside a namespace: started, watched by their output, always ended."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from netprov.errors import LabError
from netprov.lab.netns import Namespace

T = TypeVar("T")

POLL_S = 0.01
"""How often a condition is looked at, in seconds."""

MERCY_S = 3.0
"""How long a process may take to end by itself after SIGTERM, in seconds."""


def wait_until(condition: Callable[[], T], *, what: str = "the condition", timeout: float = 10) -> T:
    """Return the first true value of `condition`; raise LabError when `timeout` seconds bring none."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:g} s in vain for {what}")
        time.sleep(POLL_S)


def run(
    namespace: Namespace,
    command: Sequence[str],
    *,
    timeout: float = 30,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end inside; its result carries exit code and text, stdout and stderr apart."""
    with namespace.entered():
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        except OSError as error:
            raise LabError(f"cannot run {command[0]}: {error.strerror}") from error
    with process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _kill_group(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise LabError(f"{shlex.join(command)} took more than {timeout:g} s:\n{out}{err}") from error
        except BaseException:
            _kill_group(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)


class Process:
    """A program in the background inside a namespace, in a session of its own; its output is kept."""

    def __init__(
        self,
        namespace: Namespace,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.command = list(command)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._text = ""
        with namespace.entered():
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                    start_new_session=True,
                )
            except OSError as error:
                self._log.close()
                raise LabError(f"cannot run {command[0]}: {error.strerror}") from error

    @property
    def pid(self) -> int:
        """Return its process id, which is its process group's too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return its exit code, or None while it runs."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """Return what it has written so far, stdout and stderr together."""
        if not self._log.closed:
            size = os.fstat(self._log.fileno()).st_size
            self._text = os.pread(self._log.fileno(), size, 0).decode(errors="replace")
        return self._text

    def wait_for(self, pattern: str, *, timeout: float = 10) -> re.Match[str]:
        """Wait until its output has a match of a regular expression; raise LabError if it ends before."""

        def look() -> re.Match[str] | None:
            ended = self.exit_code is not None
            found = re.search(pattern, self.output)
            if ended and not found:
                raise LabError(
                    f"{shlex.join(self.command)} ended with {self.exit_code} before it wrote {pattern!r}:\n"
                    f"{self.output}"
                )
            return found

        try:
            found = wait_until(look, what=f"{pattern!r} from {self.command[0]}", timeout=timeout)
        except LabError as error:
            raise LabError(f"{error}\n{self.output}") from error
        assert found
        return found

    def wait(self, *, timeout: float = 30) -> int:
        """Wait for its end and return its exit code."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{shlex.join(self.command)} did not end in {timeout:g} s") from error

    def signal(self, number: int) -> None:
        """Send a signal to it and to whatever it started in its session."""
        _kill_group(self.pid, number)

    def kill(self) -> None:
        """End it with SIGKILL, at once."""
        self.signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it: SIGTERM, then SIGKILL for it and its session; harmless when done twice."""
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self._process.wait(MERCY_S)
            except subprocess.TimeoutExpired:
                self.kill()
        _kill_group(self.pid, signal.SIGKILL)
        _ = self.output
        self._log.close()


def _kill_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)

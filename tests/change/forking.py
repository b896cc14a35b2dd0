"""Starts `netprov serve` by a fork of a process that has imported it already: half of a start is the same every time.

Run inside the namespace of a host: `python -m tests.change.forking SOCKET`. A client sends one JSON line (`words`, `notify`,
`log`); its server ends with the connection, and the answer is its exit code.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from netprov.cli import main
from netprov.runtime.roles import ROLES

MODULES = [path.partition(":")[0] for path in ROLES.values()]


def serve(place: str) -> None:
    """Answer until killed."""
    for name in (*MODULES, "netprov.cli.verb.service.serve", "netprov.runtime.metrics_page"):
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{place}.new")
        listener.listen()
        os.rename(f"{place}.new", place)
        while True:
            client = listener.accept()[0]
            if os.fork() == 0:
                listener.close()
                _tend(client)
            client.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _tend(client: socket.socket) -> None:
    """Run one server until its client hangs up."""
    with client.makefile("rb") as lines:
        asked = json.loads(lines.readline())
    child = os.fork()
    if child == 0:
        client.close()
        os.setsid()
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ["NOTIFY_SOCKET"] = asked["notify"]
        sys.argv = ["netprov", *asked["words"]]
        try:
            main()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        os._exit(0)
    client.recv(1)  # the end
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGTERM)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):
        client.sendall(f"{code}\n".encode())
    os._exit(0)


class Forked:
    """A server that was started by a fork."""

    def __init__(self, place: Path, words: list[str], *, log: Path) -> None:
        self.log = log
        notify = f"{place}.notify"
        Path(notify).unlink(missing_ok=True)
        self._client = socket.socket(socket.AF_UNIX)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(notify)
            ready.settimeout(60)
            self._client.connect(str(place))
            asked = {"words": words, "notify": notify, "log": str(log)}
            self._client.sendall(json.dumps(asked).encode() + b"\n")
            try:
                while b"READY=1" not in ready.recv(4096).splitlines():
                    pass
            except TimeoutError:
                self.stop()
                raise AssertionError(f"the fresh server is not ready: {log.read_text()}") from None

    def stop(self) -> None:
        """End it, and wait until it has."""
        self._client.shutdown(socket.SHUT_WR)
        self._client.settimeout(30)
        self._client.recv(16)
        self._client.close()


if __name__ == "__main__":
    serve(sys.argv[1])

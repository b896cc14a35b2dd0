"""`netprov serve` on a host of a lab: started, known to be ready, stopped, restarted.

Readiness is what systemd would be told (sd_notify(3)), not a line of output.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from netprov.errors import LabError
from netprov.lab.lan import Host
from netprov.lab.process import Process, wait_until

START_S = 60.0
"""How long a server may take until it is ready, in seconds: it may have to make keys."""


def start_server(
    host: Host, inventory: Path, state: Path, *, roles: Sequence[str] = (), verbose: bool = False
) -> Process:
    """Start `netprov serve` on a host and return when it says that it is ready; raise LabError if it fails."""
    command = [sys.executable, "-m", "netprov", "serve", "-f", str(inventory), "--state", str(state)]
    command += [*(["--verbose"] if verbose else []), *roles]
    with (
        tempfile.TemporaryDirectory(prefix="netprov-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        listener.bind(f"{folder}/notify")
        listener.setblocking(False)
        process = host.spawn(command, environment={"NOTIFY_SOCKET": f"{folder}/notify"})
        try:
            wait_until(lambda: _said_ready(listener, process), what="the server", timeout=START_S)
        except LabError as error:
            process.stop()
            raise LabError(f"{error}\n{process.output}".rstrip()) from error
    return process


def _said_ready(listener: socket.socket, process: Process) -> bool:
    if process.exit_code is not None:
        raise LabError(f"netprov serve ended with {process.exit_code}:")
    try:
        return "READY=1" in listener.recv(4096).decode().splitlines()
    except BlockingIOError:
        return False

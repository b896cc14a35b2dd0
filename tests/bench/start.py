"""How long `netprov serve` takes until it is ready, beside NSD, Kea and Python itself; and how long until it has ended.

    make bench-start        or: python -m tests.bench.start

The inventory is config/staging.yaml, on a LAN of its own, its CA made beforehand. Wall time and the CPU time of the process
until it is ready, medians of five; on a machine that does other things, go by the CPU time and by the ratio to Python.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.lab.topology import single_lan
from netprov.runtime.supervise import ROLES
from tests.lab.conftest import ROOT, STAGING, STAGING_ADDRESSES
from tests.lab.foreign import kea, nsd

RUNS = 5
_TICK = os.sysconf("SC_CLK_TCK")

ZONE = "pr1 A 10.20.0.11\n"


def cpu(process: Process) -> float:
    """Return the CPU seconds that a process has used, user and system."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def measure(start: Callable[[], Process]) -> tuple[float, float, float]:
    """Return the medians: seconds until ready, of CPU until then, until it has ended."""
    runs = []
    for _ in range(RUNS):
        began = time.perf_counter()
        process = start()
        ready, used = time.perf_counter() - began, cpu(process)
        began = time.perf_counter()
        process.signal(signal.SIGTERM)
        process.wait(timeout=20)
        runs.append((ready, used, time.perf_counter() - began))
    return tuple(statistics.median(column) for column in zip(*runs, strict=True))


def plain_python() -> float:
    """Return the seconds of `python -c pass`, the median."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    os.environ["PYTHONPATH"] = str(ROOT)
    base = plain_python()
    print(f"{'':<22} ready s   CPU s   stop s   ready in `python -c pass`")
    print(f"{'python -c pass':<22} {base:7.2f}")
    with tempfile.TemporaryDirectory() as name, Lan(single_lan(STAGING_ADDRESSES, [None])) as lan:
        folder, server = Path(name), lan["server"]
        start_server(server, STAGING, folder / "state").stop()  # makes the CA
        for label, start in (
            ("netprov serve", lambda: start_server(server, STAGING, folder / "state")),
            *((f"netprov serve {role}", _role(server, role, folder / "state")) for role in ROLES),
            ("nsd", lambda: nsd(server, folder, ZONE)),
            ("kea-dhcp4", lambda: kea(server, folder, [])),
        ):
            ready, used, stop = measure(start)
            print(f"{label:<22} {ready:7.2f} {used:7.2f} {stop:8.2f} {ready / base:8.0f}", flush=True)


def _role(server: Host, role: str, state: Path) -> Callable[[], Process]:
    return lambda: start_server(server, STAGING, state, roles=[role])


if __name__ == "__main__":
    main()

"""How long `netprov serve` takes until it is ready, beside NSD, Kea and Python itself; and how long until it has ended.

    make bench-start        or: python -m tests.bench.start

The inventories are config/staging.yaml and one of 10,000 phones, on a LAN of its own, their CA made beforehand. Wall time
and the CPU time of the process until it is ready, medians of five, and the wall time as a multiple of Python's, NSD's and
Kea's in the same run; on a machine that does other things, go by the CPU time and by the ratio to Python. Then what short
verbs take from start to end.
"""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from netprov.lab.lan import Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.lab.topology import single_lan
from netprov.runtime.roles import ROLES
from tests.bench.check import write_yaml
from tests.lab.conftest import ROOT, STAGING, STAGING_ADDRESSES
from tests.lab.foreign import kea, nsd

RUNS = 5
_TICK = os.sysconf("SC_CLK_TCK")

PHONES = 10_000
ZONE = "pr1 A 10.20.0.11\n"


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds: until ready, or until a verb has ended; of CPU until then; until a service has ended."""

    ready: float
    cpu: float
    stop: float


def cpu(process: Process) -> float:
    """Return the CPU seconds that a process has used, user and system."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def measure(start: Callable[[], Process]) -> Figures:
    """Return the medians of some runs."""
    runs = []
    for _ in range(RUNS):
        began = time.perf_counter()
        process = start()
        ready, used = time.perf_counter() - began, cpu(process)
        began = time.perf_counter()
        process.signal(signal.SIGTERM)
        process.wait(timeout=20)
        runs.append((ready, used, time.perf_counter() - began))
    return Figures(*(statistics.median(column) for column in zip(*runs, strict=True)))


def verb(*words: str) -> Figures:
    """Return what a verb takes from its start to its end, the medians."""
    runs = []
    for _ in range(RUNS):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        runs.append((time.perf_counter() - began, used, 0.0))
    return Figures(*(statistics.median(column) for column in zip(*runs, strict=True)))


def table(rows: Mapping[str, Figures], beside: Mapping[str, Figures]) -> None:
    """Print figures, and the ratio of the wall time to that of each peer."""
    heads = "".join(f"  / {name}" for name in beside)
    print(f"\n{'':<32}  wall s   CPU s  stop s{heads}")
    for label, each in rows.items():
        ratios = "".join(f"{each.ready / peer.ready:{len(name) + 4}.1f}" for name, peer in beside.items())
        stop = f"{each.stop:8.2f}" if each.stop else " " * 8
        print(f"{label:<32}{each.ready:8.2f}{each.cpu:8.2f}{stop}{ratios}")


def main() -> None:
    """Measure and print."""
    os.environ["PYTHONPATH"] = str(ROOT)
    python = verb("-c", "pass")
    addresses = [*STAGING_ADDRESSES, "10.0.0.1/8"]
    rows: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as name, Lan(single_lan(addresses, [None])) as lan:
        folder, server = Path(name), lan["server"]
        many = write_yaml(folder, PHONES)
        starts = {
            "netprov serve": partial(start_server, server, STAGING, folder / "state"),
            **{
                f"netprov serve {role}": partial(
                    start_server, server, STAGING, folder / "state", roles=[role]
                )
                for role in ROLES
            },
            f"netprov serve, {PHONES:,} phones": partial(start_server, server, many, folder / "many"),
            "nsd": partial(nsd, server, folder, ZONE),
            "kea-dhcp4": partial(kea, server, folder, []),
        }
        for inventory, state in ((STAGING, "state"), (many, "many")):
            start_server(server, inventory, folder / state).stop()  # makes the CA
        for label, start in starts.items():
            rows[label] = measure(start)
    peers = {"python -c pass": python, "nsd": rows["nsd"], "kea-dhcp4": rows["kea-dhcp4"]}
    table({"python -c pass": python, **rows}, peers)
    verbs = (
        ["--help"],
        ["check", str(STAGING)],
        ["reload", "--help"],
        ["render", "zones", "-o", "-", "-f", str(STAGING)],
    )
    table(
        {f"netprov {' '.join(words)}"[:31]: verb("-m", "netprov", *words) for words in verbs},
        {"python -c pass": python},
    )


if __name__ == "__main__":
    main()

"""What the benches of profiles share: a server of ours on a lab host, pinned or not, and its CPU time by the kernel's books."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from netprov.lab.lan import Host
from netprov.lab.process import wait_until

ROUNDS = 4
ADDRESS, PEER = "10.20.0.1", "10.20.0.2"
"""Where netprov answers, and its peer beside it."""
VALUES = 40
TICK = os.sysconf("SC_CLK_TCK")

SITE = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/16, address: 10.20.0.1, pool: []}}}}
certificates: {{keys: [{kind}]}}
provisioning: {{files: {{/files: {folder}}}, {more}}}
profiles: {{desk: {{values: {{{values}}}}}}}
phones:
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run came to: fetches (or octets) and the server's CPU seconds."""

    done: int
    cpu: float
    seconds: float


def inventory(folder: Path, kind: str, phones: int, more: str = "bootstrap: true") -> Path:
    """Write an inventory of phones that have forty parameters and five of their own each."""
    values = ", ".join(f'Parameter_{n}_: "value {n} of the profile"' for n in range(VALUES))
    lines = [SITE.format(kind=kind, folder=folder, values=values, more=more)]
    for number in range(phones):
        mac = f"00:12:34:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        own = ", ".join(
            f'{name}: "{4081000000 + number}"' for name in ("Display_Name_1_", "User_ID_1_", "Auth_ID_1_")
        )
        lines.append(f"  - {{mac: {mac}, model: CP-8851-3PCC, profile: desk, values: {{{own}}}}}\n")
    path = folder / "site.yaml"
    path.write_text("".join(lines))
    return path


@contextmanager
def serving(
    host: Host, command: Sequence[str], ready: Callable[[], bool], *, cores: str = "0"
) -> Iterator[int]:
    """Run a server on core 0, or on others; yield its process id once it answers."""
    process = host.spawn(["taskset", "-c", cores, *command])
    try:
        wait_until(ready, what=f"{command[0]} to answer", timeout=60)
        settled(process.pid)
        yield process.pid
    finally:
        process.stop()


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, its living descendants and its dead children."""
    return sum(cpu_of_each(pid).values())


def cpu_of_each(pid: int) -> dict[int, float]:
    """Return the CPU seconds of a process and of each living descendant, with the dead children of each."""
    family = {pid}
    parents: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    while grown := {each for each, (parent, _) in parents.items() if parent in family} - family:
        family |= grown
    return {each: parents[each][1] / TICK for each in family if each in parents}


def settled(pid: int) -> None:
    """Wait until a server has finished with starting: half a second without CPU time."""
    seen = [-1.0]

    def quiet() -> bool:
        time.sleep(0.5)
        before, seen[0] = seen[0], cpu_of(pid)
        return seen[0] - before < 0.02

    wait_until(quiet, what="the server to be ready", timeout=30)


def answers(host: Host, port: int, address: str = ADDRESS) -> Callable[[], bool]:
    """Return a check whether something accepts connections."""

    def check() -> bool:
        with host.entered():
            sock = socket.socket()
        with sock:
            sock.settimeout(1)
            return sock.connect_ex((address, port)) == 0

    return check


def netprov(folder: Path, site: Path, *roles: str) -> list[str]:
    """Return the command of our servers, in quiet mode: the log goes nowhere."""
    serve = f"exec {sys.executable} -m netprov serve -f {site} --state {folder}/state {' '.join(roles)} >/dev/null 2>&1"
    return ["sh", "-c", serve]


def measured(host: Host, pid: int, load: Callable[[Host], int]) -> Cost:
    """Run the load, and say what it cost the server."""
    before = cpu_of(pid)
    begun = time.monotonic()
    done = load(host)
    seconds = time.monotonic() - begun
    settled(pid)  # forked servers are counted once they are reaped
    return Cost(done, cpu_of(pid) - before, seconds)

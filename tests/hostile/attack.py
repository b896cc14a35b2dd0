"""A mixed attack from one host of a LAN, while 200 honest phones boot, fetch and renew.

    make attack                                      an hour at 50,000 packets a second
    python -m tests.hostile.attack [SECONDS] [PACKETS_PER_SECOND] [PHONES]

Prints what failed and how long the 50th, 99th and slowest of a hundred took, what left the attacker, and what the server took of
a core, of memory and of disk. Exit code 1 if a phone failed. Needs root and a C compiler. The server has a core of its own, where
there are two: attacker and phones are other machines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netprov.emulator.dhcp import interface_mac
from netprov.errors import LabError
from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.lab.topology import single_lan
from netprov.mac import format_mac, parse_mac
from tests.hostile.frames import Hostile, write_frames

ADDRESS = "10.20.0.1"
PHONES_HOST, ATTACKER = "00:12:34:00:00:01", "02:66:66:66:66:66"
SERVER_CORE, OTHERS_CORE = "0", "1"
THRESHOLDS = [f"/proc/sys/net/ipv4/neigh/default/gc_thresh{number}" for number in (1, 2, 3)]
LATE_S = 180.0
"""Seconds that phones may go on with what they were about when the time was up."""
FRAMES = 100_000
"""Frames made beforehand; then they come again."""
SITE = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/22, pool: 10.20.1.0-10.20.3.200}}}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}
classes:
  tftp: {{method: dhcp, options: {{66: {address}}}}}
  web: {{method: srv}}
  cpe: {{method: acs, acs_url: "http://{address}:7547/"}}
phones:
{phones}
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an attack came to."""

    phones: dict[str, Any]
    """What the honest phones did: see `tests.hostile.honest`."""
    sent: int
    cpu_percent: float
    """Of one core, all threads together."""
    resident_mib: int
    state_mib: int
    log_kib: int
    alive: bool
    """Whether the server was still running, and ended when it was told to."""

    @property
    def failed(self) -> int:
        """How much of what honest phones did failed."""
        return sum(self.phones[name]["failed"] for name in ("boot", "renew", "fetch"))


def macs(count: int) -> list[str]:
    """Return the phones' MAC addresses."""
    return [format_mac(b"\x00\x12\x34\xaa" + number.to_bytes(2, "big")) for number in range(count)]


def site(count: int) -> str:
    """Return an inventory: half of the phones have a fixed address, half are led by option 66, half by SRV."""
    lines = []
    for number, mac in enumerate(macs(count)):
        fixed = f", address: 10.20.0.{20 + number}" if number % 4 < 2 and number < 200 else ""
        kind = "tftp" if number % 2 else "web"
        lines.append(f"  - {{mac: {mac}, model: CP-8851-3PCC, class: {kind}{fixed}}}")
    return SITE.format(address=ADDRESS, phones="\n".join(lines))


@contextmanager
def many_neighbours() -> Iterator[None]:
    """Let the kernel hold the neighbours of a /22 several times, as docs/operations.md advises: all hosts here share one table."""
    before = {path: path.read_text() for path in map(Path, THRESHOLDS)}
    try:
        for number, path in enumerate(before, 1):
            path.write_text(str(4096 * number))
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


def compile_flood(folder: Path) -> str:
    """Compile the sender of frames."""
    program = str(folder / "flood")
    subprocess.run(["cc", "-O2", "-o", program, Path(__file__).with_name("flood.c")], check=True)
    return program


def attack(folder: Path, seconds: float, rate: int, count: int) -> Figures:
    """Attack for so long, at so many packets a second; no attack at all at 0."""
    (folder / "site.yaml").write_text(site(count))
    with many_neighbours(), Lan(single_lan([f"{ADDRESS}/22"], [PHONES_HOST, ATTACKER])) as lan:
        server = start_server(lan["server"], folder / "site.yaml", folder / "state")
        server.wait_for("no other DHCP server answers")
        if _others(0):
            lan["server"].run(["taskset", "-a", "-c", "-p", SERVER_CORE, str(server.pid)])
        began, used = time.monotonic(), _cpu_seconds(server)
        attackers = _attackers(lan, folder, seconds, rate, count) if rate else []
        words = [sys.executable, "-m", "tests.hostile.honest", "lan0", str(seconds), *macs(count)]
        phones = lan["client0"].spawn([*_others(0), *words])
        phones.wait(timeout=seconds + LATE_S)
        percent = 100 * (_cpu_seconds(server) - used) / (time.monotonic() - began)
        resident = _resident_mib(server)
        sent = _sent(attackers)
        server.signal(15)
        with suppress(Exception):
            server.wait(timeout=30)
        state = sum(each.stat().st_size for each in (folder / "state").rglob("*") if each.is_file())
        if phones.exit_code:
            raise LabError(f"the phones ended with {phones.exit_code}:\n{phones.output[-5000:]}")
        last = json.loads(phones.output.strip().splitlines()[-1])
        alive = server.exit_code == 0
        return Figures(last, sent, percent, resident, state >> 20, len(server.output) >> 10, alive)


def _attackers(lan: Lan, folder: Path, seconds: float, rate: int, count: int) -> list[Process]:
    """Start what attacks: frames made beforehand, and connections."""
    attacker, mac = lan["client1"], _mac(lan["server"])
    frames = Hostile(ADDRESS, mac, macs(count)).frames(FRAMES)
    write_frames(folder / "frames", frames)
    flood = [compile_flood(folder), attacker.interface, str(folder / "frames"), str(rate), str(seconds)]
    words = [sys.executable, "-m", "tests.hostile.connections", attacker.interface, ADDRESS, str(seconds)]
    return [attacker.spawn([*_others(0), *flood]), attacker.spawn([*_others(10), *words])]


def _sent(attackers: Sequence[Process]) -> int:
    """Return how many frames left, once all attackers have ended."""
    for each in attackers:
        each.wait(timeout=60)
    return int(attackers[0].output.strip() or 0) if attackers else 0


def _mac(host: Host) -> bytes:
    with host.entered():
        return parse_mac(interface_mac(host.interface))


def _others(nice: int) -> list[str]:
    """Return what puts a program on the core that the server has not, and how much others there come first."""
    if len(os.sched_getaffinity(0)) < 2:
        return []
    return ["taskset", "-c", OTHERS_CORE, "nice", "-n", str(nice)]


def _cpu_seconds(server: Process) -> float:
    with suppress(OSError):  # it may have ended: that is told
        words = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _resident_mib(server: Process) -> int:
    try:
        status = Path(f"/proc/{server.pid}/status").read_text()
    except OSError:
        return 0
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) >> 10


def main(words: Sequence[str]) -> int:
    """Attack, and print the figures."""
    seconds, rate, count = (*map(int, words), *(3600, 50_000, 200)[len(words) :])
    with tempfile.TemporaryDirectory() as folder:
        figures = attack(Path(folder), seconds, rate, count)
    print(f"{figures.sent} frames in {seconds} s: {figures.sent // seconds} a second")
    for name, each in figures.phones.items():
        print(
            f"{name}: {each['done']} of {each['done'] + each['failed']} in 50 %: {each['p50']} ms, "
            f"99 %: {each['p99']} ms, slowest: {each['slowest']} ms"
        )
        for reason, number in each["reasons"].items():
            print(f"    {number} times {reason}")
    print(
        f"server: {figures.cpu_percent:.0f} % of a core, {figures.resident_mib} MiB of memory at most, {figures.state_mib} MiB of state, "
        f"{figures.log_kib} KiB of log; {'ended as it was told' if figures.alive else 'FAILED'}"
    )
    return 1 if figures.failed or not figures.alive else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

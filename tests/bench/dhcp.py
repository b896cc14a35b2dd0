"""perfdhcp against netprov, Kea and dnsmasq: CPU per exchange, highest rate, what is left of it under overload.

    make bench-dhcp        or: python -m tests.bench.dhcp [--seconds N] [SERVER …]

One after another in the same two namespaces, each server pinned to one core and the load to the other. The load is
a relay agent's (giaddr set), so that all clients share one socket. No server checks addresses for conflicts, none
logs each lease. netprov has every lease synced to disk (fsync) before its ACK leaves; Kea writes its memfile,
dnsmasq its lease file, both without sync. Every run begins with an empty lease file.

Then netprov's start with 100,000 leases on file: time and memory.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from netprov.dhcp.lease import Bound, Lease, LeaseState
from netprov.lab.lan import Lan
from netprov.lab.process import Process, wait_until
from netprov.lab.server import start_server
from netprov.lab.topology import single_lan
from netprov.state.clock import LeaseClock
from netprov.state.lease import open_store

SERVER_CORE, LOAD_CORE = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")
DROPS = 0.005
LADDER = (100, 200, 300, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 11000,
          12000, 14000, 16000)  # fmt: skip
SAME_RATES = (1000, 2000)
"""Offered to each server for the comparison of CPU time, besides its own highest rate."""

INVENTORY = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.0.0.0/8, address: 10.0.0.1, pool: 10.1.0.0-10.16.255.255, clients: all,
          conflict_check: false, other_servers: allow}
classes:
  mpp: {match: {vendor_class: "CP-*"}, method: dhcp, options: {66: 10.0.0.1, 150: [10.0.0.1]}}
"""

LEASES = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """One run of perfdhcp."""

    offered: int
    sent: int
    completed: int
    seconds: float
    cpu: float
    latency_ms: float

    @property
    def rate(self) -> float:
        """Exchanges completed each second."""
        return self.completed / self.seconds

    @property
    def dropped(self) -> float:
        """Share of exchanges begun that were not completed."""
        return 1 - self.completed / self.sent if self.sent else 1.0

    @property
    def micros(self) -> float:
        """CPU time of the server for one exchange, in microseconds."""
        return self.cpu / self.completed * 1e6 if self.completed else float("inf")


def netprov(lan: Lan, folder: Path) -> Process:
    """Start netprov, as it is served, its log of leases off as with the others."""
    (folder / "site.yaml").write_text(INVENTORY)
    return start_server(lan["server"], folder / "site.yaml", folder / "state", roles=["dhcp"])


def kea(lan: Lan, folder: Path) -> Process:
    """Start Kea with its default store, the memfile."""
    config = {
        "Dhcp4": {
            "interfaces-config": {"interfaces": ["lan0"], "dhcp-socket-type": "udp"},
            "lease-database": {"type": "memfile", "persist": True, "name": f"{folder}/leases.csv"},
            "valid-lifetime": 3600,
            "client-classes": [{"name": "mpp", "test": "substring(option[60].hex,0,3) == 'CP-'"}],
            "subnet4": [
                {
                    "id": 1,
                    "subnet": "10.0.0.0/8",
                    "pools": [{"pool": "10.1.0.0-10.16.255.255"}],
                    "option-data": [
                        {"name": "routers", "data": "10.0.0.1"},
                        {"name": "domain-name-servers", "data": "10.0.0.1"},
                        {"name": "domain-name", "data": "example.com"},
                    ],
                }
            ],
            "loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "WARN"}],
        }
    }
    (folder / "kea.json").write_text(json.dumps(config))
    process = lan["server"].spawn(
        ["kea-dhcp4", "-c", str(folder / "kea.json")],
        environment={"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": "none", "PATH": os.environ["PATH"]},
    )
    wait_until(lambda: listens(lan), what="Kea")
    return process


def dnsmasq(lan: Lan, folder: Path) -> Process:
    """Start dnsmasq."""
    process = lan["server"].spawn(
        [
            *(
                "dnsmasq",
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--log-facility=/dev/null",
                "--no-ping",
            ),
            *("--user=root", "--port=0", "--interface=lan0", "--bind-interfaces", "--quiet-dhcp"),
            *("--dhcp-range=10.1.0.0,10.16.255.255,255.0.0.0,1h", "--dhcp-lease-max=1000000"),
            *(f"--dhcp-leasefile={folder}/dnsmasq.leases", f"--pid-file={folder}/dnsmasq.pid"),
        ]
    )
    wait_until(lambda: listens(lan), what="dnsmasq")
    return process


SERVERS: dict[str, Callable[[Lan, Path], Process]] = {"netprov": netprov, "kea": kea, "dnsmasq": dnsmasq}


def listens(lan: Lan) -> bool:
    """Say whether something hears port 67."""
    return ":67 " in lan["server"].run(["ss", "-lun"]).stdout


def cpu_time(pid: int) -> float:
    """Return the CPU time a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def load(lan: Lan, pid: int, rate: int, seconds: int) -> Run:
    """Offer exchanges at a rate, each of a client never seen before."""
    clients = rate * seconds * 2
    before, began = cpu_time(pid), time.monotonic()
    result = lan["client0"].run(
        [
            *(
                "taskset",
                "-c",
                LOAD_CORE,
                "perfdhcp",
                "-4",
                "-g",
                "single",
                "-l",
                "10.0.0.2",
                "-r",
                str(rate),
            ),
            *(
                "-R",
                str(clients),
                "-p",
                str(seconds),
                "-W",
                "1000000",
                "-o",
                "60,43502d383835312d33504343",
                "10.0.0.1",
            ),
        ],
        timeout=seconds + 60,
    )
    elapsed = time.monotonic() - began
    cpu = cpu_time(pid) - before
    sent = [int(each) for each in re.findall(r"sent packets: (\d+)", result.stdout)]
    received = [int(each) for each in re.findall(r"received packets: (\d+)", result.stdout)]
    latency = [float(each) for each in re.findall(r"avg delay: ([\d.]+)", result.stdout)]
    if len(sent) < 2:
        raise SystemExit(f"perfdhcp says:\n{result.stdout}\n{result.stderr}")
    del elapsed
    return Run(rate, sent[0], received[1], seconds, cpu, sum(latency[:2]))


def fresh(lan: Lan, name: str, work: Callable[[int], Run]) -> Run:
    """Run a load against a server newly started."""
    with tempfile.TemporaryDirectory(prefix="netprov-bench-", dir=os.environ.get("BENCH_DIR")) as folder:
        os.chmod(folder, 0o777)
        process = SERVERS[name](lan, Path(folder))
        try:
            lan["server"].run(["taskset", "-a", "-c", "-p", SERVER_CORE, str(process.pid)])
            return work(process.pid)
        finally:
            process.stop()


def show(name: str, what: str, run: Run) -> None:
    """Print one line."""
    print(
        f"{name:<8} {what:<22} offered {run.offered:>6}/s  completed {run.rate:>8.0f}/s  dropped {run.dropped:>6.2%}  "
        f"CPU {run.micros:>7.1f} us  delay {run.latency_ms:.2f} ms",
        flush=True,
    )


def measure(lan: Lan, name: str, seconds: int) -> tuple[dict[int, Run], Run, Run]:
    """Return the runs at the same rates, at the highest rate without drops, and at four times that."""
    same = {}
    for rate in SAME_RATES:
        same[rate] = fresh(lan, name, lambda pid, rate=rate: load(lan, pid, rate, seconds))  # type: ignore[misc]
        show(name, "same rate", same[rate])
    best: Run | None = None
    failures = 0
    for rate in LADDER:
        if rate < (best.offered if best else 0) or (
            not best and same[SAME_RATES[-1]].dropped < DROPS and rate < SAME_RATES[-1]
        ):
            continue
        run = fresh(lan, name, lambda pid, rate=rate: load(lan, pid, rate, seconds))  # type: ignore[misc]
        show(name, "ladder", run)
        if run.dropped < DROPS:
            best, failures = run, 0
        else:
            failures += 1
        if failures == 2:
            break
    if best is None:
        raise SystemExit(f"{name} drops at every rate")
    show(name, "highest rate", best)
    over = fresh(lan, name, lambda pid: load(lan, pid, 4 * best.offered, seconds))
    show(name, "four times that", over)
    return same, best, over


def start_with_leases(lan: Lan) -> None:
    """Print how long netprov takes to start with many leases, and what memory they take."""
    with tempfile.TemporaryDirectory(prefix="netprov-bench-") as name:
        folder = Path(name)
        (folder / "site.yaml").write_text(INVENTORY)
        times, sizes = [], []
        for count in (0, LEASES):
            state = folder / str(count)
            state.mkdir()
            store = open_store(state)
            clock = LeaseClock(store.anchor())
            now = clock.now()
            leases = (
                Lease(
                    0x0A010000 + number, "voice", b"\x01\x00\x0c" + number.to_bytes(4, "big"),
                    b"\x00\x0c" + number.to_bytes(4, "big"), LeaseState.BOUND, now, now + 3600 + number % 600,
                    "", "CP-8851-3PCC", b"", (),
                )
                for number in range(count)
            )  # fmt: skip
            store.commit([Bound(lease) for lease in leases], clock.anchor())
            store.close()
            began = time.monotonic()
            process = start_server(lan["server"], folder / "site.yaml", state, roles=["dhcp"])
            times.append(time.monotonic() - began)
            status = Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"VmRSS:\s+(\d+)", status)
            assert found is not None
            sizes.append(int(found[1]) / 1024)
            process.stop()
    print(
        f"netprov  start: {times[0]:.2f} s without leases, {times[1]:.2f} s with {LEASES}: {times[1] - times[0]:.2f} s for them"
    )
    print(
        f"netprov  memory: {sizes[0]:.0f} MiB without leases, {sizes[1]:.0f} MiB with: {sizes[1] - sizes[0]:.0f} MiB for them"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=5, help="Length of each run.")
    parser.add_argument("--rate", type=int, help="Only one run of each server at this rate.")
    parser.add_argument("servers", nargs="*", metavar="SERVER", help="netprov, kea, dnsmasq.")
    options = parser.parse_args(arguments)
    found = {}
    with Lan(single_lan(["10.0.0.1/8"], [None])) as lan:
        with lan["client0"].links() as links:
            links.add_address("lan0", "10.0.0.2/8")
        for name in options.servers or SERVERS:
            if options.rate:
                show(
                    name,
                    "one run",
                    fresh(lan, name, lambda pid: load(lan, pid, options.rate, options.seconds)),
                )
            else:
                found[name] = measure(lan, name, options.seconds)
        if "netprov" in found:
            start_with_leases(lan)
    for name, (same, best, over) in found.items():
        rates = ", ".join(f"{run.micros:.0f} us at {rate}/s" for rate, run in same.items())
        print(
            f"{name:<8} CPU per exchange {rates}; highest rate {best.offered}/s ({best.micros:.0f} us); "
            f"under four times that {over.rate:.0f}/s, {over.rate / best.rate:.0%} of it"
        )


if __name__ == "__main__":
    main()

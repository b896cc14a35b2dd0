"""`make bench-dns`: netprov, NSD, Knot, BIND and dnsmasq answer the same zone, one after the other, by dnsperf.

Each server has one worker on one core and dnsperf the other, in a network namespace of their own. Printed for each
load: queries per second, lost queries, octets of a reply, and CPU time of the server for each query, which is the figure
that a busy machine disturbs least, and how much of it was the kernel's. `floor` is a C program that sends every query
back (echo.c, where there is a compiler): nothing can take less. Needs root, two cores and the packages of
tests/lab/packages.txt.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from netprov.lab.netns import Namespace
from netprov.lab.process import Process, run, wait_until
from tests.lab.dns_peers import ADDRESS, PEERS

SECONDS = float(os.environ.get("NETPROV_BENCH_SECONDS", "4"))
PHONES = int(os.environ.get("NETPROV_BENCH_PHONES", "100000"))
TICK = os.sysconf("SC_CLK_TCK")
ONLY = os.environ.get("NETPROV_BENCH_ONLY", "floor netprov nsd knot bind dnsmasq").split()

HEAD = """$ORIGIN example.com.
$TTL 300
@ IN SOA netprov hostmaster 1 3600 600 604800 60
@ IN NS netprov
@ IN A 10.20.0.11
netprov IN A 127.0.0.1
_ciscoprov-https._tls IN SRV 10 60 5060 pr1
_ciscoprov-https._tls IN SRV 10 20 5060 pr2
_ciscoprov-http._tcp IN SRV 10 50 5060 px1
_ciscoprov-http._tcp IN SRV 10 30 5060 px2
pr1 IN A 10.20.0.11
pr2 IN A 10.20.0.12
px1 IN A 10.20.0.13
px2 IN A 10.20.0.14
"""


def address(index: int) -> str:
    """Return the address of a phone."""
    return f"10.{64 + (index >> 16)}.{index >> 8 & 255}.{index & 255}"


def phone_records() -> Iterator[str]:
    """Yield a line for each phone."""
    for index in range(PHONES):
        yield f"sep{index:012x} IN A {address(index)}"


@dataclass(frozen=True)
class Server:
    """A server to measure: how it is set up in a folder, returning its command."""

    name: str
    prepare: Callable[[Path], list[str]]


def netprov(folder: Path) -> list[str]:
    """Prepare ours."""
    (folder / "phones.zone").write_text("\n".join(phone_records()) + "\n")
    (folder / "site.yaml").write_text(
        "domain: example.com\nserver: {name: netprov}\n"
        "networks: {voice: {interface: lo, subnet: 127.0.0.0/24}}\n"
        "hosts: {pr1: 10.20.0.11, pr2: 10.20.0.12, px1: 10.20.0.13, px2: 10.20.0.14}\n"
        "srv:\n"
        "  https: [{target: pr1, port: 5060, weight: 60}, {target: pr2, port: 5060, weight: 20}]\n"
        "  http: [{target: px1, port: 5060, weight: 50}, {target: px2, port: 5060, weight: 30}]\n"
        "dns: {include: [phones.zone]}\n"
    )
    state = folder / "state"
    state.mkdir()
    return [
        sys.executable,
        "-m",
        "netprov",
        "serve",
        "-f",
        f"{folder}/site.yaml",
        "--state",
        str(state),
        "dns",
    ]


def dnsmasq(folder: Path) -> list[str]:
    """Prepare dnsmasq; it has no zones, the same names come from hosts and srv-host lines."""
    hosts = [f"{address(index)} sep{index:012x}.example.com" for index in range(PHONES)]
    hosts += [
        f"10.20.0.{11 + place} {name}.example.com" for place, name in enumerate(("pr1", "pr2", "px1", "px2"))
    ]
    (folder / "hosts").write_text("\n".join([*hosts, "10.20.0.11 example.com"]) + "\n")
    (folder / "dnsmasq.conf").write_text(
        f"port=53\nlisten-address={ADDRESS}\nbind-interfaces\nno-resolv\nno-hosts\naddn-hosts={folder}/hosts\n"
        "local=/example.com/\nuser=root\npid-file=\nlocal-ttl=300\ncache-size=10000\ndns-forward-max=1000\n"
        "srv-host=_ciscoprov-https._tls.example.com,pr1.example.com,5060,10,60\n"
        "srv-host=_ciscoprov-https._tls.example.com,pr2.example.com,5060,10,20\n"
        "srv-host=_ciscoprov-http._tcp.example.com,px1.example.com,5060,10,50\n"
        "srv-host=_ciscoprov-http._tcp.example.com,px2.example.com,5060,10,30\n"
    )
    return ["dnsmasq", "-k", "-C", f"{folder}/dnsmasq.conf"]


def floor(folder: Path) -> list[str]:
    """Compile the echo."""
    program = f"{folder}/echo"
    subprocess.run(["cc", "-O2", "-o", program, Path(__file__).with_name("echo.c")], check=True)
    return [program, ADDRESS]


def _with_zone(prepare: Callable[[Path, Path], list[str]], folder: Path) -> list[str]:
    return prepare(folder, folder / "zone")


SERVERS = [
    Server("floor", floor),
    Server("netprov", netprov),
    *(Server(name, partial(_with_zone, prepare)) for name, prepare in PEERS.items()),
    Server("dnsmasq", dnsmasq),
]


def loads(folder: Path) -> dict[str, tuple[Path, list[str]]]:
    """Write the query files, and return each with further options of dnsperf."""
    srv = "_ciscoprov-https._tls.example.com SRV"
    boot = [
        "example.com A",
        srv,
        "pr1.example.com A",
        "pr2.example.com A",
        "_ciscoprov-http._tcp.example.com SRV",
        "px1.example.com A",
        "px2.example.com A",
        "pr1.example.com AAAA",
        "_sip._udp.example.com SRV",
        "ntp.example.com A",
    ]
    mixed = [
        *boot * 50,
        *(f"sep{index:012x}.example.com A" for index in range(0, PHONES, max(1, PHONES // 500))),
    ]
    step = 7919
    different = [
        f"sep{index * step % PHONES:012x}.example.com A" if index % 2 else f"no{index:x}.example.com A"
        for index in range(400_000)
    ]
    files = {"SRV hits": [srv], "mixed": mixed, "misses": different, "TCP": mixed}
    written = {}
    for name, lines in files.items():
        path = folder / f"{name.replace(' ', '-')}.queries"
        path.write_text("\n".join(lines) + "\n")
        written[name] = path, ["-m", "tcp"] if name == "TCP" else []
    return written


@dataclass(frozen=True)
class Measured:
    """One load at one server; CPU in microseconds a query, and how much of it in the kernel; octets of a reply."""

    rate: float
    lost: int
    cpu: float
    kernel: float
    octets: int


@dataclass(frozen=True)
class Result:
    """One server: seconds and CPU seconds until it first answered, most MiB it had until then, and the loads."""

    began: float
    spent: float
    memory: float
    loads: dict[str, Measured]


def cpu_seconds(pid: int) -> tuple[float, float]:
    """Return the CPU time of a process and all its descendants, and how much of it in the kernel."""
    parents: dict[int, int] = {}
    spent: dict[int, tuple[int, int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry)] = int(fields[1])
            spent[int(entry)] = int(fields[11]), int(fields[12])
    family, grown = {pid}, True
    while grown:
        more = {each for each, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    user, kernel = (sum(times) for times in zip(*(spent.get(each, (0, 0)) for each in family), strict=True))
    return (user + kernel) / TICK, kernel / TICK


def resident(pid: int) -> float:
    """Return the most memory that a process has had, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


def measure(space: Namespace, server: Process, file: Path, options: Sequence[str]) -> Measured:
    """Put one load on a server."""
    clients = ["-c", "8"] if "tcp" in options else ["-c", "4"]
    command = [
        "taskset",
        "-c",
        "1",
        "dnsperf",
        "-s",
        ADDRESS,
        "-d",
        str(file),
        "-l",
        f"{SECONDS:g}",
        "-q",
        "400",
    ]
    before = cpu_seconds(server.pid)
    output = run(space, [*command, *clients, *options], timeout=SECONDS + 30).stdout
    after = cpu_seconds(server.pid)
    completed = int(re.findall(r"Queries completed:\s+(\d+)", output)[0])
    lost = int(re.findall(r"Queries lost:\s+(\d+)", output)[0])
    rate = float(re.findall(r"Queries per second:\s+([\d.]+)", output)[0])
    octets = int(re.findall(r"response (\d+)", output)[0])
    cpu, kernel = ((after[each] - before[each]) / max(1, completed) * 1e6 for each in (0, 1))
    return Measured(rate, lost, cpu, kernel, octets)


def bench(server: Server, folder: Path) -> Result:
    """Start a server, put every load on it, and return the figures."""
    own = folder / server.name
    own.mkdir()
    (own / "zone").write_text(HEAD + "\n".join(phone_records()) + "\n")
    own.chmod(0o777)
    command = server.prepare(own)
    space = Namespace(f"bench-{server.name}")
    try:
        begun = time.monotonic()
        process = Process(space, ["taskset", "-c", "0", *command])
        dig = ["dig", f"@{ADDRESS}", "+short", "+tries=1", "+time=1", f"sep{1:012x}.example.com"]
        expected = "" if server.name == "floor" else address(1)

        def answers() -> bool:
            reply = run(space, dig)
            return reply.returncode == 0 and reply.stdout.strip() == expected

        wait_until(answers, what=server.name, timeout=60)
        began, spent, memory = time.monotonic() - begun, cpu_seconds(process.pid)[0], resident(process.pid)
        figures = {
            name: measure(space, process, *load)
            for name, load in loads(folder).items()
            if server.name != "floor" or name != "TCP"
        }
        process.stop()
    finally:
        space.close()
    return Result(began, spent, memory, figures)


def main() -> None:
    """Measure all servers that are installed, and print the tables."""
    console = Console(width=110)
    folder = Path(tempfile.mkdtemp(prefix="netprov-bench-"))
    folder.chmod(0o755)
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    os.environ["PATH"] = path
    results: dict[str, Result] = {}
    programs = {"floor": "cc", "netprov": sys.executable, "knot": "knotd", "bind": "named"}
    try:
        for server in SERVERS:
            if server.name in ONLY and shutil.which(programs.get(server.name, server.name)):
                results[server.name] = bench(server, folder)
                console.print(f"{server.name}: {results[server.name].began:.1f} s to the first answer")
    finally:
        shutil.rmtree(folder)
    for load in ("SRV hits", "mixed", "misses", "TCP"):
        console.print(table(load, results))
    for name, each in results.items():
        if name != "floor":
            console.print(
                f"{name}: {PHONES:,} phones' records answered after {each.began:.1f} s, "
                f"{each.spent:.1f} s of CPU time, with {each.memory:.0f} MiB"
            )


def table(load: str, results: dict[str, Result]) -> Table:
    """Set the servers side by side under one load."""
    shown = Table(title=load, title_justify="left")
    headings = (
        "server",
        "queries/s",
        "lost",
        "octets",
        "CPU µs/query",
        "the kernel's",
        "netprov's share of it",
    )
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "server" else "right")
    ours = results["netprov"].loads[load].cpu if "netprov" in results else 0.0
    for name, result in results.items():
        each = result.loads.get(load)
        if each:
            share = f"{ours / each.cpu:.2f}" if ours and each.cpu else ""
            shown.add_row(
                name,
                f"{each.rate:,.0f}",
                f"{each.lost:,}",
                f"{each.octets}",
                f"{each.cpu:.2f}",
                f"{each.kernel:.2f}",
                share,
            )
    return shown


if __name__ == "__main__":
    main()

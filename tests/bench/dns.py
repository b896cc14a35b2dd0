"""`make bench-dns`: netprov, NSD, Knot, BIND and dnsmasq answer the same zone, one after the other, by dnsperf.

Each server has one worker on one core and dnsperf the other, in a network namespace of their own. Printed for each
load: queries per second, lost queries, and CPU time of the server for each query, which is the figure that a busy
machine disturbs least. Needs root, two cores and the packages of tests/lab/packages.txt.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from netprov.lab.netns import Namespace
from netprov.lab.process import Process, run, wait_until

SECONDS = float(os.environ.get("NETPROV_BENCH_SECONDS", "4"))
PHONES = int(os.environ.get("NETPROV_BENCH_PHONES", "100000"))
ADDRESS = "127.0.0.1"
TICK = os.sysconf("SC_CLK_TCK")
ONLY = os.environ.get("NETPROV_BENCH_ONLY", "netprov nsd knot bind dnsmasq").split()

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


def nsd(folder: Path) -> list[str]:
    """Prepare NSD, rate limiting off."""
    (folder / "nsd.conf").write_text(
        f'server:\n  ip-address: {ADDRESS}\n  username: ""\n  zonesdir: "{folder}"\n  database: ""\n'
        f'  server-count: 1\n  rrl-ratelimit: 0\n  pidfile: "{folder}/pid"\n  xfrdfile: "{folder}/xfrd"\n'
        f'  xfrdir: "{folder}"\n  zonelistfile: "{folder}/zone.list"\nremote-control:\n  control-enable: no\n'
        f'zone:\n  name: example.com\n  zonefile: "{folder}/zone"\n'
    )
    return ["nsd", "-d", "-c", f"{folder}/nsd.conf"]


def knot(folder: Path) -> list[str]:
    """Prepare Knot."""
    (folder / "knot.conf").write_text(
        f"server:\n    listen: {ADDRESS}@53\n    rundir: {folder}\n    udp-workers: 1\n    tcp-workers: 1\n"
        f"    background-workers: 1\ndatabase:\n    storage: {folder}\n"
        f"zone:\n  - domain: example.com\n    file: {folder}/zone\n    zonefile-sync: -1\n"
    )
    return ["knotd", "-c", f"{folder}/knot.conf"]


def bind(folder: Path) -> list[str]:
    """Prepare BIND."""
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; pid-file "{folder}/pid"; recursion no; session-keyfile none;\n'
        f"  dnssec-validation no; listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ none; }};\n"
        "  minimal-responses yes; tcp-clients 300; };\ncontrols { };\n"
        f'zone example.com {{ type primary; file "{folder}/zone"; }};\n'
    )
    return ["named", "-n", "1", "-f", "-c", f"{folder}/named.conf"]


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


SERVERS = [
    Server("netprov", netprov),
    Server("nsd", nsd),
    Server("knot", knot),
    Server("bind", bind),
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
    """One load at one server; CPU in microseconds a query."""

    rate: float
    lost: int
    cpu: float


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all its descendants."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry)] = int(fields[1])
            spent[int(entry)] = int(fields[11]) + int(fields[12])
    family, grown = {pid}, True
    while grown:
        more = {each for each, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(spent.get(each, 0) for each in family) / TICK


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


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
    spent = cpu_seconds(server.pid) - before
    completed = int(re.findall(r"Queries completed:\s+(\d+)", output)[0])
    lost = int(re.findall(r"Queries lost:\s+(\d+)", output)[0])
    rate = float(re.findall(r"Queries per second:\s+([\d.]+)", output)[0])
    return Measured(rate, lost, spent / max(1, completed) * 1e6)


def bench(server: Server, folder: Path) -> tuple[float, float, dict[str, Measured]]:
    """Start a server, put every load on it, and return seconds to the first answer, MiB, and the figures."""
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
        wait_until(lambda: run(space, dig).stdout.strip() == address(1), what=server.name, timeout=60)
        took = time.monotonic() - begun
        memory = resident(process.pid)
        figures = {name: measure(space, process, *load) for name, load in loads(folder).items()}
        process.stop()
    finally:
        space.close()
    return took, memory, figures


def main() -> None:
    """Measure all servers that are installed, and print the tables."""
    console = Console(width=110)
    folder = Path(tempfile.mkdtemp(prefix="netprov-bench-"))
    folder.chmod(0o755)
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    os.environ["PATH"] = path
    results = {}
    try:
        for server in SERVERS:
            program = server.prepare.__name__.replace("knot", "knotd").replace("bind", "named")
            if server.name not in ONLY or (server.name != "netprov" and not shutil.which(program)):
                continue
            results[server.name] = bench(server, folder)
            console.print(f"{server.name}: {results[server.name][0]:.1f} s to the first answer")
    finally:
        shutil.rmtree(folder)
    for load in ("SRV hits", "mixed", "misses", "TCP"):
        table = Table(title=load, title_justify="left")
        for heading in ("server", "queries/s", "lost", "CPU µs/query", "netprov's share of it"):
            table.add_column(heading, justify="left" if heading == "server" else "right")
        for name, (_, _, figures) in results.items():
            each = figures[load]
            share = results["netprov"][2][load].cpu / each.cpu if "netprov" in results and each.cpu else 0.0
            table.add_row(name, f"{each.rate:,.0f}", f"{each.lost:,}", f"{each.cpu:.2f}", f"{share:.2f}")
        console.print(table)
    for name, (took, memory, _) in results.items():
        console.print(f"{name}: {PHONES:,} phones' records answered after {took:.1f} s, {memory:.0f} MiB")


if __name__ == "__main__":
    main()

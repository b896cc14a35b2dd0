"""Ten thousand emulated phones from one process on one core: what each costs the emulator, and what the servers.

`python -m tests.bench.phone [PHONES [ROAD]]`. The phones' process is pinned to one core, `netprov serve` to the other.

The phones' addresses all belong to one host, so the server has a route to them through it. Without that every phone is a
neighbour of the kernel's, which holds 1,024 of them (net.ipv4.neigh.default.gc_thresh3, one limit for the whole machine)
and drops packets to more: a few in ten thousand then get no answer.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
from pathlib import Path

from netprov.emulator.dhcp import DhcpLink
from netprov.emulator.failure import REALISTIC, Timeouts
from netprov.emulator.fleet import Tally, boot_fleet
from netprov.lab.lan import Host, Lan
from netprov.lab.server import start_server
from netprov.lab.topology import SERVER, HostPlan, Port, Topology
from netprov.phone.handset.identity import MODELS, Identity

INVENTORY = """domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/16, address: 10.20.0.1, pool: 10.20.128.0-10.20.255.250, lease: 10m}}}}
hosts: {{pr1: 10.20.0.1}}
srv: {{http: [{{target: pr1, port: 80}}], https: {https}}}
provisioning: {{bootstrap: false}}
classes: {{phones: {{match: {{vendor_class: "CP-*"}}, {method}, profile: desk}}}}
profiles: {{desk: {{values: {{Proxy_1_: example.com}}}}}}
phones:
"""

ROADS = {
    "SRV, HTTP": ("[]", "method: srv"),
    "SRV, HTTPS": ("[{target: pr1, port: 443}]", "method: srv"),
    "option 66, TFTP": ("[]", "method: dhcp, options: {66: 10.20.0.1}"),
}
AT_ONCE = 64
CLIENT, POOL = "10.20.0.2", "10.20.128.0/17"
PATIENCE = Timeouts(
    60, REALISTIC.dns, REALISTIC.dns_tries, REALISTIC.connect, REALISTIC.answer, REALISTIC.tftp, 0.0
)


def identities(count: int, ca: str) -> list[Identity]:
    """Return phones with MAC addresses in a row."""
    model = MODELS["CP-8851-3PCC"]
    roots = (ca,) if ca else ()
    return [
        Identity((0x02_00_00_00_00_00 + n).to_bytes(6, "big").hex(":"), model, custom_roots=roots)
        for n in range(count)
    ]


def lan_of_one_host() -> Topology:
    """Return a LAN whose one client has the addresses of every phone."""
    server = HostPlan(SERVER, (Port(addresses=("10.20.0.1/16",)),), routes=((POOL, CLIENT),))
    client = HostPlan("client0", (Port(addresses=(f"{CLIENT}/32",)),))
    return Topology((server, client))


def refused_neighbours() -> int:
    """Return how often the kernel's neighbour table was full, on the whole machine (table_fulls, in hexadecimal)."""
    head, *rows = Path("/proc/net/stat/arp_cache").read_text().splitlines()
    column = head.split().index("table_fulls")
    return sum(int(row.split()[column], 16) for row in rows)


def run(client: Host, count: int, ca: str) -> Tally:
    """Boot the fleet on a host, on the first core."""

    async def fleet() -> Tally:
        async with DhcpLink(
            client.interface, draw=random.getrandbits, timeouts=PATIENCE.dhcp, many=True
        ) as link:
            return await boot_fleet(identities(count, ca), link, at_once=AT_ONCE, timeouts=PATIENCE)

    with client.entered():
        os.sched_setaffinity(0, {0})
        return asyncio.run(fleet())


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(count: int = 10_000, only: str = "") -> None:
    """Measure each road, or the one whose name contains `only`."""
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    print(f"{count} phones, {AT_ONCE} at once; CPU in milliseconds a phone")
    print(
        f"{'road':18} {'provisioned':>12} {'seconds':>8} {'a second':>9} {'emulator':>9} {'servers':>8} {'median boot':>12}"
    )
    cores = sorted(os.sched_getaffinity(0))
    for road, (https, method) in ROADS.items():
        if only not in road:
            continue
        os.sched_setaffinity(0, set(cores))
        with tempfile.TemporaryDirectory() as folder, Lan(lan_of_one_host()) as lan:
            inventory, state = Path(folder) / "netprov.yaml", Path(folder) / "state"
            listed = (
                f"  - {{mac: {each.mac}, model: {each.model.name}}}\n" for each in identities(count, "")
            )
            inventory.write_text(INVENTORY.format(https=https, method=method) + "".join(listed))
            state.mkdir()
            server = start_server(lan["server"], inventory, state)
            os.sched_setaffinity(server.pid, {cores[-1]})
            ca = (state / "pki" / "ca.pem").read_text() if "HTTPS" in road else ""
            before, full = cpu_of(server.pid), refused_neighbours()
            tally = run(lan["client0"], count, ca)
            served = cpu_of(server.pid) - before
        median = statistics.median(tally.times) * 1000
        print(
            f"{road:18} {tally.provisioned:>12} {tally.seconds:>8.1f} {tally.phones / tally.seconds:>9.0f} "
            f"{tally.cpu / tally.phones * 1000:>9.2f} {served / tally.phones * 1000:>8.2f} {median:>9.1f} ms"
        )
        if full := refused_neighbours() - full:
            print(f"    the kernel's neighbour table was full {full} times: other programs fill it too")
        for reason, times in tally.reasons.most_common(3):
            print(f"    {times} not: {reason}")


if __name__ == "__main__":
    main(*(int(text) if text.isdigit() else text for text in sys.argv[1:]))  # type: ignore[arg-type]

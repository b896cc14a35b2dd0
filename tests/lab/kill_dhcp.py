"""`kill -9` at random moments under perfdhcp's load: what was acknowledged is on file, nothing was given twice.

    make kill-dhcp        or: python -m tests.lab.kill_dhcp [RUNS]

What was acknowledged is what tcpdump saw arrive at the load; one lease file lives through all the runs.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from netprov.dhcp import message as dhcp
from netprov.dhcp.lease import LeaseState
from netprov.dhcp.message import Type
from netprov.errors import Malformed
from netprov.lab.lan import Lan
from netprov.lab.process import Process, wait_until
from netprov.lab.server import start_server
from netprov.lab.topology import single_lan
from netprov.state.lease import LeaseReader

INVENTORY = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.0.0.0/8, address: 10.0.0.1, pool: 10.1.0.0-10.4.255.255, clients: all,
          conflict_check: false, other_servers: allow}
"""


PATIENCE_S = 60.0
"""How long a busy machine may take for what takes a moment, in seconds."""


def acknowledged(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield hardware and IP address of every ACK in a capture, in order; read by scapy, decoded by us."""
    from scapy.layers.dhcp import BOOTP
    from scapy.utils import PcapReader

    with PcapReader(str(path)) as packets:
        for packet in packets:
            try:
                reply = dhcp.decode(bytes(packet[BOOTP]))
            except (Malformed, IndexError):
                continue
            if reply.type == Type.ACK:
                yield reply.chaddr, reply.yiaddr


def kill_again_and_again(folder: Path, runs: int, *, rate: int = 400, seed: int = 0) -> int:
    """Return how many leases were acknowledged; raise AssertionError for one lost or given twice."""
    draw = random.Random(seed)
    (folder / "site.yaml").write_text(INVENTORY)
    holders: dict[int, bytes] = {}
    with Lan(single_lan(["10.0.0.1/8"], [None])) as lan:
        with lan["client0"].links() as links:
            links.add_address("lan0", "10.0.0.2/8")
        for run in range(runs):
            capture = folder / f"{run}.pcap"
            server = start_server(lan["server"], folder / "site.yaml", folder / "state", roles=["dhcp"])
            tcpdump = lan["client0"].spawn(
                ["tcpdump", "-i", "lan0", "-n", "-U", "-B", "8192", "-w", str(capture), "udp src port 67"]
            )
            tcpdump.wait_for("listening on", timeout=PATIENCE_S)
            load = lan["client0"].spawn(
                [
                    *("perfdhcp", "-4", "-g", "single", "-l", "10.0.0.2", "-r", str(rate), "-R", "1000000"),
                    *("-p", "60", "-b", f"mac=00:0c:{run:02x}:00:00:00", "10.0.0.1"),
                ]
            )
            wait_for_answers(capture, load)
            time.sleep(draw.uniform(0, 1.5))
            server.kill()
            load.kill()
            tcpdump.stop()
            check(folder / "state", list(acknowledged(capture)), holders)
    return len(holders)


def wait_for_answers(capture: Path, load: Process) -> None:
    """Wait until the load has had some dozen answers; raise AssertionError if it has ended instead."""

    def look() -> bool:
        assert load.exit_code is None, f"perfdhcp ended: {load.output}"
        return capture.stat().st_size > 20_000

    wait_until(look, what="acknowledgements", timeout=PATIENCE_S)


def check(state: Path, acks: list[tuple[bytes, int]], holders: dict[int, bytes]) -> None:
    """Compare the load's view with the store, and with all that was acknowledged before."""
    stored = {lease.address: lease for lease in LeaseReader(state).leases()}
    for mac, address in acks:
        assert holders.setdefault(address, mac) == mac, f"{dhcp.dotted(address)} given twice"
    for address, mac in holders.items():
        lease = stored.get(address)
        assert lease is not None, f"{dhcp.dotted(address)} lost"
        assert (lease.mac, lease.state) == (mac, LeaseState.BOUND)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    began = int(time.time())
    with tempfile.TemporaryDirectory(prefix="netprov-kill-") as name:
        found = kill_again_and_again(Path(name), wanted, seed=began)
    print(f"{wanted} kills (seed {began}): {found} leases acknowledged, none lost, none given twice")

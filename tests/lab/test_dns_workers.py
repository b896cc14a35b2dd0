"""Several processes answer at one address; a reload reaches all of them, and one that dies is replaced."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import dns.message
import dns.query
import pytest

from netprov.lab.lan import Host
from netprov.lab.server import start_server
from tests.lab.conftest import MakeLan, wait_until

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
hosts: {{pr1: {address}}}
dns: {{workers: 3}}
"""


def answers(host: Host) -> set[str]:
    """Ask from twelve ports, so that every worker is likely to be asked."""
    found = set()
    with host.entered():
        for _ in range(12):
            try:
                reply = dns.query.udp(dns.message.make_query("pr1.example.com", "A"), "10.20.0.1", timeout=1)
            except dns.exception.Timeout:
                return {"no answer"}
            found |= {data.to_text() for data in reply.answer[0]}
    return found


def listeners(host: Host) -> int:
    with host.entered():
        lines = Path("/proc/thread-self/net/udp").read_text().splitlines()
    return sum(1 for line in lines if line.split()[1].endswith(":0035"))


def test_workers_share_the_port_and_follow_reloads(make_lan: MakeLan, tmp_path: Path) -> None:
    server = make_lan(server=["10.20.0.1/24"], clients=[])["server"]
    inventory = tmp_path / "site.yaml"
    inventory.write_text(INVENTORY.format(address="10.20.0.11"))
    process = start_server(server, inventory, tmp_path / "state", roles=["dns"])
    assert listeners(server) == 3
    assert answers(server) == {"10.20.0.11"}

    inventory.write_text(INVENTORY.format(address="10.20.0.99"))
    process.signal(signal.SIGHUP)
    wait_until(lambda: answers(server) == {"10.20.0.99"}, what="the reload")

    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    workers = [each for each in children if "spawn_main" in Path(f"/proc/{each}/cmdline").read_text()]
    assert len(workers) == 2
    os.kill(int(workers[0]), signal.SIGKILL)
    wait_until(lambda: "another takes its place" in process.output, what="the replacement")
    wait_until(lambda: listeners(server) == 3, what="its socket")
    wait_until(lambda: answers(server) == {"10.20.0.99"}, what="answers of all")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    wait_until(lambda: not server.namespace.processes(), what="the workers to end")

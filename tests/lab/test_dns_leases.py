"""The name that a client tells DHCP is in DNS while its lease lasts."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from netprov.lab.server import start_server
from tests.lab.clients import hook
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

INVENTORY = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, clients: all, other_servers: allow}}
"""


def test_name_appears_with_the_lease_and_goes_with_it(make_lan: MakeLan, tmp_path: Path) -> None:
    lan = make_lan(server=["10.20.0.1/24"], clients=[None])
    server, client = lan["server"], lan["client0"]
    inventory = tmp_path / "site.yaml"
    inventory.write_text(INVENTORY)
    start_server(server, inventory, tmp_path / "state", roles=["dns", "dhcp"])

    def ask(*question: str) -> list[str]:
        return server.run([needs("dig"), "@10.20.0.1", "+short", *question]).stdout.split()

    assert ask("alpha.example.com", "A") == []
    serial = int(ask("example.com", "SOA")[2])
    udhcpc = [
        needs("udhcpc"),
        "-i",
        client.interface,
        "-f",
        "-R",
        "-x",
        "hostname:Alpha",
        "-s",
        str(hook(tmp_path)),
    ]
    process = client.spawn(udhcpc)
    (address,) = wait_until(lambda: ask("alpha.example.com", "A"), what="the name")
    assert ask("-x", address) == ["alpha.example.com."]
    assert int(ask("example.com", "SOA")[2]) == serial + 1
    # The name may be there before the client has its address, without which it cannot release the lease.
    wait_until((tmp_path / "hook.out").exists, what="the end of the client's hook")
    process.signal(signal.SIGTERM)
    process.wait()
    wait_until(lambda: not ask("alpha.example.com", "A"), what="the name to go")
    assert ask("-x", address) == []

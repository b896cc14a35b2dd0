"""Where strangers must show a cookie, real clients that know cookies come back with one, and others come over TCP."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.lab.lan import Host
from netprov.lab.server import start_server
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

SERVER, STRANGER = "10.20.0.1", "10.99.0.2"
INVENTORY = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
hosts: {pr1: 10.20.0.11}
dns: {cookies: required}
"""


@pytest.fixture
def stranger(make_lan: MakeLan, tmp_path: Path) -> Host:
    """Return a host beside the LAN that has an address of another network as well."""
    lan = make_lan(server=[f"{SERVER}/24", "10.99.0.1/24"], clients=[None])
    client = lan["client0"]
    with client.links() as links:
        links.add_address(client.interface, "10.20.0.2/24")
        links.add_address(client.interface, f"{STRANGER}/24")
    inventory = tmp_path / "site.yaml"
    inventory.write_text(INVENTORY)
    start_server(lan["server"], inventory, tmp_path / "state", roles=["dns"])
    wait_until(lambda: "10.20.0.11" in dig(client, "10.20.0.2", "+nocookie"), what="DNS", timeout=10)
    return client


def dig(client: Host, source: str, *options: str) -> str:
    command = [
        needs("dig"),
        f"@{SERVER}",
        "-b",
        source,
        "+tries=1",
        "+time=2",
        *options,
        "pr1.example.com",
        "A",
    ]
    return client.run(command, timeout=20).stdout


def test_stranger_comes_back_with_the_cookie_or_over_tcp(stranger: Host) -> None:
    first = dig(stranger, STRANGER, "+cookie", "+nobadcookie")
    assert "status: BADCOOKIE" in first
    assert "10.20.0.11" not in first
    again = dig(stranger, STRANGER, "+cookie", "+badcookie")
    assert "BADCOOKIE, retrying" in again
    assert "10.20.0.11" in again
    plain = dig(stranger, STRANGER, "+nocookie")
    assert "retrying in TCP mode" in plain
    assert "10.20.0.11" in plain
    assert "10.20.0.11" not in dig(stranger, STRANGER, "+nocookie", "+ignore")
    kdig = [needs("kdig"), f"@{SERVER}", "-b", STRANGER, "+cookie", "pr1.example.com", "A"]
    assert "10.20.0.11" in stranger.run(kdig, timeout=20).stdout


def test_dig_gets_a_cookie_alone(stranger: Host) -> None:
    said = dig(stranger, STRANGER, "+cookie", "+header-only", "+qr")
    _, _, reply = said.partition(";; Got answer:")
    assert "status: NOERROR" in reply
    assert "QUERY: 0, ANSWER: 0" in reply
    assert "(good)" in reply

"""DNS answers honest hosts while somebody asks in the names of hosts that there are not, whose answers wait for ARP."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dns.message
import dns.query
import pytest

from netprov.emulator.dhcp import interface_mac
from netprov.lab.lan import Lan
from netprov.lab.server import start_server
from netprov.mac import parse_mac
from tests.hostile.attack import compile_flood
from tests.hostile.frames import Hostile, write_frames
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/22}}
hosts: {pr1: 10.20.0.1}
srv: {https: [{target: pr1, port: 443}]}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
"""
RATE = 2_000
LASTS_S = 4.0
"""Longer than an answer waits for ARP (3 s): all that can pile up has."""


class Asking(Hostile):
    """A host that asks for the address of a server that there is, in the names of hosts that there are not."""

    def asks(self, count: int) -> Iterator[bytes]:
        """Yield frames."""
        for number in range(count):
            question = dns.message.make_query("pr1.example.com", "A", id=number & 0xFFFF).to_wire()
            yield self._udp(f"10.20.{1 + number % 2}.{1 + number % 251}", 53, question)


@contextmanager
def asked(lan: Lan, folder: Path) -> Iterator[None]:
    """Let a host ask like that, and wait until the server's answers have no room."""
    with lan["server"].entered():
        mac = parse_mac(interface_mac("lan0"))
    write_frames(folder / "frames", Asking("10.20.0.1", mac, []).asks(10_000))
    flood = lan["client1"].spawn([compile_flood(folder), "lan0", str(folder / "frames"), str(RATE), "60"])
    try:
        yield
    finally:
        flood.stop()


def test_answers_that_wait_for_arp_leave_room_for_those_that_do_not(
    make_lan: MakeLan, tmp_path: Path
) -> None:
    needs("cc")
    lan = make_lan(server=["10.20.0.1/22"], clients=[None, None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.50/22")
    server = start_server(lan["server"], _site(tmp_path), tmp_path / "state", roles=["dns"])
    question = dns.message.make_query("pr1.example.com", "A")
    with lan["client0"].entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing(client), asked(lan, tmp_path):
        client.connect(("10.20.0.1", 53))
        client.settimeout(1)
        wait_until(lambda: _unresolved(lan) > 100, what="hosts that there are not")
        ends = time.monotonic() + LASTS_S
        while time.monotonic() < ends:
            client.send(question.to_wire())
            # At once, or never: a TimeoutError is what it looked like for whoever asked.
            assert question.is_response(dns.message.from_wire(client.recv(4096)))
    server.stop()


def _unresolved(lan: Lan) -> int:
    return lan["server"].run(["ip", "neighbour", "show", "nud", "incomplete"]).stdout.count("INCOMPLETE")


def _site(folder: Path) -> Path:
    path = folder / "site.yaml"
    path.write_text(SITE)
    return path

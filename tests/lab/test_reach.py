"""What leaves at once is what `ip neighbour` knows, what a router takes, and what stays on this machine."""

from __future__ import annotations

import socket
import sys
from contextlib import closing
from functools import partial
from ipaddress import ip_address

import pytest

from netprov.lab.lan import Host
from netprov.runtime.net.reach import Reach
from tests.lab.conftest import MakeLan, wait_until

pytestmark = pytest.mark.lab


def say(host: Host, address: str) -> None:
    """Send a datagram, which the kernel must resolve its neighbour for."""
    with host.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"", (address, 9))


def has_entry(host: Host, address: str, word: str) -> bool:
    return word in host.run(["ip", "neighbour", "show", "to", address]).stdout


@pytest.mark.parametrize(
    ("address", "at_once"),
    [
        ("10.20.0.50", True),  # asked, and there
        ("10.20.0.51", False),  # asked, and not there
        ("10.20.0.52", False),  # never asked
        ("10.20.0.60", True),  # entered by hand
        ("10.20.0.1", True),  # ourselves
        ("127.0.0.1", True),
        ("192.0.2.9", True),  # by way of a router, who is known or not
        ("10.21.0.9", False),  # of the second network on this link
        ("2001:db8:20::50", False),  # of IPv6 nothing is known
    ],
)
def test_packet_leaves_at_once_to_whom_the_kernel_knows(
    make_lan: MakeLan, address: str, *, at_once: bool
) -> None:
    lan = make_lan(server=["10.20.0.1/24", "10.21.0.1/24"])
    server, client = lan["server"], lan["client0"]
    with client.links() as links:
        links.add_address("lan0", "10.20.0.50/24")
    for host, word in (("10.20.0.50", "lladdr"), ("10.20.0.51", "INCOMPLETE")):
        say(server, host)
        wait_until(partial(has_entry, server, host, word), what=host)
    entry = ["10.20.0.60", "lladdr", "02:00:00:00:00:60", "dev", "lan0", "nud", "permanent"]
    assert server.run(["ip", "neighbour", "add", *entry]).returncode == 0
    packed = ip_address(address).packed
    origin = int.from_bytes(packed, sys.byteorder) if len(packed) == 4 else packed
    with server.entered(), closing(Reach(lambda: 0.0)) as reach:
        assert reach.at_once(origin) == at_once


def test_host_that_has_come_is_known_at_once_and_one_that_has_gone_after_a_while(make_lan: MakeLan) -> None:
    lan, now = make_lan(), [0.0]
    server = lan["server"]
    origin = int.from_bytes(ip_address("10.20.0.60").packed, sys.byteorder)
    reach = Reach(lambda: now[0])
    with server.entered(), closing(reach):
        assert not reach.at_once(origin)
        entry = ["10.20.0.60", "lladdr", "02:00:00:00:00:60", "dev", "lan0", "nud", "permanent"]
        server.run(["ip", "neighbour", "add", *entry])
        assert reach.at_once(origin)
        server.run(["ip", "neighbour", "del", *entry[:1], "dev", "lan0"])
        assert reach.at_once(origin)
        now[0] = 1.0
        assert not reach.at_once(origin)

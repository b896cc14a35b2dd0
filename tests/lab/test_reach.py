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
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.entered(), socket.socket(family, socket.SOCK_DGRAM) as sock:
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
        ("2001:db8:20::50", True),
        ("2001:db8:20::51", False),
        ("2001:db8:20::1", True),
        ("2001:db8:99::1", True),
        ("::1", True),
    ],
)
def test_packet_leaves_at_once_to_whom_the_kernel_knows(
    make_lan: MakeLan, address: str, *, at_once: bool
) -> None:
    lan = make_lan(server=["10.20.0.1/24", "10.21.0.1/24", "2001:db8:20::1/64"])
    server, client = lan["server"], lan["client0"]
    with client.links() as links:
        links.add_address("lan0", "10.20.0.50/24")
        links.add_address("lan0", "2001:db8:20::50/64")
    for there in ("10.20.0.50", "2001:db8:20::50"):
        say(server, there)
        wait_until(partial(has_entry, server, there, "lladdr"), what=there)
    for absent in ("10.20.0.51", "2001:db8:20::51"):
        say(server, absent)
        wait_until(partial(has_entry, server, absent, "INCOMPLETE"), what=absent)
    entry = ["10.20.0.60", "lladdr", "02:00:00:00:00:60", "dev", "lan0", "nud", "permanent"]
    assert server.run(["ip", "neighbour", "add", *entry]).returncode == 0
    packed = ip_address(address).packed
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    origin = int.from_bytes(packed, sys.byteorder) if len(packed) == 4 else packed
    with server.entered(), closing(Reach(family, lambda: 0.0)) as reach:
        assert reach.at_once(origin) == at_once


def test_host_that_has_come_is_known_at_once_and_one_that_has_gone_after_a_while(make_lan: MakeLan) -> None:
    lan, now = make_lan(), [0.0]
    server = lan["server"]
    origin = int.from_bytes(ip_address("10.20.0.60").packed, sys.byteorder)
    reach = Reach(socket.AF_INET, lambda: now[0])
    with server.entered(), closing(reach):
        assert not reach.at_once(origin)
        entry = ["10.20.0.60", "lladdr", "02:00:00:00:00:60", "dev", "lan0", "nud", "permanent"]
        server.run(["ip", "neighbour", "add", *entry])
        assert reach.at_once(origin)
        server.run(["ip", "neighbour", "del", *entry[:1], "dev", "lan0"])
        assert reach.at_once(origin)
        now[0] = 1.0
        assert not reach.at_once(origin)


def test_where_the_kernel_does_not_tell_no_host_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a unit that may not open AF_NETLINK."""

    def refuse(*_: object) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refuse)
    reach = Reach(socket.AF_INET, lambda: 0.0)
    assert not reach.at_once(1)

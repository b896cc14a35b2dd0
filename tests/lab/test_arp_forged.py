"""A host that sends ARP in the names of phones takes no phone's place, where the table of neighbours is held to the leases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netprov.emulator.dhcp import interface_mac
from netprov.lab.lan import Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

PHONE = "00:12:34:ab:45:de"
ADDRESS = "10.20.0.50"
SITE = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}
dhcp: {{pin_neighbours: {pinned}}}
classes: {{web: {{method: dhcp, options: {{66: "http://10.20.0.1"}}}}}}
phones:
  - {{mac: {phone}, model: CP-8851-3PCC, class: web, address: {address}}}
"""
FORGED_EACH_SECOND = 500


class Site:
    """A server, a phone that has a lease, and a host that wants its place."""

    def __init__(self, make_lan: MakeLan, folder: Path) -> None:
        self.folder = folder
        self.lan: Lan = make_lan(server=["10.20.0.1/24"], clients=[PHONE, None])
        self.phone, self.server = self.lan["client0"], self.lan["server"]
        self.process: Process

    def serve(self, *, pinned: bool) -> None:
        """Start the server, or start it again."""
        self.write(pinned=pinned)
        self.process = start_server(
            self.server, self.folder / "site.yaml", self.folder / "state", roles=["dhcp", "http"]
        )
        wait_until(lambda: "no other DHCP server answers" in self.process.output, what="offers")

    def write(self, *, pinned: bool) -> None:
        """Write the inventory."""
        text = SITE.format(phone=PHONE, address=ADDRESS, pinned=str(pinned).lower())
        (self.folder / "site.yaml").write_text(text)

    def lease(self) -> None:
        """Let the phone have its lease, by a client that is not ours, and its address."""
        done = self.phone.run(
            ["busybox", "udhcpc", "-i", "lan0", "-n", "-q", "-f", "-s", "/bin/true", "-O", "66"], timeout=60
        )
        assert f"lease of {ADDRESS} obtained" in done.stdout + done.stderr
        if not self.phone.run(["ip", "address", "show", "to", ADDRESS]).stdout:
            with self.phone.links() as links:
                links.add_address("lan0", f"{ADDRESS}/24")

    def release(self) -> None:
        """Let an operator take the lease back."""
        words = [
            sys.executable,
            "-m",
            "netprov",
            "leases",
            "release",
            ADDRESS,
            "--state",
            str(self.folder / "state"),
        ]
        done = self.server.run(words)
        assert done.returncode == 0, done.stdout + done.stderr

    def entry(self, address: str = ADDRESS) -> str:
        """Return what `ip neighbour` says of an address."""
        return self.server.run(["ip", "neighbour", "show", "to", address]).stdout.strip()

    def fetch(self) -> bool:
        """Say whether the phone gets its profile."""
        url = f"http://10.20.0.1/Cisco/CP-8851-3PCC/{PHONE.replace(':', '')}.cfg"
        done = self.phone.run(
            ["curl", "-sS", "--max-time", "3", "-o", "/dev/null", "-w", "%{http_code}", url]
        )
        return done.stdout == "200"

    @contextmanager
    def forged(self) -> Iterator[None]:
        """Let the other host ask for the server's address in the phone's name, again and again."""
        other = self.lan["client1"]
        with other.entered():
            mine = interface_mac("lan0")
        program = _FORGE.format(mac=mine, address=ADDRESS, each=1 / FORGED_EACH_SECOND)
        forger = other.spawn([sys.executable, "-c", program])
        try:
            wait_until(lambda: "begun" in forger.output, what="forged ARP")
            yield
        finally:
            forger.stop()


_FORGE = """
import socket, time
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("lan0", 0x0806))
mine = bytes.fromhex("{mac}".replace(":", ""))
body = bytes.fromhex("0001080006040001") + mine + socket.inet_aton("{address}") + bytes(6) + socket.inet_aton("10.20.0.1")
frame = b"\\xff" * 6 + mine + b"\\x08\\x06" + body
sock.send(frame)
print("begun", flush=True)
while True:
    sock.send(frame)
    time.sleep({each})
"""


@pytest.fixture
def site(make_lan: MakeLan, tmp_path: Path) -> Site:
    needs("busybox")
    needs("curl")
    return Site(make_lan, tmp_path)


def test_forged_arp_takes_a_phone_nothing_where_leases_are_pinned(site: Site) -> None:
    site.serve(pinned=True)
    site.lease()
    assert "PERMANENT" in site.entry()
    assert PHONE in site.entry()
    with site.forged():
        assert [site.fetch() for _ in range(5)] == [True] * 5


def test_it_takes_everything_where_they_are_not(site: Site) -> None:
    """What the setting is for: ARP is believed by everybody (RFC 826)."""
    site.serve(pinned=False)
    site.lease()
    assert site.fetch()
    with site.forged():
        assert not all(site.fetch() for _ in range(5))


def test_entries_follow_the_leases(site: Site) -> None:
    site.serve(pinned=True)
    mine = ["10.20.0.77", "lladdr", "02:00:00:00:00:77", "dev", "lan0", "nud", "permanent"]
    site.server.run(["ip", "neighbour", "add", *mine])  # an operator's own entry is nobody else's business
    site.lease()
    site.release()
    wait_until(lambda: "PERMANENT" not in site.entry(), what="the entry to go with its lease")
    site.lease()
    assert "PERMANENT" in site.entry()
    site.process.signal(9)
    site.process.wait()
    assert "PERMANENT" in site.entry()
    site.serve(pinned=True)
    assert "PERMANENT" in site.entry()
    site.write(pinned=False)
    site.process.signal(1)
    wait_until(lambda: "PERMANENT" not in site.entry(), what="the entry to go with the setting")
    site.write(pinned=True)
    site.process.signal(1)
    wait_until(lambda: "PERMANENT" in site.entry(), what="the entry to come with the setting")
    site.process.signal(15)
    assert site.process.wait() == 0
    assert "PERMANENT" not in site.entry()
    assert "PERMANENT" in site.entry("10.20.0.77")


def test_what_a_killed_server_left_goes_if_the_lease_is_gone(site: Site) -> None:
    site.serve(pinned=True)
    site.lease()
    site.process.signal(9)
    site.process.wait()
    for lease in (site.folder / "state" / "leases").iterdir():
        lease.unlink()
    site.serve(pinned=True)
    assert "PERMANENT" not in site.entry()


def test_server_that_may_not_says_so_once_and_serves(site: Site) -> None:
    needs("capsh")
    site.write(pinned=True)
    words = [
        "capsh",
        "--drop=cap_net_admin",
        "--",
        "-c",
        _SERVE.format(python=sys.executable, folder=site.folder),
    ]
    site.process = site.server.spawn(words)
    wait_until(lambda: "no other DHCP server answers" in site.process.output, what="offers")
    site.lease()
    assert site.process.output.count("needs CAP_NET_ADMIN") == 1
    assert site.fetch()


_SERVE = "exec {python} -m netprov serve -f {folder}/site.yaml --state {folder}/state dhcp http"

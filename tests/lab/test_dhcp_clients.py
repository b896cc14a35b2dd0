"""Four clients that are not ours obtain, renew, rebind, release and obtain again; directly and through a relay agent."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from netprov.dhcp.lease import Lease, LeaseState
from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.state.lease import LeaseReader
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

MACS = {
    "udhcpc": "02:00:00:00:00:01",
    "dhclient": "02:00:00:00:00:02",
    "dhcpcd": "02:00:00:00:00:03",
    "networkd": "02:00:00:00:00:04",
}
LEASE_S = 20
"""Udhcpc takes a lease of less than 16 s for one of 16 s."""

URL = "http://h/$PSN.xml"
PRIVATE = "0102fffe"
INVENTORY = """
domain: example.com
networks:
  near: {interface: lan0, subnet: 10.20.0.0/24, other_servers: allow, conflict_check: false, lease: LEASE, lease_min: 4s}
  far: {subnet: 10.30.0.0/24, router: 10.30.0.1, conflict_check: false, lease: LEASE, lease_min: 4s}
classes:
  lab:
    match: {vendor_class: CP-8851-3PCC}
    method: dhcp
    options: {160: 'http://h/$PSN.xml', 150: [10.20.0.1, 10.20.0.2], 224: {raw: '0x0102fffe'}}
"""

HOOK = """#!/bin/sh
case "$reason$1" in
  bound|renew|BOUND|RENEW|REBIND|REBOOT) ;;
  *) exit 0 ;;
esac
busybox ifconfig "$interface" "${ip:-$new_ip_address}" netmask "${subnet:-$new_subnet_mask}"
busybox route add default gw "${router:-$new_routers}" 2>/dev/null
env > FOLDER/given.new && mv FOLDER/given.new FOLDER/given
"""

DHCLIENT = """
option space np;
option url code 160 = text;
option tftp code 150 = array of ip-address;
option private code 224 = string;
initial-interval 1;
backoff-cutoff 2;
send vendor-class-identifier "CP-8851-3PCC";
request subnet-mask, routers, domain-name, domain-name-servers, url, tftp, private;
"""
DHCPCD = """
define 160 string url
define 150 array ipaddress tftp
define 224 binhex private
option url, tftp, private, domain_name, domain_name_servers, routers
vendorclassid CP-8851-3PCC
noarp
noipv4ll
"""
NETWORKD = """
[Match]
Name=lan0
[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no
[DHCPv4]
VendorClassIdentifier=CP-8851-3PCC
RequestOptions=150 160 224
ClientIdentifier=mac
UseDomains=yes
"""


@dataclass
class Client:
    """A real client on a host: how it is started, told to release, and what it was given."""

    name: str
    host: Host
    folder: Path
    process: Process | None = None

    def start(self) -> None:
        hook = self.folder / "hook"
        hook.write_text(HOOK.replace("FOLDER", str(self.folder)))
        hook.chmod(0o755)
        (self.folder / "given").unlink(missing_ok=True)
        command: Callable[[Path], Sequence[str]] = getattr(self, f"_{self.name}")
        self.process = self.host.spawn(command(hook))

    def release(self) -> None:
        assert self.process is not None
        if self.name == "udhcpc":
            self.process.signal(12)
        elif self.name == "dhclient":
            self.process.stop()
            words = (*self._dhclient(self.folder / "hook"), "-r")
            self.host.run([word for word in words if word not in {"-d", "-1"}], timeout=20)
        elif self.name == "dhcpcd":
            self.process.signal(14)  # SIGALRM: release and exit, dhcpcd(8)
        else:
            self.process.stop()

    def given(self) -> str:
        found = self.folder / ("net/leases" if self.name == "networkd" else "given")
        if found.is_dir():
            return "\n".join(each.read_text() for each in found.iterdir())
        return found.read_text() if found.exists() else ""

    def _udhcpc(self, hook: Path) -> Sequence[str]:
        wanted = [word for code in (150, 160, 224) for word in ("-O", str(code))]
        return [
            needs("udhcpc"),
            "-i",
            "lan0",
            "-f",
            "-s",
            str(hook),
            "-V",
            "CP-8851-3PCC",
            "-t",
            "9",
            "-T",
            "1",
            *wanted,
        ]

    def _dhclient(self, hook: Path) -> Sequence[str]:
        (self.folder / "conf").write_text(DHCLIENT)
        files = [
            word
            for flag in ("cf", "lf", "pf")
            for word in (f"-{flag}", str(self.folder / flag.replace("cf", "conf")))
        ]
        return [needs("dhclient"), "-4", "-1", "-d", *files, "-sf", str(hook), "lan0"]

    def _dhcpcd(self, hook: Path) -> Sequence[str]:
        (self.folder / "conf").write_text(DHCPCD)
        program = f"exec {needs('dhcpcd')} -4 -B -f {self.folder}/conf -c {hook} lan0"
        return _alone(f"mount -t tmpfs t /run && mount -t tmpfs t /var/lib/dhcpcd && {program}")

    def _networkd(self, hook: Path) -> Sequence[str]:
        net = self.folder / "net"
        for name in ("leases", "links", "lldp"):
            (net / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "10.network").write_text(NETWORKD)
        program = needs("/lib/systemd/systemd-networkd")
        return _alone(
            "mount -t tmpfs t /run && mkdir -p /run/systemd/netif /run/systemd/network && "
            f"cp {self.folder}/10.network /run/systemd/network && mount --bind {net} /run/systemd/netif && "
            f"chmod -R a+rwX {net} && mount -t sysfs -o ro s /sys && exec {program}"
        )


def _alone(script: str) -> Sequence[str]:
    """Run a script with mounts of its own: such clients keep their state in fixed places."""
    return [needs("unshare"), "-m", "sh", "-c", script]


@dataclass(frozen=True)
class Scene:
    """Where the clients are, and the server's view of them."""

    lan: Lan
    clients: dict[str, Client]
    state: Path
    inventory: Path

    def lease(self, name: str) -> Lease | None:
        mac = bytes.fromhex(MACS[name].replace(":", ""))
        return next((lease for lease in LeaseReader(self.state).leases() if lease.mac == mac), None)

    def wait(self, name: str, condition: Callable[[Lease], bool], what: str, timeout: float) -> Lease:
        def look() -> Lease | None:
            lease = self.lease(name)
            return lease if lease is not None and condition(lease) else None

        client = self.clients[name]
        try:
            found = wait_until(look, what=f"{what} of {name}", timeout=timeout)
        except Exception as error:
            output = client.process.output if client.process else ""
            raise AssertionError(f"{error}; it has {self.lease(name)} and says:\n{output}") from error
        assert found is not None
        return found

    def wait_longer(self, name: str, before: Lease, what: str) -> Lease:
        """Wait until a lease runs longer than it did."""
        return self.wait(name, lambda lease: lease.expires > before.expires + 3, what, LEASE_S + 10)


def scene(make_lan: MakeLan, tmp_path: Path, *, relayed: bool) -> Scene:
    """Return a LAN with the server, and the clients beside it or behind a relay."""
    side = "far" if relayed else "near"
    hosts = [
        HostPlan(
            "server", (Port("near", "lan0", ("10.20.0.1/24",)),), routes=(("10.30.0.0/24", "10.20.0.254"),)
        ),
        HostPlan(
            "relay",
            (Port("near", "lan0", ("10.20.0.254/24",)), Port("far", "lan1", ("10.30.0.1/24",))),
            forwards=True,
        ),
        *(HostPlan(name, (Port(side, "lan0", mac=mac),)) for name, mac in MACS.items()),
    ]
    lan = make_lan(Topology(tuple(hosts), networks=("near", "far")))
    inventory, state = tmp_path / "site.yaml", tmp_path / "state"
    inventory.write_text(INVENTORY.replace("LEASE", f"{LEASE_S}s"))
    clients = {}
    for name in MACS:
        folder = tmp_path / name
        folder.mkdir(mode=0o777)
        clients[name] = Client(name, lan[name], folder)
    return Scene(lan, clients, state, inventory)


def capture(host: Host, path: Path) -> Process:
    """Start writing down what the server hears."""
    process = host.spawn([needs("tcpdump"), "-i", "lan0", "-n", "-U", "-w", str(path), "udp dst port 67"])
    process.wait_for("listening on")
    return process


def extensions(path: Path) -> set[tuple[str, str]]:
    """Return (client, "renews" or "rebinds") of each REQUEST with ciaddr in a capture; read by scapy.

    A client renews by unicast to the server, and rebinds by broadcast (RFC 2131 4.4.5), which a relay agent passes on.
    """
    from scapy.layers.dhcp import BOOTP
    from scapy.utils import PcapReader

    names = {mac: name for name, mac in MACS.items()}
    found = set()
    with PcapReader(str(path)) as packets:
        for packet in packets:
            request: Any = packet[BOOTP]
            if request.ciaddr != "0.0.0.0" and ("message-type", 3) in packet["DHCP options"].options:
                to_all = packet["IP"].dst == "255.255.255.255" or request.giaddr != "0.0.0.0"
                found.add((names[request.chaddr[:6].hex(":")], "rebinds" if to_all else "renews"))
    return found


def lose_unicast(client: Client, hop: str, *, lost: bool = True) -> None:
    """Let a client send what goes to the next hop on the server's side to nobody, and hear as before."""
    ip = [needs("ip"), "neighbour"]
    words = ["replace", hop, "lladdr", "02:00:00:00:de:ad", "nud", "permanent"] if lost else ["delete", hop]
    result = client.host.run([*ip, *words, "dev", "lan0"])
    assert result.returncode == 0, result.stderr


def assert_given(client: Client, server: str = "10.20.0.1") -> None:
    """Compare what the client was given, octet for octet, in its own notation."""
    text = wait_until(client.given, what=f"what {client.name} was given")
    expected = {
        "udhcpc": [
            "domain=example.com",
            f"opt160={URL.encode().hex()}",
            "opt150=0a1400010a140002",
            f"opt224={PRIVATE}",
        ],
        "dhclient": [
            "new_domain_name=example.com",
            r"new_url=http://h/\$PSN.xml",  # dhclient guards what a shell would expand
            "new_tftp=10.20.0.1 10.20.0.2",
            "new_private=1:2:ff:fe",
        ],
        "dhcpcd": [
            "new_domain_name=example.com",
            f"new_url={URL}",
            "new_tftp=10.20.0.1 10.20.0.2",
            f"new_private={PRIVATE}",
        ],
        "networkd": [
            "DOMAINNAME=example.com",
            f"SERVER_ADDRESS={server}",
            f"OPTION_224={PRIVATE}",
            "DNS=10.20.0.1",
        ],
    }[client.name]
    lines = text.splitlines()
    assert [line for line in expected if line not in lines] == [], text


@pytest.mark.parametrize("relayed", [False, True], ids=["directly", "through dhcrelay"])
def test_clients_obtain_renew_rebind_release_and_return(
    make_lan: MakeLan, tmp_path: Path, *, relayed: bool
) -> None:
    """RFC 2131 4.3.1, 4.3.2 (RENEWING, REBINDING), 4.3.4; RFC 3046 2.1."""
    here = scene(make_lan, tmp_path, relayed=relayed)
    start_server(here.lan["server"], here.inventory, here.state, roles=["dhcp"])
    if relayed:
        relay = f"{needs('dhcrelay')} -4 -d -a -id lan1 -iu lan0 -pf {tmp_path}/relay.pid 10.20.0.1"
        here.lan["relay"].spawn(shlex.split(relay)).wait_for("Sending on")
    record = tmp_path / "heard.pcap"
    heard = capture(here.lan["server"], record)
    first = obtain(here, relayed=relayed)
    seen(record, "renews")
    renewed = {name: here.wait_longer(name, before, "a renewal") for name, before in first.items()}
    hop = "10.30.0.1" if relayed else "10.20.0.1"
    for client in here.clients.values():
        lose_unicast(client, hop)
    seen(record, "rebinds")
    for name, before in renewed.items():
        kept = here.wait_longer(name, before, "a rebinding")
        # Not given anew: extended.
        assert (kept.address, kept.started) == (before.address, first[name].started), name
    for client in here.clients.values():
        lose_unicast(client, hop, lost=False)
        client.release()
    for name in MACS:
        here.wait(name, lambda lease: lease.state is LeaseState.RELEASED, "a release", 20)
    for client in here.clients.values():
        if client.process:
            client.process.stop()
    again = obtain(here, relayed=relayed)
    assert {name: lease.address for name, lease in again.items()} == {
        name: lease.address for name, lease in first.items()
    }
    heard.stop()


def obtain(here: Scene, *, relayed: bool) -> dict[str, Lease]:
    """Let every client obtain a lease; compare what it was given."""
    for client in here.clients.values():
        client.start()
    leases = {
        name: here.wait(name, lambda lease: lease.state is LeaseState.BOUND, "a lease", 20) for name in MACS
    }
    network = IPv4Network("10.30.0.0/24" if relayed else "10.20.0.0/24")
    for name, lease in leases.items():
        assert IPv4Address(lease.address) in network
        assert lease.relay.startswith(b"\x01\x04lan1") == relayed, name
        assert_given(here.clients[name])
    return leases


def seen(record: Path, how: str) -> None:
    """Wait until each client has been heard renewing, or rebinding."""
    wanted = {(name, how) for name in MACS}
    wait_until(lambda: wanted <= extensions(record), what=f"who {how}", timeout=2 * LEASE_S)

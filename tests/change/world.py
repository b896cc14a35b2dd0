"""A site that is changed while it serves, and a fresh server of the same inventory and state to compare it with."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process, wait_until
from netprov.lab.server import start_server
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.runtime.control.client import statuses
from netprov.runtime.control.reload import reload
from netprov.runtime.roles import ROLES
from netprov.state.lease import FILE as LEASES
from netprov.state.place import KEYS
from tests.change.forking import Forked
from tests.change.look import MACS, leases, seen
from tests.lab.conftest import PYTHON, needs

BASE: dict[str, Any] = {
    "domain": "example.com",
    "networks": {
        "voice": {
            "interface": "lan0",
            "subnet": "10.20.0.0/24",
            "address": "10.20.0.1",
            "router": "10.20.0.1",
            "pool": "10.20.0.100-10.20.0.150",
            "other_servers": "allow",
            "conflict_check": False,
        }
    },
    "hosts": {"pr1": ["10.20.0.11"], "pr2": ["10.20.0.12"]},
    "srv": {
        "https": [{"target": "pr1", "port": 443, "priority": 10}],
        "http": [{"target": "pr1", "port": 80, "priority": 10}],
    },
    "certificates": {"keys": ["ecdsa-p256"], "ca_key": "ecdsa-p256"},
    "classes": {
        "mpp": {"match": {"vendor_class": "CP-*"}, "method": "dhcp", "options": {"66": "10.20.0.1"}},
        "cpe": {
            "match": {"vendor_class_contains": "dslforum.org"},
            "method": "acs",
            "acs_url": "http://pr1.example.com:7547/",
        },
    },
    "acs": {"credentials": {"username": "phone", "scheme": "basic"}},
    "phones": [{"mac": MACS[0], "model": "CP-8851-3PCC", "address": "10.20.0.50", "class": "mpp"}],
    "provisioning": {"values": {"Display_Name_1_": "first"}},
}
STEPPED = "NETPROV_STEPPED_CLOCK"
"""Names the file by which the clock of the site's programs is off (clock/sitecustomize.py)."""
BUSY = "00:12:34:ab:45:04"
"""The phone that renews its lease all the time."""
PASSWORD = re.compile(r"^acs (.*)$", re.MULTILINE)


@dataclass
class World:
    """The live site, and the one that is started afresh for each comparison."""

    live: Lan
    fresh: Lan
    folder: Path
    roles: list[list[str]]
    inventory: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(BASE)))
    processes: dict[str, Process] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    """Roads whose server the change under way takes away: what is lost there is its doing."""

    @property
    def server(self) -> Host:
        return self.live["server"]

    @property
    def file(self) -> Path:
        return self.folder / "site.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def forks(self) -> Path:
        """Where fresh servers are asked for."""
        return self.folder / "forks"

    @property
    def password(self) -> str:
        found = PASSWORD.search((self.state / "secrets").read_text())
        return found[1] if found else ""

    def write(self) -> None:
        self.file.write_text(json.dumps(self.inventory))

    def start(self, roles: list[str]) -> None:
        self.processes["+".join(roles)] = start_server(self.server, self.file, self.state, roles=roles)

    def netprov(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.server.run([PYTHON, "-m", "netprov", *words, "--state", str(self.state)], timeout=120)

    def reload(self) -> None:
        """Do what `netprov reload` does."""
        outcome = reload(self.state)
        assert outcome.done, outcome.lines

    def logs(self) -> str:
        return "\n".join(f"== {name}\n{each.output[-3000:]}" for name, each in self.processes.items())

    def steps_clock(self, seconds: float) -> None:
        """Let all programs of the site read a wall time that is so far off."""
        (self.folder / "clock").write_text(str(seconds))

    def afresh(self) -> dict[str, object]:
        """Return what phones see of a server that is started now, with this inventory and a copy of this state."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for folder in ("dns", "leases"):
            (copy / folder).mkdir()
        for name in ("pki", KEYS, "secrets", "dns/dns-serials.json"):
            source = self.state / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns(".*"))
            elif source.exists():
                shutil.copy(source, copy / name)
        with (
            closing(sqlite3.connect(self.state / LEASES)) as source_,
            closing(sqlite3.connect(copy / LEASES)) as to,
        ):
            source_.backup(to)
        server = self.fresh["server"]
        for interface in ("lan0", "lan1"):
            server.run([needs("ip"), "address", "flush", "dev", interface], timeout=10)
            for address in self.server.addresses(interface):
                with server.links() as links:
                    links.add_address(interface, address)
        words = ["serve", "-f", str(self.file), "--state", str(copy)]
        process = Forked(self.forks, words, log=self.folder / "fresh.log")
        try:
            return seen(self.fresh, copy, self.password, self.folder / "fresh")
        finally:
            process.stop()

    def now(self) -> dict[str, object]:
        """Return what phones see of the live site."""
        return seen(self.live, self.state, self.password, self.folder / "live")

    def offered(self) -> dict[str, str]:
        """Return what a phone of the live site is told by DHCP, {} if nobody answers."""
        return leases(self.live["client1"], self.folder / "offered")["CP-8851-3PCC"]

    def waits(self) -> str:
        """Return what the roles of the live site wait for, as one text."""
        return " ".join(
            each for reply in statuses(self.state) for role in reply.roles for each in role.waiting
        )

    def lease_faults(self, now: Mapping[str, object]) -> list[str]:
        """Return what is wrong with the leases that phones of the live site hold: lost, or given to two of them."""
        holders: dict[str, str] = {}
        found = []
        with closing(sqlite3.connect(f"file:{self.state / LEASES}?mode=ro", uri=True)) as store:
            rows = store.execute("SELECT address, lower(hex(mac)) FROM lease WHERE state = 1").fetchall()
        kept = {str(IPv4Address(address)): mac for address, mac in rows}
        for name, told in now.items():
            if not name.startswith("dhcp ") or not isinstance(told, dict) or "ip" not in told:
                continue
            mac, address = name.split()[1].replace(":", ""), str(told["ip"])
            if kept.get(address) != mac:
                found.append(f"lease lost: {mac} holds {address}, on record is {kept.get(address)}")
            if holders.setdefault(address, mac) != mac:
                found.append(f"lease doubled: {address} is {mac}'s and {holders[address]}'s")
        return found


def topology() -> Topology:
    """Return a server on two links, and on the first of them who looks, and three phones."""
    addresses = ("10.20.0.1/24", "10.20.0.11/24", "10.20.0.12/24")
    server = HostPlan("server", (Port("a", "lan0", addresses), Port("b", "lan1", ())))
    looking = HostPlan("client0", (Port("a", "lan0", ("10.20.0.250/24",)),))
    phones = [HostPlan(f"client{n}", (Port("a", "lan0", mac=mac),)) for n, mac in enumerate([*MACS, BUSY], 1)]
    other = HostPlan("other", (Port("a", "lan0", ("10.20.0.251/24",)),))
    return Topology((server, looking, *phones, other), networks=("a", "b"))


@contextmanager
def world(folder: Path, *, together: bool) -> Iterator[World]:
    """Start a site: all roles in one process, or each in its own; its state is on a small disk of its own."""
    state = folder / "state"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "netprov-change", str(state)], check=True)
    os.environ[STEPPED] = str(folder / "clock")
    try:
        (state / "secrets").write_text(f"acs one\nsite {'00' * 32}\n")
        os.chmod(state / "secrets", 0o600)
        (folder / "files").mkdir()
        (folder / "files" / "a.txt").write_text("first\n")
        with Lan(topology()) as live, Lan(topology()) as fresh:
            for lan in (live, fresh):
                with lan["server"].entered():  # an address that goes does not take its neighbours along
                    Path("/proc/sys/net/ipv4/conf/all/promote_secondaries").write_text("1")
            groups = [list(ROLES)] if together else [[role] for role in ROLES]
            made = World(live, fresh, folder, groups)
            made.steps_clock(0)
            (folder / "load").mkdir()
            fresh["server"].spawn([PYTHON, "-m", "tests.change.forking", str(made.forks)])
            made.write()
            for roles in groups:
                made.start(roles)
            wait_until(made.forks.exists, what="what forks", timeout=60)
            yield made
    finally:
        del os.environ[STEPPED]
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "-l", str(state)], check=True)

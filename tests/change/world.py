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
from pathlib import Path
from typing import Any

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.runtime.supervise import ROLES
from netprov.state.lease import FILE as LEASES
from tests.lab.clients import udhcpc
from tests.lab.conftest import PYTHON, needs

MACS = ["00:12:34:ab:45:01", "00:12:34:ab:45:02", "00:12:34:ab:45:03"]
"""Clients: two that may be listed, one that never is."""
HOSTS = ("pr1", "pr2", "pr3", "moved")
PATHS = ("/ca.pem", "/CP-8851-3PCC.xml", *(f"/{mac.replace(':', '')}.xml" for mac in MACS), "/files/a.txt")
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
        result = self.netprov("reload")
        assert result.returncode == 0, result.stdout + result.stderr

    def logs(self) -> str:
        return "\n".join(f"== {name}\n{each.output[-3000:]}" for name, each in self.processes.items())

    def afresh(self) -> dict[str, object]:
        """Return what phones see of a server that is started now, with this inventory and a copy of this state."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for name in ("pki", "secrets", "dns-serials.json"):
            source = self.state / name
            if source.is_dir():
                shutil.copytree(source, copy / name)
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
        process = start_server(server, self.file, copy)
        try:
            return seen(self.fresh, copy, self.password)
        finally:
            process.stop()

    def now(self) -> dict[str, object]:
        """Return what phones see of the live site."""
        return seen(self.live, self.state, self.password)


def seen(lan: Lan, state: Path, password: str) -> dict[str, object]:
    """Return what phones can see: names, files over every road, the CA, TR-069's gate, addresses, open sockets."""
    client = lan["client0"]
    found: dict[str, object] = {}
    script = [f"dig @10.20.0.1 +short +tries=1 +time=2 {what}" for what in _questions()]
    for address in ("10.20.0.1", "10.20.0.11", "10.20.0.12"):
        script += [f"{_CURL} http://{address}{path}" for path in PATHS]
        script += [f"{_CURL} tftp://{address}{path}" for path in PATHS]
        for port in (443, 5060):
            to = f"--connect-to example.com:{port}:{address}:{port} --cacert {state}/pki/ca.pem"
            script.append(f"{_CURL} {to} https://example.com:{port}/ca.pem")
    for word in (password, "wrong"):
        for path in ("", "acs"):
            gate = f"-u user:{word} -d x -o /dev/null -w %{{http_code}} http://10.20.0.11:7547/{path}"
            script.append(f"{_CURL} {gate.replace('user:', 'phone:')}")
    for name, answer in zip(script, _all_at_once(client, script, state.parent / "answers"), strict=True):
        shown = name.replace(str(state), "STATE").replace(f"phone:{password} ", "phone:RIGHT ")
        found[shown] = sorted(answer.split("\n"))
    sockets = lan["server"].run([needs("ss"), "-Hlntu"], timeout=10).stdout
    found["sockets"] = sorted({" ".join(line.split()[::4]) for line in sockets.splitlines()})
    for number, mac in enumerate(MACS):
        found[f"dhcp {mac}"] = _offered(lan[f"client{number + 1}"], state)
    return found


def _all_at_once(client: Host, script: list[str], folder: Path) -> list[str]:
    """Run commands at once, for most of the time is waiting; return what each printed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lines = [f"{{ {line}; }} > {folder}/{number} 2>&1 &" for number, line in enumerate(script)]
    client.run([needs("bash"), "-c", "\n".join([*lines, "wait"])], timeout=200)
    return [(folder / str(number)).read_text() for number in range(len(script))]


_CURL = "curl -s --max-time 4"


_TOLD = ("ip", "mask", "subnet", "router", "dns", "domain", "ntpsrv", "tftp", "serverid", "hostname")


def _questions() -> Iterator[str]:
    for name in HOSTS:
        yield f"A {name}.example.com"
    yield from ("SRV _ciscoprov-https._tls.example.com", "SRV _ciscoprov-http._tcp.example.com")
    yield from (
        "A example.com",
        "TXT note.example.com",
        "-x 10.20.0.12",
        "SRV _ciscoprov-https._tls.lab.example.com",
    )


def _offered(host: Host, state: Path) -> Mapping[str, str]:
    needs("udhcpc")
    try:
        given = udhcpc(host, state, vendor_class="CP-8851-3PCC")
    except AssertionError:
        return {}
    return {name: given[name] for name in sorted(given) if name in _TOLD or name.startswith("opt")}


def topology() -> Topology:
    """Return a server on two links, and on the first of them who looks, and three phones."""
    addresses = ("10.20.0.1/24", "10.20.0.11/24", "10.20.0.12/24")
    server = HostPlan("server", (Port("a", "lan0", addresses), Port("b", "lan1", ())))
    looking = HostPlan("client0", (Port("a", "lan0", ("10.20.0.250/24",)),))
    phones = [HostPlan(f"client{n}", (Port("a", "lan0", mac=mac),)) for n, mac in enumerate(MACS, 1)]
    return Topology((server, looking, *phones), networks=("a", "b"))


@contextmanager
def world(folder: Path, *, together: bool) -> Iterator[World]:
    """Start a site: all roles in one process, or each in its own; its state is on a small disk of its own."""
    state = folder / "state"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "netprov-change", str(state)], check=True)
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
            made.write()
            for roles in groups:
                made.start(roles)
            yield made
    finally:
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "-l", str(state)], check=True)

"""A reload is a transaction: whatever one service cannot take, none takes, in one process and in one a role."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.runtime.roles import ROLES
from tests.lab.conftest import PYTHON, MakeLan, needs

pytestmark = pytest.mark.lab

PLAIN = {
    "domain": "example.com",
    "networks": {
        "voice": {
            "interface": "lan0",
            "subnet": "10.20.0.0/24",
            "address": "10.20.0.1",
            "other_servers": "allow",
        }
    },
    "hosts": {"pr1": ["10.20.0.11"], "pr2": ["10.20.0.12"]},
    "srv": {"https": [{"target": "pr1", "port": 443, "priority": 10, "weight": 20}]},
    "certificates": {"keys": ["ecdsa-p256"], "ca_key": "ecdsa-p256"},
    "classes": {
        "tftp": {"match": {"vendor_class": "CP-7841*"}, "method": "dhcp", "options": {"66": "10.20.0.1"}},
        "cpe": {
            "match": {"vendor_class_contains": "dslforum.org"},
            "method": "acs",
            "acs_url": "http://pr1.example.com:7547/",
        },
    },
}
"""An inventory of every role, as JSON, which is YAML."""

Edit = Callable[[Any], object]


@dataclass
class Site:
    """A server on a LAN, its inventory, and a client that looks at it."""

    lan: Lan
    file: Path
    state: Path
    processes: list[Process]

    @property
    def server(self) -> Host:
        return self.lan["server"]

    def write(self, edit: Edit = lambda _: None) -> None:
        inventory = json.loads(json.dumps(PLAIN))
        edit(inventory)
        self.file.write_text(json.dumps(inventory))

    def reload(self) -> subprocess.CompletedProcess[str]:
        return self.server.run([PYTHON, "-m", "netprov", "reload", "--state", str(self.state)], timeout=60)

    def seen(self) -> dict[str, str]:
        """Return what a client sees of every service, and where they listen."""
        dig = [needs("dig"), "@10.20.0.1", "+time=2", "+tries=1", "+short"]
        curl = [needs("curl"), "-sS", "--max-time", "5", "--cacert", str(self.state / "pki/ca.pem")]
        https = ["--connect-to", "example.com:443:10.20.0.11:443", "https://example.com/ca.pem"]
        asked = {
            "dns": [*dig, "A", "pr2.example.com"],
            "dns new": [*dig, "TXT", "new.example.com"],
            "http": [*curl, "http://10.20.0.1/CP-8851-3PCC.xml"],
            "https": [*curl, *https],
            "tftp": [*curl, "tftp://10.20.0.1/CP-8851-3PCC.xml"],
            "acs": [*curl, "-o", "/dev/null", "-w", "%{http_code}", "http://10.20.0.11:7547/"],
        }
        found = {
            name: result.stdout or result.stderr
            for name, command in asked.items()
            for result in [self.lan["client0"].run(command, timeout=20)]
        }
        sockets = self.server.run([needs("ss"), "-Hlntu"], timeout=10).stdout
        found["sockets"] = "\n".join(sorted(" ".join(line.split()[::4]) for line in sockets.splitlines()))
        return found

    def logs(self) -> list[str]:
        return [process.output for process in self.processes]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a directory on a disk of its own, which can be filled."""
    folder = tmp_path / "state"
    folder.mkdir()
    mount = [needs("mount"), "-t", "tmpfs", "-o", "size=8m", "netprov-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield folder
    subprocess.run([needs("umount"), "-l", str(folder)], check=True)


@pytest.fixture(params=["one process", "one a role"])
def site(make_lan: MakeLan, tmp_path: Path, small_disk: Path, request: pytest.FixtureRequest) -> Site:
    lan = make_lan(server=["10.20.0.1/24", "10.20.0.11/24", "10.20.0.12/24"], clients=[None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    made = Site(lan, tmp_path / "site.yaml", small_disk, [])
    made.write()
    groups = [list(ROLES)] if request.param == "one process" else [[role] for role in ROLES]
    made.processes += [start_server(lan["server"], made.file, made.state, roles=roles) for roles in groups]
    return made


def also(edit: Edit) -> Edit:
    """Return an edit that besides changes what every service serves, so that half of a reload shows."""

    def both(inventory: Any) -> None:
        inventory["records"] = [{"name": "new", "type": "TXT", "data": "half"}]
        inventory["hosts"]["pr2"] = ["10.20.0.99"]
        edit(inventory)

    return both


REFUSED: dict[str, tuple[Edit, str]] = {
    "an interface that does not exist": (
        lambda i: i["networks"]["voice"].update(interface="lan9"),
        "there is no interface lan9",
    ),
    "a network on an interface that does not exist": (
        lambda i: i["networks"].update(more={"interface": "lan9", "subnet": "10.30.0.0/24"}),
        "there is no interface lan9",
    ),
    "an address that this machine does not have": (
        lambda i: i["networks"]["voice"].update(address="10.20.0.2"),
        "no address of the plan is on this machine: 10.20.0.2:53",
    ),
    "a missing secrets file": (
        lambda i: i.update(provisioning={"secrets": {"file": "/nowhere/secrets"}}),
        "/nowhere/secrets is not there",
    ),
    "a broken inventory": (lambda i: i.update(domian={}), "domian"),
    "a missing root of phones' certificates": (
        lambda i: i["certificates"].update(
            client_certificates="optional", client_roots=["/nowhere/root.pem"]
        ),
        "/nowhere/root.pem",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_nobody_takes_an_inventory_that_one_service_cannot_take(site: Site, fault: str) -> None:
    edit, reason = REFUSED[fault]
    before = site.seen()
    site.write(also(edit))
    result = site.reload()
    assert result.returncode == 1, result.stdout
    assert reason in result.stderr
    assert site.seen() == before
    for log in site.logs():
        assert "reloaded" not in log
        assert "reload refused" in log


def test_port_that_another_program_holds_is_refused_and_taken_once_it_is_free(site: Site) -> None:
    def edit(inventory: Any) -> None:
        inventory["srv"]["https"].append({"target": "pr1", "port": 5060, "priority": 20})

    before = site.seen()
    site.write(edit)
    with site.server.entered():
        other = socket.socket()
    other.bind(("10.20.0.11", 5060))
    other.listen()
    result = site.reload()
    assert (result.returncode, "https 10.20.0.11:5060 is taken by another program" in result.stderr) == (
        1,
        True,
    )
    other.close()
    assert site.seen() == before
    result = site.reload()
    assert result.returncode == 0, result.stderr
    assert "http: also at https 10.20.0.11:5060" in result.stdout
    assert "srv" in result.stdout


def test_one_reload_is_said_by_all_and_what_changed_is_printed(site: Site) -> None:
    site.write(lambda i: i["hosts"].update(pr3=["10.20.0.13"]))
    result = site.reload()
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "hosts: +pr3")
    assert "+ pr3.example.com.: A: 10.20.0.13 (TTL 300)" in result.stdout
    for log in site.logs():
        assert log.count("serve: reloaded: hosts: +pr3") == 1


COLLIDING: dict[str, Edit] = {
    "an SRV target is renamed": lambda i: (
        i["hosts"].update(moved=["10.20.0.11"])
        or i["srv"].update(https=[{"target": "moved", "port": 443, "priority": 10}])
    ),
    "an SRV target is added at a served address": lambda i: (
        i["hosts"].update(again=["10.20.0.11"])
        or i["srv"]["https"].append({"target": "again", "port": 443, "priority": 30})
    ),
    "option 160 leads to a served address": lambda i: i["classes"]["tftp"].update(
        options={"160": "http://10.20.0.1/"}
    ),
    "HTTPS is HTTP from now on": lambda i: i.update(
        srv={"http": [{"target": "pr1", "port": 443, "priority": 10}]}
    ),
}


@pytest.mark.parametrize("change", COLLIDING)
def test_http_does_not_collide_with_itself(site: Site, change: str) -> None:
    def edit(inventory: Any) -> None:
        COLLIDING[change](inventory)
        inventory["provisioning"] = {"values": {"Display_Name_1_": "after"}}

    site.write(edit)
    result = site.reload()
    assert result.returncode == 0, result.stderr
    assert "after" in site.seen()["http"]


def ports(
    inventory: Any, *, http: int, https: int, acs: int, dns: int = 53, host: str = "10.20.0.11"
) -> None:
    """Let every server of pr1 be at these ports."""
    inventory["hosts"] = {"pr1": [host], "pr2": ["10.20.0.12" if host != "10.20.0.12" else "10.20.0.11"]}
    inventory["srv"] = {
        "http": [{"target": "pr1", "port": http, "priority": 20}],
        "https": [{"target": "pr1", "port": https, "priority": 10}],
    }
    inventory["classes"]["cpe"]["acs_url"] = f"http://pr1.example.com:{acs}/"
    inventory["dns"] = {"port": dns}


SWAPS: dict[str, tuple[Edit, Edit]] = {
    "HTTP and HTTPS": (
        lambda i: ports(i, http=8080, https=443, acs=7547),
        lambda i: ports(i, http=443, https=8080, acs=7547),
    ),
    "HTTP and the ACS": (
        lambda i: ports(i, http=8080, https=443, acs=7547),
        lambda i: ports(i, http=7547, https=443, acs=8080),
    ),
    "HTTP, HTTPS and the ACS in a ring": (
        lambda i: ports(i, http=8080, https=443, acs=7547),
        lambda i: ports(i, http=443, https=7547, acs=8080),
    ),
    "DNS and HTTP": (
        lambda i: ports(i, http=8080, https=443, acs=7547, host="10.20.0.1"),
        lambda i: ports(i, http=53, https=443, acs=7547, dns=8080, host="10.20.0.1"),
    ),
    "the addresses of two targets": (
        lambda i: ports(i, http=8080, https=443, acs=7547),
        lambda i: ports(i, http=8080, https=443, acs=7547, host="10.20.0.12"),
    ),
    "the addresses of two networks": (
        lambda i: i["networks"].update(networks("10.20.0.0/24", "10.30.0.0/24")),
        lambda i: i["networks"].update(networks("10.30.0.0/24", "10.20.0.0/24")),
    ),
}


def networks(*subnets: str) -> dict[str, dict[str, str]]:
    return {
        name: {"interface": "lan0", "subnet": subnet, "other_servers": "allow"}
        for name, subnet in zip(("voice", "more"), subnets, strict=True)
    }


def answers(site: Site, inventory: Any) -> dict[str, str]:
    """Return what answers at every place that an inventory names for HTTP, HTTPS, the ACS and DNS over TCP."""
    client = site.lan["client0"]
    host = inventory["hosts"]["pr1"][0]
    http, https = (inventory["srv"].get(kind, [{"port": 80}])[0]["port"] for kind in ("http", "https"))
    acs = inventory["classes"]["cpe"]["acs_url"].rpartition(":")[2].rstrip("/")
    curl = [needs("curl"), "-sk", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}"]
    dig = [
        needs("dig"),
        "+tcp",
        "+short",
        "+time=3",
        "+tries=1",
        "-p",
        str(inventory.get("dns", {}).get("port", 53)),
    ]
    commands = {
        "http": [*curl, f"http://{host}:{http}/ca.pem"],
        "https": [*curl, f"https://{host}:{https}/ca.pem"],
        "acs": [*curl, f"http://{host}:{acs}/"],
        "dns": [*dig, "@10.20.0.1", "pr1.example.com"],
    }
    if "http" not in inventory["srv"]:
        commands["http"][-1] = "http://10.20.0.1/ca.pem"
    return {name: client.run(command, timeout=20).stdout.strip() for name, command in commands.items()}


@pytest.mark.parametrize("swap", SWAPS)
def test_roles_swap_ports_in_one_reload_and_back(site: Site, swap: str) -> None:
    with site.server.links() as links:
        links.add_address("lan0", "10.30.0.1/24")

    for edit in (*SWAPS[swap], SWAPS[swap][0]):
        site.write(edit)
        result = site.reload()
        assert result.returncode == 0, result.stderr
        inventory = json.loads(site.file.read_text())
        host = inventory["hosts"]["pr1"][0]
        assert answers(site, inventory) == {"http": "200", "https": "200", "acs": "405", "dns": host}


def test_swap_that_is_given_up_leaves_each_port_to_its_role_and_to_no_other_program(site: Site) -> None:
    def taken() -> bool:
        with site.server.entered():
            other = socket.socket()
        with other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(("10.20.0.11", 7547))
            except OSError:
                return True
        return False

    first, second = SWAPS["HTTP and the ACS"]
    site.write(first)
    assert (site.reload().returncode, taken()) == (0, True)
    before = answers(site, json.loads(site.file.read_text()))
    site.write(also(lambda i: (second(i), i["networks"]["voice"].update(interface="lan9"))))
    assert (site.reload().returncode, taken()) == (1, True)
    site.write(first)
    assert answers(site, json.loads(site.file.read_text())) == before
    site.write(second)
    assert (site.reload().returncode, taken()) == (0, True)


def test_units_reload_by_asking_and_fail_when_it_is_refused(site: Site) -> None:
    """What `systemctl reload` of all units does: every ExecReload at once."""
    (command,) = {
        line.partition("=")[2]
        for line in (Path(__file__).parents[2] / "systemd/netprov-.service.d/10-common.conf")
        .read_text()
        .splitlines()
        if line.startswith("ExecReload=")
    }
    words = (
        command.replace("/opt/netprov/bin/netprov", f"{PYTHON} -m netprov")
        .replace("%S/netprov", str(site.state))
        .split()
    )

    def all_at_once() -> set[int]:
        asked = [site.server.spawn(words) for _ in ROLES]
        return {process.wait(timeout=60) for process in asked}

    site.write(lambda i: i["hosts"].update(pr3=["10.20.0.13"]))
    assert all_at_once() == {0}
    site.write(lambda i: i["networks"]["voice"].update(interface="lan9"))
    assert all_at_once() == {1}
    for log in site.logs():
        assert log.count("serve: reloaded: hosts: +pr3") == 1


def test_hangup_of_one_process_is_a_reload_of_all(site: Site) -> None:
    site.write(lambda i: i["hosts"].update(pr3=["10.20.0.13"]))
    site.processes[-1].signal(1)
    for process in site.processes:
        process.wait_for(r"serve: reloaded: hosts: \+pr3", timeout=20)
    dig = [needs("dig"), "@10.20.0.1", "+short", "A", "pr3.example.com"]
    assert site.lan["client0"].run(dig, timeout=20).stdout == "10.20.0.13\n"


def test_role_that_is_played_already_is_refused(site: Site) -> None:
    command = [PYTHON, "-m", "netprov", "serve", "dns", "-f", str(site.file), "--state", str(site.state)]
    result = site.server.run(command, timeout=30)
    assert result.returncode == 3
    assert "dns is served with the state directory" in result.stderr


def test_full_disk_leaves_all_as_they_were_and_what_is_free_again_is_enough(site: Site) -> None:
    before = site.seen()
    (site.state / "filler").write_bytes(b"")
    with suppress(OSError), (site.state / "filler").open("wb") as filler:
        while True:
            filler.write(bytes(4096))
            filler.flush()
    site.write(lambda i: i.update(records=[{"name": "new", "type": "TXT", "data": "after"}]))
    result = site.reload()
    assert result.returncode == 1, result.stdout
    assert "No space left on device" in result.stderr
    assert site.seen() == before
    (site.state / "filler").unlink()
    result = site.reload()
    assert result.returncode == 0, result.stderr
    assert "after" in site.seen()["dns new"]

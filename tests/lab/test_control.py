"""What can be asked of running services: to end a lease, to log more, to finish and end; who loaded what is served."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from netprov.lab.lan import Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from tests.lab.conftest import PHONES, PYTHON, STAGING_ADDRESSES, MakeLan, needs, wait_until

pytestmark = pytest.mark.lab
SITE = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24, other_servers: allow}}}}
hosts: {{pr1: 10.20.0.11}}
srv: {{http: [{{target: pr1, port: 80}}]}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}
provisioning: {{files: {{/firmware: {folder}}}}}
phones: [{{mac: "00:12:34:ab:45:de", model: CP-8851-3PCC}}]
"""
LOAD = "sip88xx.loads"


class Site:
    """A server on a LAN, and the verbs that are said there."""

    def __init__(self, lan: Lan, folder: Path) -> None:
        self.lan, self.server, self.client = lan, lan["server"], lan["client0"]
        self.file, self.state, self.loads = folder / "site.yaml", folder / "state", folder / "loads"
        self.loads.mkdir()
        self.state.mkdir()
        self.file.write_text(SITE.format(folder=self.loads))

    def start(self, roles: Sequence[str] = ()) -> Process:
        return start_server(self.server, self.file, self.state, roles=roles)

    def netprov(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.server.run(
            [PYTHON, "-m", "netprov", *words, "-f", str(self.file), "--state", str(self.state)], timeout=120
        )

    def told(self, *words: str) -> Any:
        return json.loads(self.netprov(*words).stdout)

    def boot(self) -> None:
        words = [PYTHON, "-m", "netprov", "phone", PHONES[0], "--model", "CP-8851-3PCC", "-i"]
        assert self.client.run([*words, self.client.interface], timeout=60).returncode == 0


@pytest.fixture
def site(make_lan: MakeLan, tmp_path: Path) -> Site:
    return Site(make_lan(server=STAGING_ADDRESSES, clients=PHONES[:1]), tmp_path)


def test_lease_is_released_by_the_server_that_runs_and_once_only(site: Site) -> None:
    server = site.start()
    site.boot()
    (lease,) = site.told("leases", "list", "--format", "json")
    first = site.netprov("leases", "release", lease["address"])
    assert (first.returncode, first.stdout) == (0, f"released {lease['address']}\n")
    (after,) = site.told("leases", "list", "--all", "--format", "json")
    assert after["state"] == "released"
    again = site.netprov("leases", "release", lease["address"])
    assert (again.returncode, again.stdout) == (4, f"there is no lease on {lease['address']}\n")
    assert server.output.count("gives 10.20.0.100 on voice back") == 1
    assert "root ends the lease on 10.20.0.100" in server.output


def test_lease_is_released_at_the_next_start_where_no_server_runs(site: Site) -> None:
    server = site.start()
    site.boot()
    (lease,) = site.told("leases", "list", "--format", "json")
    server.stop()
    done = site.netprov("leases", "release", lease["address"])
    assert done.returncode == 0
    assert "will be released when one starts" in done.stdout
    site.start()

    def released() -> bool:
        return bool(site.told("leases", "list", "--format", "json") == [])

    wait_until(released, what="its release", timeout=20)


def test_log_level_of_one_role_changes_while_it_runs(site: Site) -> None:
    server = site.start()
    levels = site.told("log", "--json")
    assert {each["level"] for each in levels} == {"info"}
    set_ = {each["role"]: each["level"] for each in site.told("log", "debug", "dhcp", "--json")}
    assert set_ == {"dhcp": "debug"}
    now = {each["role"]: each["level"] for each in site.told("log", "--json")}
    assert now == {each["role"]: "info" for each in levels} | {"dhcp": "debug"}
    assert "root sets the log level of dhcp to debug" in server.output
    before = server.output.count("Dropped")
    with site.client.entered():
        send_garbage()
    wait_until(lambda: server.output.count("Dropped") > before, what="an everyday event in the log")
    refused = site.netprov("log", "debug", "dchp")
    assert refused.returncode == 2
    assert "there is no role dchp" in refused.stderr


def send_garbage() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lan0")
        sock.sendto(b"\x00" * 300, ("255.255.255.255", 67))


SIZE = 32 << 20
"""Octets of a load, more than buffers on the way hold."""


@contextmanager
def download(site: Site) -> Iterator[socket.socket]:
    """Begin a download, and read no more than its begin."""
    (site.loads / LOAD).write_bytes(b"x" * SIZE)
    with site.client.links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    with site.client.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with sock:
        sock.settimeout(30)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        sock.connect(("10.20.0.11", 80))
        sock.sendall(f"GET /firmware/{LOAD} HTTP/1.1\r\nHost: pr1\r\nConnection: close\r\n\r\n".encode())
        assert sock.recv(15) == b"HTTP/1.1 200 OK"
        yield sock


def rest(sock: socket.socket) -> bytes:
    """Read until the server closes."""
    got = b"".join(iter(lambda: sock.recv(1 << 16), b""))
    return got.partition(b"\r\n\r\n")[2]


def test_drain_lets_a_download_end_takes_nothing_new_and_ends_the_process(site: Site) -> None:
    server = site.start()
    with download(site) as sock:
        drain = site.server.spawn(
            [PYTHON, "-m", "netprov", "drain", "-f", str(site.file), "--state", str(site.state)]
        )

        def refused() -> bool:
            words = [needs("curl"), "-sS", "-m", "5", "http://10.20.0.11/"]
            return site.client.run(words, timeout=20).returncode == 7  # could not connect

        wait_until(refused, what="a closed port", timeout=20)
        assert (drain.exit_code, server.exit_code) == (None, None)
        assert rest(sock) == b"x" * SIZE
    assert drain.wait(timeout=60) == 0, drain.output
    assert drain.output.splitlines() == [
        f"{role} has ended" for role in ("dns", "http", "tftp", "syslog", "acs", "dhcp")
    ]
    assert server.wait(timeout=20) == 0


def test_drain_breaks_off_what_takes_too_long_and_says_so(site: Site) -> None:
    server = site.start()
    with download(site) as sock:
        done = site.netprov("drain", "--within", "0.5")
        assert done.returncode == 1
        assert "http has ended: 1 broken off" in done.stdout
        with suppress(ConnectionError):
            assert len(rest(sock)) < SIZE
    assert server.wait(timeout=20) == 0


def test_drain_of_one_role_leaves_the_others(site: Site) -> None:
    server = site.start()
    done = site.netprov("drain", "tftp")
    assert (done.returncode, done.stdout) == (0, "tftp has ended\n")
    assert server.exit_code is None
    serves = {each["role"]: bool(each["serves"]) for each in site.told("status", "--json")["roles"]}
    assert (serves["tftp"], serves["http"], serves["dns"]) == (False, True, True)
    assert site.netprov("reload").returncode == 0


def test_status_says_who_loaded_the_inventory_and_what_was_refused(site: Site) -> None:
    server = site.start()
    (loaded,) = site.told("status", "--json")["inventory"]
    assert loaded["by"] == "start"
    assert site.netprov("reload").returncode == 0
    (reloaded,) = site.told("status", "--json")["inventory"]
    assert reloaded["by"] == "root"
    assert reloaded["loaded"] >= loaded["loaded"]
    server.signal(1)
    wait_until(
        lambda: site.told("status", "--json")["inventory"][0]["by"] == "root by SIGHUP",
        what="SIGHUP's reload",
    )
    with site.client.links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    curl = [needs("curl"), "-s", "http://10.20.0.11/", "-X", "DELETE"]

    def refusals() -> list[Any]:
        site.client.run(curl, timeout=20)
        return list(site.told("status", "--json")["refusals"])

    refused = wait_until(refusals, what="a refusal")
    assert (refused[0]["service"], refused[0]["address"]) == ("http", "10.20.0.250")
    shown = site.netprov("status").stdout
    assert "root by SIGHUP" in shown
    assert "10.20.0.250" in shown

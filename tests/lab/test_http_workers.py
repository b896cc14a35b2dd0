"""Several processes answer HTTP and HTTPS on the same ports; what must be counted once is, and every record arrives."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.provision.gate.handout import AGAIN
from netprov.state.device import load_history
from netprov.state.handout import given
from tests.lab.conftest import MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

MAC, LOCKED, DIGEST = "00:12:34:ab:45:de", "00:12:34:ab:45:df", "00:12:34:ab:45:e0"
PHONE, OTHER = "10.20.0.50", "10.20.0.51"
PROFILE = "/Cisco/001234ab45de.cfg"
WORKERS = 3
SITE = """
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
hosts: {{{hosts}}}
srv: {{https: [{targets}]}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}
provisioning:
  workers: {workers}
  files: {{/firmware: {folder}}}
  keys: {{policy: once, window: 10m}}
classes:
  sealed: {{encryption: {{method: aes-256-cbc}}}}
  digest: {{auth: {{scheme: digest, everywhere: true}}}}
phones:
  - {{mac: {mac}, model: CP-8851-3PCC, address: {phone}, values: {{Display_Name_1_: "{name}"}}}}
  - {{mac: {locked}, model: CP-8851-3PCC, address: {other}, class: sealed}}
  - {{mac: {digest}, model: CP-8841-3PCC, class: digest}}
"""


class Site:
    """A running server, its LAN, and how to change it."""

    def __init__(self, make_lan: MakeLan, place: Path) -> None:
        self.lan: Lan = make_lan(
            server=["10.20.0.1/24", "10.20.0.11/24", "10.20.0.12/24"], clients=[MAC, LOCKED]
        )
        for client, address in (("client0", PHONE), ("client1", OTHER)):
            host = self.lan[client]
            assert host.run(["ip", "address", "add", f"{address}/24", "dev", host.interface]).returncode == 0
        self.folder, self.state, self.file = place / "firmware", place / "state", place / "site.yaml"
        self.folder.mkdir()
        self.state.mkdir()
        (self.state / "secrets").write_text(f"site hush\npassword:{DIGEST} swordfish\n")
        self.write()
        self.server: Host = self.lan["server"]
        self.process: Process = start_server(
            self.server, self.file, self.state, roles=["http", "syslog"], verbose=True
        )

    def write(self, name: str = "one", hosts: str = "pr1: 10.20.0.11", workers: int = WORKERS) -> None:
        """Write the inventory."""
        targets = ", ".join(f"{{target: {each.split(':')[0]}, port: 443}}" for each in hosts.split(", "))
        self.file.write_text(
            SITE.format(
                hosts=hosts,
                targets=targets,
                workers=workers,
                folder=self.folder,
                name=name,
                mac=MAC,
                locked=LOCKED,
                digest=DIGEST,
                phone=PHONE,
                other=OTHER,
            )
        )

    def workers(self) -> list[int]:
        """Return the processes of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(each) for each in children if "spawn_main" in Path(f"/proc/{each}/cmdline").read_text()]

    def curl(self, *arguments: str, client: str = "client0", source: str = PHONE) -> list[str]:
        """Return what curl prints of every answer, each on a connection of its own."""
        command = [needs("curl"), "-sk", "-H", "Connection: close", "--interface", source, *arguments]
        result = self.lan[client].run(command, timeout=60)
        return result.stdout.split()

    def statuses(
        self, url: str, *arguments: str, client: str = "client0", source: str = PHONE
    ) -> Counter[str]:
        """Return how often each status was answered."""
        found = self.curl(
            *("-o", "/dev/null", "-w", "%{http_code}\n", *arguments, url), client=client, source=source
        )
        return Counter(found)

    def recorded(self, marker: str) -> int:
        """Return how many requests for a target are on record for the phone."""
        return sum(marker in line.text for line in load_history(self.state, MAC, 10_000))

    @contextmanager
    def owner_asleep(self) -> Iterator[None]:
        """Let the first process do nothing for a while: what is answered then is the workers'."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@pytest.fixture
def site(make_lan: MakeLan, tmp_path: Path) -> Site:
    return Site(make_lan, tmp_path)


def test_workers_answer_and_what_they_answer_is_on_record(site: Site) -> None:
    (site.folder / "sip.loads").write_bytes(os.urandom(1_000_000))
    assert len(site.workers()) == WORKERS - 1
    with site.owner_asleep():
        for scheme in ("http", "https"):
            url = f"{scheme}://10.20.0.1/cisco/CP-8851-3PCC/001234ab45de.cfg?[1-20]"
            assert site.statuses(url) == {"200": 20}
        assert site.curl(
            "-r", "0-99", "-w", "%{size_download}", "-o", "/dev/null", "http://10.20.0.1/firmware/sip.loads"
        ) == ["100"]
        assert site.statuses("https://10.20.0.1/nothing.here") == {"404": 1}
    wait_until(lambda: site.recorded("CP-8851-3PCC/001234ab45de.cfg: 200 profile") == 40, what="all records")
    assert site.recorded("GET http /firmware/sip.loads: 206 file, 100 octets") == 1


def test_service_that_ends_hears_what_its_workers_answered_before(site: Site) -> None:
    with site.owner_asleep():
        assert site.statuses("http://10.20.0.1/cisco/CP-8851-3PCC/001234ab45de.cfg?[1-20]") == {"200": 20}
        site.process.signal(signal.SIGTERM)
    assert site.process.wait() == 0
    assert site.recorded("CP-8851-3PCC/001234ab45de.cfg: 200 profile") == 20
    wait_until(lambda: not site.server.namespace.processes(), what="the workers to end")


def test_what_a_phone_says_next_does_not_overtake_its_fetch_in_the_record(site: Site) -> None:
    said = f"<134>CP-8851-3PCC {MAC} -- Successful resync http://10.20.0.1{PROFILE}".encode()
    with site.lan["client0"].entered():
        syslog = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with syslog:
        for _ in range(12):
            assert site.statuses(f"http://10.20.0.1{PROFILE}") == {"200": 1}
            syslog.sendto(said, ("10.20.0.1", 514))
    wait_until(lambda: len(load_history(site.state, MAC)) == 24, what="the record")
    assert [line.kind for line in load_history(site.state, MAC)] == ["Asked", "PhoneSaid"] * 12


def test_worker_that_is_killed_is_replaced_and_that_is_said(site: Site) -> None:
    victim, other = site.workers()
    os.kill(victim, signal.SIGKILL)
    site.process.wait_for("an HTTP worker ended with -9; another takes its place")
    site.process.wait_for("an HTTP worker has begun")
    (fresh,) = set(site.workers()) - {other}
    os.kill(other, signal.SIGSTOP)
    try:
        with site.owner_asleep():
            assert site.statuses(f"https://10.20.0.1{PROFILE}?[1-5]") == {"200": 5}
    finally:
        os.kill(other, signal.SIGCONT)
    assert fresh in site.workers()


def presented(site: Site, address: str) -> set[str]:
    """Return the serial numbers of what is presented in twenty handshakes at once."""
    command = [needs("openssl"), "s_client", "-connect", f"{address}:443", "-showcerts"]

    def one(_: int) -> str:
        result = site.lan["client0"].run(command, timeout=20)
        pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", result.stdout, re.DOTALL)
        return ssl.PEM_cert_to_DER_cert(pem[0]).hex() if pem else result.stderr

    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(one, range(20)))


def test_reload_reaches_all_with_profiles_sockets_and_certificates(site: Site) -> None:
    (before,) = presented(site, "10.20.0.1")
    site.write(name="two", hosts="pr1: 10.20.0.11, pr2: 10.20.0.12")
    site.process.signal(signal.SIGHUP)
    site.process.wait_for("reloaded: ")
    (after,) = presented(site, "10.20.0.1")
    assert presented(site, "10.20.0.12") == {after}
    assert after != before
    with site.owner_asleep():
        names = site.curl(f"http://10.20.0.1{PROFILE}?[1-10]")
        assert sum("<Display_Name_1_>two<" in each for each in names) == 10
    site.write(name="three", hosts="pr1: 10.20.0.11", workers=5)
    site.process.signal(signal.SIGHUP)
    site.process.wait_for("5 workers are for the next start; 3 go on")
    site.process.wait_for("reloaded: (?s:.*)reloaded: ")
    assert site.statuses("https://10.20.0.12/", "--connect-timeout", "5") == {"000": 1}


def test_reload_that_is_refused_leaves_the_workers_as_they_are(site: Site) -> None:
    site.write(name="two")
    with site.server.entered():
        taken = socket.create_server(("10.20.0.12", 443))
    with taken:
        site.write(name="two", hosts="pr1: 10.20.0.11, pr2: 10.20.0.12")
        site.process.signal(signal.SIGHUP)
        site.process.wait_for("reload refused, everything serves as before")
    with site.owner_asleep():
        names = site.curl(f"http://10.20.0.1{PROFILE}?[1-10]")
        assert sum("<Display_Name_1_>one<" in each for each in names) == 10


def test_nonce_is_good_for_one_request_over_all(site: Site) -> None:
    """A replay is refused whichever process it comes to."""
    url = "http://10.20.0.1/Cisco/001234ab45e0.cfg"
    assert site.statuses(url + "?[1-6]", "--digest", "-u", "001234ab45e0:swordfish") == {"200": 6}
    shown = site.lan["client0"].run(
        [needs("curl"), "-sv", "-o", "/dev/null", "--digest", "-u", "001234ab45e0:swordfish", url]
    )
    header = re.findall(r"> (Authorization: Digest .*?)\r?\n", shown.stderr)[-1]
    assert site.statuses(f"{url}#[1-30]", "-H", header) == {"401": 30}


def test_key_is_given_once_over_all(site: Site) -> None:
    """Whichever processes are asked at once: what one sender may have in the window is that, and then it is locked."""
    url = "https://10.20.0.1/8851-3PCC.xml?[1-40]"
    asked = ("-Z", "--parallel-immediate")
    first = site.statuses(url, *asked, client="client1", source=OTHER)
    assert first == {"200": 1 + AGAIN, "403": 39 - AGAIN}
    assert site.statuses(url, *asked, client="client1", source=OTHER) == {"403": 40}
    assert given(site.state)[LOCKED].times == 1 + AGAIN


def test_reports_posts_and_oversized_bodies_are_the_same_everywhere(site: Site) -> None:
    report = "<device><flat-profile><Display_Name_1_>x</Display_Name_1_></flat-profile></device>"
    url = "http://10.20.0.1/report/001234ab45de.xml#[1-12]"
    assert site.statuses(url, "-X", "PUT", "-d", report) == {"200": 12}
    (site.folder / "large").write_bytes(bytes(2_000_000))
    assert site.statuses(url, "-X", "PUT", "-H", "Expect:", "--data-binary", f"@{site.folder}/large") == {
        "413": 12
    }
    wait_until(lambda: site.recorded("report at /report/") == 12, what="the reports")

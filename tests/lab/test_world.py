"""What others change beside the inventory is taken over within seconds, without a restart or a word."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from netprov.lab.lan import Host, Lan
from netprov.lab.server import start_server
from netprov.pki.chain import decode
from netprov.pki.names import PhoneSubject
from netprov.pki.request import PkiPlan
from netprov.pki.store import Store
from netprov.runtime.control.client import statuses
from netprov.runtime.web.tls import certificate_store
from tests.change.__main__ import CLOCK
from tests.lab.clients import udhcpc
from tests.lab.conftest import PYTHON, ROOT, MakeLan, needs, wait_until

pytestmark = pytest.mark.lab

SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, other_servers: allow}}
hosts: {pr1: 10.20.0.11}
srv: {https: [{target: pr1, port: 443}], http: [{target: pr1, port: 80}]}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256%s}
acs: {credentials: {username: phone}}
classes: {cpe: {match: {vendor_class_contains: dslforum.org}, method: acs, acs_url: "http://pr1.example.com:7547/"}}
"""
HTTP, HTTPS, TFTP = "http://10.20.0.11/ca.pem", "https://example.com/ca.pem", "tftp://10.20.0.1/ca.pem"


@pytest.fixture
def lan(make_lan: MakeLan) -> Lan:
    made = make_lan(server=["10.20.0.1/24", "10.20.0.11/24"], clients=[None])
    with made["client0"].links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE % "")
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir()
    (path / "secrets").write_text(f"acs one\nsite {'00' * 32}\n")
    return path


def curl(host: Host, *words: str) -> str:
    command = [needs("curl"), "-s", "--max-time", "5", "--connect-to", "example.com:443:10.20.0.11:443"]
    return host.run([*command, *words], timeout=20).stdout


def netprov(host: Host, *words: str) -> None:
    result = host.run([PYTHON, "-m", "netprov", *words], timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_tftp_has_the_ca_that_http_makes_after_it_was_started(lan: Lan, file: Path, state: Path) -> None:
    """Factory phones came back from TFTP without the CA, until TFTP was restarted."""
    server, client = lan["server"], lan["client0"]
    start_server(server, file, state, roles=["tftp"])
    assert "BEGIN CERTIFICATE" not in curl(client, TFTP)
    start_server(server, file, state, roles=["http"])
    root = certificate_store(state).ca_file.read_text()
    wait_until(lambda: curl(client, TFTP) == root, what="the CA over TFTP")
    assert "<Custom_CA_Rule" in curl(client, "tftp://10.20.0.1/CP-8851-3PCC.xml")


@pytest.mark.parametrize("roles", [["dns", "http", "tftp", "syslog", "acs", "dhcp"], ["http"]])
def test_ca_that_is_replaced_is_what_phones_get_and_what_https_presents(
    lan: Lan, file: Path, state: Path, roles: list[str]
) -> None:
    """HTTPS presented the new chain, and every road gave the old root."""
    server, client = lan["server"], lan["client0"]
    start_server(server, file, state, roles=roles)
    if "tftp" not in roles:
        start_server(server, file, state, roles=["tftp"])
    own = ["-f", str(file), "--state", str(state)]
    ca = certificate_store(state).ca_file

    def everywhere(root: str) -> bool:
        given = [curl(client, url) for url in (HTTP, TFTP)]
        return [*given, curl(client, "--cacert", str(ca), HTTPS)] == [root] * 3

    first = ca.read_text()
    wait_until(lambda: everywhere(first), what="the first CA")
    netprov(server, "cert", "init", "--replace", *own)
    second = ca.read_text()
    assert first != second
    wait_until(lambda: everywhere(second), what="the new CA on every road")
    foreign = Store(state.parent / "foreign")
    foreign_chain(foreign, file)
    (pem,) = foreign.chain_files("pr1.example.com")
    chain = ["--chain", str(pem), "--key", str(pem), "--ca", str(foreign.ca_file)]
    netprov(server, "cert", "import", *own, *chain)
    imported = ca.read_text()
    assert imported.startswith(foreign.ca_file.read_text())
    wait_until(lambda: everywhere(imported), what="the imported root on every road")
    netprov(server, "cert", "import", "--forget", *own)
    wait_until(lambda: everywhere(second), what="our own again")


def foreign_chain(store: Store, file: Path) -> None:
    store.ensure(pki_plan(file), time.time())


def pki_plan(file: Path) -> PkiPlan:
    from netprov.cli.site import open_plan

    return open_plan(str(file)).plan.pki


ROLE_AT = {
    "dns": "10.20.0.1",
    "http": "10.20.0.11",
    "tftp": "10.20.0.1",
    "acs": "10.20.0.11",
    "dhcp": "10.20.0.1",
}


@pytest.mark.parametrize("role", ROLE_AT)
def test_address_is_served_when_it_comes_and_waited_for_by_name(
    lan: Lan, file: Path, state: Path, role: str, tmp_path: Path
) -> None:
    """An ACS whose address came later was deaf for ever; HTTP was deaf on what it had not found."""
    address, server = ROLE_AT[role], lan["server"]
    with server.entered():  # or the kernel would drop the second address with the first
        Path("/proc/sys/net/ipv4/conf/all/promote_secondaries").write_text("1")
    address_of(server, "del", address)
    process = start_server(server, file, state, roles=[role])

    def waits() -> bool:
        ((status,),) = (tuple(r for r in reply.roles if r.name == role) for reply in statuses(state))
        return address in status.waiting and not any(address in each for each in status.listening)

    assert waits()
    for _ in range(2):
        address_of(server, "add", address)
        wait_until(lambda: not waits(), what=f"{role} at {address}", timeout=5)
        wait_until(lambda: answers(lan, role, tmp_path), what=f"an answer of {role}", timeout=10)
        address_of(server, "del", address)
        wait_until(waits, what=f"{role} to let go of {address}", timeout=5)
    assert "has come, and is served" in process.output


def address_of(server: Host, verb: str, address: str) -> None:
    command = [needs("ip"), "address", verb, f"{address}/24", "dev", "lan0"]
    assert server.run(command).returncode == 0


def answers(lan: Lan, role: str, tmp_path: Path) -> bool:
    client = lan["client0"]
    match role:
        case "dns":
            asked = [needs("dig"), "@10.20.0.1", "+short", "+tries=1", "+time=1", "pr1.example.com"]
            return client.run(asked, timeout=10).stdout == "10.20.0.11\n"
        case "http":
            return curl(client, HTTP) == certificate_store(lan_state(tmp_path)).ca_file.read_text()
        case "tftp":
            return "<flat-profile>" in curl(client, "tftp://10.20.0.1/CP-8851-3PCC.xml")
        case "acs":
            return curl(client, "-o", "/dev/null", "-w", "%{http_code}", "http://10.20.0.11:7547/") == "405"
        case _:
            return udhcpc(client, tmp_path, vendor_class="CP-8851-3PCC")["ip"].startswith("10.20.0.")


def lan_state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_secret_that_is_changed_is_asked_for_from_then_on(lan: Lan, file: Path, state: Path) -> None:
    secrets = state / "secrets"
    process = start_server(lan["server"], file, state, roles=["acs"])

    def status(password: str) -> str:
        words = ["--digest", "-u", f"phone:{password}", "-d", "x", "-o", "/dev/null", "-w", "%{http_code}"]
        return curl(lan["client0"], *words, "http://10.20.0.11:7547/")

    assert (status("one") != "401", status("two")) == (True, "401")
    secrets.write_text(f"acs two\nsite {'00' * 32}\n")
    wait_until(lambda: status("two") != "401", what="the new password")
    assert status("one") == "401"
    process.wait_for("changed and taken over: secrets", timeout=5)
    secrets.write_text("acs\n")
    process.wait_for("secrets changed, and everything serves as before: acs: ", timeout=5)
    assert status("two") != "401"
    secrets.write_text(f"acs three\nsite {'00' * 32}\n")
    wait_until(lambda: status("three") != "401", what="what is right again")


def test_phone_whose_certificate_is_revoked_is_refused_within_seconds(
    lan: Lan, file: Path, state: Path
) -> None:
    file.write_text(SITE % ", client_certificates: required")
    process = start_server(lan["server"], file, state, roles=["http"])
    store, plan = certificate_store(state), pki_plan(file)
    phone = PhoneSubject("CP-8841-3PCC", "FCH1", "001234ab45de")
    issued = store.issue_phone(plan, phone, "ecdsa-p256", time.time())
    own = str(state / f"pki/phones/{phone.mac}.ecdsa-p256.pem")
    words = ["--cacert", str(store.ca_file), "--cert", own, "--key", own, HTTPS]
    assert curl(lan["client0"], *words)
    store.revoke(plan, [issued.certificate], reason="key-compromise", now=time.time() - 60)
    wait_until(lambda: not curl(lan["client0"], *words), what="a refusal")
    process.wait_for("changed and taken over: certificates")


def test_certificate_that_ends_when_the_clock_is_set_is_issued_again_within_seconds(
    lan: Lan, file: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without a battery starts in the past; then NTP sets its clock, and what it had issued has ended."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CLOCK), str(ROOT)]))
    monkeypatch.setenv("NETPROV_STEPPED_CLOCK", str(clock))
    process = start_server(lan["server"], file, state, roles=["http"])
    ahead = 500 * 86400

    def valid() -> bool:
        words = ["-k", "-w", "%{certs}", "-o", "/dev/null", HTTPS]
        return bool(decode(curl(lan["client0"], *words).encode())[0].not_after > time.time() + ahead)

    assert not valid()
    clock.write_text(str(ahead))
    wait_until(valid, what="a certificate for the new day")
    process.wait_for("changed and taken over: .*clock")

"""Set-ups that are wrong on purpose: `netprov doctor` names what was planted as the first cause.

Two servers serve all tests, reloaded with another inventory for each; on the second, dnsmasq has the DHCP.
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from netprov.cli.site import open_plan
from netprov.cli.verb.service.doctor import command
from netprov.errors import InventoryError, NetprovError
from netprov.lab.lan import Host, Lan
from netprov.lab.process import Process
from netprov.lab.server import start_server
from netprov.lab.topology import HostPlan, Port, Topology
from netprov.pki.bundle import Bundle
from netprov.pki.store import Store
from netprov.runtime.web.tls import certificate_store
from tests.lab.conftest import PYTHON, MakeLan, needs, wait_until
from tests.pki.chains import ca as any_ca
from tests.pki.chains import made

pytestmark = pytest.mark.lab

PHONE = "00:12:34:ab:45:de"
SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}
hosts: {pr1: 10.20.0.1, acs: 10.20.0.1}
srv: {https: [{target: pr1, port: 443, priority: 10}]}
certificates: {ca_key: ecdsa-p256, keys: ecdsa-p256, name_constraints: false}
classes:
  tftp: {method: dhcp, options: {66: 10.20.0.1}}
  cpe: {match: {vendor_class_contains: dslforum.org}, method: acs, acs_url: "https://acs.example.com:7547/"}
  mpp: {match: {vendor_class: "CP-*-3PCC*"}, method: srv}
phones:
  - {mac: 00:12:34:ab:45:de, model: CP-8851-3PCC}
"""
OWN = "https://pr1.example.com/Cisco/001234ab45de.cfg"
"""Where the first profile leads to, if it came without TLS."""

AS_TFTP = SITE.replace("model: CP-8851-3PCC}", "model: CP-8851-3PCC, class: tftp}")
AS_CPE = SITE.replace("model: CP-8851-3PCC}", "model: CP-8851-3PCC, class: cpe}")


@dataclass
class Site:
    """A server, and a machine for the doctor beside it, which has the right CA."""

    lan: Lan
    folder: Path
    server: Process
    roles: Sequence[str]
    served: str = SITE

    @property
    def store(self) -> Store:
        return certificate_store(self.folder / "state")

    def serve(self, text: str = SITE, *, own: Bundle | None = None) -> None:
        """Have the server reload this inventory, with an operator's own chain if there is one."""
        adopted = (self.store.directory / "imported").is_dir() and any(
            (self.store.directory / "imported").iterdir()
        )
        if text == self.served and not own and not adopted:
            return
        self.store.drop_adopted()
        if own:
            self.store.adopt(open_plan(str(self.folder / "served.yaml")).plan.pki, own, (), None)
        (self.folder / "served.yaml").write_text(text)
        before = self.server.output.count("reloaded")
        self.server.signal(signal.SIGHUP)
        wait_until(
            lambda: self.server.output.count("reloaded") > before,
            what=f"the reload: {self.server.output[-600:]}",
            timeout=20,
        )
        self.served = text

    def restart(self, text: str) -> None:
        """Start the server anew with this inventory: a reload refuses one that leaves a role without any address."""
        (self.folder / "served.yaml").write_text(text)
        self.server.stop()
        self.server = start_server(
            self.lan["server"], self.folder / "served.yaml", self.folder / "state", roles=self.roles
        )
        self.served = text

    def doctor(self, *arguments: str, inventory: str = SITE) -> tuple[int, str]:
        """Run `netprov doctor` with the right inventory on the machine beside the server; exit code, output."""
        right = self.folder / "site.yaml"
        right.write_text(inventory)
        told = {"--ca", "--state"} & set(arguments)
        ca = [] if told else ["--ca", str(self.folder / "ca.pem")]
        output = io.StringIO()
        with self.lan["client0"].entered(), contextlib.redirect_stdout(output):
            # A second server is heard sooner here than on a real LAN.
            code = command.main(["-f", str(right), "--linger", "0.1", *ca, *arguments], standalone_mode=False)
        return code, output.getvalue()

    def diagnose(self, *arguments: str, inventory: str = SITE) -> list[dict[str, Any]]:
        code, output = self.doctor("--json", *(arguments or (PHONE,)), inventory=inventory)
        said: list[dict[str, Any]] = json.loads(output)
        assert code == int(any(each["cause"] for each in said))
        return said

    def cause(self, *arguments: str, inventory: str = SITE) -> str:
        """Return what the doctor says stops the phone first, "" for nothing."""
        (said,) = self.diagnose(*arguments, inventory=inventory)
        return said["cause"]["rule"] if said["cause"] else ""


def started(make: MakeLan, folder: Path, roles: Sequence[str]) -> Site:
    lan = make(server=["10.20.0.1/24"], clients=[None])
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    (folder / "served.yaml").write_text(SITE)
    server = start_server(lan["server"], folder / "served.yaml", folder / "state", roles=roles)
    site = Site(lan, folder, server, roles)
    (folder / "ca.pem").write_text(site.store.anchors()[0].pem())
    return site


@pytest.fixture(scope="module")
def netprov(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return started(make_module_lan, tmp_path_factory.mktemp("all"), ["dns", "http", "tftp", "acs", "dhcp"])


@pytest.fixture(scope="module")
def others(make_module_lan: MakeLan, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return started(make_module_lan, tmp_path_factory.mktemp("others"), ["dns", "http"])


@pytest.fixture
def site(netprov: Site) -> Site:
    netprov.serve()
    return netprov


@pytest.fixture
def beside(others: Site) -> Site:
    others.serve()
    return others


@contextmanager
def dnsmasq(host: Host, *options: str) -> Iterator[None]:
    """Serve DHCP, and nothing else, by dnsmasq."""
    process = host.spawn(
        [
            needs("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--log-facility=-", "--port=0",
            "--user=root", "--interface=lan0", "--bind-interfaces", "--dhcp-range=10.20.0.100,10.20.0.199,10m",
            "--dhcp-authoritative", "--no-ping", "--dhcp-leasefile=/dev/null", "--pid-file=", *options,
        ]
    )  # fmt: skip
    try:
        process.wait_for("DHCP, IP range")
        yield
    finally:
        process.stop()


@contextmanager
def time_server(host: Host, moment: float, stratum: int = 2) -> Iterator[None]:
    """Answer NTP with one moment."""
    with host.entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("10.20.0.1", 123))

    def serve() -> None:
        while True:
            try:
                query, source = sock.recvfrom(512)
            except OSError:
                return
            if not query:
                return
            seconds = (int(moment) + 2_208_988_800) & 0xFFFFFFFF
            head = struct.pack(">BBbb5I", 0x24, stratum, 0, 0, 0, 0, 0, 0, 0)
            sock.sendto(head + query[40:48] + struct.pack(">4I", seconds, 0, seconds, 0), source)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        with host.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("10.20.0.1", 123))
        thread.join(10)
        sock.close()


def own_chain(
    site: Site, names: tuple[str, ...], *, life: tuple[float, float] = (-60, 9e6)
) -> tuple[Bundle, str]:
    """Return a chain of an operator's own CA, and the CA's file."""
    own = any_ca("Own CA")
    now = time.time()
    chain = made(names[0], names=names, issuer=own, start=now + life[0], end=now + life[1])
    file = site.folder / "own-ca.pem"
    file.write_text(own.leaf.pem())
    return chain, str(file)


def test_nothing_wrong_and_no_lease_taken(site: Site) -> None:
    said = site.diagnose("--classes")
    assert {each["who"].partition(" (")[0]: each["cause"] for each in said} == {
        "class cpe": None,
        "class mpp": None,
    }
    assert site.cause("--realistic", PHONE) == ""
    command = [PYTHON, "-m", "netprov", "leases", "list", "-f", str(site.folder / "site.yaml")]
    listed = site.lan["server"].run([*command, "--state", str(site.folder / "state")])
    assert listed.returncode == 0, listed.stderr
    assert PHONE not in listed.stdout


@pytest.mark.parametrize(
    ("names", "life", "expected"),
    [
        (("pr1.example.com",), (-60, 9e6), "cert-san-domain"),
        (("*.example.com",), (-60, 9e6), "cert-wildcard-apex"),
        (("example.com",), (-9e6, -60), "cert-expired"),
        (("example.com",), (3600, 9e6), "cert-not-yet-valid"),
        (("example.com",), (-60, 9e6), ""),
    ],
)
def test_certificate(site: Site, names: tuple[str, ...], life: tuple[float, float], expected: str) -> None:
    chain, ca = own_chain(site, names, life=life)
    site.serve(own=chain)
    assert site.cause("--ca", ca, PHONE) == expected


def test_unknown_ca(site: Site) -> None:
    _, ca = own_chain(site, ("example.com",))
    assert site.cause("--ca", ca, PHONE) == "cert-unknown-ca"


def test_ca_is_taken_as_phones_get_it_where_it_is_not_at_hand(site: Site, tmp_path: Path) -> None:
    (said,) = site.diagnose("--state", str(tmp_path), PHONE)
    assert (said["cause"], rules(said)) == (None, ["doctor-new-phone"])
    assert said["provisioned_from"] == "https://pr1.example.com/8851-3PCC.xml"


def rules(said: Mapping[str, Any]) -> list[str]:
    return [each["rule"] for each in said["findings"]]


BOTH = SITE.replace("priority: 10}]}", "priority: 10}], http: [{target: pr1, port: 80}]}")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("provisioning: {secure: true}\n", []),
        ("provisioning: {secure: true, statuses: {/ca.pem: 404}}\n", ["doctor-new-phone"]),
    ],
)
def test_a_phone_that_does_not_trust_the_ca_yet_is_walked_too(
    site: Site, more: str, expected: list[str]
) -> None:
    """A factory phone needs the CA on its way; one that has it is provisioned all the same."""
    site.serve(BOTH + more)
    said = site.diagnose(PHONE, inventory=BOTH + more)[0]
    assert (said["cause"], rules(said)) == (None, expected)


def test_an_inventory_without_phones_and_classes_has_a_usual_phone(site: Site) -> None:
    empty = SITE[: SITE.index("classes:")]
    site.serve(empty)
    (said,) = site.diagnose("--classes", inventory=empty)
    assert (said["who"], said["cause"]) == ("any phone on voice (as CP-8851-3PCC)", None)


def test_phone_that_the_inventory_does_not_serve(site: Site) -> None:
    unserved = SITE.replace("10.20.0.0/24}", "10.20.0.0/24, clients: known}")
    code, output = site.doctor("--classes", inventory=unserved)
    assert (code, "Nobody to ask for" in output) == (0, True)
    with pytest.raises(InventoryError, match="no phone 00:00:00:00:00:09"):
        site.doctor("00:00:00:00:00:09")


@pytest.mark.parametrize(
    ("address", "expected"), [("10.20.0.77", "doctor-host-down"), ("10.20.0.250", "doctor-port-closed")]
)
def test_target_down_or_port_closed(site: Site, address: str, expected: str) -> None:
    wrong = SITE.replace("pr1: 10.20.0.1", f"pr1: {address}")
    site.serve(wrong)
    assert site.cause(inventory=wrong) == expected


def test_one_of_two_targets_down_is_a_warning(site: Site) -> None:
    two = SITE.replace("pr1: 10.20.0.1", "pr1: 10.20.0.1, pr2: 10.20.0.77")
    two = two.replace("priority: 10}", "priority: 10}, {target: pr2, port: 443, priority: 5}")
    site.serve(two)
    (said,) = site.diagnose(inventory=two)
    assert said["cause"] is None
    assert [(each["rule"], each["severity"]) for each in said["findings"]] == [
        ("doctor-host-down", "warning"),
        ("doctor-new-phone", "warning"),
    ]
    assert said["provisioned_from"] == "https://pr1.example.com/8851-3PCC.xml"


def test_target_without_an_address(site: Site) -> None:
    site.serve(SITE.replace("target: pr1", "target: nowhere.example.org"))
    (said,) = site.diagnose()
    assert [each["rule"] for each in said["findings"]] == ["doctor-srv-different", "doctor-target-address"]
    assert said["cause"]["rule"] == "doctor-target-address"


def test_srv_records_missing(site: Site) -> None:
    site.serve(SITE.replace("srv: {https:", "srv: {http:").replace("port: 443", "port: 80"))
    (said,) = site.diagnose()
    assert said["findings"][0]["rule"] == "doctor-srv-missing"
    assert said["provisioned_from"] == "https://netprov.example.com/Cisco/001234ab45de.cfg"


def test_files_missing(site: Site) -> None:
    site.serve(SITE + "provisioning: {statuses: {'/$PSN.xml': 404, '/Cisco/$MA.cfg': 503}}\n")
    assert site.cause() == "doctor-path"


@pytest.mark.parametrize(
    ("moment", "stratum", "expected", "severity"),
    [
        (946_684_800.0, 2, "doctor-clock", "error"),
        (2_300_000_000.0, 2, "doctor-clock", "error"),
        (None, 0, "doctor-time-silent", "warning"),
        (None, 2, "", ""),
    ],
    ids=["2000", "2042", "unsynchronised", "right"],
)
def test_clock(site: Site, moment: float | None, stratum: int, expected: str, severity: str) -> None:
    timed = SITE.replace("10.20.0.0/24}", "10.20.0.0/24, ntp: 10.20.0.1}")
    site.serve(timed)
    with time_server(site.lan["server"], time.time() if moment is None else moment, stratum):
        (said,) = site.diagnose(inventory=timed)
    if severity == "error":
        assert said["cause"]["rule"] == expected
    else:
        assert said["cause"] is None
        assert rules(said) == [*([expected] if expected else []), "doctor-new-phone"]  # HTTPS is all there is


def test_phone_of_method_dhcp(site: Site) -> None:
    site.serve(AS_TFTP)
    (said,) = site.diagnose(inventory=AS_TFTP)
    assert (said["cause"], said["provisioned_from"]) == (None, OWN)
    site.serve(AS_TFTP.replace("66: 10.20.0.1", "66: 10.20.0.250"))
    assert site.cause(inventory=AS_TFTP) == "doctor-option-different"
    elsewhere = AS_TFTP.replace("66: 10.20.0.1", "66: 10.20.0.250")
    (said,) = site.diagnose(inventory=elsewhere)
    assert said["cause"]["rule"] == "doctor-port-closed"
    assert "tftp://10.20.0.250/8851-3PCC.xml" in said["cause"]["message"]


def test_phone_of_method_acs(site: Site) -> None:
    site.serve(AS_CPE)
    assert site.cause(inventory=AS_CPE) == ""
    wrong = AS_CPE.replace("acs: 10.20.0.1", "acs: 10.20.0.250")
    site.restart(wrong)
    assert site.cause(inventory=wrong) == "doctor-port-closed"
    site.serve(AS_CPE.replace("https://acs", "http://acs"))
    assert site.cause(inventory=AS_CPE) == "doctor-option-different"


@pytest.mark.parametrize(
    ("options", "expected", "said"),
    [
        (("--domain=example.com",), "", ""),
        ((), "doctor-option-missing", "option 15 (Domain name) is missing"),
        (("--domain=example.org",), "doctor-option-different", "example.org"),
        (("--domain=example.com", "--dhcp-option-force=66,10.20.0.9"), "doctor-option-extra", "option 66"),
    ],
    ids=["right", "stripped", "another domain", "66 beside SRV"],
)
def test_dhcp_of_another(beside: Site, options: tuple[str, ...], expected: str, said: str) -> None:
    with dnsmasq(beside.lan["server"], "--dhcp-option=6,10.20.0.1", *options):
        (diagnosis,) = beside.diagnose()
    cause = diagnosis["cause"] or {"rule": "", "message": ""}
    assert cause["rule"] == expected
    assert said.lower() in cause["message"].lower()


@pytest.mark.parametrize("value", ["160,ftp://10.20.0.9/x", "66,10.20.0.9 /tftpboot"])
def test_an_option_that_no_phone_can_use_leaves_it_the_srv_records(beside: Site, value: str) -> None:
    options = ("--domain=example.com", "--dhcp-option=6,10.20.0.1", f"--dhcp-option-force={value}")
    with dnsmasq(beside.lan["server"], *options):
        (said,) = beside.diagnose()
    assert said["cause"] is None
    assert [each["severity"] for each in said["findings"] if each["rule"] == "doctor-option-extra"] == [
        "warning"
    ]
    assert said["provisioned_from"] == "https://pr1.example.com/8851-3PCC.xml"


@pytest.mark.parametrize("option", ["ftp://10.20.0.1/x", "http://"])
def test_an_own_option_that_no_phone_can_use_leaves_it_the_srv_records(site: Site, option: str) -> None:
    unusable = SITE.replace("66: 10.20.0.1", f"160: '{option}'").replace("3PCC}", "3PCC, class: tftp}")
    site.serve(unusable)
    (said,) = site.diagnose(inventory=unusable)
    assert said["cause"] is None
    assert said["provisioned_from"] == "https://pr1.example.com/8851-3PCC.xml"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("redirects: {'/$PSN.xml': 'http://10.20.0.1/$PSN.xml'}", "redirect"),
        ("redirects: {'/$PSN.xml': 'http://10.20.0.1:81/x.xml'}", "port-closed"),
        ("redirects: {'/$PSN.xml': 'http://10.20.0.1/Cisco/$MA.cfg'}", ""),
        ("statuses: {'/$PSN.xml': 401}", "doctor-locked"),
        ("statuses: {'/$PSN.xml': 403}", "doctor-path"),
        ("statuses: {'/$PSN.xml': 503}", "doctor-server-error"),
    ],
)
def test_what_a_file_server_answers_is_judged_as_the_phone_does(site: Site, more: str, expected: str) -> None:
    text = AS_TFTP.replace("66: 10.20.0.1", "66: 'http://10.20.0.1/$PSN.xml'") + f"provisioning: {{{more}}}\n"
    site.serve(text)
    assert site.cause(inventory=text) == expected


def test_a_password_of_the_acs_is_not_ok(site: Site) -> None:
    locked = AS_CPE + "acs: {credentials: {username: phone, password: secret}}\n"
    site.serve(locked)
    assert site.cause(inventory=locked) == "doctor-acs-locked"


def test_an_encrypted_file_without_a_key_stops_the_phone(site: Site) -> None:
    tree = site.folder / "tree"
    tree.mkdir(exist_ok=True)
    (tree / "p.xml").write_bytes(b"Salted__" + bytes(range(48)))
    text = AS_TFTP.replace("66: 10.20.0.1", "66: 'http://10.20.0.1/own/p.xml'")
    text += f"provisioning: {{files: {{/own: '{tree}'}}}}\n"
    site.serve(text)
    assert site.cause(inventory=text) == "encrypted"


def test_an_interface_stands_for_its_network(make_lan: MakeLan, tmp_path: Path) -> None:
    ports = (Port("one", "lan0", ("10.20.0.1/24",)), Port("two", "lan1", ("10.30.0.1/24",)))
    lan = make_lan(Topology((HostPlan("server", ports),), ("one", "two")))
    text = SITE.replace(
        "networks: {voice: {", "networks: {two: {interface: lan1, subnet: 10.30.0.0/24}, voice: {"
    )
    text = text.replace("3PCC}", "3PCC, network: voice}")
    (tmp_path / "site.yaml").write_text(text)
    start_server(lan["server"], tmp_path / "site.yaml", tmp_path / "state")
    command = [
        PYTHON,
        "-m",
        "netprov",
        "doctor",
        "-f",
        str(tmp_path / "site.yaml"),
        "--json",
        "--linger",
        "0.1",
    ]
    command += ["--state", str(tmp_path / "state")]
    for interface, network in (("lan0", "voice"), ("lan1", "two")):
        done = lan["server"].run([*command, "-i", interface, "--classes"], timeout=60)
        told = [each for each in json.loads(done.stdout) if each["network"]]  # the last is of the servers
        assert {each["network"] for each in told} == {network}, done.stderr
        (said,) = json.loads(lan["server"].run([*command, "-i", interface, PHONE], timeout=60).stdout)
        assert (said["network"], said["cause"]) == (network, None)


def test_another_dhcp_server(beside: Site) -> None:
    with dnsmasq(beside.lan["client0"], "--domain=example.com", "--dhcp-option=6,10.20.0.1"):
        assert beside.cause() == "doctor-other-server"


def test_no_dhcp_server(beside: Site) -> None:
    assert beside.cause() == "doctor-no-offer"
    assert beside.cause("--no-dhcp", PHONE) == ""


def test_zone_missing_or_dns_silent(beside: Site) -> None:
    beside.serve(
        SITE.replace("domain: example.com", "domain: example.org").replace(
            "acs.example.com", "acs.example.org"
        )
    )
    with dnsmasq(beside.lan["server"], "--dhcp-option=6,10.20.0.1", "--domain=example.com"):
        assert beside.cause() == "doctor-dns-domain"
    silent = SITE.replace("10.20.0.0/24}", "10.20.0.0/24, dns: 10.20.0.77}")
    with dnsmasq(beside.lan["server"], "--dhcp-option=6,10.20.0.77", "--domain=example.com"):
        assert beside.cause(inventory=silent) == "doctor-dns-silent"


def test_text_names_the_cause_its_place_and_the_phones(beside: Site) -> None:
    with dnsmasq(beside.lan["server"], "--dhcp-option=6,10.20.0.1"):
        code, output = beside.doctor()
    assert code == 1
    lines = output.splitlines()
    assert lines[0].split()[:3] == ["WHO", "METHOD", "STATE"]
    assert any(line.startswith("class mpp") and "STOPS" in line for line in lines)
    assert f"{beside.folder}/site.yaml:2:9: error[doctor-option-missing]" in output
    assert "    for class mpp (as CP-8851-3PCC), phone 00:12:34:ab:45:de (CP-8851-3PCC)" in lines


def test_a_machine_without_an_address_is_told_so(make_lan: MakeLan, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    with (
        make_lan(clients=[None])["client0"].entered(),
        pytest.raises(NetprovError, match="give the interface an"),
    ):
        command.main(["-f", str(tmp_path / "site.yaml"), "--state", str(tmp_path)], standalone_mode=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-i", "nowhere0"), "no interface nowhere0"),
        ((PHONE, "--ca", "/nowhere"), "cannot read /nowhere"),
    ],
)
def test_what_this_machine_cannot_do_is_said(beside: Site, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(NetprovError, match=said):
        beside.doctor(*arguments)

"""curl holds a session with the ACS of config/staging.yaml, in SOAP written by hand as published traces show it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from netprov.lab.lan import Host, Lan
from netprov.lab.server import start_server
from netprov.pki.store import Store
from tests.lab.conftest import MakeLan, needs

pytestmark = pytest.mark.lab

MESSAGES = Path(__file__).parent / "cwmp"
ACS = "https://pr1.example.com:7547/"
RESOLVED = ("--resolve", "pr1.example.com:7547:10.20.0.11")


@dataclass
class Curl:
    """curl on a host of the LAN, with a cookie jar of its own."""

    host: Host
    ca: Path
    scratch: Path

    def post(self, body: bytes, *options: str) -> tuple[str, bytes]:
        """POST a body as a phone would; return the status and what came back."""
        sent, received = self.scratch / "sent", self.scratch / "received"
        sent.write_bytes(body)
        received.write_bytes(b"")
        jar = str(self.scratch / "cookies")
        kind = ("-H", "Content-Type: text/xml", "-H", "SOAPAction:") if body else ("-H", "Content-Type:")
        command = [
            *(needs("curl"), "-sS", "--max-time", "10", "--cacert", str(self.ca), *RESOLVED),
            *("-b", jar, "-c", jar, "-o", str(received), "-w", "%{http_code}", *kind),
            *("--data-binary", f"@{sent}", *options, ACS),
        ]
        result = self.host.run(command, timeout=20)
        assert result.returncode == 0, result.stderr
        return result.stdout, received.read_bytes()


@pytest.fixture
def curl(staging: Lan, ca: Store, tmp_path: Path) -> Curl:
    return Curl(staging["client3"], ca.ca_file, tmp_path)


def message(name: str) -> bytes:
    return (MESSAGES / f"{name}.xml").read_bytes()


def body_of(document: bytes, version: str = "1-2") -> tuple[str, Element]:
    """Return the cwmp:ID and the body element, found strictly by their namespaces."""
    soap, cwmp = "{http://schemas.xmlsoap.org/soap/envelope/}", f"{{urn:dslforum-org:cwmp-{version}}}"
    root = fromstring(document, forbid_dtd=True)
    assert f"{soap}Envelope" == root.tag
    header = root.find(f"{soap}Header/{cwmp}ID")
    body = root.find(f"{soap}Body")
    assert header is not None
    assert body is not None
    return header.text or "", body[0]


def test_curl_is_told_to_download_the_phones_profile(curl: Curl) -> None:
    status, document = curl.post(message("inform"))
    assert status == "200"
    identity, body = body_of(document)
    assert (identity, body.tag) == ("CPE_3286", "{urn:dslforum-org:cwmp-1-2}InformResponse")
    assert body.findtext("MaxEnvelopes") == "1"

    status, document = curl.post(b"")
    identity, body = body_of(document)
    assert (status, identity, body.tag) == (
        "200",
        "netprov-1",
        "{urn:dslforum-org:cwmp-1-2}SetParameterValues",
    )
    values = {each.findtext("Name"): each.findtext("Value") for each in body.iter("ParameterValueStruct")}
    assert values == {
        "Device.ManagementServer.PeriodicInformEnable": "1",
        "Device.ManagementServer.PeriodicInformInterval": "3600",
        "Device.DeviceInfo.ProvisioningCode": "staging",
    }

    status, document = curl.post(message("set-response"))
    identity, body = body_of(document)
    assert (status, identity, body.tag) == ("200", "netprov-2", "{urn:dslforum-org:cwmp-1-2}Download")
    assert body.findtext("FileType") == "3 Vendor Configuration File"
    assert body.findtext("URL") == "https://pr1.example.com:5060/Cisco/001234ab45e2.cfg"

    assert curl.post(message("download-response")) == ("204", b"")


def test_xmllint_finds_the_answers_well_formed_and_their_namespaces_declared(curl: Curl) -> None:
    _, document = curl.post(message("inform"))
    received = curl.scratch / "answer.xml"
    received.write_bytes(document)
    result = curl.host.run([needs("xmllint"), "--noout", "--nonet", "--c14n", str(received)])
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", "400"),
        (b"GET / HTTP/1.1\r\n\r\n", "400"),
        (
            b"<?xml version='1.0'?><!DOCTYPE b [<!ENTITY a 'aaaa'>]><Envelope><Body>&a;</Body></Envelope>",
            "400",
        ),
        (b"\x00" * 2_000_000, "413"),
    ],
)
def test_curl_is_refused_what_is_no_cwmp_and_others_are_still_served(
    curl: Curl, body: bytes, status: str
) -> None:
    assert status == curl.post(body)[0]
    assert curl.post(message("inform"))[0] == "200"


def test_curl_speaking_http_1_0_and_chunked_is_served(curl: Curl) -> None:
    assert curl.post(message("inform"), "--http1.0")[0] == "200"
    assert curl.post(message("inform"), "-H", "Transfer-Encoding: chunked")[0] == "200"


def test_curl_verifies_the_acs_for_its_host_and_its_domain_and_no_other(curl: Curl) -> None:
    assert curl.post(message("inform"))[0] == "200"
    for name, accepted in (("example.com", True), ("pr2.example.com", True), ("other.example.net", False)):
        where = ["--connect-to", f"{name}:7547:10.20.0.11:7547", f"https://{name}:7547/"]
        command = [needs("curl"), "-sS", "--max-time", "10", "--cacert", str(curl.ca), *where]
        assert accepted == (curl.host.run(command, timeout=20).returncode == 0)


def test_curl_with_the_digest_of_the_password_is_let_in(make_lan: MakeLan, tmp_path: Path) -> None:
    inventory = tmp_path / "site.yaml"
    inventory.write_text(
        "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"
        "classes: {cpe: {method: acs, acs_url: 'http://10.20.0.1:7547/'}}\n"
        "acs: {credentials: {username: admin, password: 'pass word'}}\n"
    )
    lan = make_lan(server=["10.20.0.1/24"], clients=[None])
    start_server(lan["server"], inventory, tmp_path / "state", roles=("acs",))
    with lan["client0"].links() as links:
        links.add_address("lan0", "10.20.0.250/24")
    for options, status in (
        (["--digest", "-u", "admin:pass word"], "200"),
        (["--digest", "-u", "admin:wrong"], "401"),
        (["--basic", "-u", "admin:pass word"], "401"),
        ([], "401"),
    ):
        command = [
            needs("curl"),
            "-sS",
            "--max-time",
            "10",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            *options,
        ]
        said = ["--data-binary", f"@{MESSAGES / 'inform.xml'}", "http://10.20.0.1:7547/"]
        assert status == lan["client0"].run([*command, *said], timeout=20).stdout

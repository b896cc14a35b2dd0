"""Clients that are not ours get what config/staging.yaml says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netprov.lab.lan import Lan
from netprov.pki.store import Store
from tests.lab.clients import dhclient, octets, udhcpc
from tests.lab.conftest import needs

pytestmark = pytest.mark.lab

ACS_URL = b"https://pr1.example.com:7547/"
CODE = b"staging"

OPTION_43 = b"\x01" + bytes([len(ACS_URL)]) + ACS_URL + b"\x02" + bytes([len(CODE)]) + CODE
"""TR-069 Annex F.2 (amendment 6, table 1): 1 is the ACS's URL, 2 the provisioning code."""

_TLVS = b"\x0b" + bytes([len(ACS_URL)]) + ACS_URL + b"\x0c" + bytes([len(CODE)]) + CODE
OPTION_125 = (3561).to_bytes(4, "big") + bytes([len(_TLVS)]) + _TLVS
"""RFC 3925 section 4 with the Broadband Forum's enterprise number: 11 is the ACS's URL, 12 the provisioning code."""


def test_udhcpc_gets_domain_and_no_option_that_would_spoil_srv(staging: Lan, tmp_path: Path) -> None:
    given = udhcpc(staging["client0"], tmp_path, vendor_class="CP-8851-3PCC", request=(66, 150, 43, 125, 42))
    assert given["ip"] == "10.20.0.50"
    assert given["domain"] == "example.com"
    assert given["dns"] == "10.20.0.1"
    assert given["ntpsrv"] == "10.20.0.1"
    assert not {"tftp", "opt66", "opt150", "opt43", "opt125"} & set(given)


def test_udhcpc_gets_options_66_and_150_byte_for_byte(staging: Lan, tmp_path: Path) -> None:
    given = udhcpc(staging["client1"], tmp_path, vendor_class="CP-8841-3PCC", request=(66, 150))
    assert given["ip"] == "10.20.0.52"
    assert given["domain"] == "example.com"
    assert given["tftp"] == "10.20.0.1"
    assert bytes.fromhex(given["opt150"]) == bytes([10, 20, 0, 1])


def test_udhcpc_gets_options_43_and_125_byte_for_byte(staging: Lan, tmp_path: Path) -> None:
    given = udhcpc(staging["client2"], tmp_path, vendor_class="dslforum.org", request=(43, 125))
    assert given["ip"] == "10.20.0.54"
    assert bytes.fromhex(given["opt43"]) == OPTION_43
    assert bytes.fromhex(given["opt125"]) == OPTION_125


def test_dhclient_gets_options_66_and_150_byte_for_byte(staging: Lan, tmp_path: Path) -> None:
    given = dhclient(staging["client1"], tmp_path, vendor_class="CP-8841-3PCC")
    assert given["new_ip_address"] == "10.20.0.52"
    assert given["new_domain_name"] == "example.com"
    assert octets(given["new_server_text"]) == b"10.20.0.1"
    assert octets(given["new_tftp_servers"]) == bytes([10, 20, 0, 1])


def test_dhclient_gets_options_43_and_125_byte_for_byte(staging: Lan, tmp_path: Path) -> None:
    given = dhclient(staging["client2"], tmp_path, vendor_class="CP-8861-3PCC dslforum.org")
    assert given["new_ip_address"] == "10.20.0.54"
    assert octets(given["new_vendor_text"]) == OPTION_43
    assert octets(given["new_vivso"]) == OPTION_125


def test_unlisted_phone_gets_an_address_of_the_pool(staging: Lan, tmp_path: Path) -> None:
    given = udhcpc(staging["client3"], tmp_path, vendor_class="CP-7841-3PCC")
    assert re.fullmatch(r"10\.20\.0\.1\d\d", given["ip"])


def test_client_that_is_no_phone_gets_nothing(staging: Lan, tmp_path: Path) -> None:
    command = [needs("udhcpc"), "-i", "lan0", "-f", "-n", "-q", "-t", "2", "-T", "1", "-s", "/bin/true"]
    assert staging["client3"].run([*command, "-V", "MSFT 5.0"]).returncode != 0


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("_ciscoprov-https._tls", ["10 20 5060 pr2.example.com.", "10 60 5060 pr1.example.com."]),
        ("_ciscoprov-http._tcp", ["10 30 5060 px2.example.com.", "10 50 5060 px1.example.com."]),
    ],
)
def test_dig_gets_srv_in_the_guide_s_order(
    staging: Lan, transport: str, service: str, expected: list[str]
) -> None:
    name = f"{service}.example.com"
    # Three times: nothing on the way rotates them.
    for _ in range(3):
        command = [needs("dig"), "@10.20.0.1", transport, "+noall", "+answer", "+additional", "SRV", name]
        lines = [line.split() for line in staging["client3"].run(command).stdout.splitlines()]
        answer = [line for line in lines if line[3] == "SRV"]
        assert [" ".join(line[4:]) for line in answer] == expected
        assert {line[1] for line in answer} == {"86400"}
        targets = {line.split()[-1] for line in expected}
        assert {line[0] for line in lines if line[3] == "A"} == targets


def test_dig_finds_the_names_above_a_service_and_refusal_outside(staging: Lan) -> None:
    statuses = {}
    for name in ("_tls.example.com", "_tcp.example.com", "none.example.com", "example.org"):
        output = staging["client3"].run([needs("dig"), "@10.20.0.1", "SRV", name]).stdout
        found = re.search(r"status: (\w+)", output)
        statuses[name] = found and found[1]
    assert statuses == {
        "_tls.example.com": "NOERROR",
        "_tcp.example.com": "NOERROR",
        "none.example.com": "NXDOMAIN",
        "example.org": "REFUSED",
    }


@pytest.mark.parametrize("address", ["10.20.0.11", "10.20.0.12"])
@pytest.mark.parametrize("algorithm", ["RSA", "ECDSA"])
def test_openssl_verifies_every_https_target_for_the_domain(
    staging: Lan, ca: Store, address: str, algorithm: str
) -> None:
    command = [
        *(needs("openssl"), "s_client", "-connect", f"{address}:5060", "-CAfile", str(ca.ca_file)),
        *("-verify_hostname", "example.com", "-verify_return_error"),
        *("-tls1_2", "-cipher", f"ECDHE-{algorithm}-AES128-GCM-SHA256"),
    ]
    result = staging["client3"].run(command, stdin="")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Verify return code: 0 (ok)" in result.stdout


@pytest.mark.parametrize(("target", "address"), [("pr1", "10.20.0.11"), ("pr2", "10.20.0.12")])
@pytest.mark.parametrize("path", ["8851-3PCC.xml", "Cisco/001234ab45de.cfg"])
def test_curl_fetches_a_profile_from_every_https_target(
    staging: Lan, ca: Store, target: str, address: str, path: str
) -> None:
    for name in ("example.com", f"{target}.example.com"):
        url = f"https://{name}:5060/{path}"
        command = [needs("curl"), "-sS", "--fail", "--cacert", str(ca.ca_file), "--resolve"]
        result = staging["client3"].run([*command, f"{name}:5060:{address}", url])
        assert result.returncode == 0, result.stderr
        assert "<flat-profile>" in result.stdout


@pytest.mark.parametrize("address", ["10.20.0.13", "10.20.0.14"])
def test_wget_fetches_a_profile_from_every_http_target_and_404_elsewhere(staging: Lan, address: str) -> None:
    wget = [needs("wget"), "-q", "-O", "-"]
    assert "<flat-profile>" in staging["client3"].run([*wget, f"http://{address}:5060/8851-3PCC.xml"]).stdout
    assert staging["client3"].run([*wget, f"http://{address}:5060/none"]).returncode == 8

"""Emulated phones on LANs whose servers are not ours: dnsmasq alone, Kea with NSD and nginx, tftpd-hpa."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.emulator.failure import COMPRESSED
from netprov.emulator.phone import Trip, boot_phone
from netprov.lab.lan import Lan
from netprov.phone.action import Failed, Fetch, Lease
from netprov.phone.handset.identity import Identity
from netprov.phone.handset.memory import Behaviour
from tests.lab import foreign
from tests.lab.conftest import PYTHON, MakeLan
from tests.lab.foreign import FIRST, HTTP, HTTPS, MAC, NAMES, PROFILE, SECOND, authority, certificate, phone

pytestmark = pytest.mark.lab


@pytest.fixture
def site(make_lan: MakeLan) -> Lan:
    return make_lan(server=foreign.ADDRESSES, clients=[MAC])


def booted(lan: Lan, identity: Identity | None = None, behaviour: Behaviour | None = None) -> Trip:
    client = lan["client0"]
    with client.entered():
        return boot_phone(identity or phone(), client.interface, behaviour=behaviour)


def fetched(trip: Trip) -> list[str]:
    return [str(step.action.url) for step in trip.steps if isinstance(step.action, Fetch)]


def test_dnsmasq_alone_provisions_by_option_66_and_tftp(site: Lan, tmp_path: Path) -> None:
    root = foreign.files(tmp_path / "tftp", {SECOND: PROFILE})
    foreign.dnsmasq(
        site["server"], tmp_path, "--dhcp-option=66,10.20.0.1", "--enable-tftp", f"--tftp-root={root}"
    )
    trip = booted(site)
    assert trip.outcome.provisioned, trip.outcome
    assert fetched(trip) == [f"tftp://10.20.0.1/{FIRST}", f"tftp://10.20.0.1/{SECOND}"]
    assert trip.handset["Proxy_1_"] == "example.com"


def test_dnsmasq_gives_srv_and_nginx_a_certificate_for_the_domain(site: Lan, tmp_path: Path) -> None:
    root, issuer = foreign.files(tmp_path / "www", {FIRST: PROFILE}), authority()
    foreign.dnsmasq(site["server"], tmp_path, *NAMES, f"--srv-host={HTTPS},pr1.example.com,5060,10,20")
    foreign.nginx(
        site["server"],
        tmp_path,
        root,
        ["listen 10.20.0.11:5060 ssl; chain.pem root ROOT;"],
        {"chain": certificate(issuer, ("example.com",))},
    )
    trip = booted(site, phone(roots=[issuer]))
    assert (trip.outcome.provisioned, trip.outcome.method) == (True, "srv")
    assert fetched(trip) == [f"https://pr1.example.com:5060/{FIRST}"]
    stranger = booted(site)
    assert not stranger.outcome.provisioned
    assert any(
        isinstance(step.result, Failed) and step.result.trouble.name == "UNTRUSTED" for step in stranger.steps
    )


def test_kea_nsd_and_nginx_provision_by_srv_in_the_guides_order(site: Lan, tmp_path: Path) -> None:
    root, issuer = foreign.files(tmp_path / "www", {"Cisco/001234ab45de.cfg": PROFILE}), authority()
    server = site["server"]
    foreign.kea(server, tmp_path, [])
    foreign.nsd(
        server,
        tmp_path,
        "_ciscoprov-https._tls SRV 10 60 5060 pr1\n_ciscoprov-https._tls SRV 10 20 5060 pr2\n"
        "@ A 10.20.0.11\npr1 A 10.20.0.11\npr2 A 10.20.0.12\n",
    )
    foreign.nginx(
        server,
        tmp_path,
        root,
        ["listen 10.20.0.11:5060 ssl; chain.pem root ROOT;"],
        {"chain": certificate(issuer)},
    )
    trip = booted(site, phone(roots=[issuer]))
    assert trip.outcome.provisioned, trip.outcome
    assert fetched(trip) == [
        f"https://pr2.example.com:5060/{FIRST}",
        f"https://pr1.example.com:5060/{FIRST}",
        "https://pr1.example.com:5060/Cisco/001234ab45de.cfg",
    ]


def test_kea_names_a_url_in_160_that_nginx_serves(site: Lan, tmp_path: Path) -> None:
    root = foreign.files(tmp_path / "www", {FIRST: PROFILE})
    foreign.kea(site["server"], tmp_path, [{"name": "url160", "data": "http://10.20.0.11/$PSN.xml"}])
    foreign.nginx(site["server"], tmp_path, root, ["listen 10.20.0.11:80; root ROOT;"])
    trip = booted(site)
    assert trip.outcome.provisioned, trip.outcome
    assert fetched(trip) == [f"http://10.20.0.11/{FIRST}"]


def test_kea_names_tftp_servers_in_150_and_tftpd_hpa_serves(site: Lan, tmp_path: Path) -> None:
    root = foreign.files(tmp_path / "tftp", {FIRST: PROFILE + b"<!--" + b"x" * 70_000 + b"-->"})
    foreign.kea(site["server"], tmp_path, [{"name": "tftp150", "data": "10.20.0.1, 10.20.0.12"}])
    foreign.tftpd(site["server"], root)
    trip = booted(site)
    assert trip.outcome.provisioned, trip.outcome
    assert fetched(trip) == [f"tftp://10.20.0.1/{FIRST}"]


def test_a_profile_by_tftp_brings_the_ca_for_https(site: Lan, tmp_path: Path) -> None:
    issuer = authority()
    bootstrap = (
        b"<flat-profile><Custom_CA_Rule>tftp://10.20.0.1/ca.pem</Custom_CA_Rule>"
        b"<Profile_Rule>[--srv] https://example.com/$MA.xml</Profile_Rule></flat-profile>"
    )
    content = {FIRST: bootstrap, "ca.pem": issuer.leaf.pem().encode(), "001234ab45de.xml": PROFILE}
    root = foreign.files(tmp_path / "both", content)
    foreign.dnsmasq(
        site["server"],
        tmp_path,
        *NAMES,
        f"--srv-host={HTTPS},pr1.example.com,5060,10,20",
        "--dhcp-option=66,10.20.0.1",
        "--enable-tftp",
        f"--tftp-root={root}",
    )
    foreign.nginx(
        site["server"],
        tmp_path,
        root,
        ["listen 10.20.0.11:5060 ssl; chain.pem root ROOT;"],
        {"chain": certificate(issuer)},
    )
    trip = booted(site)
    assert trip.outcome.provisioned, trip.outcome
    assert trip.outcome.url == "https://pr1.example.com:5060/001234ab45de.xml"


def test_without_any_server_the_phone_gives_up(site: Lan) -> None:
    with site["client0"].entered():
        trip = boot_phone(phone(), "lan0", timeouts=replace(COMPRESSED, dhcp=1.0))
    assert "no DHCP lease" in trip.outcome.reason
    assert not trip.outcome.provisioned


def test_command_boots_a_phone_and_leaves_the_interface_as_it_was(site: Lan, tmp_path: Path) -> None:
    root = foreign.files(tmp_path / "www", {FIRST: PROFILE})
    foreign.dnsmasq(site["server"], tmp_path, *NAMES, f"--srv-host={HTTP},pr1.example.com,80")
    foreign.nginx(site["server"], tmp_path, root, ["listen 10.20.0.11:80; root ROOT;"])
    client = site["client0"]
    result = client.run([PYTHON, "-m", "netprov", "phone", MAC, "-i", client.interface], timeout=40)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"provisioned by srv from http://pr1.example.com/{FIRST}" in result.stdout
    assert client.addresses() == []


def test_vendor_class_and_list_reach_the_server(site: Lan, tmp_path: Path) -> None:
    server = foreign.dnsmasq(
        site["server"],
        tmp_path,
        "--dhcp-vendorclass=set:tr,dslforum.org",
        "--dhcp-option=vendor:dslforum.org,1,http://10.20.0.11:7547/",
    )
    trip = booted(site, phone(tr069=True))
    lease = trip.steps[0].result
    assert isinstance(lease, Lease)
    assert lease.options[43].startswith(b"\x01\x17http://10.20.0.11:7547/")
    assert "vendor class: CP-8851-3PCC dslforum.org" in server.output


def test_a_fleet_boots_from_one_process(site: Lan, tmp_path: Path) -> None:
    root = foreign.files(tmp_path / "www", {FIRST: PROFILE})
    foreign.dnsmasq(site["server"], tmp_path, *NAMES, f"--srv-host={HTTP},pr1.example.com,80")
    foreign.nginx(site["server"], tmp_path, root, ["listen 10.20.0.11:80; root ROOT;"])
    client = site["client0"]
    command = [
        PYTHON,
        "-m",
        "netprov",
        "phone",
        "-i",
        client.interface,
        "--count",
        "30",
        "--at-once",
        "10",
        "--json",
    ]
    result = client.run(command, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout)["provisioned"] == 30
    assert client.addresses() == []

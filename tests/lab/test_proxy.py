"""Emulated phones through a real proxy: squid, open, with Basic and with Digest, and with the wrong password."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from netprov.emulator.phone import boot_phone
from netprov.lab.lan import Lan
from netprov.lab.process import wait_until
from netprov.lab.server import start_server
from netprov.phone.action import Fetch, Response
from netprov.phone.handset.identity import MODELS, Identity
from tests.lab.conftest import MakeLan, needs, needs_groups

pytestmark = pytest.mark.lab

MAC = "00:12:34:ab:45:de"
SITE = """
domain: example.com
networks: {voice: {interface: lan0, subnet: 10.20.0.0/24, other_servers: allow}}
hosts: {px: 10.20.0.2}
certificates: {keys: [ecdsa-p256], ca_key: ecdsa-p256}
classes: {mpp: {match: {vendor_class: "CP-*"}, method: srv}}
profiles: {desk: {values: {Display_Name_1_: Lobby}}}
phones: [{mac: "00:12:34:ab:45:de", model: CP-8851-3PCC, class: mpp, profile: desk}]
"""
SQUID = """
http_port 10.20.0.2:3128
http_access allow proxied
http_access deny all
access_log stdio:{log}
cache_log {folder}/cache.log
pid_filename none
cache deny all
coredump_dir {folder}
visible_hostname px
shutdown_lifetime 1 second
dns_nameservers 10.20.0.1
pinger_enable off
"""
USER, PASSWORD, REALM = "phone", "right", "staging"


@pytest.fixture
def lan(make_lan: MakeLan, tmp_path: Path) -> Lan:
    return proxied(make_lan, tmp_path, SITE)


def proxied(make_lan: MakeLan, tmp_path: Path, site: str) -> Lan:
    """Return a LAN with a host for the proxy, on which an inventory is served."""
    lan = make_lan(clients=[MAC, None])
    with lan["client1"].links() as links:
        links.add_address("lan0", "10.20.0.2/24")
        links.up("lo")
    (tmp_path / "site.yaml").write_text(site)
    start_server(lan["server"], tmp_path / "site.yaml", tmp_path / "state", roles=["dns", "http", "dhcp"])
    return lan


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a directory that squid's own user may enter: pytest's are root's alone."""
    with tempfile.TemporaryDirectory(prefix="netprov-squid-") as name:
        yield Path(name)


def proxy(lan: Lan, folder: Path, scheme: str) -> Path:
    """Start squid; return its log of requests."""
    squid = needs_groups("squid")
    helpers = Path("/usr/lib/squid")
    secret = hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()
    (folder / "digest").write_text(f"{USER}:{REALM}:{secret}\n")
    schemes = {
        "open": "acl proxied src all\n",
        "digest": f"auth_param digest program {helpers}/digest_file_auth -c {folder}/digest\n"
        f"auth_param digest realm {REALM}\nacl proxied proxy_auth REQUIRED\n",
        "basic": f"auth_param basic program {folder}/check\nauth_param basic realm {REALM}\nacl proxied proxy_auth REQUIRED\n",
    }
    (folder / "check").write_text(
        f"#!/bin/sh\nwhile read -r user rest; do [ \"$user $rest\" = '{USER} {PASSWORD}' ] && echo OK || echo ERR; done\n"
    )
    log = folder / "access.log"
    (folder / "squid.conf").write_text(schemes[scheme] + SQUID.format(folder=folder, log=log))
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777)
    running = lan["client1"].spawn([squid, "-N", "-f", str(folder / "squid.conf")])
    wait_until(lambda: _listens(lan), what=f"squid: {running.output}", timeout=20)
    return log


def _listens(lan: Lan) -> bool:
    return "10.20.0.2:3128" in lan["client1"].run([needs("ss"), "-Hlnt"], timeout=10).stdout


MANUAL = {"Proxy_Mode": "Manual", "Proxy_Host": "px.example.com"}


def booted(
    lan: Lan, state: Path, password: str = "", mode: Mapping[str, str] = MANUAL
) -> tuple[bool, str, list[int]]:
    given = dict(mode)
    if password:
        given |= {
            "Proxy_Server_Requires_Authentication": "Yes",
            "Proxy_Username": USER,
            "Proxy_Password": password,
        }
    identity = Identity(
        MAC,
        MODELS["CP-8851-3PCC"],
        custom_roots=((state / "pki" / "ca.pem").read_text(),),
        parameters=tuple(given.items()),
    )
    with lan["client0"].entered():
        trip = boot_phone(identity, lan["client0"].interface)
    answers = [
        each.result.status
        for each in trip.steps
        if isinstance(each.action, Fetch) and isinstance(each.result, Response)
    ]
    return (
        trip.outcome.provisioned and trip.handset["Display_Name_1_"] == "Lobby",
        trip.handset.last_error,
        answers,
    )


@pytest.mark.parametrize("scheme", ["open", "basic", "digest"])
def test_phone_is_provisioned_through_a_proxy(lan: Lan, tmp_path: Path, folder: Path, scheme: str) -> None:
    log = proxy(lan, folder, scheme)
    provisioned, error, answers = booted(lan, tmp_path / "state", "" if scheme == "open" else PASSWORD)
    assert provisioned, (error, answers, log.read_text())
    assert (407 in answers) == (scheme != "open")
    wait_until(lambda: "CONNECT" in log.read_text(), what="squid's log")


def test_wrong_password_is_category_c_after_two_retries(lan: Lan, tmp_path: Path, folder: Path) -> None:
    log = proxy(lan, folder, "basic")
    provisioned, error, answers = booted(lan, tmp_path / "state", "wrong")
    assert not provisioned
    assert "Proxy_Password" in error
    assert answers[:3] == [407] * 3, (answers, log.read_text())


PAC = """
function FindProxyForURL(url, host) {
  if (isInNet(myIpAddress(), "10.20.0.0", "255.255.255.0") && dnsDomainIs(host, "example.com"))
    return "PROXY " + dnsResolve("px.example.com") + ":3128";
  return "PROXY nowhere.example.com:1";
}
"""
BY_DHCP = "networks: {voice: {options: {252: http://10.20.0.1/proxy.pac}, interface:"
BY_DNS = "hosts: {wpad: 10.20.0.1, px:"


def with_pac(tmp_path: Path) -> str:
    """Return an inventory that serves a PAC file, under the name that WPAD wants too."""
    folder = tmp_path / "pac"
    folder.mkdir()
    for name in ("proxy.pac", "wpad.dat"):
        (folder / name).write_text(PAC)
    return SITE + f"provisioning: {{files: {{/: {folder}}}}}\n"


@pytest.mark.parametrize("scheme", ["open", "digest"])
@pytest.mark.parametrize("found", ["PAC_URL", "option 252", "wpad.example.com"])
def test_phone_is_provisioned_through_the_proxy_that_a_pac_file_names(
    make_lan: MakeLan, tmp_path: Path, folder: Path, scheme: str, found: str
) -> None:
    """Where the file is found: by the parameter, by DHCP, by DNS; each as netprov serves it."""
    site = with_pac(tmp_path)
    if found == "option 252":
        site = site.replace("networks: {voice: {interface:", BY_DHCP)
    elif found == "wpad.example.com":
        site = site.replace("hosts: {px:", BY_DNS)
    lan = proxied(make_lan, tmp_path, site)
    log = proxy(lan, folder, scheme)
    mode = {"Proxy_Mode": "Auto"}
    if found == "PAC_URL":
        mode |= {"Use_Auto_Discovery__WPAD_": "No", "PAC_URL": "http://10.20.0.1/proxy.pac"}
    provisioned, error, answers = booted(lan, tmp_path / "state", "" if scheme == "open" else PASSWORD, mode)
    assert provisioned, (error, answers, log.read_text())
    assert (407 in answers) == (scheme != "open")
    wait_until(lambda: "CONNECT" in log.read_text(), what="squid's log")


def test_wrong_password_at_the_proxy_of_a_pac_file_is_category_c(
    make_lan: MakeLan, tmp_path: Path, folder: Path
) -> None:
    lan = proxied(make_lan, tmp_path, with_pac(tmp_path).replace("hosts: {px:", BY_DNS))
    log = proxy(lan, folder, "basic")
    provisioned, error, answers = booted(lan, tmp_path / "state", "wrong", {"Proxy_Mode": "Auto"})
    assert not provisioned
    assert "Proxy_Password" in error
    assert answers[1:4] == [407] * 3, (answers, log.read_text())

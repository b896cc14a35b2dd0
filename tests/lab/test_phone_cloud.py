"""Phones that find nothing on the LAN, and the cloud's stand-ins; phones that show a certificate of their own."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from netprov.emulator.cloud import server_context
from netprov.emulator.phone import boot_phone
from netprov.errors import ServiceError
from netprov.lab.lan import Lan
from netprov.phone.handset.customization import Customization
from netprov.phone.handset.memory import Behaviour, Cloud
from netprov.pki.bundle import key_pem
from tests.lab import foreign
from tests.lab.conftest import PYTHON, MakeLan
from tests.lab.foreign import FIRST, HTTPS, MAC, NAMES, PROFILE, authority, certificate, phone
from tests.pki.chains import made

pytestmark = pytest.mark.lab

NAME = "rc.lab.example.com"


@pytest.fixture
def lan(make_lan: MakeLan) -> Lan:
    return make_lan(server=foreign.ADDRESSES, clients=[MAC])


@pytest.mark.parametrize(
    ("provider", "code", "expected"),
    [
        (MAC, "", ("edos", Customization.ACQUIRED)),
        ("CP-8851-3PCC", "", ("edos", Customization.ACQUIRED)),
        ("00:00:00:00:00:01", "", ("", Customization.UNAVAILABLE)),
        ("00:00:00:00:00:01", "#12345", ("gds", Customization.UNAVAILABLE)),
    ],
)
def test_the_stand_ins_onboard_a_phone(
    lan: Lan, tmp_path: Path, provider: str, code: str, expected: tuple[str, Customization]
) -> None:
    issuer, root = authority(), foreign.files(tmp_path / "www", {FIRST: PROFILE})
    (tmp_path / "rc.pem").write_bytes(certificate(issuer, (NAME,)).encode())
    foreign.dnsmasq(lan["server"], tmp_path, f"--host-record={NAME},10.20.0.12")
    foreign.nginx(lan["server"], tmp_path, root, ["listen 10.20.0.11:80; root ROOT;"])
    rule = "http://10.20.0.11/$PSN.xml"
    command = [
        PYTHON,
        "-u",
        "-m",
        "netprov",
        "cloud",
        "--listen",
        "10.20.0.12:443",
        "--cert",
        str(tmp_path / "rc.pem"),
    ]
    lan["server"].spawn([*command, "--provider", f"{provider}={rule}", "--code", f"#12345={rule}"]).wait_for(
        "standing in"
    )
    with lan["client0"].entered():
        trip = boot_phone(
            phone(roots=[issuer]), "lan0", behaviour=Behaviour(cloud=Cloud(NAME, NAME), activation_code=code)
        )
    assert (trip.outcome.method, trip.outcome.customization) == expected, trip.steps
    assert trip.outcome.provisioned == bool(expected[0])


def test_nobody_stands_in_under_ciscos_names(tmp_path: Path) -> None:
    path = tmp_path / "x.pem"
    path.write_bytes(certificate(authority(), ("activate.cisco.com",)).encode())
    with pytest.raises(ServiceError, match="Cisco's services"):
        server_context(path)
    with pytest.raises(ServiceError, match="cannot be presented"):
        server_context(tmp_path / "missing.pem")


def test_a_phone_shows_its_own_certificate(lan: Lan, tmp_path: Path) -> None:
    issuer, root = authority(), foreign.files(tmp_path / "www", {FIRST: PROFILE})
    factory = authority()
    now = time.time()
    use = ExtendedKeyUsageOID.CLIENT_AUTH
    own = made(MAC, names=(), issuer=factory, use=use, start=now - 3600, end=now + 86400)
    (tmp_path / "roots.pem").write_text(factory.leaf.pem())
    foreign.dnsmasq(lan["server"], tmp_path, *NAMES, f"--srv-host={HTTPS},pr1.example.com,5060,10,20")
    block = f"listen 10.20.0.11:5060 ssl; chain.pem root ROOT; ssl_verify_client on; ssl_client_certificate {tmp_path}/roots.pem;"
    foreign.nginx(lan["server"], tmp_path, root, [block], {"chain": certificate(issuer)})
    bare = phone(roots=[issuer])
    shown = replace(bare, client_certificate=own.leaf.pem(), client_key=key_pem(own.key).decode())
    for identity, provisioned in ((bare, False), (shown, True)):
        with lan["client0"].entered():
            assert boot_phone(identity, "lan0").outcome.provisioned == provisioned

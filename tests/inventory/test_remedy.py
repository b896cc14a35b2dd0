"""Habits from other servers: what each message says to write instead, written so, is an inventory that loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import InventoryError, Problem
from netprov.inventory.load import load

VOICE = "domain: example.com\nnetworks:\n  voice:\n    interface: lan0\n    subnet: 10.20.0.0/24\n"
FOLLOWED = {
    "    gateway: 10.20.0.254\n": ("`router:`", "    router: 10.20.0.254\n"),
    "    default-router: 10.20.0.254\n": ("`router:`", "    router: 10.20.0.254\n"),
    "    dns-server: 10.20.0.53\n": ("`dns:`", "    dns: 10.20.0.53\n"),
    "    Lease-Time: 8h\n": ("`lease:`", "    lease: 8h\n"),
    "classes: {old: {method: tftp}}\n": ("`dhcp`", "classes: {old: {method: dhcp}}\n"),
    "srv: {tls: []}\n": ("`https:`", "srv: {https: []}\n"),
    "phones: [{mac: 00:12:34:ab:45:de, fixed-address: 10.20.0.9}]\n": (
        "`address:`",
        "phones: [{mac: 00:12:34:ab:45:de, address: 10.20.0.9}]\n",
    ),
    "srv: {http: [{target netprov, port: 80}]}\n": (
        "`target: netprov`",
        "srv: {http: [{target: netprov, port: 80}]}\n",
    ),
    "ntp: 10.20.0.1\n": ("below `networks:`", "    ntp: 10.20.0.1\n"),
    "classes: {mpp: {match: {vendor_class: *-3PCC*}}}\n": (
        "put the value in quotes: '*-3PCC*'",
        "classes: {mpp: {match: {vendor_class: '*-3PCC*'}}}\n",
    ),
    "classes:\n  mpp:\n    match:\n      host_name: [*.lab, SEP*]\n": (
        "put the value in quotes: '*.lab'",
        "classes:\n  mpp:\n    match:\n      host_name: ['*.lab', SEP*]\n",
    ),
    "profiles: {p: {values: {A: %x}}}\n": (
        "put the value in quotes: '%x'",
        "profiles: {p: {values: {A: '%x'}}}\n",
    ),
    "profiles:\n  p:\n    values:\n      A: @home # at home\n": (
        "put the value in quotes: '@home'",
        "profiles:\n  p:\n    values:\n      A: '@home' # at home\n",
    ),
    "encryption: {method: aes-256-cbc}\n": (
        "`provisioning: {encryption: {method: aes-256-cbc}}`",
        "provisioning: {encryption: {method: aes-256-cbc}}\n",
    ),
    "auth: basic\n": ("`provisioning: {auth: {scheme: digest}}`", "provisioning: {auth: {scheme: digest}}\n"),
    "values: {Proxy_1_: a}\n": (
        "`provisioning: {values: {Proxy_1_: example.com}}`",
        "provisioning: {values: {Proxy_1_: example.com}}\n",
    ),
    "certificates: {tls_min: TLSv1.2}\n": ("`1.2`", "certificates: {tls_min: 1.2}\n"),
}


def problems(folder: Path, text: str) -> list[Problem]:
    path = folder / "netprov.yaml"
    path.write_text(VOICE + text)
    try:
        load(path)
    except InventoryError as error:
        return list(error.problems)
    return []


@pytest.mark.parametrize("text", FOLLOWED)
def test_what_the_remedy_says_makes_the_inventory_load(tmp_path: Path, text: str) -> None:
    says, corrected = FOLLOWED[text]
    (problem,) = problems(tmp_path, text)
    assert says in problem.remedy
    assert problems(tmp_path, corrected) == []


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_a_tls_version_needs_no_quotes(tmp_path: Path, version: str) -> None:
    path = tmp_path / "netprov.yaml"
    path.write_text(
        f"{VOICE}certificates: {{tls_min: {version}}}\nclasses: {{old: {{tls_min: {version}}}}}\n"
    )
    inventory = load(path).inventory
    assert (version, version) == (inventory.certificates.tls_min, inventory.classes["old"].tls_min)

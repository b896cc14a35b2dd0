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
    "phones:\n  desk1: {mac: 00:12:34:ab:45:de}\n": (
        "`phones: [{name: desk1, mac: 00:12:34:ab:45:de}]`",
        "phones: [{name: desk1, mac: 00:12:34:ab:45:de}]\n",
    ),
    "phones:\n  00:12:34:ab:45:de: {name: desk1}\n": (
        "`phones: [{mac: 00:12:34:ab:45:de, name: desk1}]`",
        "phones: [{mac: 00:12:34:ab:45:de, name: desk1}]\n",
    ),
    "phones:\n  -{mac: 00:12:34:ab:45:de}\n": (
        "a blank after the `-`",
        "phones:\n  - {mac: 00:12:34:ab:45:de}\n",
    ),
    "srv: {https: {target: pr1, port: 443}}\n": (
        "`https: [{target: pr1, port: 443}]`",
        "srv: {https: [{target: pr1, port: 443}]}\n",
    ),
    "srv: {https: pr1}\n": (
        "`https: [{target: pr1, port: 443}]`",
        "srv: {https: [{target: pr1, port: 443}]}\n",
    ),
    "srv: {_ciscoprov-https._tls: []}\n": ("`https:`", "srv: {https: []}\n"),
    "srv: {https: [{target: 'https://pr1.example.com:443/x', port: 443}]}\n": (
        "write pr1.example.com",
        "srv: {https: [{target: pr1.example.com, port: 443}]}\n",
    ),
    "phones: [{mac: 00:12:34:ab:45:de, name: Front Desk}]\n": (
        "write Front-Desk",
        "phones: [{mac: 00:12:34:ab:45:de, name: Front-Desk}]\n",
    ),
    "phones: [{mac: 1.23E+11}]\n": (
        "read the MAC address off the box",
        "phones: [{mac: 00:12:34:ab:45:de}]\n",
    ),
    "    router: none\n": ("`router: []`", "    router: []\n"),
    "    dns: false\n": ("`dns: []`", "    dns: []\n"),
    "    options: {option66: 10.20.0.1}\n": ("by number: `66`", "    options: {66: 10.20.0.1}\n"),
    "    options: {tftp-server-name: 10.20.0.1}\n": ("by number: `66`", "    options: {66: 10.20.0.1}\n"),
    "classes: {mpp: {match: {model: CP-8851-3PCC}}}\n": (
        "`vendor_class: CP-8851-3PCC*`",
        "classes: {mpp: {match: {vendor_class: CP-8851-3PCC*}}}\n",
    ),
    "hosts: {pr1: {ip: 10.20.0.11}}\n": (
        "`addresses: 10.20.0.11`",
        "hosts: {pr1: {addresses: 10.20.0.11}}\n",
    ),
    "hosts: {pr1: “10.20.0.11”}\n": ("'10.20.0.11'", "hosts: {pr1: '10.20.0.11'}\n"),
    "x-hosts: 1\n\u00a0\u00a0pr1: 1\n": ("plain blanks", "x-hosts: 1\n"),
    "records: ['a IN A 10.20.0.9']\n": (
        "`{name: www, type: TXT, data: ",
        'records: [{name: www, type: TXT, data: "\\"v=spf1 -all\\""}]\n',
    ),
    "profiles: {p: {values: {Provision_Enable: true}}}\n": (
        'put text in quotes: "Yes"',
        'profiles: {p: {values: {Provision_Enable: "Yes"}}}\n',
    ),
    "provisioning: {encryption: {key: abc}}\n": (
        "the secrets file has them",
        "provisioning: {encryption: {method: aes-256-cbc}}\n",
    ),
    "provisioning: {auth: {password: abc}}\n": (
        "the secrets file has them",
        "provisioning: {auth: {scheme: digest}}\n",
    ),
    "acs: {url: 'http://pr1/'}\n": (
        "`acs_url:` in a class with `method: acs`",
        "classes: {cpe: {method: acs, acs_url: 'http://pr1/'}}\n",
    ),
    "dhcp: {lease: 1h}\n": ("it belongs to a network", "    lease: 1h\n"),
    "site: example.com\n": ("`domain:`", "x-site: example.com\n"),
    "tftp: {root: /srv}\n": (
        "`provisioning: {files: {/firmware: /srv/firmware}}`",
        "provisioning: {files: {/firmware: /srv/firmware}}\n",
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


def test_a_network_without_a_name_is_told_to_have_one(tmp_path: Path) -> None:
    path = tmp_path / "netprov.yaml"
    path.write_text("domain: example.com\nnetworks: {interface: lan0, subnet: 10.20.0.0/24}\n")
    with pytest.raises(InventoryError) as caught:
        load(path)
    assert {problem.remedy for problem in caught.value.problems} == {
        "give the network a name: `networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}`"
    }

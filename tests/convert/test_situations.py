"""Situations from public reports, each once: the values that the source's own daemon sends are those of the draft."""

from __future__ import annotations

import json
from typing import Any

import pytest

from netprov.convert.form import FORMATS
from tests.convert.draft import imported, packed

RANGE = "dhcp-range=set:voip,10.0.30.10,10.0.30.99,255.255.255.0,1h\n"
SUBNET = "subnet 10.30.0.0 netmask 255.255.255.0 { range 10.30.0.100 10.30.0.199; %s }\n"


def kea(**more: Any) -> str:
    subnet = {"id": 1, "subnet": "10.30.0.0/24", "pools": [{"pool": "10.30.0.100-10.30.0.199"}]}
    return json.dumps({"Dhcp4": {"subnet4": [subnet | more.pop("subnet", {})], **more}}, indent=1)


def test_each_network_keeps_its_own_tftp_server() -> None:
    found = imported(
        "dnsmasq",
        "dhcp-range=set:e0,192.168.11.50,192.168.11.99,255.255.255.0\n"
        "dhcp-range=set:e2,192.168.5.50,192.168.5.99,255.255.255.0\n"
        "dhcp-option=tag:e0,66,192.168.11.1\ndhcp-option=tag:e2,66,192.168.5.1\n",
    )
    assert found.gets(network="e0", vendor="CP-8851-3PCC")[66] == b"192.168.11.1"
    assert found.gets(network="e2")[66] == b"192.168.5.1"
    classes = found.inventory.classes.values()
    assert [(each.match.network, each.match.vendor_class) for each in classes if each.match] == [
        (("e0",), ("*",)),
        (("e2",), ("*",)),
    ]


def test_kea_data_that_is_not_csv_is_octets() -> None:
    data = [
        {"code": 66, "csv-format": False, "data": "31302e33302e302e39"},
        {"code": 150, "csv-format": False, "data": "0a1e0009"},
        {"code": 15, "csv-format": False, "data": "6578616d706c652e6f7267"},
        {"code": 43, "csv-format": False, "data": "01040a1e0009"},
    ]
    found = imported("kea", kea(**{"option-data": data}))
    assert found.inventory.domain == "example.org"
    got = found.gets()
    assert (b"10.30.0.9", packed("10.30.0.9"), b"example.org") == (got[66], got[150], got[15])
    assert got[43] == bytes.fromhex("01040a1e0009")
    assert found.left == ()


def test_suboptions_of_keas_vendor_space_are_in_option_43() -> None:
    space = "vendor-encapsulated-options-space"
    definitions = [
        {"name": "acs", "code": 1, "space": space, "type": "string"},
        {"name": "tftp", "code": 241, "space": space, "type": "ipv4-address"},
    ]
    data = [
        {"name": "vendor-encapsulated-options"},
        {"name": "acs", "space": space, "data": "http://acs.example.org/"},
        {"name": "tftp", "space": space, "data": "10.30.0.9"},
        {"name": "domain-name", "data": "example.org"},
    ]
    found = imported("kea", kea(**{"option-def": definitions, "option-data": data}))
    url = b"http://acs.example.org/"
    assert bytes([1, len(url)]) + url + bytes.fromhex("f1040a1e0009") == found.gets()[43]
    assert 241 not in found.gets()
    assert "acs_url: http://acs.example.org/" in found.text
    assert found.left == ()


def test_suboptions_of_dhcpds_vendor_space_are_in_option_43() -> None:
    found = imported(
        "dhcpd",
        'option domain-name "example.org";\n'
        "option space PH;\noption PH.tftp code 150 = array of ip-address;\n"
        'class "phones" {\n  match if option vendor-class-identifier = "CP-8851-3PCC";\n'
        "  vendor-option-space PH;\n  option PH.tftp 10.30.0.9;\n}\n" + SUBNET % "",
    )
    got = found.gets(vendor="CP-8851-3PCC")
    assert got[43] == bytes.fromhex("96040a1e0009")
    assert 150 not in got
    assert 43 not in found.gets(vendor="other")
    assert found.left == ()


def test_suboptions_whose_space_nothing_selects_are_not_sent() -> None:
    found = imported(
        "dhcpd",
        'option domain-name "example.org";\noption space PH;\noption PH.tftp code 150 = ip-address;\n'
        + SUBNET % "option PH.tftp 10.30.0.9;",
    )
    assert not {43, 150} & found.gets().keys()


def test_tagged_option_beats_an_untagged_one_wherever_it_stands() -> None:
    found = imported(
        "dnsmasq",
        f"domain=example.org\n{RANGE}"
        "dhcp-option=tag:voip,66,10.0.30.5\ndhcp-option=tag:voip,42,10.0.30.7\n"
        "dhcp-option=66,10.0.1.50\ndhcp-option=42,10.0.1.7\n",
    )
    got = found.gets(network="voip")
    assert (got[66], got[42]) == (b"10.0.30.5", packed("10.0.30.7"))


def test_bare_word_before_the_option_is_a_tag() -> None:
    found = imported(
        "dnsmasq",
        "domain=example.org\ndhcp-range=eth0.30,10.0.30.10,10.0.30.99,255.255.255.0\n"
        "dhcp-range=lan,10.0.0.10,10.0.0.99,255.255.255.0\ndhcp-option=lan,66,10.0.0.100\n",
    )
    assert [str(each.subnet) for each in found.inventory.networks.values()] == ["10.0.30.0/24", "10.0.0.0/24"]
    assert found.gets(network="lan")[66] == b"10.0.0.100"
    assert 66 not in found.gets(network="eth0.30")
    assert found.left == ()


@pytest.mark.parametrize("asks", [(1, 3), (66,)])
def test_forced_option_is_sent_unasked(asks: tuple[int, ...]) -> None:
    found = imported("dnsmasq", f"domain=example.org\n{RANGE}dhcp-option-force=66,10.0.30.5\n")
    assert found.gets(asks=asks)[66] == b"10.0.30.5"
    assert next(iter(found.inventory.classes.values())).force == (66,)
    data = [
        {"name": "tftp-server-name", "data": "10.0.30.5", "always-send": True},
        {"name": "domain-name", "data": "x.org"},
    ]
    found = imported("kea", kea(**{"option-data": data}))
    assert found.gets(asks=asks)[66] == b"10.0.30.5"
    assert next(iter(found.inventory.classes.values())).force == (66,)


def test_options_of_a_pool_for_one_class_are_that_classs() -> None:
    found = imported(
        "dhcpd",
        'option domain-name "example.org";\noption code-150 code 150 = ip-address;\n'
        'class "voip-phones" { match if substring(option vendor-class-identifier, 0, 3) = "CP-"; }\n'
        "subnet 192.168.1.0 netmask 255.255.255.0 {\n"
        '  pool { range 192.168.1.100 192.168.1.149; deny members of "voip-phones"; }\n'
        '  pool { range 192.168.1.150 192.168.1.199; allow members of "voip-phones";\n'
        '    option code-150 192.168.1.10;\n    option domain-name "voice.example.org"; }\n}\n',
    )
    assert found.gets(vendor="CP-7841-3PCC")[150] == packed("192.168.1.10")
    assert 150 not in found.gets(vendor="MSFT 5.0")
    assert found.gets(vendor="MSFT 5.0")[15] == b"example.org"
    assert [line.split(":")[0] for line in found.left] == ["5", "6", "8"]
    assert any("voice.example.org" in line for line in found.left)


@pytest.mark.parametrize(
    "record", ["address=/n.example.org/10.0.30.5", "host-record=n.example.org,10.0.30.5"]
)
def test_machine_said_twice_is_one_phone(record: str) -> None:
    mac = "00:12:34:ab:45:de"
    found = imported(
        "dnsmasq", f"domain=example.org\n{RANGE}{record}\ndhcp-host={mac},10.0.30.5,n.example.org\n"
    )
    assert found.inventory.hosts == {}
    (phone,) = found.inventory.phones
    assert (phone.mac, str(phone.address)) == (mac, "10.0.30.5")
    assert phone.name in {"n", "n.example.org"}


def test_domain_of_option_15_is_the_draft_s() -> None:
    found = imported("dnsmasq", f"{RANGE}dhcp-option=15,example.org\n")
    assert found.text.splitlines()[1] == "domain: example.org"
    assert next(iter(found.inventory.networks.values())).domain is None


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("mac;name\n1.23E+11;lobby\n", ["2: 1.23E+11: a number that a spreadsheet rewrote", "2: "]),
        ("mac;extension\n00:12:34:ab:45:de;4.41E+11\n", ["2: 4.41E+11: a number that a spreadsheet rewrote"]),
        (
            "Phones of the second floor\n\nmac;name\n00:12:34:ab:45:de;lobby\n",
            ["1: Phones of the second floor"],
        ),
        ("sep=;\nmac;name\n00:12:34:ab:45:de;lobby\n", []),
        ("sep=|\nmac|name\n00 12 34 ab 45 de|a;b\n", []),
        ("device name;description\nSEP001234AB45DE;lobby\n", ["1: description"]),
        ("mac;name\n12345678901;lobby\n", ["2: 12345678901;lobby: digits are missing"]),
    ],
)
def test_what_spreadsheets_do_is_read_or_told(text: str, reasons: list[str]) -> None:
    found = FORMATS["csv"](text, "phones.csv")
    left = [f"{each.place.line}: {each.text}: {each.reason}" for each in found.leftovers]
    assert len(left) == len(reasons)
    assert all(line.startswith(reason) for line, reason in zip(left, reasons, strict=True))
    assert [each["mac"] for each in found.phones] in ([], ["00:12:34:ab:45:de"])
    assert all("4.41E+11" not in str(each) for each in found.phones)


def test_range_of_hosts_is_each_of_them() -> None:
    found = FORMATS["ansible"](
        "[desks]\ndesk[01:03] ansible_host=10.0.0.9\ntv[a:b:1] mac=00:12:34:ab:45:de\n", "hosts"
    )
    assert list(found.hosts) == ["desk01", "desk02", "desk03"]
    assert [each["name"] for each in found.phones] == ["tva"]
    assert [each.text for each in found.leftovers] == ["tvb"]

"""Words of other programs are met with what the inventory has instead."""

from __future__ import annotations

import pytest
import yaml

from netprov.errors import InventoryError, Problem
from netprov.inventory.load import parse

NETWORK = {"interface": "lan0", "subnet": "10.20.0.0/24"}
PHONE = {"mac": "00:12:34:ab:45:de"}


def problems(site: dict[str, object]) -> tuple[Problem, ...]:
    try:
        parse(yaml.safe_dump(site), "site.yaml")
    except InventoryError as error:
        return tuple(error.problems)
    return ()


@pytest.mark.parametrize(
    ("key", "value", "ours"),
    [
        ("gateway", "10.20.0.1", "router"),
        ("routers", ["10.20.0.1"], "router"),
        ("option routers", "10.20.0.1", "router"),
        ("default_gateway", "10.20.0.1", "router"),
        ("dns_servers", ["10.20.0.1"], "dns"),
        ("domain-name-servers", "10.20.0.1", "dns"),
        ("nameservers", ["10.20.0.1"], "dns"),
        ("ntp_servers", "10.20.0.1", "ntp"),
        ("range", "10.20.0.100-10.20.0.199", "pool"),
        ("dhcp-range", "10.20.0.100,10.20.0.199", "pool"),
        ("pools", [{"pool": "10.20.0.100-10.20.0.199"}], "pool"),
        ("netmask", "255.255.255.0", "subnet"),
        ("cidr", "10.20.0.0/24", "subnet"),
        ("vlan", 30, "interface"),
        ("default-lease-time", 3600, "lease"),
        ("valid-lifetime", 3600, "lease"),
        ("max-lease-time", 3600, "lease_max"),
        ("renew-timer", 3600, "renew"),
        ("domain-name", "example.com", "domain"),
        ("next-server", "10.20.0.1", "options"),
        ("tftp_server", "10.20.0.1", "options"),
        ("option-data", [], "options"),
        ("reservations", [], "phones"),
    ],
)
def test_word_for_a_network_is_met_with_ours_at_its_place(key: str, value: object, ours: str) -> None:
    (problem,) = problems({"domain": "example.com", "networks": {"voice": {**NETWORK, key: value}}})
    assert problem.path == ("networks", "voice", key)
    assert f"`{ours}:" in problem.remedy


@pytest.mark.parametrize(
    ("key", "value", "ours"),
    [
        ("hw-address", "00:12:34:ab:45:de", "mac"),
        ("hardware ethernet", "00:12:34:ab:45:de", "mac"),
        ("fixed-address", "10.20.0.50", "address"),
        ("ansible_host", "10.20.0.50", "address"),
        ("hostname", "lobby", "name"),
        ("client-class", "mpp", "class"),
        ("extension", 1141, "values"),
    ],
)
def test_word_for_a_phone_is_met_with_ours(key: str, value: object, ours: str) -> None:
    found = problems(
        {"domain": "example.com", "networks": {"voice": NETWORK}, "phones": [{**PHONE, key: value}]}
    )
    assert [each.path for each in found] == [("phones", 0, key)]
    assert f"`{ours}:" in found[0].remedy


@pytest.mark.parametrize("key", ["Dhcp4", "subnet4", "all"])
def test_another_programs_file_is_sent_to_import(key: str) -> None:
    (problem,) = problems({"domain": "example.com", "networks": {"voice": NETWORK}, key: {}})
    assert "netprov import" in problem.remedy


def test_a_mac_under_another_programs_name_is_not_missing_too() -> None:
    found = problems(
        {
            "domain": "example.com",
            "networks": {"voice": NETWORK},
            "phones": [{"hw-address": "00:12:34:ab:45:de"}],
        }
    )
    assert [each.rule for each in found] == ["unknown-key"]


def test_what_is_only_anchored_has_a_place() -> None:
    text = "x-lan: &lan {interface: lan0}\ndomain: example.com\nnetworks: {voice: {<<: *lan, subnet: 10.20.0.0/24}}\n"
    assert parse(text, "site.yaml").inventory.networks["voice"].interface == "lan0"


def test_what_is_anchored_elsewhere_is_told_its_place() -> None:
    (problem,) = problems({"domain": "example.com", "networks": {"voice": NETWORK}, "shared": NETWORK})
    assert "x-" in problem.remedy

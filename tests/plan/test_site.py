"""This server's address on each network, decided once for names, certificates, DNS, DHCP and profiles."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from netprov.inventory.load import parse
from netprov.plan import Plan, derive


def plan(networks: str, more: str = "") -> Plan:
    return derive(parse(f"domain: example.com\nnetworks: {networks}\n{more}", "site.yaml").inventory)


NEAR = "voice: {interface: lan0, subnet: 10.20.0.0/24}"


@pytest.mark.parametrize(
    ("networks", "more"),
    [
        (f"{{{NEAR}, far: {{subnet: 10.50.0.0/24, router: 10.50.0.1}}}}", ""),
        (f"{{far: {{subnet: 10.50.0.0/24, router: 10.50.0.1}}, {NEAR}}}", ""),
        ("{far: {subnet: 10.50.0.0/24, router: 10.50.0.1}}", "hosts: {netprov: 10.20.0.1}"),
        ("{far: {subnet: 10.50.0.0/24, router: 10.50.0.1, address: 10.20.0.1}}", ""),
    ],
)
def test_server_is_never_the_router_of_a_network_behind_a_relay(networks: str, more: str) -> None:
    made = plan(networks, more)
    own = IPv4Address("10.20.0.1")
    assert {int(own)} == {network.address for network in made.dhcp.networks}
    assert (own,) == made.dns.listen
    assert {str(own)} == {each.address for each in made.provision.listeners}
    assert {own} == {address for host in made.site.hosts for address in host.addresses}
    assert IPv4Address("10.50.0.1") not in {a for server in made.pki.servers for a in server.addresses}
    assert b"\x0a\x32\x00\x01" not in b"".join(
        data for zone in made.dns.zones for sets in zone.nodes.values() for s in sets for data in s.rdatas
    )


def test_network_behind_a_relay_has_its_first_host_as_router_unless_told_otherwise() -> None:
    made = plan(f"{{{NEAR}, far: {{subnet: 10.50.0.0/24}}}}")
    assert [network.router for network in made.site.networks] == [
        (IPv4Address("10.20.0.1"),),
        (IPv4Address("10.50.0.1"),),
    ]
    assert made.site.networks[1].dns == (IPv4Address("10.20.0.1"),)

from __future__ import annotations

from ipaddress import ip_address

import pytest

from netprov.errors import InventoryError
from netprov.inventory.load import load, parse
from netprov.pki.request import PkiPlan
from netprov.plan import derive

TWO_LINES = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


def pki(text: str) -> PkiPlan:
    return derive(parse(text, "site.yaml").inventory).pki


def test_two_lines_ask_for_one_certificate_that_names_the_domain_first() -> None:
    (server,) = pki(TWO_LINES).servers
    assert server.host == "netprov.example.com"
    assert server.dns_names == ("example.com", "netprov.example.com")
    assert server.addresses == ()
    assert server.keys == ("rsa-2048", "ecdsa-p256")
    assert pki(TWO_LINES).authority.permitted == ("example.com",)


def test_every_host_of_the_guides_example_can_stand_in_for_every_other() -> None:
    plan = derive(load("config/staging.yaml").inventory).pki
    assert [each.host for each in plan.servers] == [
        "netprov.example.com",
        "pr2.example.com",
        "pr1.example.com",
    ]
    assert {each.dns_names for each in plan.servers} == {
        (
            "example.com",
            "pr2.example.com",
            "pr1.example.com",
            "px2.example.com",
            "px1.example.com",
            "netprov.example.com",
        )
    }


def test_names_that_urls_send_phones_to_are_certified_if_they_are_ours() -> None:
    plan = pki(
        TWO_LINES
        + "hosts: {acs: 10.20.0.7, files: 10.20.0.8}\n"
        + "classes:\n"
        + "  a: {acs_url: 'https://ACS.example.com:7547/'}\n"
        + "  b: {options: {160: 'https://files.example.com/$PSN.xml', 159: 'https://elsewhere.example.org/'}}\n"
        + "  c: {options: {66: 'https://10.20.0.8/x', 43: {1: 'http://plain.example.com/'}}}\n"
    )
    assert plan.servers[0].dns_names == (
        "example.com",
        "netprov.example.com",
        "acs.example.com",
        "files.example.com",
    )


def test_a_domain_of_one_network_is_certified_too() -> None:
    plan = pki(
        "domain: example.com\n"
        "networks:\n"
        "  voice: {interface: lan0, subnet: 10.20.0.0/24}\n"
        "  guest: {interface: lan1, subnet: 10.30.0.0/24, domain: example.org}\n"
    )
    assert plan.servers[0].dns_names == ("example.com", "example.org", "netprov.example.com")
    assert plan.authority.permitted == ("example.com", "example.org")


TENANTS = """
domain: example.com
networks:
  voice: {interface: lan0, subnet: 10.20.0.0/24}
  guest: {interface: lan1, subnet: 10.30.0.0/24, domain: one.example}
hosts: {pr1: 10.20.0.11}
srv: {https: [{target: pr1, port: 443}]}
certificates: {addresses: hosts}
domains:
  one.example: {}
  two.example:
    hosts: {www: 10.20.0.21}
    srv: {https: [{target: www, port: 443}], http: [{target: www, port: 80}]}
  three.example:
    srv: {https: [{target: pr1.example.com, port: 8443}]}
"""


def test_domains_of_tenants_are_certified_where_their_targets_are() -> None:
    here, pr1, www = pki(TENANTS).servers
    assert (here.host, here.domain, here.also) == (
        "netprov.example.com",
        "example.com",
        ("one.example", "two.example", "three.example"),
    )
    assert {*here.also, "pr1.example.com", "www.two.example"} < set(here.dns_names)
    assert (pr1.host, pr1.also) == ("pr1.example.com", ("one.example", "three.example"))
    assert "two.example" not in pr1.dns_names
    assert (www.host, www.dns_names, www.also) == ("www.two.example", ("two.example", "www.two.example"), ())
    assert list(map(str, www.addresses)) == ["10.20.0.21"]
    assert "10.20.0.21" in map(str, here.addresses)


def test_domain_of_a_tenant_that_no_common_name_holds_is_told_at_its_place() -> None:
    long = ".".join(["a" * 40, "b" * 40])
    text = f"{TWO_LINES}domains: {{{long}: {{hosts: {{www: 10.20.0.9}}, srv: {{https: [{{target: www, port: 443}}]}}}}}}"
    with pytest.raises(InventoryError) as caught:
        pki(text)
    assert [(each.rule, each.path) for each in caught.value.problems] == [
        ("cert-common-name-length", ("domains", long))
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("none", ()),
        ("hosts", ("10.20.0.1", "10.20.0.11", "2001:db8::11")),
        ("10.20.0.9", ("10.20.0.9",)),
        ("[10.20.0.9, 10.20.0.9, '2001:db8::1']", ("10.20.0.9", "2001:db8::1")),
    ],
)
def test_addresses_are_certified_where_asked(written: str, expected: tuple[str, ...]) -> None:
    plan = pki(
        TWO_LINES
        + "hosts: {pr1: [10.20.0.11, '2001:db8::11'], other: 10.20.0.13}\n"
        + "srv: {https: [{target: pr1, port: 443}]}\n"
        + f"certificates: {{addresses: {written}}}\n"
    )
    assert plan.servers[0].addresses == tuple(map(ip_address, expected))


def test_further_names_widen_the_constraint_and_it_can_be_switched_off() -> None:
    wider = pki(TWO_LINES + "certificates: {names: [provision, boot.example.org]}\n")
    assert wider.servers[0].dns_names[2:] == ("provision.example.com", "boot.example.org")
    assert wider.authority.permitted == ("example.com", "boot.example.org")
    assert pki(TWO_LINES + "certificates: {name_constraints: false}\n").authority.permitted == ()


def test_one_wish_may_be_written_without_a_list() -> None:
    plan = pki(
        TWO_LINES + "certificates: {keys: ecdsa-p256, client_roots: cisco.pem, client_certificates: optional}"
    )
    assert plan.servers[0].keys == ("ecdsa-p256",)
    assert (plan.clients.ask, plan.clients.roots) == ("optional", ("cisco.pem",))


@pytest.mark.parametrize(
    ("text", "rule", "path"),
    [
        (
            TWO_LINES.replace("example.com", f"{'a' * 60}.example.com"),
            "cert-common-name-length",
            ("domain",),
        ),
        (TWO_LINES + "certificates: {lifetime: 60}", "cert-lifetime", ("certificates", "lifetime")),
        (
            TWO_LINES + "certificates: {lifetime: 30d, ca_lifetime: 20d}",
            "cert-lifetime",
            ("certificates", "lifetime"),
        ),
    ],
)
def test_what_no_certificate_can_have_is_a_problem_of_the_inventory(
    text: str, rule: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(InventoryError) as raised:
        pki(text)
    (problem,) = raised.value.problems
    assert (problem.rule, problem.path) == (rule, path)

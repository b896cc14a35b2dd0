"""Names of leases: they appear, go, and never replace what was declared."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from netprov.dns.iana.rrtype import PTR, A
from netprov.dns.message.name import format_name, parse_name
from netprov.dns.zone.lease_name import LeaseName, with_leases
from tests.dns.zones import STAGING, zone

DOMAIN = parse_name("example.com")
FORWARD = zone(STAGING + "sub NS ns.sub\nns.sub A 192.0.2.1\n")
REVERSE = zone("$TTL 60\n@ SOA a. b. 1 2 3 4 5\n@ NS a.\n1 PTR x.\n", "0.20.10.in-addr.arpa")


def lease(hostname: str, address: str = "10.20.0.100", domain: bytes = DOMAIN) -> LeaseName:
    return LeaseName(hostname, domain, IPv4Address(address))


def test_lease_has_an_a_and_a_ptr_record() -> None:
    forward, reverse = with_leases([FORWARD, REVERSE], [lease("SEP001234AB45DE")], 300)
    address = forward.rrset(parse_name("sep001234ab45de.example.com"), A)
    pointer = reverse.rrset(parse_name("100.0.20.10.in-addr.arpa"), PTR)
    assert address
    assert pointer
    assert (60, (IPv4Address("10.20.0.100").packed,)) == (address.ttl, address.rdatas)
    assert format_name(pointer.rdatas[0]) == "sep001234ab45de.example.com."


@pytest.mark.parametrize(
    "hostname", ["pr1", "PR1", "_tls", "*", "a b", "-a", "", "x" * 64, "é", "sub", "\x00"]
)
def test_client_cannot_take_what_is_declared_or_no_host_name(hostname: str) -> None:
    assert with_leases([FORWARD, REVERSE], [lease(hostname)], 300) == (FORWARD, REVERSE)


def test_earlier_lease_keeps_the_name() -> None:
    forward, _ = with_leases([FORWARD, REVERSE], [lease("a"), lease("a", "10.20.0.101")], 300)
    held = forward.rrset(parse_name("a.example.com"), A)
    assert held
    assert held.rdatas == (IPv4Address("10.20.0.100").packed,)


def test_zone_without_leases_is_the_same_object() -> None:
    assert with_leases([FORWARD], [], 300)[0] is FORWARD

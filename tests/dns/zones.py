"""Zones that several tests ask."""

from __future__ import annotations

from netprov.dns.message.name import parse_name
from netprov.dns.zone.master import parse
from netprov.dns.zone.zone import Zone, build

STAGING = """
$TTL 300
@ IN SOA netprov hostmaster ( 7 3600 900 604800 60 )
@ NS netprov
@ A 10.20.0.1
netprov A 10.20.0.1
_ciscoprov-https._tls 86400 SRV 10 60 5060 pr1.example.com.
_ciscoprov-https._tls 86400 SRV 10 20 5060 pr2.example.com.
_ciscoprov-http._tcp 86400 SRV 10 50 5060 px1.example.com.
_ciscoprov-http._tcp 86400 SRV 10 30 5060 px2.example.com.
pr1 A 10.20.0.11
pr2 A 10.20.0.12
pr2 AAAA 2001:db8::12
px1 A 10.20.0.13
px2 A 10.20.0.14
"""


def zone(text: str, origin: str = "example.com") -> Zone:
    """Build a zone that must be right."""
    name = parse_name(origin)
    records, problems = parse(text, name, file="test.zone")
    assert problems == ()
    built, problems = build(name, records)
    assert problems == ()
    assert built is not None
    return built

"""Good queries of every kind, and how they are spoilt."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import dns.message

from netprov.dns.message.name import parse_name
from netprov.dns.server import tsig
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Access, Policy
from tests.conftest import EXAMPLES
from tests.dns.zones import STAGING, zone

COUNT = EXAMPLES * 10
KEY = tsig.Key(parse_name("key"), parse_name("hmac-sha256"), bytes(32))
MORE = "sub NS ns.sub\nns.sub A 192.0.2.1\nd DNAME pr1\n*.wild CNAME pr1\nbig TXT " + "x" * 200 + "\n"
ZONE = zone(STAGING + MORE)
RESPONDER = Responder(
    [ZONE],
    Policy(version="v", identity="i", cookies=bytes(16)),
    access=Access({KEY.name: KEY}, frozenset({(b"\x7f\x00\x00\x01", b"")})),
)
NAMES = [
    "_ciscoprov-https._tls.example.com",
    "pr1.example.com",
    "a.sub.example.com",
    "x.d.example.com",
    "q.wild.example.com",
    "nowhere.example.com",
    "example.org",
]


def seeds() -> list[bytes]:
    """Return good queries of every kind."""
    found = []
    for name in NAMES:
        for type_ in ("A", "SRV", "ANY", "AXFR", "DS"):
            plain = dns.message.make_query(name, type_, id=1)
            found.append(plain.to_wire())
            options: list[dns.edns.Option] = [
                dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678"),
                dns.edns.GenericOption(dns.edns.OptionType.NSID, b""),
            ]
            edns = dns.message.make_query(name, type_, id=1, use_edns=0, options=options)
            found += [edns.to_wire(), tsig.sign(plain.to_wire(), KEY, 0.0)[0]]
    return found


def mutations(random: Random, originals: list[bytes], count: int) -> Iterator[bytes]:
    """Yield messages with octets changed, cut, repeated or joined."""
    for _ in range(count):
        message = bytearray(random.choice(originals))
        for _ in range(random.randint(1, 5)):
            at = random.randrange(len(message)) if message else 0
            match random.randrange(6):
                case 0:
                    del message[at:]
                case 1:
                    message[at:at] = random.randbytes(random.randint(1, 8))
                case 2:
                    message += random.choice(originals)[12:]
                case 3 if message:
                    message[at] = random.choice((0, 0xC0, 0xFF, 0x3F, 0x40, 12))
                case _ if message:
                    message[at] = random.randrange(256)
        yield bytes(message)

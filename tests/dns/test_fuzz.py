"""Malformed and mutated messages: nothing but a reply or silence, and memory that stays bounded.

`make fuzz` runs ten times its number of examples here: a million mutated queries.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from random import Random

import dns.exception
import dns.message
import dns.opcode
import pytest

from netprov.dns import forward, tsig
from netprov.dns.answer import Responder
from netprov.dns.cache import ReplyCache
from netprov.dns.forward import ForwardCache
from netprov.dns.manner import Access, Client, Manners
from netprov.dns.master import parse
from netprov.dns.name import parse_name
from netprov.dns.notifier import Notifier, Peer
from netprov.dns.query import decode
from netprov.dns.rate import REMEMBERED, Limit, Limiter
from netprov.dns.stub import build_query, parse_reply
from netprov.dns.zone import build
from netprov.errors import Malformed
from netprov.machine import Endpoint
from tests.conftest import EXAMPLES
from tests.dns.zones import STAGING, zone

COUNT = EXAMPLES * 10
KEY = tsig.Key(parse_name("key"), parse_name("hmac-sha256"), bytes(32))
MORE = "sub NS ns.sub\nns.sub A 192.0.2.1\nd DNAME pr1\n*.wild CNAME pr1\nbig TXT " + "x" * 200 + "\n"
ZONE = zone(STAGING + MORE)
RESPONDER = Responder(
    [ZONE],
    Manners(version="v", identity="i", cookies=bytes(16)),
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


@pytest.mark.parametrize("tcp", [False, True])
def test_fuzz_mutated_queries_get_a_reply_that_can_be_parsed_or_none(tcp: bool) -> None:
    client = Client(tcp=tcp)
    for index, message in enumerate(mutations(Random(4), seeds(), COUNT)):
        outcome = RESPONDER.decide(message, client, 0.0)
        quick = RESPONDER.respond_quickly(message)
        replies = [reply for reply in (outcome.reply, quick) if reply is not None]
        assert not (quick is not None and outcome.reply is None)
        replies += list(outcome.stream or ())[:1]
        for reply in replies:
            assert reply[:2] == message[:2]
            assert reply[2] & 0x80
            assert tcp or len(reply) <= 1232
            if index % 20 == 0 and reply[2] >> 3 & 0xF != dns.opcode.UPDATE:
                keyring = {"key.": dns.tsig.Key("key.", bytes(32))}
                with contextlib.suppress(
                    dns.tsig.PeerError, dns.tsig.BadTime, dns.tsig.BadSignature, dns.message.UnknownTSIGKey
                ):
                    dns.message.from_wire(reply, one_rr_per_rrset=True, keyring=keyring)


def test_fuzz_mutated_replies_are_read_or_malformed() -> None:
    query = build_query(NAMES[0], 33, id_=1, edns=True)
    reply = RESPONDER.respond(query, Client())
    assert reply
    cache = ForwardCache(10)
    asked = forward.question(decode(query))
    for message in mutations(Random(5), [reply], COUNT):
        if len(message) >= 12:
            with contextlib.suppress(Malformed):
                parse_reply(message, query)
            with contextlib.suppress(Malformed):
                cache.put(asked, message, 0.0)


def test_fuzz_notify_answers_are_taken_or_dropped() -> None:
    notifier = Notifier(lambda _: 1)
    for message in mutations(Random(6), seeds(), COUNT // 10):
        notifier.announce([ZONE], [Peer("192.0.2.1")], 0.0)
        notifier.receive(message, Endpoint("192.0.2.1", 53), 0.0)
        assert len(notifier.events()) == 1


def test_fuzz_master_files_give_records_or_located_problems() -> None:
    origin = parse_name("example.com")
    for text in mutations(Random(7), [(STAGING + MORE).encode()], COUNT // 50):
        records, problems = parse(text.decode("latin-1"), origin, file="x")
        assert all(problem.place and problem.place.line for problem in problems)
        build(origin, records)


def test_random_names_leave_the_cache_bounded_and_the_usual_ones_in_it() -> None:
    cache = ReplyCache(100)
    for index in range(10_000):
        assert cache.get(b"usual") is not None or not index
        cache.put(b"usual", b"reply")
        cache.put(b"random%d" % index, b"reply")
    assert len(cache.young) + len(cache.old) <= 200
    cache.put(bytes(2000), b"")
    assert bytes(2000) not in cache.young


def test_random_sources_leave_the_limiter_bounded() -> None:
    limiter = Limiter(Limit())
    random = Random(8)
    for _ in range(REMEMBERED * 3):
        limiter.judge(random.randbytes(4), 0.0)
    assert len(limiter._young) + len(limiter._old) <= 2 * REMEMBERED


def test_forwarded_random_names_leave_the_cache_bounded() -> None:
    cache = ForwardCache(10)
    for index in range(100):
        query = build_query(f"n{index}.example.com", 1, id_=1)
        reply = RESPONDER.respond(query, Client())
        assert reply
        cache.put(forward.question(decode(query)), reply, 0.0)
    assert len(cache._kept) == 10

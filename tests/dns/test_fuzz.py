"""Malformed and mutated messages: values, problems or silence, and memory that stays bounded.

Mutated queries have a file of their own, test_fuzz_query.py.
"""

from __future__ import annotations

import contextlib
from random import Random

import dns.exception
import dns.flags
import dns.message
import dns.zone
import pytest

from netprov.dns import forward
from netprov.dns.forward import ForwardCache
from netprov.dns.message.name import parse_name
from netprov.dns.message.query import decode
from netprov.dns.message.rdata import canonical
from netprov.dns.server.cache import ReplyCache
from netprov.dns.server.notifier import Notifier, Peer
from netprov.dns.server.policy import Client
from netprov.dns.server.rate import REMEMBERED, Limit, Limiter
from netprov.dns.stub import Reply, build_query, parse_reply
from netprov.dns.zone.master import parse
from netprov.dns.zone.zone import Record, build
from netprov.errors import Malformed
from netprov.machine import Endpoint
from tests.dns.mutation import COUNT, MORE, NAMES, RESPONDER, ZONE, mutations, seeds
from tests.dns.zones import STAGING

pytestmark = pytest.mark.fuzz


PLAIN = frozenset(range(32, 127)) | frozenset(b"\n\t")
"""Octets of files that dnspython reads as RFC 1035 5.1 has it: others are internationalised names or blanks to it."""


def compare(ours: Reply | None, message: bytes) -> None:
    """Hold what the stub reads against what dnspython reads, where it takes the message."""
    try:
        theirs = dns.message.from_wire(message, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):
        return
    if ours is None:
        return
    assert (ours.rcode, ours.truncated) == (theirs.rcode() & 15, bool(theirs.flags & dns.flags.TC))
    if ours.truncated:
        return
    for mine, section in ((ours.records, theirs.answer), (ours.authority, theirs.authority)):
        assert [(f"{each.name.rstrip('.').lower()}.", each.type) for each in mine] == [
            (rrset.name.to_text().lower(), int(rrset.rdtype)) for rrset in section if rrset.rdclass == 1
        ]


def compare_files(text: str, records: list[Record]) -> None:
    """Hold the records of a master file against those that dnspython reads, where it takes the file."""
    try:
        theirs = dns.zone.from_text(text, "example.com.", relativize=False, check_origin=False)
    except (dns.exception.DNSException, ValueError):
        return
    assert {(each.name.lower(), each.type, canonical(each.type, each.data)) for each in records} == {
        (name.to_digestable(), int(data.rdtype), canonical(int(data.rdtype), data.to_digestable()))
        for name, _, data in theirs.iterate_rdatas()
    }


def test_fuzz_mutated_replies_are_read_or_malformed() -> None:
    query = build_query(NAMES[0], 33, id_=1, edns=True)
    reply = RESPONDER.respond(query, Client())
    assert reply
    cache = ForwardCache(10)
    asked = forward.question(decode(query))
    for message in mutations(Random(5), [reply], COUNT):
        if len(message) >= 12:
            with contextlib.suppress(Malformed):
                compare(parse_reply(message, query), message)
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
        if not problems and PLAIN.issuperset(text):
            compare_files(text.decode(), records)
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

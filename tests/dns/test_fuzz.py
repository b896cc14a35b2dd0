"""Malformed and mutated messages: values, problems or silence, and memory that stays bounded.

Mutated queries have a file of their own, test_fuzz_query.py.
"""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import Random
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdata
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
from netprov.dns.stub import Reply, Soa, Target, build_query, parse_reply
from netprov.dns.zone.master import parse
from netprov.dns.zone.zone import Record, build
from netprov.errors import Malformed
from netprov.machine import Endpoint
from tests.dns.mutation import COUNT, MORE, NAMES, RESPONDER, ZONE, mutations, seeds
from tests.dns.zones import STAGING

pytestmark = pytest.mark.fuzz


PLAIN = frozenset(range(32, 127)) | frozenset(b"\n\t")
"""Octets of files that dnspython reads as RFC 1035 5.1 has it: others are internationalised names or blanks to it."""


def stub_reads(message: bytes, query: bytes) -> Reply | Malformed | None:
    try:
        return parse_reply(message, query)
    except Malformed as error:
        return error


def compare(ours: Reply | Malformed | None, message: bytes, query: bytes) -> bool:
    """Hold what the stub reads against what dnspython reads, where it takes the message; say whether it did."""
    try:
        theirs = dns.message.from_wire(message, one_rr_per_rrset=True)
        answered = dns.message.from_wire(query).is_response(theirs)
    except (dns.exception.DNSException, ValueError):
        return False
    if isinstance(ours, Malformed):
        # We read into more types than it does.
        data = (data for section in theirs.sections for rrset in section for data in rrset)
        assert any(isinstance(each, dns.rdata.GenericRdata) for each in data), f"{ours}: {message.hex()}"
        return True
    if ours is None:
        assert not answered, message.hex()
        return True
    assert (ours.rcode, ours.truncated) == (theirs.rcode() & 15, bool(theirs.flags & dns.flags.TC))
    if ours.truncated:
        return True
    for mine, section in ((ours.records, theirs.answer), (ours.authority, theirs.authority)):
        assert [(absolute(each.name), each.type, each.ttl) for each in mine] == [
            (rrset.name, int(rrset.rdtype), rrset.ttl) for rrset in section if rrset.rdclass == 1
        ]
        for each, rrset in zip(mine, (each for each in section if each.rdclass == 1), strict=True):
            compare_data(each.data, rrset[0])
    return True


def absolute(name: str) -> dns.name.Name:
    """Return a name of ours, which has no final dot, as dnspython's; case does not matter there."""
    return dns.name.from_text(name)


def compare_data(ours: object, theirs: Any) -> None:
    """Hold the data of a record that the stub takes apart against dnspython's."""
    if isinstance(ours, Target):
        assert (ours.priority, ours.weight, ours.port) == (theirs.priority, theirs.weight, theirs.port)
        assert absolute(ours.target) == theirs.target
    elif isinstance(ours, Soa):
        assert (ours.serial, ours.minimum) == (theirs.serial, theirs.minimum)
        assert absolute(ours.primary) == theirs.mname
    elif isinstance(ours, IPv4Address | IPv6Address):
        assert str(ours) == str(ip_address(theirs.to_text()))


def compare_kept(cache: ForwardCache, asked: forward.Question, message: bytes) -> None:
    """Hold what the cache gives back, some seconds later, against dnspython's reading of what it was given."""
    assert cache.get(asked, 0.0) in {None, message}
    kept = cache.get(asked, 5.0)
    if kept is None:
        return
    try:
        before = dns.message.from_wire(message, one_rr_per_rrset=True)
        after = dns.message.from_wire(kept, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError):
        return
    assert before.rcode() in {0, 3}
    assert not before.flags & dns.flags.TC
    for old, new in zip(before.sections, after.sections, strict=True):
        # Names are not held against each other: a pointer of a spoilt message may lead into a TTL.
        assert [each.rdtype for each in old] == [each.rdtype for each in new]
        assert [max(0, each.ttl - 5) for each in old] == [each.ttl for each in new]


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
    asked = forward.question(decode(query))
    compared = 0
    for message in mutations(Random(5), [reply], COUNT):
        if len(message) >= 12:
            compared += compare(stub_reads(message, query), message, query)
            cache = ForwardCache(10)
            with contextlib.suppress(Malformed):
                cache.put(asked, message, 0.0)
                compare_kept(cache, asked, message)
    assert compared > COUNT // 20


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

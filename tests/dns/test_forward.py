"""The forwarder: whom it believes, what it keeps and for how long, what it does where nobody answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from ipaddress import IPv4Address
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from netprov.dns.forward import ForwardCache, Question, question, upstream_query
from netprov.dns.message.query import Query, decode
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client, Policy
from netprov.runtime.dns.forward import Relay
from tests.dns.zones import STAGING, zone

HERE = IPv4Address("127.0.0.1")


def query(name: str = "Www.example.org", type_: str = "A") -> Query:
    return decode(dns.message.make_query(name, type_, id=99).to_wire())


def reply_to(asked: bytes, *records: str, rcode: str = "NOERROR", soa: int = 0) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(asked))
    reply.set_rcode(dns.rcode.from_text(rcode))
    name = reply.question[0].name
    for record in records:
        ttl, type_, data = record.split(" ", 2)
        reply.answer.append(dns.rrset.from_text(name, int(ttl), "IN", type_, data))
    if soa:
        reply.authority.append(
            dns.rrset.from_text("example.org.", soa, "IN", "SOA", f"a. b. 1 2 3 4 {soa // 2}")
        )
    return reply.to_wire()


Say = Callable[[bytes], list[bytes]]


def relayed(
    say: Say, test: Callable[[Relay, list[bytes]], Awaitable[None]], *, first: str = "", **limits: Any
) -> None:
    """Run a test with a relay whose upstream answers each query with what `say` returns; `first` is asked before it."""
    asked: list[bytes] = []

    async def answer(upstream: socket.socket) -> None:
        while True:
            data, source = await asyncio.get_running_loop().sock_recvfrom(upstream, 512)
            asked.append(data)
            for each in say(data):
                upstream.sendto(each, source)

    async def body() -> None:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as upstream:
            upstream.bind(("127.0.0.1", 0))
            answering = asyncio.create_task(answer(upstream))
            upstreams = [*([IPv4Address(first)] if first else []), HERE]
            await test(Relay(upstreams, port=upstream.getsockname()[1], **limits), asked)
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering

    asyncio.run(asyncio.wait_for(body(), 20))


def test_only_the_reply_that_fits_is_believed_rfc_5452_9() -> None:
    def say(asked: bytes) -> list[bytes]:
        good = reply_to(asked, "300 A 192.0.2.1")
        forged = reply_to(asked, "300 A 203.0.113.66")
        other_id = bytes([forged[0] ^ 1]) + forged[1:]
        other_name = forged.replace(b"\x03www", b"\x03wwx")
        no_response = forged[:2] + bytes([forged[2] & 0x7F]) + forged[3:]
        return [other_id, other_name, no_response, forged[:11], b"", good]

    async def test(relay: Relay, asked: list[bytes]) -> None:
        reply = dns.message.from_wire(await relay.resolve(query()))
        assert [rrset[0].to_text() for rrset in reply.answer] == ["192.0.2.1"]
        assert (reply.id, reply.question[0].name.to_text()) == (99, "Www.example.org.")
        assert dns.flags.to_text(reply.flags) == "QR RD RA"
        assert b"\x03www\x07example\x03org" in asked[0]

    relayed(say, test)


def test_each_query_leaves_from_another_port_under_another_id_rfc_5452_9_2() -> None:
    seen: set[tuple[int, bytes]] = set()

    async def test() -> None:
        loop = asyncio.get_running_loop()
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)) as upstream:
            upstream.bind(("127.0.0.1", 0))
            relay = Relay([HERE], port=upstream.getsockname()[1])
            asking = [
                asyncio.create_task(relay.resolve(query(f"h{index}.example.org"))) for index in range(40)
            ]
            for _ in asking:
                data, source = await loop.sock_recvfrom(upstream, 512)
                seen.add((source[1], data[:2]))
                await loop.sock_sendto(upstream, reply_to(data, "60 A 192.0.2.1"), source)
            await asyncio.gather(*asking)

    asyncio.run(asyncio.wait_for(test(), 20))
    assert len({port for port, _ in seen}) == 40
    assert len({id_ for _, id_ in seen}) > 35


def test_same_question_is_asked_once_however_many_wait_rfc_5452_5() -> None:
    async def test(relay: Relay, asked: list[bytes]) -> None:
        replies = await asyncio.gather(*(relay.resolve(query()) for _ in range(20)))
        assert len(set(replies)) == len(asked) == 1

    relayed(lambda asked: [reply_to(asked, "60 A 192.0.2.1")], test)


def test_next_upstream_is_asked_where_the_first_is_silent() -> None:
    async def test(relay: Relay, asked: list[bytes]) -> None:
        reply = dns.message.from_wire(await relay.resolve(query()))
        assert reply.answer
        assert len(asked) == 1

    relayed(lambda asked: [reply_to(asked, "60 A 192.0.2.1")], test, first="127.0.0.9", timeout=0.3)


def test_nobody_answers_and_too_many_wait_are_servfail() -> None:
    async def test(relay: Relay, asked: list[bytes]) -> None:
        replies = await asyncio.gather(*(relay.resolve(query(f"h{index}.example.org")) for index in range(9)))
        assert {reply[3] & 15 for reply in replies} == {dns.rcode.SERVFAIL}
        assert len(asked) == 3

    relayed(lambda _: [], test, timeout=0.3, most=3)


def kept(reply: bytes, *, after: float) -> dns.message.Message | None:
    """Return what a cache has of a reply some seconds later."""
    cache, asked = ForwardCache(10), question(query())
    cache.put(asked, reply, 1000.0)
    found = cache.get(asked, 1000.0 + after)
    return dns.message.from_wire(found) if found else None


SENT = upstream_query(query(), 7)


def test_reply_is_kept_for_its_lowest_ttl_which_goes_down_rfc_2181_8() -> None:
    reply = reply_to(SENT, "300 A 192.0.2.1", "60 TXT x")
    aged = kept(reply, after=59)
    assert aged
    assert [rrset.ttl for rrset in aged.answer] == [241, 1]
    assert kept(reply, after=60) is None
    assert kept(reply_to(SENT, "999999 A 192.0.2.1"), after=3600) is None
    assert kept(reply_to(SENT, "0 A 192.0.2.1"), after=0) is None


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
def test_negative_reply_is_kept_as_its_soa_says_rfc_2308_5(rcode: str) -> None:
    reply = reply_to(SENT, rcode=rcode, soa=100)
    assert kept(reply, after=49)
    assert kept(reply, after=50) is None
    assert kept(reply_to(SENT, rcode=rcode), after=0) is None


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR"])
def test_failure_is_not_kept(rcode: str) -> None:
    assert kept(reply_to(SENT, "300 A 192.0.2.1", rcode=rcode), after=0) is None


def test_question_is_another_with_edns_do_or_cd() -> None:
    def key(**options: object) -> Question:
        message = dns.message.make_query("example.org", "A", **options)  # type: ignore[arg-type]
        return question(decode(message.to_wire()))

    plain, edns, dnssec = key(), key(use_edns=0), key(want_dnssec=True)
    checking_off = dns.message.make_query("example.org", "A")
    checking_off.flags |= dns.flags.CD
    assert len({plain, edns, dnssec, question(decode(checking_off.to_wire()))}) == 4


@pytest.mark.parametrize(
    ("name", "flags", "local", "relays"),
    [
        ("www.example.org", dns.flags.RD, True, True),
        ("www.example.org", 0, True, False),
        ("www.example.org", dns.flags.RD, False, False),
        ("pr1.example.com", dns.flags.RD, True, False),
        ("nowhere.example.com", dns.flags.RD, True, False),
    ],
)
def test_only_the_lan_is_relayed_for_and_only_what_is_not_ours(
    name: str, flags: dns.flags.Flag | int, local: bool, relays: bool
) -> None:
    served = Responder([zone(STAGING)], Policy(forwards=True))
    message = dns.message.make_query(name, "A", flags=int(flags))
    outcome = served.decide(message.to_wire(), Client(local=local), 0.0)
    assert (outcome.relay is not None) is relays
    assert outcome.reply is None or bool(outcome.reply[3] & 0x80) is local

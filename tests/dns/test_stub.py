"""The stub resolver, joined to the responder in memory."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dns.iana.rrtype import SRV, A
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.dns.stub import Reply, Status, Target, build_query, parse_reply
from netprov.errors import Malformed
from tests.dns.zones import STAGING, zone

RESPONDER = Responder([zone(STAGING)])


def ask(name: str, type_: int, *, edns: bool = False) -> Reply:
    query = build_query(name, type_, id_=0x1234, edns=edns)
    message = RESPONDER.respond(query, Client())
    assert message is not None
    reply = parse_reply(message, query)
    assert reply is not None
    return reply


def test_srv_targets_and_their_addresses_are_decoded() -> None:
    reply = ask("_ciscoprov-https._tls.example.com", SRV)
    expected = (Target(10, 20, 5060, "pr2.example.com"), Target(10, 60, 5060, "pr1.example.com"))
    assert expected == reply.targets()
    assert reply.status == Status.ANSWER
    assert IPv4Address("10.20.0.12") in {each.data for each in reply.additional}


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("pr1.example.com", Status.ANSWER),
        ("_tls.example.com", Status.NODATA),
        ("nowhere.example.com", Status.NXDOMAIN),
        ("example.org", Status.REFUSED),
    ],
)
def test_negative_answers_are_told_apart(name: str, status: Status) -> None:
    assert status == ask(name, A).status


def test_negative_answer_says_how_long_it_holds() -> None:
    assert ask("nowhere.example.com", A, edns=True).negative_ttl() == 60


def test_reply_to_another_query_is_none() -> None:
    query = build_query("pr1.example.com", A, id_=1)
    message = RESPONDER.respond(query, Client())
    assert message is not None
    assert parse_reply(message, build_query("pr1.example.com", A, id_=2)) is None
    assert parse_reply(message, build_query("pr2.example.com", A, id_=1)) is None
    assert parse_reply(query, query) is None


@given(st.data())
def test_mutated_reply_is_a_reply_or_none_or_malformed(data: st.DataObject) -> None:
    query = build_query("_ciscoprov-https._tls.example.com", SRV, id_=1, edns=True)
    message = bytearray(RESPONDER.respond(query, Client()) or b"")
    for _ in range(data.draw(st.integers(1, 6))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    try:
        reply = parse_reply(bytes(message), query)
    except Malformed:
        return
    assert reply is None or isinstance(reply, Reply)

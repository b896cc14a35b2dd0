"""Beside another DHCP server: looked for long enough, listened for ever after, and nothing offered while it is there."""

from __future__ import annotations

from netprov.dhcp.message import Type, decode
from netprov.dhcp.other import AGAIN_S, GONE_S, LOOK_S, Lookout
from netprov.machine import Dropped
from tests.dhcp.link import OTHER, STRANGER, Lan, ip, request, select

PHONE = {60: b"CP-8851-3PCC"}
RIVAL = ip("10.20.0.9")


def test_the_look_is_longer_than_three_seconds_of_ping() -> None:
    look = Lookout(100.0)
    assert look.ask(100.0)
    assert "looked for" in look.reason(103.5)
    assert look.hear(RIVAL, 103.5)
    assert look.reason(104.0) == "another DHCP server, 10.20.0.9, answers there"


def test_a_link_without_others_is_asked_three_times_as_a_question_may_be_lost() -> None:
    look = Lookout(100.0)
    assert [second for second in range(100, 200) if look.ask(float(second))] == [100, 101, 102]
    assert look.reason(100.0 + LOOK_S) == ""


def test_a_server_that_was_heard_is_asked_until_it_is_silent() -> None:
    look = Lookout(100.0)
    look.ask(100.0)
    for second in range(101, 150):
        look.ask(float(second))
    look.hear(RIVAL, 150.0)
    asked = [now for now in range(150, 230) if look.reason(float(now)) and look.ask(float(now))]
    assert asked == [150, 170, 190, 210]
    assert not look.found
    look.hear(RIVAL, 300.0)
    assert look.reason(300.0 + GONE_S - 1) != ""
    assert look.reason(300.0 + GONE_S) == ""
    assert GONE_S > 3 * AGAIN_S


def test_what_a_client_says_of_another_server_is_only_asked_about() -> None:
    look = Lookout(100.0)
    for second in range(100, 110):
        look.ask(float(second))
    look.suspect()
    assert look.reason(110.0) == ""
    assert [look.ask(110.0 + second) for second in range(4)] == [True, True, True, False]
    look.suspect()
    assert not look.ask(114.0), "whoever says so often does not make us ask so often"
    assert look.ask(112.0 + LOOK_S)


def test_while_hushed_nothing_is_offered_and_own_leases_are_confirmed() -> None:
    lan = Lan()
    address = lan.acquire(OTHER, options=PHONE).yiaddr
    pending = lan.ask(request(Type.DISCOVER, STRANGER, PHONE))
    lan.server.hush("lan0", "another DHCP server, 10.20.0.9, answers there", lan.now)
    third = b"\x02\0\0\0\0\x07"
    assert lan.silent(request(Type.DISCOVER, third, PHONE)).startswith("nothing is offered on lan0: another")
    assert lan.ask(request(Type.REQUEST, OTHER, PHONE, ciaddr=address)).type == Type.ACK
    assert lan.ask(select(pending, STRANGER, PHONE)).type == Type.ACK
    relayed = request(Type.DISCOVER, third, PHONE, giaddr=ip("10.30.0.1"))
    assert lan.ask(relayed).type == Type.OFFER


def test_who_asked_a_moment_ago_is_answered_when_offers_begin_again() -> None:
    lan = Lan()
    lan.server.hush("lan0", "other DHCP servers are looked for", lan.now)
    lan.silent(request(Type.DISCOVER, OTHER, PHONE))
    lan.now += 3.5
    asked = request(Type.DISCOVER, STRANGER, PHONE)
    lan.silent(asked)
    lan.now += 1
    lan.server.hush("lan0", "", lan.now)
    (offer,) = lan.server.datagrams_to_send()
    assert decode(offer.data).xid == asked.xid
    lan.server.hush("lan0", "", lan.now)
    assert lan.server.datagrams_to_send() == []


def test_what_is_held_for_later_is_bounded() -> None:
    lan = Lan()
    lan.server.hush("lan0", "other DHCP servers are looked for", lan.now)
    for number in range(1000):
        lan.send(request(Type.DISCOVER, b"\x02\0\0\0" + number.to_bytes(2, "big"), PHONE))
    assert len(lan.server._quiet._held) <= 256
    assert len(lan.of(Dropped)) == 1000

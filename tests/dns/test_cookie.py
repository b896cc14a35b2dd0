"""Cookies: the RFCs' own vectors, queries for a cookie alone, and what is asked of strangers who show none."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest

from netprov.dns.server import cookie
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client, Outcome, Policy
from tests.dns.zones import STAGING, zone

SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
ADDRESS = bytes((198, 51, 100, 100))
THEIRS = b"12345678"
GOOD = cookie.make(THEIRS, ADDRESS, SECRET, 0)
ZONE = zone(STAGING)
RESPONDER = Responder([ZONE], Policy(cookies=SECRET))
STRICT = Responder([ZONE], Policy(cookies=SECRET, cookies_required=True))
STRANGER = Client(ADDRESS, local=False)


def options(*cookies: bytes) -> list[dns.edns.Option]:
    return [dns.edns.GenericOption(dns.edns.OptionType.COOKIE, each) for each in cookies]


def cookie_only(*cookies: bytes) -> bytes:
    message = dns.message.Message(id=7)
    message.use_edns(0, options=options(*cookies))
    return message.to_wire()


def asked(*cookies: bytes, edns: bool = True) -> bytes:
    query = dns.message.make_query("pr1.example.com", "A", id=7)
    if edns:
        query.use_edns(0, options=options(*cookies))
    return query.to_wire()


def decide(responder: Responder, message: bytes, client: Client = STRANGER) -> tuple[Outcome, str, bytes]:
    """Return the outcome with its RCODE and the cookie in it."""
    outcome = responder.decide(message, client, 0.0)
    assert outcome.reply
    reply = dns.message.from_wire(outcome.reply)
    found = [each for each in reply.options if each.otype == dns.edns.OptionType.COOKIE]
    return outcome, dns.rcode.to_text(reply.rcode()), found[0].to_wire() if found else b""


def test_siphash_vector() -> None:
    expected = bytes.fromhex("a129ca6149be45e5")[::-1]
    assert cookie.siphash24(bytes(range(16)), bytes(range(15))) == expected


def test_server_cookie_is_that_of_rfc_9018_appendix_a_1() -> None:
    theirs = bytes.fromhex("2464c4abcf10c957")
    expected = bytes.fromhex("2464c4abcf10c957010000005cf79f111f8130c3eee29480")
    assert cookie.make(theirs, ADDRESS, SECRET, 1559731985) == expected


@pytest.mark.parametrize(
    ("later", "valid"), [(0, True), (3600, True), (3601, False), (-300, True), (-301, False)]
)
def test_server_cookie_lives_for_an_hour_rfc_9018_4_3(later: int, valid: bool) -> None:
    made = cookie.make(THEIRS, ADDRESS, SECRET, 1_000_000)
    assert cookie.is_valid(made, ADDRESS, SECRET, 1_000_000 + later) is valid


def test_cookie_of_another_address_or_secret_is_worth_nothing() -> None:
    assert not cookie.is_valid(GOOD, bytes(4), SECRET, 0)
    assert not cookie.is_valid(GOOD, ADDRESS, bytes(16), 0)


@pytest.mark.parametrize(
    ("length", "rcode"),
    [
        (8, "NOERROR"),
        (4, "FORMERR"),
        (7, "FORMERR"),
        (9, "FORMERR"),
        (15, "FORMERR"),
        (16, "NOERROR"),
        (40, "NOERROR"),
        (41, "FORMERR"),
    ],
)
def test_cookie_of_impossible_length_is_a_format_error_rfc_7873_5_2_2(length: int, rcode: str) -> None:
    outcome, said, given = decide(RESPONDER, asked(bytes(length)))
    assert said == rcode
    assert not outcome.keep
    assert bool(given) == (rcode == "NOERROR")
    assert outcome.reply
    reply = dns.message.from_wire(outcome.reply)
    assert (str(reply.question[0].name), reply.edns) == ("pr1.example.com.", 0)


@pytest.mark.parametrize(
    ("theirs", "rcode"), [(THEIRS, "NOERROR"), (GOOD, "NOERROR"), (THEIRS + bytes(16), "BADCOOKIE")]
)
@pytest.mark.parametrize("client", [STRANGER, Client(ADDRESS), Client(ADDRESS, tcp=True)])
def test_query_for_a_cookie_alone_gets_one_rfc_7873_5_4(theirs: bytes, rcode: str, client: Client) -> None:
    outcome, said, given = decide(RESPONDER, cookie_only(theirs), client)
    assert (said, given) == (rcode, GOOD)
    assert outcome.reply
    assert outcome.reply[4:12] == bytes.fromhex("0000 0000 0000 0001")
    assert outcome.known == (theirs == GOOD)


def test_no_question_and_no_cookie_is_a_format_error_rfc_7873_5_4() -> None:
    assert decide(RESPONDER, cookie_only())[1] == "FORMERR"
    assert decide(Responder([ZONE]), cookie_only(THEIRS))[1] == "FORMERR"
    assert decide(RESPONDER, bytes(12))[1] == "FORMERR"


@pytest.mark.parametrize("theirs", [THEIRS, THEIRS + bytes(16)])
def test_stranger_without_a_good_cookie_is_given_one_to_come_back_with_rfc_7873_5_2_3(theirs: bytes) -> None:
    outcome, said, given = decide(STRICT, asked(theirs))
    assert (said, given) == ("BADCOOKIE", GOOD)
    assert outcome.reply
    assert not dns.message.from_wire(outcome.reply).answer
    outcome, said, _ = decide(STRICT, asked(given))
    assert said == "NOERROR"
    assert outcome.known
    assert outcome.reply
    assert dns.message.from_wire(outcome.reply).answer


@pytest.mark.parametrize("edns", [False, True])
def test_stranger_who_knows_no_cookies_is_sent_to_tcp(edns: bool) -> None:
    message = asked(edns=edns)
    outcome, said, _ = decide(STRICT, message)
    assert outcome.reply
    reply = dns.message.from_wire(outcome.reply)
    assert (said, reply.answer, reply.edns) == ("NOERROR", [], 0 if edns else -1)
    assert reply.flags & dns.flags.TC
    assert STRICT.respond_quickly(message[2:], local=False) is None
    over_tcp, _, _ = decide(STRICT, message, Client(ADDRESS, local=False, tcp=True))
    assert over_tcp.reply
    assert dns.message.from_wire(over_tcp.reply).answer


def test_lan_needs_no_cookie() -> None:
    for message in (asked(), asked(THEIRS), asked(edns=False)):
        outcome, said, _ = decide(STRICT, message, Client(ADDRESS))
        assert said == "NOERROR"
        assert outcome.reply
        assert dns.message.from_wire(outcome.reply).answer

"""TSIG with dnspython on the other side, rate limits, the blackhole."""

from __future__ import annotations

import dns.message
import dns.rcode
import dns.tsig
import pytest

from netprov.dns.message.name import parse_name
from netprov.dns.server import tsig
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Access, Client, Policy
from netprov.dns.server.rate import Limit, Limiter, Verdict
from tests.dns.zones import STAGING, zone

SECRET = bytes(range(32))
ALGORITHMS = ["hmac-sha256", "hmac-sha384", "hmac-sha512"]


def responder(algorithm: str) -> Responder:
    key = tsig.Key(parse_name("transfer"), parse_name(algorithm), SECRET)
    access = Access({key.name: key}, frozenset({(b"\x7f\x00\x00\x01", key.name)}))
    return Responder([zone(STAGING)], access=access)


def signed(
    algorithm: str, name: str = "pr1.example.com", type_: str = "A", secret: bytes = SECRET
) -> tuple[dns.message.Message, dns.tsig.Key]:
    key = dns.tsig.Key("transfer.", secret, algorithm)
    query = dns.message.make_query(name, type_)
    query.use_tsig(key)
    return query, key


def signing_time(wire: bytes, key: dns.tsig.Key) -> int:
    record = dns.message.from_wire(wire, keyring=key).tsig
    assert record
    return int(record[0].time_signed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_dnspython_verifies_our_signature_and_we_verify_its(algorithm: str) -> None:
    query, key = signed(algorithm)
    wire = query.to_wire()
    signed_at = signing_time(wire, key)
    reply = responder(algorithm).respond(wire, Client(), signed_at)
    assert reply
    parsed = dns.message.from_wire(reply, keyring=key, request_mac=query.mac)
    assert parsed.had_tsig
    assert parsed.answer


@pytest.mark.parametrize(
    ("change", "error"),
    [("secret", dns.tsig.PeerBadSignature), ("name", dns.tsig.PeerBadKey), ("time", dns.tsig.PeerBadTime)],
)
def test_bad_signature_gets_notauth_and_its_error_rfc_8945_5_2(change: str, error: type[Exception]) -> None:
    query, key = signed("hmac-sha256", secret=bytes(32) if change == "secret" else SECRET)
    wire = query.to_wire()
    now = signing_time(wire, key)
    served = responder("hmac-sha384" if change == "name" else "hmac-sha256")
    reply = served.respond(wire, Client(), now + (301 if change == "time" else 0))
    assert reply
    assert reply[3] & 0xF == dns.rcode.NOTAUTH
    with pytest.raises(error):
        dns.message.from_wire(reply, keyring=key, request_mac=query.mac)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_message_of_a_signed_transfer_verifies(algorithm: str) -> None:
    many = STAGING + "".join(f"h{index} A 192.0.2.1\n" for index in range(3000))
    key = tsig.Key(parse_name("transfer"), parse_name(algorithm), SECRET)
    access = Access({key.name: key}, frozenset({(b"\x7f\x00\x00\x01", key.name)}))
    query, theirs = signed(algorithm, "example.com", "AXFR")
    wire = query.to_wire()
    now = signing_time(wire, theirs)
    outcome = Responder([zone(many)], access=access).decide(wire, Client(tcp=True), now)
    assert outcome.stream
    context, count, records = None, 0, 0
    for message in outcome.stream:
        parsed = dns.message.from_wire(
            message,
            keyring=theirs,
            request_mac=query.mac,
            tsig_ctx=context,
            multi=True,
            one_rr_per_rrset=True,
            xfr=True,
        )
        context = parsed.tsig_ctx
        count, records = count + 1, records + len(parsed.answer)
        assert len(message) <= 16384
    assert count > 3
    assert records == 3000 + 14


def test_forwarded_query_is_verified_under_the_id_it_was_signed_with_rfc_8945_5_5() -> None:
    query, key = signed("hmac-sha256")
    wire = query.to_wire()
    reply = responder("hmac-sha256").respond(b"\x12\x34" + wire[2:], Client(), signing_time(wire, key))
    assert reply
    assert reply[:2] == b"\x12\x34"
    assert dns.message.from_wire(reply, keyring=key, request_mac=query.mac).answer


def test_record_behind_the_signature_is_a_format_error_rfc_8945_5_1() -> None:
    query, _ = signed("hmac-sha256")
    wire = query.to_wire()
    more = wire[:10] + b"\x00\x02" + wire[12:] + b"\x00\x00\x01\x00\x01" + bytes(4) + b"\x00\x04" + bytes(4)
    reply = responder("hmac-sha256").respond(more, Client())
    assert reply
    assert reply[3] & 0xF == dns.rcode.FORMERR


@pytest.mark.parametrize(
    ("length", "rcode"), [(0, "FORMERR"), (15, "FORMERR"), (16, "NOTAUTH"), (33, "FORMERR")]
)
def test_cut_mac_is_not_taken_rfc_8945_5_2_2_1(length: int, rcode: str) -> None:
    wire = signed("hmac-sha256")[0].to_wire()
    at = wire.rindex((32).to_bytes(2, "big"), 0, len(wire) - 32)
    mac = (wire[at + 2 : at + 34] + b"x")[:length]
    size_at = wire.rindex(b"\x00\x00\x00\x00\x00", 0, at) + 4
    size = int.from_bytes(wire[size_at : size_at + 2], "big") - 32 + length
    cut = wire[:size_at] + size.to_bytes(2, "big") + wire[size_at + 2 : at] + length.to_bytes(2, "big") + mac
    reply = responder("hmac-sha256").respond(cut + wire[at + 34 :], Client(), 0.0)
    assert reply
    assert dns.rcode.to_text(dns.rcode.Rcode(reply[3] & 0xF)) == rcode


def test_rate_is_counted_by_prefix_and_comes_back() -> None:
    limiter = Limiter(Limit(rate=10, slip=2))
    verdicts = [limiter.judge(bytes((192, 0, 2, host)), 0.0) for host in range(40)]
    assert verdicts.count(Verdict.SEND) == 20
    assert verdicts.count(Verdict.SLIP) == 10
    assert limiter.judge(bytes((192, 0, 3, 1)), 0.0) is Verdict.SEND
    assert limiter.judge(bytes((192, 0, 2, 1)), 0.1) is Verdict.SEND
    assert limiter.judge(bytes((192, 0, 2, 1)), 0.1) is Verdict.DROP


def test_blackhole_does_not_exist_for_the_lan_and_is_refused_to_others() -> None:
    served = Responder([zone(STAGING)], Policy(blackhole=frozenset({parse_name("cisco.com")})))
    for name in ("cisco.com", "activate.CISCO.com"):
        query = dns.message.make_query(name, "A").to_wire()
        lan, other = served.respond(query, Client()), served.respond(query, Client(local=False))
        assert lan
        assert other
        assert (lan[3] & 0xF, other[3] & 0xF) == (dns.rcode.NXDOMAIN, dns.rcode.REFUSED)
        assert dns.message.from_wire(lan).authority

"""The server's algorithm, one rule a test, each with the section that asks for it."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest

from netprov.dns.iana.rrtype import SRV
from netprov.dns.message.rdata import canonical
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.dns.zone.journal import difference
from netprov.state import serial
from tests.dns.test_answer import ask, shown
from tests.dns.zones import STAGING, zone

HEAD = "$TTL 300\n@ SOA ns host 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.1\n"


def served(*zones: tuple[str, str]) -> Responder:
    return Responder([zone(HEAD + text, origin) for origin, text in zones])


def asked(text: str, name: str, type_: str = "A") -> dns.message.Message:
    return ask(f"{name}.example.com", type_, responder=served(("example.com", text)))


def answered(text: str, name: str, type_: str = "A") -> tuple[str, list[str]]:
    """Return the RCODE and the answer in short: owner below the domain, type, data."""
    reply = asked(text, name, type_)
    lines = [line.replace(".example.com.", "").split(" ", 4) for line in shown(reply.answer)]
    return dns.rcode.to_text(reply.rcode()), [f"{owner} {what} {data}" for owner, _, _, what, data in lines]


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("any.wild", "A", ("NOERROR", ["any.wild A 192.0.2.9"])),
        ("a.b.wild", "A", ("NOERROR", ["a.b.wild A 192.0.2.9"])),
        ("any.wild", "TXT", ("NOERROR", [])),
        ("*.wild", "A", ("NOERROR", ["*.wild A 192.0.2.9"])),
        ("wild", "A", ("NOERROR", [])),
        ("real.wild", "A", ("NOERROR", [])),
        ("below.real.wild", "A", ("NXDOMAIN", [])),
        ("ent.wild", "A", ("NOERROR", [])),
        ("other.ent.wild", "A", ("NXDOMAIN", [])),
    ],
)
def test_wildcard_stands_in_below_the_closest_encloser_alone_rfc_4592_3_3_1(
    name: str, type_: str, expected: tuple[str, list[str]]
) -> None:
    text = "*.wild A 192.0.2.9\nreal.wild TXT here\nx.ent.wild TXT here\n"
    assert answered(text, name, type_) == expected


def test_alias_is_followed_to_its_end_rfc_1034_4_3_2_step_3a() -> None:
    text = (
        "one CNAME two\ntwo CNAME three\nthree A 192.0.2.3\ngone CNAME nowhere\nout CNAME www.example.org.\n"
    )
    assert answered(text, "one") == ("NOERROR", ["one CNAME two", "two CNAME three", "three A 192.0.2.3"])
    assert answered(text, "one", "CNAME") == ("NOERROR", ["one CNAME two"])
    assert answered(text, "out") == ("NOERROR", ["out CNAME www.example.org."])


def test_rcode_is_that_of_the_end_of_the_chain_rfc_6604_3() -> None:
    assert answered("gone CNAME nowhere\n", "gone") == ("NXDOMAIN", ["gone CNAME nowhere"])
    assert answered("gone CNAME ns\n", "gone", "TXT") == ("NOERROR", ["gone CNAME ns"])


def test_alias_into_another_zone_of_ours_is_followed() -> None:
    responder = served(("example.com", "www CNAME www.example.org.\n"), ("example.org", "www A 192.0.2.7\n"))
    reply = ask("www.example.com", "A", responder=responder)
    assert shown(reply.answer)[1] == "www.example.org. 300 IN A 192.0.2.7"


def test_loop_of_aliases_ends_rfc_1034_3_6_2() -> None:
    rcode, answer = answered("a CNAME b\nb CNAME a\nself CNAME self\n", "a")
    assert (rcode, answer) == ("NOERROR", ["a CNAME b", "b CNAME a"])


def test_dname_renames_what_is_below_it_and_not_itself_rfc_6672_2_3() -> None:
    text = "old DNAME new\nold TXT here\nx.new A 192.0.2.4\n"
    assert answered(text, "x.old") == ("NOERROR", ["old DNAME new", "x.old CNAME x.new", "x.new A 192.0.2.4"])
    assert answered(text, "old", "TXT") == ("NOERROR", ['old TXT "here"'])
    assert answered(text, "old", "A") == ("NOERROR", [])


def test_dname_that_makes_too_long_a_name_is_yxdomain_rfc_6672_2_2() -> None:
    long = ".".join(["x" * 60] * 3)
    rcode, answer = answered(f"d DNAME {long}\n", ".".join(["y" * 50] * 2) + ".d")
    assert rcode == "YXDOMAIN"
    assert len(answer) == 1


def test_referral_has_the_nameservers_their_glue_and_no_authority_rfc_1034_4_2_1() -> None:
    reply = asked("sub NS ns.sub\nns.sub A 192.0.2.5\n", "x.sub")
    assert not reply.flags & dns.flags.AA
    assert reply.answer == []
    assert shown(reply.authority) == ["sub.example.com. 300 IN NS ns.sub.example.com."]
    assert shown(reply.additional) == ["ns.sub.example.com. 300 IN A 192.0.2.5"]


def test_referral_whose_glue_does_not_fit_is_truncated_rfc_9471_3_1() -> None:
    text = "".join(
        f"sub NS ns{i}.sub\nns{i}.sub A 192.0.2.{i}\nns{i}.sub AAAA 2001:db8::{i}\n" for i in range(9)
    )
    assert asked(text, "x.sub").flags & dns.flags.TC


def test_parent_answers_ds_of_a_delegation_rfc_4035_3_1_4_1() -> None:
    text = "sub NS ns.sub\nns.sub A 192.0.2.5\nsub DS 1 13 2 " + "ab" * 32 + "\n"
    reply = asked(text, "sub", "DS")
    assert reply.flags & dns.flags.AA
    assert len(reply.answer) == 1


def test_record_set_has_one_ttl_the_lowest_rfc_2181_5_2() -> None:
    reply = asked("two 600 A 192.0.2.1\ntwo 120 A 192.0.2.2\n", "two")
    assert {rrset.ttl for rrset in reply.answer} == {120}
    assert len(reply.answer[0]) == 2


def test_unknown_type_is_served_as_it_is_rfc_3597_3() -> None:
    assert answered("odd TYPE65280 \\# 3 010203\n", "odd", "TYPE65280") == (
        "NOERROR",
        ["odd TYPE65280 \\# 3 010203"],
    )


def test_srv_of_target_dot_says_that_there_is_no_service_rfc_2782() -> None:
    reply = asked("_sip._udp SRV 0 0 0 .\n", "_sip._udp", "SRV")
    assert shown(reply.answer) == ["_sip._udp.example.com. 300 IN SRV 0 0 0 ."]
    assert reply.additional == []


def test_name_below_an_existing_one_does_not_exist_rfc_2308_2_1() -> None:
    reply = ask("x.pr1.example.com", "A", responder=Responder([zone(STAGING)]))
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert reply.flags & dns.flags.AA


@pytest.mark.parametrize(
    ("text", "name", "type_", "expected"),
    [
        ("self CNAME self\n", "self", "A", ["self CNAME self"]),
        ("a CNAME b\nb CNAME c\nc CNAME b\n", "a", "A", ["a CNAME b", "b CNAME c", "c CNAME b"]),
        (
            "d DNAME @\nx A 192.0.2.9\n",
            "x.d.d",
            "A",
            ["d DNAME example.com.", "x.d.d CNAME x.d", "x.d CNAME x", "x A 192.0.2.9"],
        ),
        ("grow DNAME more.grow\n", "x.grow", "A", ["grow DNAME more.grow", "x.grow CNAME x.more.grow"]),
        (
            "one DNAME two\ny.two CNAME one\n",
            "y.one",
            "DNAME",
            ["one DNAME two", "y.one CNAME y.two", "y.two CNAME one"],
        ),
    ],
    ids=["self", "a loop behind a way in", "DNAME twice", "growing DNAME", "DNAME asked for at the end"],
)
def test_answer_holds_no_record_twice_rfc_2181_5(
    text: str, name: str, type_: str, expected: list[str]
) -> None:
    rcode, answer = answered(text, name, type_)
    assert (rcode, answer) == ("NOERROR", expected)


def test_two_growing_dnames_end_and_the_reply_stays_small() -> None:
    text = f"a DNAME {'y' * 20}.b\nb DNAME {'z' * 20}.a\n"
    query = dns.message.make_query("x.a.example.com", "A")
    reply = served(("example.com", text)).respond(query.to_wire(), Client())
    assert reply
    assert len(reply) <= 300
    records = [line for rrset in dns.message.from_wire(reply).answer for line in rrset.to_text().splitlines()]
    assert len(records) == len(set(records))


@pytest.mark.parametrize(
    "text",
    [
        "@ NS NS\n",
        "a CNAME b\na CNAME B\n",
        "s SRV 65 66 67 Ns\ns SRV 65 66 67 nS\n",
        "m MX 65 ns\nm MX 65 NS\n",
    ],
)
def test_record_that_differs_in_the_case_of_a_name_alone_is_the_same_rfc_4343_4_1(text: str) -> None:
    once = zone(HEAD + text.splitlines()[0])
    twice = zone(HEAD + text)
    assert [len(rrset.rdatas) for _, rrset in twice.rrsets() if rrset.type != 1] == [
        len(rrset.rdatas) for _, rrset in once.rrsets() if rrset.type != 1
    ]
    other = zone(
        HEAD + text.splitlines()[0].swapcase() if "@" not in text else HEAD.replace("NS ns", "NS NS")
    )
    delta = difference(once, other)
    assert (delta.removed, delta.added) == ((), ())
    assert serial._digest(once) == serial._digest(other)


def test_octets_that_look_like_letters_are_no_names() -> None:
    assert canonical(SRV, b"AB\x00\x01\x00\x02\x01A\x00") == b"AB\x00\x01\x00\x02\x01a\x00"
    assert canonical(65280, b"\x01A\x00") == b"\x01A\x00"

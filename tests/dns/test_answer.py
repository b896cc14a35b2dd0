"""The responder: what is asked, what is answered, by which RFC."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dns.iana.flag import Flag
from netprov.dns.iana.opcode import Opcode
from netprov.dns.iana.rcode import Rcode
from netprov.dns.iana.rrclass import RRClass
from netprov.dns.iana.rrtype import TYPES
from netprov.dns.message.name import format_name
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client, Policy
from tests.dns.zones import STAGING, zone

UDP, TCP = Client(), Client(tcp=True)
RESPONDER = Responder([zone(STAGING)])


def ask(
    name: str,
    type_: str,
    *,
    responder: Responder = RESPONDER,
    client: Client = UDP,
    **options: object,
) -> dns.message.Message:
    query = dns.message.make_query(name, type_, **options)  # type: ignore[arg-type]
    reply = responder.respond(query.to_wire(), client)
    assert reply is not None
    return dns.message.from_wire(reply)


def shown(section: list[dns.rrset.RRset]) -> list[str]:
    return [line for rrset in section for line in rrset.to_text().splitlines()]


def test_srv_is_answered_lowest_priority_then_weight_first_with_its_addresses() -> None:
    reply = ask("_ciscoprov-https._tls.example.com", "SRV")
    assert shown(reply.answer) == [
        "_ciscoprov-https._tls.example.com. 86400 IN SRV 10 20 5060 pr2.example.com.",
        "_ciscoprov-https._tls.example.com. 86400 IN SRV 10 60 5060 pr1.example.com.",
    ]
    assert shown(reply.additional) == [
        "pr2.example.com. 300 IN A 10.20.0.12",
        "pr2.example.com. 300 IN AAAA 2001:db8::12",
        "pr1.example.com. 300 IN A 10.20.0.11",
    ]
    assert reply.flags & dns.flags.AA


def test_srv_target_is_never_compressed_rfc_2782() -> None:
    query = dns.message.make_query("_ciscoprov-http._tcp.example.com", "SRV")
    reply = RESPONDER.respond(query.to_wire(), UDP)
    assert reply is not None
    assert b"\x03px1\x07example\x03com\x00" in reply
    assert b"\x03px2\x07example\x03com\x00" in reply


@pytest.mark.parametrize("name", ["_tls.example.com", "_tcp.example.com"])
@pytest.mark.parametrize("type_", ["A", "SRV", "ANY"])
def test_empty_non_terminal_is_noerror_rfc_8020_2(name: str, type_: str) -> None:
    reply = ask(name, type_)
    assert reply.rcode() == dns.rcode.NOERROR
    assert reply.answer == []
    assert reply.authority[0].rdtype == dns.rdatatype.SOA


def test_soa_of_a_negative_answer_has_the_lesser_of_its_ttl_and_minimum_rfc_2308_3() -> None:
    nodata, nxdomain = ask("pr1.example.com", "TXT"), ask("nowhere.example.com", "A")
    assert (nodata.rcode(), nxdomain.rcode()) == (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    assert [nodata.authority[0].ttl, nxdomain.authority[0].ttl] == [60, 60]


def test_name_outside_is_refused_without_authority_rfc_1035_4_1_1() -> None:
    reply = ask("example.org", "A")
    assert reply.rcode() == dns.rcode.REFUSED
    assert not reply.flags & (dns.flags.AA | dns.flags.RA)


def test_case_of_the_question_is_kept_and_ignored_rfc_4343() -> None:
    reply = ask("PR1.eXample.COM", "A")
    assert reply.question[0].name.to_text() == "PR1.eXample.COM."
    assert shown(reply.answer) == ["PR1.eXample.COM. 300 IN A 10.20.0.11"]


@pytest.mark.parametrize("flags", [0, dns.flags.RD, dns.flags.CD, dns.flags.RD | dns.flags.CD])
def test_rd_and_cd_are_copied_and_ra_is_off_rfc_1035_4_1_1(flags: int) -> None:
    query = dns.message.make_query("pr1.example.com", "A")
    query.flags = dns.flags.Flag(flags | dns.flags.AD)
    reply = RESPONDER.respond(query.to_wire(), UDP)
    assert reply is not None
    assert dns.flags.QR | dns.flags.AA | flags == dns.message.from_wire(reply).flags


def test_response_is_never_answered_rfc_1035_7_3() -> None:
    query = dns.message.make_query("pr1.example.com", "A")
    query.flags |= dns.flags.QR
    assert RESPONDER.respond(query.to_wire(), UDP) is None


@pytest.mark.parametrize("opcode", [dns.opcode.IQUERY, dns.opcode.STATUS, dns.opcode.UPDATE])
def test_other_opcodes_are_not_implemented_rfc_1035_4_1_1(opcode: dns.opcode.Opcode) -> None:
    query = dns.message.make_query("example.com", "SOA")
    query.set_opcode(opcode)
    reply = RESPONDER.respond(query.to_wire(), UDP)
    assert reply is not None
    assert dns.message.from_wire(reply, one_rr_per_rrset=True).rcode() == dns.rcode.NOTIMP


def test_two_questions_are_a_format_error_rfc_9619_4() -> None:
    query = dns.message.make_query("example.com", "SOA").to_wire()
    doubled = query[:4] + b"\x00\x02" + query[6:] + query[12:]
    reply = RESPONDER.respond(doubled, UDP)
    assert reply is not None
    assert reply[3] & 0xF == dns.rcode.FORMERR


@pytest.mark.parametrize("class_", ["CH", "HS", "ANY"])
def test_other_classes_are_refused_rfc_1035_3_2_5(class_: str) -> None:
    reply = ask("version.bind", "TXT", rdclass=class_)
    assert reply.rcode() == dns.rcode.REFUSED


def test_version_and_identity_are_told_only_if_configured_rfc_4892_3() -> None:
    responder = Responder([zone(STAGING)], Policy(version="netprov", identity="lab-1"))
    for name, text in (("version.bind", "netprov"), ("id.server", "lab-1")):
        reply = ask(name, "TXT", rdclass="CH", responder=responder)
        assert [f'{name}. 0 CH TXT "{text}"'] == shown(reply.answer)


def test_any_gets_one_record_set_rfc_8482_4_1() -> None:
    reply = ask("pr2.example.com", "ANY")
    assert len(reply.answer) == 1


def test_edns_version_above_0_is_badvers_rfc_6891_6_1_3() -> None:
    reply = ask("pr1.example.com", "A", use_edns=1)
    assert reply.rcode() == dns.rcode.BADVERS
    assert reply.edns == 0
    assert reply.answer == []


def test_opt_answers_opt_alone_with_do_copied_rfc_6891_6_1_4() -> None:
    assert ask("pr1.example.com", "A").edns == -1
    reply = ask("pr1.example.com", "A", want_dnssec=True)
    assert (reply.edns, reply.ednsflags, reply.payload) == (0, dns.flags.DO, 1232)


def with_opts(*records: bytes) -> bytes:
    query = dns.message.make_query("pr1.example.com", "A", id=3).to_wire()
    return query[:10] + len(records).to_bytes(2, "big") + query[12:] + b"".join(records)


@pytest.mark.parametrize(
    "opts",
    [
        (b"\x00\x00\x29\x04\xd0" + bytes(6),) * 2,
        (b"\x01x\x00\x00\x29\x04\xd0" + bytes(6),),
        (b"\x00\x00\x29\x04\xd0" + bytes(5) + b"\x03\x00\x0a\x00",),
    ],
    ids=["two", "not at the root", "cut option"],
)
def test_opt_that_cannot_be_is_a_format_error_rfc_6891_6_1_1(opts: tuple[bytes, ...]) -> None:
    reply = RESPONDER.respond(with_opts(*opts), UDP)
    assert reply is not None
    assert reply[3] & 0xF == dns.rcode.FORMERR


def test_unknown_option_is_ignored_rfc_6891_6_1_2() -> None:
    reply = ask(
        "pr1.example.com",
        "A",
        use_edns=0,
        options=[dns.edns.GenericOption(dns.edns.OptionType.make(65001), b"what")],
    )
    assert (reply.rcode(), len(reply.answer), reply.options) == (dns.rcode.NOERROR, 1, ())


@pytest.mark.parametrize(("size", "most"), [(0, 512), (511, 512), (900, 900), (1232, 1232), (65535, 1232)])
def test_size_below_512_is_512_and_above_ours_is_ours_rfc_6891_6_2_3(size: int, most: int) -> None:
    text = STAGING + "".join(f"s{step} TYPE65280 \\# {step} {'00' * step}\n" for step in range(0, 1300, 50))
    responder = Responder([zone(text)])
    longest = 0
    for step in range(0, 1300, 50):
        query = dns.message.make_query(f"s{step}.example.com", "TYPE65280", use_edns=0, payload=size)
        reply = responder.respond(query.to_wire(), UDP)
        assert reply is not None
        assert len(reply) <= most
        longest = max(longest, len(reply))
    assert longest > most - 60


def test_nsid_is_told_only_if_asked_for_and_configured_rfc_5001_2_1() -> None:
    named = Responder([zone(STAGING)], Policy(identity="lab-1"))
    wanted: list[dns.edns.Option] = [dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")]
    told = ask("pr1.example.com", "A", responder=named, use_edns=0, options=wanted)
    assert [option.to_wire() for option in told.options] == [b"lab-1"]
    assert ask("pr1.example.com", "A", responder=named, use_edns=0).options == ()
    assert ask("pr1.example.com", "A", use_edns=0, options=wanted).options == ()


def test_notify_is_refused_for_we_are_nobodys_secondary_rfc_1996_3_10() -> None:
    query = dns.message.make_query("example.com", "SOA")
    query.set_opcode(dns.opcode.NOTIFY)
    reply = RESPONDER.respond(query.to_wire(), UDP)
    assert reply is not None
    parsed = dns.message.from_wire(reply)
    assert (parsed.opcode(), parsed.rcode(), parsed.question) == (
        dns.opcode.NOTIFY,
        dns.rcode.REFUSED,
        query.question,
    )


@pytest.mark.parametrize("type_", [249, 253, 254, 128, 250, 41])
def test_type_that_is_no_data_is_not_implemented_rfc_6895_3_1(type_: int) -> None:
    assert (
        ask("pr1.example.com", dns.rdatatype.to_text(dns.rdatatype.RdataType.make(type_))).rcode()
        == dns.rcode.NOTIMP
    )


def test_without_edns_a_reply_of_more_than_512_octets_is_cut_at_a_record_set_rfc_2181_9() -> None:
    text = STAGING + "".join(f'big TXT "{"x" * 100}{index}"\n' for index in range(8))
    responder = Responder([zone(text)])
    short = ask("big.example.com", "TXT", responder=responder)
    assert short.flags & dns.flags.TC
    assert short.answer == []
    assert len(ask("big.example.com", "TXT", responder=responder, use_edns=0, payload=4096).answer[0]) == 8
    assert len(ask("big.example.com", "TXT", responder=responder, client=TCP).answer[0]) == 8


def test_additional_records_that_do_not_fit_are_left_out_without_tc_rfc_2181_9() -> None:
    targets = "".join(f"many SRV 1 0 80 t{index}.example.com.\n" for index in range(12))
    addresses = "".join(f"t{index} A 10.20.1.{index}\n" for index in range(12))
    reply = ask("many.example.com", "SRV", responder=Responder([zone(STAGING + targets + addresses)]))
    assert not reply.flags & dns.flags.TC
    assert len(reply.answer[0]) == 12
    assert 0 < len(reply.additional) < 12


@pytest.mark.fuzz
@given(st.binary(max_size=64))
def test_fuzz_arbitrary_bytes_get_a_reply_or_none(message: bytes) -> None:
    reply = RESPONDER.respond(message, UDP)
    assert reply is None or (reply[:2] == message[:2] and reply[2] & 0x80)


@pytest.mark.fuzz
@given(st.data())
def test_fuzz_mutated_queries_get_a_reply_that_dnspython_parses(data: st.DataObject) -> None:
    query = bytearray(
        dns.message.make_query("_ciscoprov-https._tls.example.com", "SRV", use_edns=0).to_wire()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        query[data.draw(st.integers(2, len(query) - 1))] = data.draw(st.integers(0, 255))
    reply = RESPONDER.respond(bytes(query), UDP)
    # What has the bit of a reply is not answered, lest two servers answer each other.
    assert (reply is None) == bool(query[2] & 0x80)
    # dnspython holds replies to UPDATE to the rules of UPDATE, whatever was asked.
    if reply is not None and reply[2] >> 3 & 0xF != dns.opcode.UPDATE:
        dns.message.from_wire(reply, ignore_trailing=False, one_rr_per_rrset=True)


@pytest.mark.parametrize("policy", [Policy(), Policy(forwards=True)])
@pytest.mark.parametrize("local", [True, False])
def test_short_way_says_what_the_long_way_says(policy: Policy, local: bool) -> None:
    taken = 0
    for zone_text in (
        STAGING,
        STAGING + "cut NS ns.cut\nns.cut A 192.0.2.1\n",
        STAGING + "*.wild TXT x\nsub.deep TXT y\nalias CNAME pr1\n",
    ):
        built = zone(zone_text)
        responder = Responder([built], policy)
        names = [format_name(name) for name in built.nodes]
        names += [f"x.{name}" for name in names] + ["example.org.", "."]
        for name in names:
            for type_ in ("A", "AAAA", "SRV", "TXT", "SOA", "NS", "ANY", "DS", "CNAME", "AXFR"):
                for edns in (None, 0, 1):
                    options = {} if edns is None else {"use_edns": edns, "want_dnssec": type_ == "A"}
                    query = dns.message.make_query(name, type_, **options).to_wire()  # type: ignore[arg-type]
                    short = responder.respond_quickly(query[2:], local=local)
                    long = responder.respond(query, Client(local=local))
                    if short is not None:
                        taken += 1
                        assert long is not None
                        assert (
                            dns.message.from_wire(query[:2] + short).to_text()
                            == dns.message.from_wire(long).to_text()
                        )
    assert taken > 100


@given(st.data())
def test_short_way_never_takes_what_is_malformed(data: st.DataObject) -> None:
    query = bytearray(dns.message.make_query("x.pr1.example.com", "A", use_edns=0).to_wire())
    for _ in range(data.draw(st.integers(1, 4))):
        query[data.draw(st.integers(2, len(query) - 1))] = data.draw(st.integers(0, 255))
    message = bytes(query[: data.draw(st.integers(0, len(query)))])
    short = RESPONDER.respond_quickly(message[2:])
    if short is not None:
        long = RESPONDER.respond(message, UDP)
        assert long is not None
        assert (
            dns.message.from_wire(bytes(query[:2]) + short).to_text() == dns.message.from_wire(long).to_text()
        )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda query: query.use_edns(options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"1234")]),
        lambda query: query.use_edns(0),
    ],
    ids=["a cookie of 4 octets", "octets behind the last record"],
)
def test_format_error_of_a_readable_query_carries_question_and_opt_rfc_6891_6_1_1(
    spoil: Callable[[dns.message.QueryMessage], None],
) -> None:
    query = dns.message.make_query("pr1.example.com", "A")
    spoil(query)
    tail = b"" if query.options else b"more"
    responder = Responder([zone(STAGING)], Policy(cookies=bytes(16)))
    message = responder.respond(query.to_wire() + tail, UDP)
    assert message
    reply = dns.message.from_wire(message)
    assert (reply.rcode(), reply.edns, reply.question) == (dns.rcode.FORMERR, 0, query.question)


@pytest.mark.parametrize("opcode", [1, 2, 3, 6, 15])
@pytest.mark.parametrize("counts", [b"\x00\x01", b"\x00\x07"])
def test_other_opcodes_get_neither_rd_nor_cd_back(opcode: int, counts: bytes) -> None:
    query = bytearray(
        dns.message.make_query("pr1.example.com", "A", flags=dns.flags.RD | dns.flags.CD).to_wire()
    )
    query[2] |= opcode << 3
    query[4:6] = counts
    reply = RESPONDER.respond(bytes(query), UDP)
    assert reply
    assert (reply[2], reply[3]) == (0x80 | opcode << 3, dns.rcode.NOTIMP)


def test_response_codes_opcodes_flags_and_classes_are_named_as_dnspython_names_them() -> None:
    def numbers(members: type[IntEnum]) -> dict[str, int]:
        return {each.name: int(each) for each in members}

    assert numbers(Flag) == {each.name: int(each) for each in dns.flags.Flag}
    for mine, theirs in (
        (Rcode, dns.rcode.Rcode),
        (Opcode, dns.opcode.Opcode),
        (RRClass, dns.rdataclass.RdataClass),
    ):
        known = numbers(theirs)
        others = {name: number for name, number in numbers(mine).items() if known.get(name) != number}
        assert others.keys() <= {"DSO"}
    types = numbers(dns.rdatatype.RdataType)
    assert {name: number for name, number in TYPES.items() if types.get(name, number) != number} == {}

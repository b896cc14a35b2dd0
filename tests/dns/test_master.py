"""Master files: read, written, refused."""

from __future__ import annotations

import dns.zone
import pytest

from netprov.dns.iana.rrtype import format_type
from netprov.dns.message.name import format_name, parse_name
from netprov.dns.message.rdata import format_rdata
from netprov.dns.zone.master import format_zone, parse
from tests.dns.zones import STAGING, zone

ORIGIN = parse_name("example.com")

SHAPES = r"""
$TTL 1h
@ IN SOA ns hostmaster ( 2026112201 ; serial
        2h 900 1w ; timers
        60 )
        NS ns
ns      A 192.0.2.1
        3600 IN AAAA 2001:db8::1
        IN 60 TXT "two words" plain "quo\"te" "semi;colon" "\000\255"
mx      MX 10 mail.example.net.
sip     NAPTR 10 20 "s" "SIP+D2T" "" _sip._tcp
a\.dot  TYPE65280 \# 3 01 02 03
odd     A \# 4 c0000202
*.wild  CNAME ns
caa     CAA 0 issue "ca.example.net; account=1"
uri     URI 10 1 "https://example.com/%20"
tls     TLSA 3 1 1 ( 00112233445566778899AABBCCDDEEFF
                     00112233445566778899aabbccddeeff )
$ORIGIN deep.example.com.
@       TXT here
below.it TXT ""
"""


def test_zone_survives_its_own_text() -> None:
    first = zone(SHAPES)
    text = format_zone(first, comment="made by a test")
    assert first == zone(text)
    assert text == format_zone(zone(text), comment="made by a test")


@pytest.mark.parametrize("text", [STAGING, SHAPES])
def test_dnspython_reads_the_same_records(text: str) -> None:
    built = zone(text)
    ours = {
        f"{format_name(name)} {rrset.ttl} {format_type(rrset.type)} " + data.hex()
        for name, rrset in built.rrsets()
        for data in rrset.rdatas
    }
    theirs = {
        f"{name.to_text()} {ttl} {dns.rdatatype.to_text(data.rdtype)} {(data.to_wire() or b'').hex()}"
        for name, ttl, data in dns.zone.from_text(
            format_zone(built), origin="example.com.", relativize=False
        ).iterate_rdatas()
    }
    assert ours == theirs


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x A 1.2.3", "Expected 4 octets in '1.2.3'"),
        ("x A", "an IPv4 address is missing"),
        ("x A 1.2.3.4 5", "'5' is more than a record of type A holds"),
        ("x FOO bar", "'FOO' is no record type; write an unknown one as TYPE65280"),
        ("x CH TXT a", "class CH: only IN is served"),
        ("x MX 70000 y", "'70000' is not a 16-bit number, a number from 0 to 65535"),
        ("x..y A 1.2.3.4", "'x..y' has an empty label"),
        ("x TXT ( a", "a parenthesis is never closed"),
        ("x TXT a )", "a parenthesis is closed that was not opened"),
        ('x TXT "a', 'stray " in the line'),
        ("$INCLUDE gone.zone", "included file zones/gone.zone cannot be read"),
        ("x TYPE65280 abc", "data of type TYPE65280 is written as \\# length hexadecimal (RFC 3597)"),
        ("x TYPE65280 \\# 2 01", "\\# announces 2 octets, 1 follow"),
        ("x A \\# 3 010203", "data does not fit type A: 4 octets wanted at offset 0 of record data, 3 left"),
        (f"{'a' * 64} A 1.2.3.4", f"{'a' * 64!r} has a label of more than 63 octets"),
        ("x 3000000000 A 1.2.3.4", "'3000000000' is more than 2147483647 seconds (RFC 2181 8)"),
    ],
)
def test_fault_is_located(line: str, message: str) -> None:
    _, problems = parse(f"$TTL 60\n\n{line}\n", ORIGIN, file="zones/x.zone")
    assert [("zones/x.zone:3:1", message)] == [(str(each.place), each.message) for each in problems]


def test_every_fault_is_reported() -> None:
    _, problems = parse("a A x\nb A y\n", ORIGIN)
    assert len(problems) == 2


def test_record_without_any_ttl_is_a_fault() -> None:
    _, problems = parse("a A 192.0.2.1\n", ORIGIN)
    assert [each.message for each in problems] == ["the record has no TTL; write $TTL at the top of the file"]


def test_soa_minimum_is_the_ttl_where_nothing_else_says_one() -> None:
    records, problems = parse("@ SOA a b 1 2 3 4 5\na A 192.0.2.1\n", ORIGIN)
    assert (problems, [each.ttl for each in records]) == ((), [5, 5])


def test_include_reads_below_its_origin_and_then_goes_on_as_before() -> None:
    files = {"zones/sub/part": "@ A 192.0.2.1\nx A 192.0.2.2\n"}
    text = "$TTL 60\nown A 192.0.2.3\n$INCLUDE sub/part part\n A 192.0.2.4\n"
    records, problems = parse(text, ORIGIN, file="zones/main", files=files)
    assert problems == ()
    assert [format_name(each.name) for each in records] == [
        "own.example.com.",
        "part.example.com.",
        "x.part.example.com.",
        "own.example.com.",
    ]
    assert str(records[2].place) == "zones/sub/part:2:1"


def test_file_that_includes_itself_ends() -> None:
    _, problems = parse("$INCLUDE me\n", ORIGIN, file="me", files={"me": "$INCLUDE me\n"})
    assert [each.message for each in problems] == ["more than 8 files include each other"]


def test_escapes_in_names_and_strings() -> None:
    records, problems = parse(r'a\.b\032c TXT "\"\\\065"' + "\n", ORIGIN, file="x")
    assert [each.message for each in problems] == ["the record has no TTL; write $TTL at the top of the file"]
    records, problems = parse("$TTL 1\n" + r'a\.b\032c TXT "\"\\\065"' + "\n", ORIGIN, file="x")
    assert problems == ()
    assert format_name(records[0].name) == r"a\.b\032c.example.com."
    assert format_rdata(records[0].type, records[0].data) == r'"\"\\A"'

"""Record data of every type that has a text form: dnspython reads the same, named-checkzone takes what we write."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dns.exception
import dns.name
import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dns.iana.rrtype import format_type, parse_type
from netprov.dns.message.name import parse_name
from netprov.dns.message.rdata import FIELDS, format_rdata
from netprov.dns.zone.master import format_zone, parse, parse_data
from tests.dns.zones import zone

ORIGIN = parse_name("example.com")
LOC = 29
SHA1, SHA256, SHA384, SHA512 = (size * "0a" for size in (20, 32, 48, 64))
KEY = "AwEAAcNEU67LJI5GEgF9QLNqLO1SMq1EdoQ6E9f85ha0k0ewQGCblyW2"

CASES = [
    "LOC 42 21 54 N 71 06 18 W -24m 30m",
    "LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    "LOC 90 S 180 W 42849672.95m 90000000m 0.09m 1m",
    "SVCB 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2",
    'HTTPS 1 svc.example.net. alpn="h2,h3" ech=AARhYmNk ipv6hint=2001:db8::1',
    "HTTPS 0 www.example.com.",
    'SVCB 16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2" mandatory=alpn,port port=53 key667=hello',
    'SVCB 1 . key667="hello\\210qoo" no-default-alpn alpn=h2',
    f"CERT PKIX 1 RSASHA256 {KEY}",
    f"CERT 65534 65535 254 {KEY}",
    "APL 1:192.168.32.0/21 !1:192.168.38.0/28 2:FF00:0:0:0:0:0:0:0/8",
    "APL",
    "EUI48 00-00-5e-00-53-2a",
    "EUI64 00-00-5e-ef-10-00-00-2a",
    "NSEC host.example.com. A MX RRSIG NSEC TYPE1234",
    f"IPSECKEY 10 1 2 192.0.2.38 {KEY}",
    f"IPSECKEY 10 0 2 . {KEY}",
    f"IPSECKEY 10 2 2 2001:db8::1 {KEY}",
    f"IPSECKEY 10 3 2 mygateway.example.com. {KEY}",
    "CSYNC 66 3 A NS AAAA",
    "NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG",
    "NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr",
    "NSEC3PARAM 1 0 12 aabbccdd",
    f"RRSIG A RSASHA1 3 86400 20030322173103 20030220173103 2642 example.com. {KEY}",
    f"DNSKEY 257 3 ECDSAP256SHA256 {KEY}",
    f"DS 60485 RSASHA1 1 {SHA1}",
    f"DS 60485 8 2 {SHA256}",
    f"DS 60485 13 4 {SHA384}",
    "CDS 0 0 0 00",
    f"SSHFP 1 1 {SHA1}",
    f"SSHFP 4 2 {SHA256}",
    f"TLSA 3 1 1 {SHA256}",
    f"TLSA 3 1 2 {SHA512}",
    f"ZONEMD 1 1 1 {SHA384}",
    "X25 311061700956",
    'ISDN 150862028003217 "004"',
    "RT 10 relay.example.com.",
    "PX 10 map822.example.com. mapx400.example.com.",
    "GPOS -32.6882 116.8652 10.0",
    "NID 10 0014:4fff:ff20:ee64",
    "L32 10 10.1.2.0",
    "L64 10 2001:0db8:1140:1000",
    "LP 10 l64-subnet.example.com.",
    "AVC app-name:WOLFGANG|app-class:OAM",
    "HINFO PC linux",
    "RP mbox.example.com. txt.example.com.",
    "NAPTR 10 20 s SIP+D2T !a!b! _sip._tcp.example.com.",
    'CAA 128 issue "ca.example.net"',
    'URI 10 1 "https://example.com/"',
    f"OPENPGPKEY {KEY}",
    f"DHCID {KEY}",
    f"SMIMEA 3 1 1 {SHA256}",
]


@pytest.mark.parametrize("text", CASES)
def test_dnspython_reads_the_same_octets_and_reads_back_what_we_write(text: str) -> None:
    type_, _, data = text.partition(" ")
    number, wire = parse_data(type_, data, ORIGIN)

    def read(written: str) -> bytes:
        record = dns.rdata.from_text("IN", type_, written, dns.name.root, relativize=False)
        octets = record.to_wire()
        assert octets is not None
        return octets

    assert wire == read(data)
    assert read(format_rdata(number, wire)) == wire
    assert parse_data(type_, format_rdata(number, wire), ORIGIN) == (number, wire)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"DS 1 8 1 {SHA256}", "a digest of type 1 has 20 octets, not 32"),
        (f"DS 1 8 2 {SHA1}", "a digest of type 2 has 32 octets, not 20"),
        (f"CDS 1 8 4 {SHA1}", "a digest of type 4 has 48 octets, not 20"),
        ("DS 1 8 2 \\# 5 0001080200", "a digest of type 2 has 32 octets"),
        (f"SSHFP 1 1 {SHA256}", "a digest of type 1 has 20 octets, not 32"),
        (f"SSHFP 1 2 {SHA1}", "a digest of type 2 has 32 octets, not 20"),
        (f"TLSA 3 1 1 {SHA1}", "a digest of type 1 has 32 octets, not 20"),
        ("LOC 91 N 0 E 0m", "more than 90 degrees"),
        ("LOC 1 60 N 0 E 0m", "below 60"),
        ("SVCB 1 . port=http", "'http' is no port"),
        ("SVCB 1 . mandatory=port alpn=h2", "a mandatory parameter is not there"),
        ("SVCB 1 . alpn=h2 alpn=h3", "parameter alpn twice"),
        ("APL 1:192.0.2.0/33", "more bits than the address"),
        ("EUI48 00:00:5e:00:53:2a", "6 octets written as"),
        ("IPSECKEY 10 4 2 . AA==", "gateway type 4"),
        ("NSEC a.example.com. NOTYPE", "'NOTYPE' is no record type"),
    ],
)
def test_impossible_data_is_refused(text: str, said: str) -> None:
    type_, _, data = text.replace("DS 1 8 2 \\#", "DS \\#").partition(" ")
    with pytest.raises(ValueError, match=said):
        parse_data(type_, data, ORIGIN)


@pytest.mark.skipif(not shutil.which("named-checkzone"), reason="named-checkzone is not installed")
def test_named_checkzone_takes_every_type_as_we_write_it(tmp_path: Path) -> None:
    head = "$TTL 300\n@ SOA ns host 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.1\n"
    lines = [f"r{index} {text}" for index, text in enumerate(CASES)]
    (tmp_path / "zone").write_text(format_zone(zone(head + "\n".join(lines) + "\n")))
    done = subprocess.run(
        ["named-checkzone", "-i", "none", "-k", "ignore", "example.com", str(tmp_path / "zone")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.fuzz
@given(st.sampled_from(sorted(FIELDS)), st.data())
def test_fuzz_octets_of_every_type_are_refused_or_read_as_dnspython_reads_them(
    type_: int, data: st.DataObject
) -> None:
    good = [
        parse_data(*text.partition(" ")[::2], ORIGIN)[1]
        for text in CASES
        if parse_type(text.split()[0]) == type_
    ]
    octets = bytearray(data.draw(st.sampled_from(good) if good else st.binary(max_size=40)))
    for _ in range(data.draw(st.integers(0, 3))):
        if octets:
            octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        text = format_rdata(type_, bytes(octets))
    except ValueError:
        return
    try:
        number, again = parse_data(format_type(type_), text, ORIGIN)
    except ValueError:
        return  # what the wire can hold and no file may: an impossible digest, a mandatory parameter that is missing
    assert (number, again) == (type_, bytes(octets)) or format_rdata(number, again) == text
    if type_ == LOC:
        return  # dnspython computes an altitude as a float, which has not the digits
    try:
        theirs = dns.rdata.from_text(
            "IN", format_type(type_), text, dns.name.root, relativize=False
        ).to_wire()
    except (dns.exception.DNSException, ValueError, NotImplementedError):
        return
    assert theirs == again


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "$GENERATE 1-3 phone$ A 192.0.2.$",
            ["phone1 A 192.0.2.1", "phone2 A 192.0.2.2", "phone3 A 192.0.2.3"],
        ),
        ("$GENERATE 0-4/2 ${1,3,d} CNAME h${0,2,x}", ["001 CNAME h00", "003 CNAME h02", "005 CNAME h04"]),
        ('$GENERATE 10-11 x${-10} 60 IN MX "${0,0,d} ${0,3,X}"', ["x0 60 MX 10 00A", "x1 60 MX 11 00B"]),
        ("$GENERATE 18-18 ${0,3,n} CNAME a\\$b", ["2.1 CNAME a\\$b"]),
    ],
)
def test_generate_makes_the_records_that_named_makes(line: str, expected: list[str], tmp_path: Path) -> None:
    head = "$TTL 300\n@ SOA ns host 1 3600 600 604800 60\n@ NS ns\nns A 192.0.2.1\n"
    generated = zone(f"{head}{line}\n")
    assert generated == zone(head + "\n".join(expected) + "\n")
    if shutil.which("named-compilezone"):
        (tmp_path / "in").write_text(f"{head}{line}\n")
        command = ["named-compilezone", "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-s", "full"]
        subprocess.run([*command, "-o", f"{tmp_path}/out", "example.com", f"{tmp_path}/in"], check=True)
        theirs = zone((tmp_path / "out").read_text())
        assert dict(theirs.nodes) == dict(generated.nodes)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("$GENERATE 1-2 a", "takes a range"),
        ("$GENERATE 2-1 a$ A 192.0.2.$", "begins behind its end"),
        ("$GENERATE 1-4000000000 a$ A 192.0.2.1", "at most can be generated"),
        ("$GENERATE 1-2 ${-5} A 192.0.2.1", "is negative"),
        ("$GENERATE 1-2 ${0,x} A 192.0.2.1", "is not ${offset,width,base}"),
        ("$GENERATE 250-300 a$ A 192.0.2.$", "Octet 256"),
    ],
)
def test_generate_that_cannot_be_is_a_located_fault(line: str, said: str) -> None:
    _, problems = parse(f"$TTL 300\n{line}\n", ORIGIN, file="z")
    assert [str(problem.place) for problem in problems] == ["z:2:1"]
    assert said in problems[0].message

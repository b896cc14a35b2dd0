"""The same zone asked at NSD, Knot and BIND: every answer is the same, or differs for a reason that has an RFC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from netprov.dns.message.name import format_name, parse_name
from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.dns.zone.master import parse
from netprov.dns.zone.zone import Zone, build
from netprov.errors import LabError
from netprov.lab.lan import Host
from netprov.lab.process import wait_until
from tests.lab.conftest import MakeLan, needs
from tests.lab.dns_peers import ADDRESS, PEERS

pytestmark = pytest.mark.lab

SHAPES = Path(__file__).parents[1] / "dns" / "shapes" / "example.com.zone"
FEW = ["A", "CNAME", "MX", "DS"]
TYPES = ["A", "AAAA", "NS", "SOA", "CNAME", "DNAME", "MX", "TXT", "SRV", "DS", "TYPE65280", "PTR"]
LONG = "x" * 63


def shapes() -> Zone:
    origin = parse_name("example.com")
    records, problems = parse(SHAPES.read_text(), origin, file=str(SHAPES))
    assert problems == ()
    zone, problems = build(origin, records)
    assert problems == ()
    assert zone
    return zone


ZONE = shapes()
RESPONDER = Responder([ZONE])


def questions() -> Iterator[tuple[str, str]]:
    names = [format_name(name) for name in ZONE.nodes]
    others = ["nowhere.example.com.", "example.org.", "com.", ".", "EXAMPLE.com.", "MIXEDcase.example.COM."]
    others += [f"{LONG}.dnamelong.example.com.", "*.wild.example.com.", "x.*.wildsub.example.com."]
    below = [f"below.{name}" for name in names] + [f"a.b.{name}" for name in names[::2]]
    for name in (*names, *others):
        yield from ((name, type_) for type_ in TYPES)
    for name in below:
        if len(name) <= 254:
            yield from ((name, type_) for type_ in FEW)


@dataclass(frozen=True)
class Seen:
    """What of a reply is compared: authority of negative answers and referrals, addresses of referrals."""

    rcode: str
    flags: str
    answer: frozenset[str]
    authority: frozenset[str]
    additional: frozenset[str]


def see(reply: dns.message.Message) -> Seen:
    def records(section: list[dns.rrset.RRset]) -> frozenset[str]:
        return frozenset(
            f"{rrset.name.to_text().lower()} {rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {data.to_text().lower()}"
            for rrset in section
            for data in rrset
        )

    referral = any(rrset.rdtype == dns.rdatatype.NS for rrset in reply.authority) and not reply.answer
    matters = referral or any(rrset.rdtype == dns.rdatatype.SOA for rrset in reply.authority)
    return Seen(
        dns.rcode.to_text(reply.rcode()),
        dns.flags.to_text(reply.flags),
        records(reply.answer),
        records(reply.authority) if matters else frozenset(),
        records(reply.additional) if referral else frozenset(),
    )


def ours(query: dns.message.Message) -> Seen:
    message = RESPONDER.respond(query.to_wire(), Client())
    assert message is not None
    return see(dns.message.from_wire(message))


def reason(server: str, mine: Seen, theirs: Seen) -> str | None:
    """Return why a reply may differ, or None."""
    if server == "knot" and (mine.rcode, theirs.rcode) == ("YXDOMAIN", "NXDOMAIN"):
        return "RFC 6672 2.2: a name that a DNAME makes too long is YXDOMAIN"
    if server == "bind" and theirs == replace(mine, rcode="SERVFAIL") and is_loop(mine):
        return "RFC 1034 3.6.2 leaves open how a loop of aliases is signalled; NSD and Knot show it, as we do"
    return None


def is_loop(seen: Seen) -> bool:
    """Say whether an answer is aliases alone, of which none leads out of them."""
    owners = {record.split(" ")[0] for record in seen.answer}
    return bool(owners) and all(record.split(" ")[-1] in owners for record in seen.answer)


@pytest.fixture
def quiet(make_lan: MakeLan) -> Host:
    """Return a host on which a server can have port 53 of loopback."""
    return make_lan(server=["10.20.0.1/24"], clients=[])["server"]


@pytest.mark.parametrize("server", PEERS)
def test_answers_are_the_same(server: str, quiet: Host, tmp_path: Path) -> None:
    command = PEERS[server](tmp_path, SHAPES)
    process = quiet.spawn([needs(command[0]), *command[1:]])

    def ask(query: dns.message.Message) -> dns.message.Message | None:
        try:
            return dns.query.udp(query, ADDRESS, timeout=1)
        except (dns.exception.Timeout, OSError):
            return None

    found: list[str] = []
    with quiet.entered():
        probe = dns.message.make_query("example.com", "SOA")
        try:
            wait_until(lambda: (r := ask(probe)) and r.answer, what=server, timeout=20)
        except LabError as error:
            raise LabError(f"{error}\n{process.output}") from error
        for name, type_ in questions():
            query = dns.message.make_query(name, type_, use_edns=0, payload=1232)
            reply = ask(query) or ask(query)
            assert reply is not None, f"{server} does not answer {name} {type_}"
            mine, theirs = ours(query), see(reply)
            if mine != theirs and reason(server, mine, theirs) is None:
                found.append(f"{name} {type_}\n  ours   {mine}\n  theirs {theirs}")
    assert not found, f"{len(found)} differ from {server}:\n" + "\n".join(found[:40])

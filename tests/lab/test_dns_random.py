"""Random zones asked at netprov, NSD, Knot and BIND in one run: every difference has a reason with its RFC.

`NETPROV_DIFFERENTIAL=10000` asks so many questions (`make differential`); the default is a short run.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import dns.message
import dns.rdatatype
import pytest

from netprov.dns.server.answer import Responder
from netprov.dns.server.policy import Client
from netprov.lab.lan import Host
from netprov.lab.process import wait_until
from tests.lab.conftest import MakeLan, needs
from tests.lab.dns_peers import ADDRESS, PEERS
from tests.lab.dns_random import RandomZone, questions, random_zone
from tests.lab.test_dns_differential import Seen, reason, see

pytestmark = pytest.mark.lab

COUNT = int(os.environ.get("NETPROV_DIFFERENTIAL", "600"))
EACH = 8
"""Questions of a zone."""


@pytest.fixture
def hosts(make_lan: MakeLan) -> dict[str, Host]:
    """Return a host for each server, on which it can have port 53 of loopback."""
    lan = make_lan(server=["10.20.0.1/24"], clients=[None for _ in PEERS])
    return {name: lan[f"client{index}"] for index, name in enumerate(PEERS)}


def records(message: dns.message.Message) -> list[str]:
    """Return every record of a reply but OPT, by section; names in lower case."""
    return [
        f"{place} {rrset.to_text().lower()}"
        for place, section in enumerate((message.answer, message.authority, message.additional))
        for rrset in section
        if rrset.rdtype != dns.rdatatype.OPT
    ]


def twice(wire: bytes) -> list[str]:
    """Return the records that a reply holds more than once in one section (RFC 2181 5)."""
    found = Counter(records(dns.message.from_wire(wire, one_rr_per_rrset=True)))
    return [record for record, count in found.items() if count > 1]


def is_followed_further(mine: Seen, theirs: Seen) -> bool:
    """Say whether all that differs is how often a DNAME was followed that leads below itself, and so never ends."""
    redirecting = [record.split(" ")[0] for record in mine.answer if record.split(" ")[2] == "DNAME"]
    further = [record.split(" ") for record in theirs.answer - mine.answer]
    return (
        mine.answer < theirs.answer
        and mine.authority == theirs.authority == frozenset()
        and all(each[2] == "CNAME" for each in further)
        and any(
            all(each[end].endswith(f".{owner}") for each in further for end in (0, 3))
            for owner in redirecting
        )
    )


def are_optional(mine: Seen, theirs: Seen) -> bool:
    """Say whether all that differs are addresses of name servers that do not stand in the zone that is delegated."""
    cuts = {record.split(" ")[0] for record in mine.authority}
    differing = {record.split(" ")[0] for record in mine.additional ^ theirs.additional}
    return not any(f".{owner}".endswith(f".{cut}") for owner in differing for cut in cuts)


def why(server: str, mine: Seen, theirs: Seen) -> str | None:
    """Return why a reply may differ from ours, or None."""
    known = reason(server, mine, theirs)
    if known:
        return known
    if replace(theirs, additional=mine.additional) == mine and are_optional(mine, theirs):
        return "RFC 9471 2 and 3.1: the address of a name server outside the delegated zone is no glue, and optional"
    if is_followed_further(mine, theirs) and theirs.rcode in {"NOERROR", "SERVFAIL"}:
        return "RFC 1034 3.6.2 leaves open how often a DNAME that leads below itself is followed; NSD does once, as we do"
    return None


def test_random_zones_are_answered_alike(hosts: dict[str, Host], tmp_path: Path) -> None:
    random = Random(15)
    made = [random_zone(random, index) for index in range(max(1, COUNT // EACH))]
    asked = [(zone, *each) for zone in made for each in questions(random, zone, EACH)]
    responder = Responder(zone.zone for zone in made)
    ours: list[tuple[RandomZone, bytes, Seen]] = []
    for zone, name, type_ in asked:
        query = dns.message.make_query(name, type_, use_edns=0, payload=1232).to_wire()
        reply = responder.respond(query, Client())
        assert reply is not None
        assert twice(reply) == [], f"{name} {type_} of\n{zone.text}"
        ours.append((zone, query, see(dns.message.from_wire(reply))))
    unexplained: list[str] = []
    reasons: Counter[str] = Counter()
    for server, host in hosts.items():
        for (zone, query, mine), theirs in zip(ours, _replies(server, host, tmp_path, ours), strict=True):
            if mine != theirs:
                because = why(server, mine, theirs)
                if because:
                    reasons[f"{server}: {because}"] += 1
                else:
                    asked_for = dns.message.from_wire(query).question[0]
                    unexplained.append(
                        f"{server} {asked_for}\n  ours   {mine}\n  theirs {theirs}\n{zone.text}"
                    )
    for because, count in sorted(reasons.items()):
        print(f"{count:5} {because}")
    print(
        f"{len(ours)} questions to {len(made)} zones, {len(PEERS)} servers: {len(unexplained)} unexplained, 0 twice"
    )
    assert not unexplained, f"{len(unexplained)} differ:\n" + "\n".join(unexplained[:20])


def _replies(server: str, host: Host, folder: Path, ours: list[tuple[RandomZone, bytes, Seen]]) -> list[Seen]:
    """Ask one server all questions, over one socket."""
    own = folder / server
    own.mkdir()
    own.chmod(0o777)
    texts = {zone.origin: zone.text for zone, _, _ in ours}
    files = {origin: own / f"{origin}zone" for origin in texts}
    for origin, text in texts.items():
        files[origin].write_text(text)
    command = PEERS[server](own, files)
    process = host.spawn([needs(command[0]), *command[1:]])
    with host.entered():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with client:
        client.settimeout(1)
        client.connect((ADDRESS, 53))

        def ask(query: bytes) -> bytes | None:
            try:
                client.send(query)
                while (reply := client.recv(4096))[:2] != query[:2]:
                    pass
            except OSError:
                return None
            return reply

        last = dns.message.make_query(ours[-1][0].origin, "SOA").to_wire()
        wait_until(lambda: (r := ask(last)) and r[3] & 15 == 0, what=server, timeout=120)
        found = []
        for _, query, _ in ours:
            reply = ask(query) or ask(query)
            assert reply is not None, (
                f"{server} does not answer {dns.message.from_wire(query)}\n{process.output[-2000:]}"
            )
            found.append(see(dns.message.from_wire(reply)))
        return found

"""Transfers and the journal, with dnspython as the secondary; NOTIFY on a clock that is an argument."""

from __future__ import annotations

import itertools

import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.xfr
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.dns.message.name import parse_name
from netprov.dns.server.answer import Responder
from netprov.dns.server.notifier import DELAYS, Notified, Notifier, Peer, Unheard
from netprov.dns.server.policy import Access, Client
from netprov.dns.server.transfer import ZoneTransferred
from netprov.dns.zone.journal import MOST_CHANGES, Delta, Journal, difference
from netprov.dns.zone.master import format_zone
from netprov.dns.zone.zone import Zone
from netprov.machine import Dropped, Endpoint
from tests.dns.zones import STAGING, zone

ACCESS = Access(secondaries=frozenset({(b"\x7f\x00\x00\x01", b"")}))
CLIENT = Client(tcp=True)


def version(serial: int, *lines: str) -> Zone:
    return zone(STAGING.replace("( 7 ", f"( {serial} ") + "\n".join(lines) + "\n")


def follow(copy: dns.zone.Zone, responder: Responder, *, incremental: bool) -> int:
    """Let dnspython transfer a zone, and return how many messages that took."""
    query, serial = dns.xfr.make_query(copy)
    if not incremental:
        query, serial = dns.message.make_query("example.com", "AXFR"), None
    outcome = responder.decide(query.to_wire(), CLIENT, 0.0)
    assert outcome.stream
    type_ = query.question[0].rdtype
    messages = list(outcome.stream)
    origin = copy.from_wire_origin()
    with dns.xfr.Inbound(copy, type_, serial) as inbound:
        done = [
            inbound.process_message(
                dns.message.from_wire(each, one_rr_per_rrset=True, xfr=True, origin=origin)
            )
            for each in messages
        ]
    assert [False] * (len(messages) - 1) + [True] == done
    return len(messages)


def contents(copy: dns.zone.Zone) -> set[str]:
    return {f"{name} {ttl} {data.rdtype} {data}" for name, ttl, data in copy.iterate_rdatas()}


def expected(built: Zone) -> set[str]:
    return contents(dns.zone.from_text(format_zone(built), origin="example.com.", relativize=True))


def test_axfr_gives_the_whole_zone() -> None:
    built = version(
        7, *(f"h{index} A 192.0.2.1" for index in range(2000)), "sub NS ns.sub", "ns.sub A 192.0.2.2"
    )
    copy = dns.zone.Zone("example.com.")
    assert follow(copy, Responder([built], access=ACCESS), incremental=False) > 1
    assert expected(built) == contents(copy)


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 255), max_size=6), min_size=2, max_size=5
    )
)
def test_ixfr_brings_a_secondary_from_any_version_to_the_last(versions: list[dict[str, int]]) -> None:
    zones = [
        version(index + 1, *(f"{name} A 192.0.2.{last}" for name, last in hosts.items()))
        for index, hosts in enumerate(versions)
    ]
    journal = Journal()
    for old, new in itertools.pairwise(zones):
        journal.append(difference(old, new))
    responder = Responder([zones[-1]], access=ACCESS, journals={zones[-1].origin: journal})
    for old in zones:
        copy = dns.zone.from_text(format_zone(old), origin="example.com.", relativize=True)
        follow(copy, responder, incremental=True)
        assert expected(zones[-1]) == contents(copy)


def test_ixfr_of_a_forgotten_version_is_the_whole_zone() -> None:
    copy = dns.zone.from_text(format_zone(version(3)), origin="example.com.", relativize=True)
    follow(copy, Responder([version(9, "new A 192.0.2.9")], access=ACCESS), incremental=True)
    assert expected(version(9, "new A 192.0.2.9")) == contents(copy)


def test_event_says_whether_a_zone_or_its_changes_went_out() -> None:
    old, new = version(7), version(8, "more A 192.0.2.1")
    journal = Journal()
    journal.append(difference(old, new))
    served = Responder([new], access=ACCESS, journals={new.origin: journal})

    def told(type_: str, serial: int) -> ZoneTransferred | None:
        query = dns.message.make_query("example.com", type_)
        if type_ == "IXFR":
            soa = dns.rrset.from_text("example.com.", 0, "IN", "SOA", f". . {serial} 0 0 0 0")
            query.authority.append(soa)
        outcome = served.decide(query.to_wire(), CLIENT, 0.0)
        assert outcome.stream
        return outcome.transferred

    assert told("AXFR", 0) == ZoneTransferred("AXFR", "example.com.", 8, "127.0.0.1")
    assert told("IXFR", 7) == ZoneTransferred("IXFR", "example.com.", 8, "127.0.0.1", 7)
    assert told("IXFR", 6) == ZoneTransferred("AXFR", "example.com.", 8, "127.0.0.1")
    assert told("IXFR", 8) is None


def test_ixfr_over_udp_says_the_serial_alone() -> None:
    query, _ = dns.xfr.make_query(dns.zone.from_text(format_zone(version(3)), origin="example.com."))
    reply = Responder([version(9)], access=ACCESS).respond(query.to_wire(), Client())
    assert reply
    assert [data.serial for data in dns.message.from_wire(reply).answer[0]] == [9]


def test_journal_forgets_the_oldest_steps_first() -> None:
    journal = Journal()
    change = (b"\x01a\x00", 1, 1, b"")
    for serial in range(1, 6):
        before, after = version(serial).soa, version(serial + 1).soa
        journal.append(Delta(before, after, (change,) * (MOST_CHANGES // 4), ()))
    assert journal.since(1) is None
    steps = journal.since(4)
    assert steps
    assert len(steps) == 2


@pytest.mark.parametrize(("tcp", "type_", "rcode"), [(False, "AXFR", "FORMERR"), (True, "AXFR", None)])
def test_axfr_is_for_tcp_rfc_5936_4_2(tcp: bool, type_: str, rcode: str | None) -> None:
    query = dns.message.make_query("example.com", type_).to_wire()
    outcome = Responder([version(1)], access=ACCESS).decide(query, Client(tcp=tcp), 0.0)
    assert (outcome.stream is None) is (rcode is not None)
    if outcome.reply:
        assert dns.rcode.to_text(dns.message.from_wire(outcome.reply).rcode()) == rcode


def test_stranger_is_refused_and_a_zone_we_lack_is_notauth() -> None:
    responder = Responder([version(1)], access=ACCESS)
    for name, client, rcode in (
        ("example.com", Client(b"\x0a\x00\x00\x01", tcp=True), "REFUSED"),
        ("example.org", CLIENT, "NOTAUTH"),
        ("pr1.example.com", CLIENT, "NOTAUTH"),
    ):
        reply = responder.respond(dns.message.make_query(name, "AXFR").to_wire(), client)
        assert reply
        assert dns.rcode.to_text(dns.message.from_wire(reply).rcode()) == rcode


def test_notify_is_repeated_until_it_is_answered() -> None:
    notifier = Notifier(lambda _: 77)
    notifier.announce([version(5)], [Peer("192.0.2.1"), Peer("192.0.2.2")], 0.0)
    sent = notifier.datagrams_to_send()
    assert [each.destination.address for each in sent] == ["192.0.2.1", "192.0.2.2"]
    message = dns.message.from_wire(sent[0].data)
    assert (message.opcode(), message.answer[0][0].serial) == (dns.opcode.NOTIFY, 5)
    reply = dns.message.make_response(message).to_wire()
    notifier.receive(reply, Endpoint("192.0.2.9", 53), 1.0)
    notifier.receive(reply, Endpoint("192.0.2.1", 53), 1.0)
    notifier.receive(b"", Endpoint("192.0.2.1", 53), 1.0)
    events = notifier.events()
    assert [Dropped, Notified, Dropped] == [type(event) for event in events]
    tries = 0
    while (due := notifier.timer()) is not None:
        notifier.handle_timer(due)
        tries += len(notifier.datagrams_to_send())
    assert tries == len(DELAYS) - 1
    assert [Unheard("example.com.", 5, "192.0.2.2")] == list(notifier.events())


def test_transfer_of_a_zone_that_cannot_be_loaded_is_servfail() -> None:
    origin = parse_name("broken.test")
    access = Access(secondaries=frozenset({(Client().address, b"")}))
    responder = Responder([zone(STAGING)], access=access, failed=[origin])
    for name, expected in (("broken.test", dns.rcode.SERVFAIL), ("other.test", dns.rcode.NOTAUTH)):
        message = responder.respond(dns.message.make_query(name, "AXFR").to_wire(), Client(tcp=True))
        assert message
        assert dns.message.from_wire(message).rcode() == expected

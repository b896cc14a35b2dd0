"""Conflict checks before an offer: who waits, what for, how long, and who never does (RFC 2131 2.2, 4.4.1)."""

from __future__ import annotations

from dataclasses import replace

from netprov.dhcp import message as dhcp
from netprov.dhcp.lease import Declined
from netprov.dhcp.message import Type
from netprov.dhcp.probe import FREE_S, MOST, WAIT, Probe
from netprov.dhcp.server import Server
from netprov.machine import Endpoint
from tests.dhcp.link import CONFIG, FAR, MAC, OTHER, VOICE, Lan, ip, request, select

PHONE = {60: b"CP-8851-3PCC"}


def probing(**changes: object) -> Lan:
    networks = tuple(replace(each, probe=True, **changes) for each in (VOICE, FAR))  # type: ignore[arg-type]
    return Lan(replace(CONFIG, networks=networks))


def offered(lan: Lan) -> list[int]:
    return [dhcp.decode(each.data).yiaddr for each in lan.server.datagrams_to_send()]


def test_offer_of_a_pool_address_waits_for_the_probe() -> None:
    """RFC 2131 2.2, RFC 5227 2.1.1: by ARP on the link."""
    lan = probing()
    assert lan.send(request(Type.DISCOVER, OTHER)) == []
    assert lan.server.probes_to_send() == [Probe("10.20.0.100", "lan0", relayed=False)]
    assert lan.server.timer() == lan.now + WAIT
    lan.pass_time(WAIT)
    assert offered(lan) == [ip("10.20.0.100")]


def test_discover_that_waits_when_another_configuration_is_taken_is_answered_by_that_one() -> None:
    """A client that is not answered asks again after four seconds; reloads that came often enough had let it go without."""
    lan = probing()
    lan.send(request(Type.DISCOVER, OTHER))
    before = lan.server
    pool = ((ip("10.20.0.110"), ip("10.20.0.120")),)
    networks = tuple(
        replace(each, pool=pool) if each.name == VOICE.name else each for each in before.config.networks
    )
    lan.server = Server(replace(before.config, networks=networks), before.leases())
    lan.server.take_over(before, lan.now)
    assert lan.server.probes_to_send() == [Probe("10.20.0.110", "lan0", relayed=False)]
    lan.pass_time(WAIT)
    assert offered(lan) == [ip("10.20.0.110")]


def test_client_that_asks_again_is_offered_at_once_what_was_found_free_for_him() -> None:
    """Somebody asked in his name while he waited, and had the answer; or it was lost."""
    lan = probing()
    lan.send(request(Type.DISCOVER, OTHER)._replace(xid=1))
    lan.send(request(Type.DISCOVER, OTHER)._replace(xid=2))
    lan.pass_time(WAIT)
    assert [dhcp.decode(each.data).xid for each in lan.server.datagrams_to_send()] == [2]
    lan.server.probes_to_send()
    offer = lan.ask(request(Type.DISCOVER, OTHER)._replace(xid=1))
    assert (offer.xid, offer.yiaddr) == (1, ip("10.20.0.100"))
    assert lan.server.probes_to_send() == []
    lan.pass_time(FREE_S + 1)
    assert lan.send(request(Type.DISCOVER, OTHER)) == []
    assert len(lan.server.probes_to_send()) == 1


def test_address_that_was_found_free_for_a_client_is_probed_for_another_and_once_it_was_declined() -> None:
    lan = probing(pool=((ip("10.20.0.100"), ip("10.20.0.100")),))
    lan.send(request(Type.DISCOVER, OTHER))
    lan.pass_time(WAIT)
    (reply,) = lan.server.datagrams_to_send()
    lan.server.probes_to_send()
    offer = dhcp.decode(reply.data)
    options = {50: offer.yiaddr.to_bytes(4, "big"), 54: offer.options[54]}
    lan.send(request(Type.DECLINE, OTHER, options))
    lan.pass_time(WAIT)
    lan.server.probes_to_send()
    lan.pass_time(61)
    assert lan.send(request(Type.DISCOVER, OTHER)) == []
    assert len(lan.server.probes_to_send()) == 1


def test_relayed_client_s_address_is_asked_for_by_ping() -> None:
    """RFC 2131 4.4.1: an ICMP echo request where ARP does not reach."""
    lan = probing()
    lan.send(request(Type.DISCOVER, OTHER, giaddr=ip("10.30.0.1")), Endpoint("10.30.0.1", 67, "lan0"))
    assert lan.server.probes_to_send() == [Probe("10.30.0.10", "", relayed=True)]


def test_taken_address_is_held_back_and_another_is_tried() -> None:
    lan = probing()
    lan.send(request(Type.DISCOVER, OTHER))
    lan.server.conclude("10.20.0.100", taken=True, now=lan.now)
    assert [type(event) for event in lan.server.events()] == [Declined]
    lan.pass_time(WAIT)
    assert offered(lan) == [ip("10.20.0.101")]


def test_reservation_and_the_client_s_own_lease_are_not_delayed() -> None:
    lan = probing()
    assert lan.ask(request(Type.DISCOVER, MAC)).yiaddr == ip("10.20.0.50")
    lan.send(request(Type.DISCOVER, OTHER))
    lan.pass_time(WAIT)
    (reply,) = lan.server.datagrams_to_send()
    offer = dhcp.decode(reply.data)
    lan.ask(select(offer, OTHER))
    assert lan.ask(request(Type.DISCOVER, OTHER)).yiaddr == offer.yiaddr


def test_flood_is_offered_unprobed_beyond_so_many_that_wait() -> None:
    lan = probing(
        pool=((ip("10.20.0.2"), ip("10.20.0.1") + 2 * MOST),), mask=0xFFFF0000, prefix=ip("10.20.0.0")
    )
    replies = [
        lan.send(request(Type.DISCOVER, bytes((2, 0, 0, 0, *divmod(number, 256))), PHONE))
        for number in range(MOST + 3)
    ]
    assert [bool(each) for each in replies] == [False] * MOST + [True] * 3

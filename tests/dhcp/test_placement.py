"""Several networks on one link: a second pool when the first is full, by class where that is wanted."""

from __future__ import annotations

from dataclasses import replace

from netprov.dhcp.config import ClassConfig, DhcpConfig, NetworkConfig, PhoneConfig
from netprov.dhcp.lease import PoolUsedUp
from netprov.dhcp.match import Condition
from netprov.dhcp.message import Type
from netprov.machine import Endpoint
from netprov.plan.offer import Offers
from tests.dhcp.link import CONFIG, FAR, STRANGER, VOICE, Lan, ip, octets, request, select, setting

PHONE = {60: b"CP-8851-3PCC"}
DESK = {60: b"DP-9871"}
FIRST = replace(VOICE, pool=((ip("10.20.0.100"), ip("10.20.0.100")),))
SECOND = replace(
    VOICE, name="second", prefix=ip("10.21.0.0"), address=ip("10.21.0.1"),
    pool=((ip("10.21.0.100"), ip("10.21.0.101")),), settings={**VOICE.settings, 3: setting(3, octets("10.21.0.1"))},
)  # fmt: skip
DESKS = ClassConfig("desks", "srv", Condition(vendor_class=("DP-*",)))


def client(number: int) -> bytes:
    return STRANGER[:5] + bytes([number])


def shared(*networks: NetworkConfig, **more: object) -> DhcpConfig:
    return replace(CONFIG, networks=networks, classes=(DESKS,), **more)  # type: ignore[arg-type]


def test_the_second_pool_serves_when_the_first_is_full() -> None:
    lan = Lan(shared(FIRST, SECOND))
    addresses = [lan.acquire(client(number), options=PHONE).yiaddr for number in (1, 2, 3)]
    assert addresses == [ip("10.20.0.100"), ip("10.21.0.100"), ip("10.21.0.101")]
    reason = lan.silent(request(Type.DISCOVER, client(4), PHONE))
    assert reason == "no free address on network voice or 1 more on this link"
    assert lan.of(PoolUsedUp) == [PoolUsedUp("voice", client(4))]


def test_what_a_client_gets_there_is_that_networks() -> None:
    lan = Lan(shared(FIRST, SECOND))
    lan.acquire(client(1), options=PHONE)
    ack = lan.acquire(client(2), options=PHONE)
    assert (ack.options[3], ack.options[54]) == (octets("10.21.0.1"), octets("10.21.0.1"))


def test_a_client_of_the_second_pool_keeps_its_lease_in_every_state() -> None:
    lan = Lan(shared(FIRST, SECOND))
    lan.acquire(client(1), options=PHONE)
    address = lan.acquire(client(2), options=PHONE).yiaddr
    wanted = address.to_bytes(4, "big")
    for asked, source in (
        (request(Type.REQUEST, client(2), PHONE, ciaddr=address), Endpoint("10.21.0.100", 68, "lan0")),
        (
            request(Type.REQUEST, client(2), PHONE, ciaddr=address),
            Endpoint("10.21.0.100", 68, "lan0", broadcast=True),
        ),
        (request(Type.REQUEST, client(2), PHONE | {50: wanted}), Endpoint("0.0.0.0", 68, "lan0")),
        (request(Type.REQUEST, client(2), ciaddr=address), Endpoint("10.21.0.100", 68, "lan0")),
    ):
        ack = lan.ask(asked, source)
        assert (ack.type, ack.yiaddr) == (Type.ACK, address)
    offer = lan.ask(request(Type.DISCOVER, client(2), PHONE))
    assert offer.yiaddr == address
    lan.send(request(Type.RELEASE, client(2), {54: octets("10.21.0.1")}, ciaddr=address))
    assert [lease.address for lease in lan.server.leases() if lease.active(lan.now)] == [ip("10.20.0.100")]


def test_a_network_of_classes_takes_its_own_first_and_nobody_else() -> None:
    lan = Lan(shared(VOICE, replace(SECOND, classes=("desks",))))
    assert lan.acquire(client(1), options=DESK).yiaddr == ip("10.21.0.100")
    assert lan.acquire(client(2), options=PHONE).yiaddr == ip("10.20.0.100")
    for number in (3, 4):
        lan.acquire(client(number), options=DESK)
    assert sorted(lease.network for lease in lan.server.leases()) == ["second", "second", "voice", "voice"]


def test_a_single_network_of_classes_refuses_others() -> None:
    lan = Lan(shared(replace(VOICE, classes=("desks",))))
    assert lan.silent(request(Type.DISCOVER, client(1), PHONE)) == "no free address on network voice"
    assert lan.ask(request(Type.DISCOVER, client(2), DESK)).type == Type.OFFER


def test_networks_behind_one_relay_share_a_link_by_its_name() -> None:
    small = replace(FAR, link="floor", pool=((ip("10.30.0.10"), ip("10.30.0.10")),))
    more = replace(SECOND, interface="", link="floor")
    lan = Lan(shared(VOICE, small, more))
    given = []
    for number in (1, 2):
        relayed = {"giaddr": ip("10.30.0.1")}
        offer = lan.ask(request(Type.DISCOVER, client(number), PHONE, **relayed))
        given.append(lan.ask(select(offer, client(number), PHONE, **relayed)).yiaddr)
    assert given == [ip("10.30.0.10"), ip("10.21.0.100")]


def test_a_listed_phone_of_one_network_is_given_no_other() -> None:
    phone = PhoneConfig(client(2), ("phones", 0), network="second")
    lan = Lan(shared(VOICE, SECOND, phones={client(2): phone}))
    assert lan.acquire(client(2), options=PHONE).yiaddr == ip("10.21.0.100")


def test_the_preview_shows_the_network_that_has_an_address() -> None:
    offers = Offers(shared(replace(FIRST, pool=()), SECOND))
    shown = offers.preview(client(1), vendor_class="CP-8851-3PCC")
    assert (shown.served, shown.network, shown.offered) == (True, "second", ip("10.21.0.100"))
    assert next(each.data for each in shown.options if each.code == 3) == octets("10.21.0.1")

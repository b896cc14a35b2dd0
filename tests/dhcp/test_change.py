"""What stays right when the world changes: leases through new plans, clients that say less, or move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netprov.dhcp.client import Client, Identity
from netprov.dhcp.config import ClassConfig, DhcpConfig, PhoneConfig
from netprov.dhcp.lease import Bound, Lease, LeaseState, Misplaced, PoolUsedUp
from netprov.dhcp.match import Condition
from netprov.dhcp.message import Message, Type, decode
from netprov.machine import Endpoint
from tests.dhcp.link import (
    CLIENT,
    CONFIG,
    FAR,
    MAC,
    OTHER,
    STRANGER,
    VOICE,
    Lan,
    ip,
    octets,
    request,
    select,
    setting,
)

PHONE = {60: b"CP-8851-3PCC"}
DUID = b"\xff\x00\x00\x00\x01\x00\x03\x00\x01" + STRANGER
"""Option 61 as RFC 4361 has it."""


def reload(lan: Lan, config: DhcpConfig) -> Lan:
    """Serve another plan with the leases of the one before, as the service does."""
    after = Lan(config, lan.server.leases())
    after.now = lan.now
    after.events = after.server.events()
    return after


def renew(address: int, mac: bytes = STRANGER, options: dict[int, bytes] | None = None) -> Message:
    return request(Type.REQUEST, mac, PHONE | (options or {}), ciaddr=address)


def listed(mac: bytes, **fields: object) -> DhcpConfig:
    phone = PhoneConfig(mac, ("phones", 9), **fields)  # type: ignore[arg-type]
    return replace(CONFIG, phones={**CONFIG.phones, mac: phone})


def test_leases_of_a_network_that_leaves_the_plan_are_there_when_it_returns() -> None:
    """A network shrunk by a slip, and set right again: its leases were forgotten, and their addresses given a second time."""
    lan = Lan()
    address = lan.acquire(STRANGER, options=PHONE).yiaddr
    small = replace(VOICE, mask=ip("255.255.255.240"), pool=((ip("10.20.0.2"), ip("10.20.0.9")),))
    back = reload(reload(lan, replace(CONFIG, networks=(small, FAR))), CONFIG)
    assert address in {lease.address for lease in back.server.leases()}
    offered = back.ask(request(Type.DISCOVER, b"\x02\0\0\0\0\x77", PHONE)).yiaddr
    assert offered != address
    assert back.ask(renew(address)).type == Type.ACK


@pytest.mark.parametrize("identifier", [DUID, b"\x00desk", b"\x01" + STRANGER, b""])
def test_listing_a_phone_and_striking_it_off_leaves_its_lease(identifier: bytes) -> None:
    """A listed phone was a new client to the server: it got a NAK at its renewal, and a second lease."""
    lan, told = Lan(), {61: identifier} if identifier else {}
    address = lan.acquire(STRANGER, options=PHONE | told).yiaddr
    for config in (listed(STRANGER), CONFIG, listed(STRANGER, network="voice")):
        lan = reload(lan, config)
        ack = lan.ask(renew(address, options=told))
        assert (ack.type, ack.yiaddr) == (Type.ACK, address)
    assert [address] == [lease.address for lease in lan.server.leases() if lease.active(lan.now)]


def test_a_phone_that_gets_a_reservation_moves_to_it_with_one_lease() -> None:
    lan = Lan()
    first = lan.acquire(STRANGER, options=PHONE | {61: DUID}).yiaddr
    lan = reload(lan, listed(STRANGER, address=ip("10.20.0.60")))
    assert lan.ask(renew(first, options={61: DUID})).type == Type.NAK
    assert lan.acquire(STRANGER, options=PHONE | {61: DUID}).yiaddr == ip("10.20.0.60")
    held = [lease.address for lease in lan.server.leases() if lease.active(lan.now)]
    assert held == [ip("10.20.0.60")]


def test_boot_loader_and_firmware_share_the_reservation() -> None:
    lan = Lan()
    assert lan.acquire(MAC).yiaddr == ip("10.20.0.50")
    assert lan.acquire(MAC, options={61: DUID}).yiaddr == ip("10.20.0.50")
    assert lan.acquire(MAC).yiaddr == ip("10.20.0.50")


def test_what_a_client_gets_is_kept_by_who_it_is() -> None:
    """One hardware address, two phones by option 61: the second got the host name of the first."""
    phones = {
        mac: PhoneConfig(
            mac, ("phones", number), address=ip(f"10.20.0.{60 + number}"), settings={12: setting(12, b"desk%d" % number)}
        )
        for number, mac in enumerate((MAC, OTHER))
    }  # fmt: skip
    lan = Lan(replace(CONFIG, phones=phones))
    for number, mac in enumerate((MAC, OTHER)):
        offer = lan.ask(request(Type.DISCOVER, STRANGER, {61: b"\x01" + mac}))
        assert (offer.yiaddr, offer.options[12]) == (ip(f"10.20.0.{60 + number}"), b"desk%d" % number)


def test_leases_outside_a_shrunken_pool_are_told_and_settled_at_renewal() -> None:
    lan = Lan()
    address = lan.acquire(STRANGER, options=PHONE).yiaddr
    small = replace(VOICE, pool=((ip("10.20.0.105"), ip("10.20.0.109")),))
    lan = reload(lan, replace(CONFIG, networks=(small, FAR)))
    assert lan.of(Misplaced) == [Misplaced("voice", ("10.20.0.100",))]
    assert lan.ask(renew(address)).type == Type.NAK
    assert lan.acquire(STRANGER, options=PHONE).yiaddr == ip("10.20.0.105")
    assert [ip("10.20.0.105")] == [each.address for each in lan.server.leases() if each.active(lan.now)]


def test_a_reservation_moved_onto_a_live_lease_waits_for_its_holder() -> None:
    lan = Lan()
    address = lan.acquire(STRANGER, options=PHONE).yiaddr
    lan = reload(lan, listed(b"\x02\0\0\0\0\x55", address=address))
    assert lan.of(Misplaced) == [Misplaced("voice", ("10.20.0.100",))]
    assert lan.acquire(b"\x02\0\0\0\0\x55").yiaddr != address
    assert lan.ask(renew(address)).type == Type.NAK
    assert lan.acquire(STRANGER, options=PHONE).yiaddr != address
    assert lan.acquire(b"\x02\0\0\0\0\x55").yiaddr == address


def test_nothing_is_told_of_leases_that_stay_where_they_are() -> None:
    lan = Lan()
    lan.acquire(STRANGER, options=PHONE)
    lan.acquire(MAC, options={61: DUID})
    assert reload(lan, CONFIG).of(Misplaced) == []


LAB = replace(
    VOICE, name="lab", prefix=ip("10.40.0.0"), address=ip("10.40.0.1"), interface="lan1",
    pool=((ip("10.40.0.10"), ip("10.40.0.19")),),
)  # fmt: skip
TWO_LINKS = replace(CONFIG, networks=(VOICE, LAB, FAR))


@pytest.mark.parametrize("broadcast", [True, False])
def test_a_client_that_asks_on_another_link_is_refused(broadcast: bool) -> None:
    """RFC 2131 4.3.2, REBINDING: it was acknowledged with the other network's router."""
    lan = Lan(TWO_LINKS)
    address = lan.acquire(STRANGER, options=PHONE).yiaddr
    source = Endpoint("10.20.0.100", 68, "lan1", broadcast=broadcast)
    reply = lan.ask(renew(address), source)
    assert (reply.type, reply.options[54]) == (Type.NAK, octets("10.40.0.1"))


def test_a_client_behind_a_relay_renews_through_any_router_and_rebinds_through_its_relay() -> None:
    lan = Lan(TWO_LINKS)
    relayed = {"giaddr": ip("10.30.0.1")}
    offer = lan.ask(request(Type.DISCOVER, STRANGER, PHONE, **relayed))
    address = lan.ask(select(offer, STRANGER, PHONE, **relayed)).yiaddr
    for source, fields, kind in (
        (Endpoint("10.30.0.10", 68, "lan1"), {}, Type.ACK),
        (Endpoint("10.30.0.1", 67, "lan0"), relayed, Type.ACK),
        (Endpoint("10.30.0.10", 68, "lan1", broadcast=True), {}, Type.NAK),
    ):
        assert lan.ask(request(Type.REQUEST, STRANGER, PHONE, ciaddr=address, **fields), source).type == kind


def test_a_client_known_by_its_offer_or_lease_need_not_repeat_option_60() -> None:
    lan = Lan()
    offer = lan.ask(request(Type.DISCOVER, STRANGER, PHONE))
    ack = lan.ask(select(offer, STRANGER))
    assert (ack.type, ack.yiaddr) == (Type.ACK, offer.yiaddr)
    assert lan.ask(request(Type.REQUEST, STRANGER, ciaddr=ack.yiaddr)).type == Type.ACK
    assert lan.ask(request(Type.INFORM, STRANGER, ciaddr=ack.yiaddr)).type == Type.ACK
    assert [lease.vendor_class for lease in lan.server.leases()] == ["CP-8851-3PCC"]
    assert "not served" in lan.silent(request(Type.REQUEST, OTHER[:5] + b"\x99", ciaddr=ack.yiaddr))


def test_a_client_that_says_less_gets_what_its_class_gets() -> None:
    lan = Lan()
    legacy = {60: b"CP-7911G"}
    offer = lan.ask(request(Type.DISCOVER, STRANGER, legacy))
    ack = lan.ask(select(offer, STRANGER))
    assert {66, 150, 160} <= set(offer.options)
    assert {code: data for code, data in offer.options.items() if code != 53} == {
        code: data for code, data in ack.options.items() if code != 53
    }


def test_an_unknown_client_that_reboots_hears_nothing() -> None:
    """RFC 2131 4.3.2: no record of the client, whoever has the address."""
    lan = Lan()
    address = lan.acquire(OTHER, options=PHONE).yiaddr
    reboot = request(Type.REQUEST, STRANGER, PHONE | {50: address.to_bytes(4, "big")})
    assert "nothing known of a lease" in lan.silent(reboot)
    strict = Lan(replace(CONFIG, networks=(replace(VOICE, authoritative=True), FAR)), lan.server.leases())
    assert strict.ask(reboot).type == Type.NAK


def test_inform_through_a_relay_is_answered_at_its_client() -> None:
    lan = Lan()
    inform = request(Type.INFORM, STRANGER, PHONE, ciaddr=ip("10.30.0.77"), giaddr=ip("10.30.0.1"))
    (reply,) = lan.send(inform, Endpoint("10.30.0.1", 67, "lan0"))
    assert (reply.destination.address, reply.destination.port) == ("10.30.0.77", 68)
    assert 51 not in decode(reply.data).options


def test_inform_without_ciaddr_is_answered_by_the_relay_or_where_it_came_from() -> None:
    lan = Lan()
    relayed = request(Type.INFORM, STRANGER, PHONE, giaddr=ip("10.30.0.1"))
    (reply,) = lan.send(relayed, Endpoint("10.30.0.1", 67, "lan0"))
    assert (reply.destination.address, reply.destination.port) == ("10.30.0.1", 67)
    (reply,) = lan.send(request(Type.INFORM, STRANGER, PHONE), Endpoint("10.20.0.77", 68, "lan0"))
    assert (reply.destination.address, reply.destination.port) == ("10.20.0.77", 68)
    assert lan.silent(request(Type.INFORM, STRANGER, PHONE), CLIENT) == "INFORM without ciaddr"


@pytest.mark.parametrize(
    ("t1", "t2", "wish", "times"),
    [
        (0, 0, 0, (3600, 1800, 3150)),
        (600, 1200, 0, (3600, 600, 1200)),
        (600, 0, 0, (3600, 600, 3150)),
        (0, 1000, 0, (3600, 571, 1000)),
        (600, 1200, 900, (900, 600, 787)),
        (600, 1200, 300, (300, 150, 262)),
    ],
)
def test_t1_and_t2_are_the_networks_where_they_lie_within_the_lease(
    t1: int, t2: int, wish: int, times: tuple[int, int, int]
) -> None:
    lan = Lan(replace(CONFIG, networks=(replace(VOICE, t1=t1, t2=t2, lease_min=120), FAR)))
    options = PHONE | ({51: wish.to_bytes(4, "big")} if wish else {})
    offer = lan.ask(request(Type.DISCOVER, STRANGER, options))
    assert times == tuple(int.from_bytes(offer.options[code], "big") for code in (51, 58, 59))


def test_a_used_up_pool_is_told_once_in_a_while() -> None:
    lan = Lan(replace(CONFIG, networks=(replace(VOICE, pool=((ip("10.20.0.100"), ip("10.20.0.100")),)), FAR)))
    assert lan.server.free(lan.now)["voice"] == 1
    lan.acquire(OTHER, options=PHONE)
    assert lan.server.free(lan.now)["voice"] == 0
    for _ in range(3):
        lan.silent(request(Type.DISCOVER, STRANGER, PHONE))
    assert lan.of(PoolUsedUp) == [PoolUsedUp("voice", STRANGER)]
    lan.pass_time(601)
    lan.silent(request(Type.DISCOVER, STRANGER, PHONE))
    assert len(lan.of(PoolUsedUp)) == 2


def test_a_class_by_host_name_takes_option_12_and_81() -> None:
    """Phones of several models in one subnet, told apart by their host names alone."""
    named = ClassConfig("seps", "dhcp", Condition(host_name=("SEP*",)), {66: setting(66, b"10.20.0.9")})
    lan = Lan(replace(CONFIG, classes=(named,)))
    for options, given in (
        ({12: b"SEP001234AB45DE"}, b"10.20.0.9"),
        ({81: b"\x00\x00\x00sep001234ab45de"}, b"10.20.0.9"),
        ({81: b"\x04\x00\x00\x0fsep001234ab45de\x07example\x03com\x00"}, b"10.20.0.9"),
        ({12: b"SIP001234AB45DE"}, None),
        ({}, None),
    ):
        offer = lan.ask(request(Type.DISCOVER, STRANGER, PHONE | options))
        assert given == offer.options.get(66)


def test_a_declined_address_stays_out_of_use_for_its_own_client_too() -> None:
    lan = Lan()
    address = lan.acquire(MAC).yiaddr
    lan.send(request(Type.DECLINE, MAC, {50: address.to_bytes(4, "big"), 54: octets("10.20.0.1")}))
    (bad,) = (lease for lease in lan.server.leases() if lease.address == address)
    assert bad.state is LeaseState.DECLINED
    assert lan.ask(request(Type.DISCOVER, MAC)).yiaddr != address


def test_a_phone_of_ours_rebinds_after_a_reload() -> None:
    """Our client and our server over a link: the lease outlives two plans and a server that is silent at T1."""
    lan = Lan()
    client = Client(Identity(STRANGER, "CP-8851-3PCC", client_id=DUID), lambda _bits: 5, "lan0")
    client.start(lan.now)
    for _ in range(2):
        for datagram in client.datagrams_to_send():
            for reply in lan.send_raw(datagram.data):
                client.receive(reply.data, CLIENT, lan.now)
    assert client.lease is not None
    first = client.lease.address
    lan = reload(reload(lan, listed(STRANGER)), CONFIG)
    while client.lease.t2 > lan.now:  # nobody hears what it sends until then
        lan.now = client.timer() or lan.now
        client.handle_timer(lan.now)
        sent = client.datagrams_to_send()
    (last,) = sent
    assert last.destination.address == "255.255.255.255"
    for reply in lan.send_raw(last.data, Endpoint(first, 68, "lan0", broadcast=True)):
        client.receive(reply.data, CLIENT, lan.now)
    assert client.lease is not None
    assert (client.lease.address, client.lease.obtained) == (first, lan.now)
    events = lan.of(Bound)
    assert isinstance(events[-1], Bound)
    assert isinstance(events[-1].lease, Lease)
    assert events[-1].renewed


def test_each_phone_has_its_own_address_and_name_whoever_s_hardware_address_carries_its_identifier() -> None:
    """The cache of contents went by hardware address: the second phone got the first one's address and host name."""
    phones = {
        mac: PhoneConfig(
            mac, ("phones", number), network="voice", address=ip(address), settings={12: setting(12, name)}
        )
        for number, (mac, address, name) in enumerate(
            ((MAC, "10.20.0.50", b"desk"), (OTHER, "10.20.0.51", b"hall"))
        )
    }
    lan = Lan(replace(CONFIG, phones=phones))
    asked = PHONE | {55: bytes([12])}
    for _ in range(2):
        told = [
            lan.ask(request(Type.DISCOVER, STRANGER, asked | {61: b"\x01" + mac})) for mac in (MAC, OTHER)
        ]
        assert [(each.yiaddr, each.options[12]) for each in told] == [
            (ip("10.20.0.50"), b"desk"),
            (ip("10.20.0.51"), b"hall"),
        ]

"""The server, request by request; each test names the section it holds."""

from __future__ import annotations

from dataclasses import replace

from netprov.dhcp import message as dhcp
from netprov.dhcp.config import Gateway
from netprov.dhcp.lease import Bound, Declined, Expired, Lease, Released
from netprov.dhcp.message import Message, Type
from netprov.dhcp.other import OtherServer
from netprov.machine import Endpoint
from tests.dhcp.link import (
    CLIENT,
    CONFIG,
    FAR,
    MAC,
    OTHER,
    SERVER_ID,
    STRANGER,
    VOICE,
    Lan,
    ip,
    octets,
    request,
    select,
)

PHONE = {60: b"CP-8851-3PCC"}
LEGACY = {60: b"CP-7911G\0", 55: bytes([1, 66, 6, 3, 15, 150, 35])}


def voice(**changes: object) -> Lan:
    changed = replace(VOICE, **changes)  # type: ignore[arg-type]
    return Lan(replace(CONFIG, networks=(changed, FAR)))


def bound(lan: Lan) -> Lease:
    event = lan.of(Bound)[-1]
    assert isinstance(event, Bound)
    return event.lease


def test_offer_holds_what_table_3_wants() -> None:
    """RFC 2131 4.3.1 table 3."""
    lan = Lan()
    asked = request(Type.DISCOVER, MAC, {55: bytes([1, 3, 6, 15])}, secs=7, hops=0, flags=0x8000)
    offer = lan.ask(asked)
    assert list(offer.options) == [53, 54, 51, 58, 59, 1, 3, 6, 15]
    assert (2, asked.xid, MAC, 0x8000, 0, 0) == (
        offer.op,
        offer.xid,
        offer.chaddr,
        offer.flags,
        offer.secs,
        offer.ciaddr,
    )
    assert ip("10.20.0.50") == offer.yiaddr
    assert tuple(int.from_bytes(offer.options[code], "big") for code in (51, 58, 59)) == (3600, 1800, 3150)


def test_options_come_in_the_order_asked_then_basics_then_forced() -> None:
    offer = Lan().ask(request(Type.DISCOVER, STRANGER, LEGACY))
    assert list(offer.options) == [53, 54, 51, 58, 59, 1, 66, 6, 3, 15, 150, 160]
    assert offer.options[66] == b"10.20.0.1"
    assert offer.siaddr == SERVER_ID
    assert offer.sname == b""


def test_ack_comes_after_its_lease_is_an_event() -> None:
    """RFC 2131 3.1."""
    lan = Lan()
    ack = lan.acquire(OTHER)
    lease = bound(lan)
    assert (ack.yiaddr, OTHER, 1000.0, 4600.0) == (lease.address, lease.mac, lease.started, lease.expires)


def test_lease_time_wish_is_bounded() -> None:
    """RFC 2131 4.3.1; option 51 of the client within the inventory's bounds."""
    lan = voice(lease_max=7200)
    for wish, given in ((60, 120), (1000, 1000), (0xFFFFFFFF, 7200)):
        offer = lan.ask(request(Type.DISCOVER, MAC, {51: wish.to_bytes(4, "big")}))
        assert given == int.from_bytes(offer.options[51], "big")


def test_client_identifier_is_echoed() -> None:
    """RFC 6842 section 3."""
    offer = Lan().ask(request(Type.DISCOVER, MAC, {61: b"\xff12345678"}))
    assert offer.options[61] == b"\xff12345678"


def test_relay_information_is_echoed_verbatim_and_last() -> None:
    """RFC 3046 section 2.2."""
    lan = Lan()
    info = b"\x01\x04port\x02\x03rem"
    relayed = request(Type.DISCOVER, OTHER, {82: info, 61: b"\x01" + OTHER}, giaddr=ip("10.30.0.1"))
    (reply,) = lan.send(relayed, Endpoint("10.30.0.1", 67, "lan0"))
    offer = dhcp.decode(reply.data)
    assert Endpoint("10.30.0.1", 67, "lan0") == reply.destination
    assert ip("10.30.0.10") == offer.yiaddr
    assert list(offer.options)[-1] == 82
    assert info == offer.options[82]


def test_link_selection_picks_the_network() -> None:
    """RFC 3527."""
    info = b"\x05\x04" + octets("10.30.0.0")
    offer = Lan().ask(request(Type.DISCOVER, OTHER, {82: info}, giaddr=ip("10.20.0.9")))
    assert ip("10.30.0.10") == offer.yiaddr


def test_subnet_selection_picks_the_network() -> None:
    """RFC 3011 section 2: and an identical copy of the option is returned, asked for or not."""
    lan, chosen = Lan(), {118: octets("10.30.0.0"), 55: b"\1"}
    offer = lan.ask(request(Type.DISCOVER, OTHER, chosen))
    assert ip("10.30.0.10") == offer.yiaddr
    assert offer.options[118] == chosen[118]
    assert lan.ask(select(offer, OTHER, chosen)).options[118] == chosen[118]
    assert lan.send(request(Type.DISCOVER, OTHER, {118: octets("10.99.0.0")})) == []


def test_relay_may_stand_in_for_the_server() -> None:
    """RFC 5107."""
    lan = Lan()
    info = {82: b"\x0b\x04" + octets("10.30.0.1")}
    offer = lan.ask(request(Type.DISCOVER, OTHER, info, giaddr=ip("10.30.0.1")))
    assert octets("10.30.0.1") == offer.options[54]
    assert lan.ask(select(offer, OTHER, info, giaddr=ip("10.30.0.1"))).type == Type.ACK


def test_unknown_relay_is_ignored() -> None:
    reason = Lan().silent(request(Type.DISCOVER, OTHER, giaddr=ip("10.99.0.1")))
    assert reason == "relay 10.99.0.1 is on no network of the inventory"


def test_destinations() -> None:
    """RFC 2131 section 4.1."""
    lan = Lan()
    (raw,) = lan.send(request(Type.DISCOVER, MAC))
    assert Endpoint("10.20.0.50", 68, "lan0", MAC) == raw.destination
    (broadcast,) = lan.send(request(Type.DISCOVER, MAC, flags=0x8000))
    assert Endpoint("255.255.255.255", 68, "lan0") == broadcast.destination
    lan.acquire(MAC)
    (unicast,) = lan.send(request(Type.REQUEST, MAC, ciaddr=ip("10.20.0.50")))
    assert Endpoint("10.20.0.50", 68, "lan0") == unicast.destination
    assert unicast.source == "10.20.0.1"


def test_request_for_another_server_is_ignored_and_told() -> None:
    """RFC 2131 3.1.4."""
    lan = voice(pool=((ip("10.20.0.100"), ip("10.20.0.100")),))
    lan.ask(request(Type.DISCOVER, OTHER))
    assert lan.send(request(Type.REQUEST, OTHER, {54: octets("10.20.0.2"), 50: octets("10.20.0.100")})) == []
    assert [OtherServer("10.20.0.2", OTHER, "lan0")] == lan.of(OtherServer)
    offer = lan.ask(request(Type.DISCOVER, STRANGER, PHONE))
    assert ip("10.20.0.100") == offer.yiaddr


def test_selecting_an_address_of_another_is_refused() -> None:
    lan = Lan()
    ack = lan.acquire(OTHER)
    nak = lan.ask(
        request(Type.REQUEST, STRANGER, PHONE | {54: octets("10.20.0.1"), 50: ack.yiaddr.to_bytes(4, "big")})
    )
    assert list(nak.options) == [53, 54, 56]
    assert (nak.type, nak.yiaddr, nak.ciaddr, nak.siaddr) == (Type.NAK, 0, 0, 0)


def test_relayed_nak_carries_the_broadcast_flag() -> None:
    """RFC 2131 4.3.2."""
    lan = Lan()
    (reply,) = lan.send(request(Type.REQUEST, OTHER, {50: octets("10.20.0.7")}, giaddr=ip("10.30.0.1")))
    assert Endpoint("10.30.0.1", 67, "lan0") == reply.destination
    nak = dhcp.decode(reply.data)
    assert (nak.type, nak.flags) == (Type.NAK, 0x8000)


def test_reboot_with_the_right_address_is_confirmed() -> None:
    """RFC 2131 4.3.2, INIT-REBOOT."""
    lan = Lan()
    ack = lan.acquire(OTHER)
    again = lan.ask(request(Type.REQUEST, OTHER, {50: ack.yiaddr.to_bytes(4, "big")}))
    assert (Type.ACK, ack.yiaddr) == (again.type, again.yiaddr)


def test_reboot_on_the_wrong_network_is_refused() -> None:
    """RFC 2131 4.3.2, INIT-REBOOT."""
    (reply,) = Lan().send(request(Type.REQUEST, OTHER, {50: octets("192.168.1.5")}))
    assert Endpoint("255.255.255.255", 68, "lan0") == reply.destination
    assert dhcp.decode(reply.data).type == Type.NAK


def test_reboot_without_record_is_silent_unless_authoritative() -> None:
    """RFC 2131 4.3.2: "If the DHCP server has no record of this client, then it MUST remain silent"."""
    asked = {50: octets("10.20.0.105")}
    assert "nothing known" in Lan().silent(request(Type.REQUEST, OTHER, asked))
    assert voice(authoritative=True).ask(request(Type.REQUEST, OTHER, asked)).type == Type.NAK


def test_reboot_with_another_address_than_the_fixed_one_is_refused() -> None:
    assert Lan().ask(request(Type.REQUEST, MAC, {50: octets("10.20.0.105")})).type == Type.NAK


def test_renewing_extends_the_lease() -> None:
    """RFC 2131 4.3.2, RENEWING."""
    lan = Lan()
    ack = lan.acquire(OTHER)
    lan.pass_time(1800)
    again = lan.ask(request(Type.REQUEST, OTHER, ciaddr=ack.yiaddr))
    assert (Type.ACK, ack.yiaddr, ack.yiaddr) == (again.type, again.yiaddr, again.ciaddr)
    assert (bound(lan).started, bound(lan).expires) == (1000.0, 2800.0 + 3600)
    event = lan.of(Bound)[-1]
    assert isinstance(event, Bound)
    assert event.renewed


def test_renewing_what_went_to_another_is_refused() -> None:
    lan = Lan()
    ack = lan.acquire(OTHER)
    assert lan.ask(request(Type.REQUEST, STRANGER, PHONE, ciaddr=ack.yiaddr)).type == Type.NAK


def test_renewing_moves_a_phone_to_its_new_reservation() -> None:
    lan = Lan()
    ack = lan.acquire(OTHER)
    phone = replace(CONFIG.phones[OTHER], address=ip("10.20.0.60"))
    after = Lan(replace(CONFIG, phones={OTHER: phone}), lan.server.leases())
    assert after.ask(request(Type.REQUEST, OTHER, ciaddr=ack.yiaddr)).type == Type.NAK
    assert ip("10.20.0.60") == after.acquire(OTHER).yiaddr
    assert [ack.yiaddr] == [
        event.lease.address for event in after.of(Released) if isinstance(event, Released)
    ]


def test_inform_is_answered_without_lease() -> None:
    """RFC 2131 4.3.5."""
    lan = Lan()
    (reply,) = lan.send(request(Type.INFORM, OTHER, {55: bytes([6, 15])}, ciaddr=ip("10.20.0.200")))
    ack = dhcp.decode(reply.data)
    assert Endpoint("10.20.0.200", 68, "lan0") == reply.destination
    assert list(ack.options) == [53, 54, 6, 15, 1, 3]
    assert ack.yiaddr == 0
    assert lan.of(Bound) == []


def test_released_address_is_kept_for_its_client() -> None:
    """RFC 2131 4.3.4."""
    lan = Lan()
    ack = lan.acquire(OTHER)
    assert lan.send(request(Type.RELEASE, OTHER, {54: octets("10.20.0.1")}, ciaddr=ack.yiaddr)) == []
    assert len(lan.of(Released)) == 1
    assert ack.yiaddr != lan.acquire(STRANGER, options=PHONE).yiaddr
    assert ack.yiaddr == lan.acquire(OTHER).yiaddr


def test_release_by_another_client_changes_nothing() -> None:
    lan = Lan()
    ack = lan.acquire(OTHER)
    lan.silent(request(Type.RELEASE, STRANGER, PHONE | {54: octets("10.20.0.1")}, ciaddr=ack.yiaddr))
    assert lan.of(Released) == []


def test_declined_address_is_held_back() -> None:
    """RFC 2131 4.3.3."""
    lan = Lan()
    ack = lan.acquire(OTHER)
    lan.send(request(Type.DECLINE, OTHER, {50: ack.yiaddr.to_bytes(4, "big"), 54: octets("10.20.0.1")}))
    assert len(lan.of(Declined)) == 1
    assert ack.yiaddr != lan.acquire(OTHER).yiaddr
    lan.pass_time(3602)
    assert ack.yiaddr in {event.lease.address for event in lan.of(Expired) if isinstance(event, Expired)}


def test_decline_of_a_foreign_address_changes_nothing() -> None:
    lan = Lan()
    ack = lan.acquire(OTHER)
    lan.silent(
        request(Type.DECLINE, STRANGER, PHONE | {50: ack.yiaddr.to_bytes(4, "big"), 54: octets("10.20.0.1")})
    )
    assert lan.of(Declined) == []


def test_unknown_client_is_ignored() -> None:
    assert (
        Lan().silent(request(Type.DISCOVER, STRANGER))
        == "client is not served on network voice, which serves `clients: phones`"
    )
    assert (
        Lan().silent(request(Type.REQUEST, STRANGER, {50: octets("1.2.3.4")}))
        == "client is not served on network voice, which serves `clients: phones`"
    )
    assert voice(clients="all").ask(request(Type.DISCOVER, STRANGER)).type == Type.OFFER
    assert "not served" in voice(clients="known").silent(request(Type.DISCOVER, STRANGER, PHONE))


def test_listed_phone_is_found_by_its_client_identifier() -> None:
    """RFC 2132 9.14: type and hardware address."""
    offer = Lan().ask(request(Type.DISCOVER, STRANGER, {61: b"\x01" + MAC}))
    assert ip("10.20.0.50") == offer.yiaddr


def test_client_identifier_tells_clients_of_one_address_apart() -> None:
    """RFC 2131 4.2."""
    lan = voice(clients="all")
    first = lan.acquire(STRANGER, options={61: b"\x00one"})
    second = lan.acquire(STRANGER, options={61: b"\x00two"})
    assert first.yiaddr != second.yiaddr


def test_listed_phone_has_one_lease_whatever_its_identifier() -> None:
    lan = Lan()
    assert lan.acquire(OTHER).yiaddr == lan.acquire(OTHER, options={61: b"\xff\0\0\0\1duid"}).yiaddr


def test_full_pool_is_told() -> None:
    lan = voice(pool=((ip("10.20.0.100"), ip("10.20.0.100")),))
    lan.acquire(OTHER)
    assert lan.silent(request(Type.DISCOVER, STRANGER, PHONE)) == "no free address on network voice"


def test_starving_client_cannot_empty_the_reserved_part() -> None:
    lan = voice(clients="all", reserved=((ip("10.20.0.110"), ip("10.20.0.110")),))
    for number in range(20):
        lan.send(request(Type.DISCOVER, b"\x02\0\0\0\1" + bytes([number])))
    assert ip("10.20.0.110") == lan.acquire(OTHER).yiaddr


def test_client_that_sends_too_much_is_not_looked_at() -> None:
    lan = Lan()
    replies = [lan.send(request(Type.DISCOVER, MAC)) for _ in range(30)]
    assert len([reply for reply in replies if reply]) == 20
    lan.now += 1
    assert lan.send(request(Type.DISCOVER, MAC))


def test_expired_lease_is_free_for_others_but_kept_for_its_client() -> None:
    lan = voice(pool=((ip("10.20.0.100"), ip("10.20.0.101")),))
    first = lan.acquire(OTHER)
    lan.pass_time(3602)
    assert len(lan.of(Expired)) == 1
    assert ip("10.20.0.101") == lan.acquire(STRANGER, options=PHONE).yiaddr
    assert first.yiaddr == lan.acquire(OTHER).yiaddr


def test_requested_address_is_given_if_free() -> None:
    """RFC 2131 4.3.1."""
    assert ip("10.20.0.107") == Lan().ask(request(Type.DISCOVER, OTHER, {50: octets("10.20.0.107")})).yiaddr
    assert ip("10.20.0.100") == Lan().ask(request(Type.DISCOVER, OTHER, {50: octets("10.20.0.200")})).yiaddr


def test_reply_keeps_within_the_size_the_client_takes() -> None:
    """RFC 2132 9.10, 9.3: the rest goes to file and sname."""
    settings = {code: replace(VOICE.settings[15], code=code, data=b"x" * 100) for code in range(200, 206)}
    lan = voice(settings=dict(VOICE.settings) | settings)
    (small,) = lan.send(request(Type.DISCOVER, MAC))
    assert len(small.data) <= 548
    assert 52 in dhcp.decode(small.data).options
    (large,) = lan.send(request(Type.DISCOVER, MAC, {57: (1500).to_bytes(2, "big")}))
    assert 548 < len(large.data) <= 1472
    assert set(range(200, 206)) <= set(dhcp.decode(large.data).options)


def test_bootp_client_gets_its_fixed_address_only_if_allowed() -> None:
    """RFC 1534 section 2."""
    assert "BOOTP is not served" in Lan().silent(request(None, MAC))
    lan = voice(bootp=True)
    reply = lan.ask(request(None, MAC))
    assert ip("10.20.0.50") == reply.yiaddr
    assert not {51, 53, 54, 58, 59} & set(reply.options)
    assert "without a fixed address" in lan.silent(request(None, OTHER))


def test_device_that_tells_its_identity_learns_the_gateway() -> None:
    """TR-069 Annex F: sub-options 4 to 6 in answer to 1 to 3, which are kept with the lease."""
    lan = voice(gateway=Gateway("00000C", "GW1", "router"))
    pairs = b"\x01\x06001122" + b"\x02\x02S1" + b"\x03\x03MPP"
    device = {125: b"\x00\x00\x0d\xe9" + bytes([len(pairs)]) + pairs}
    ack = lan.acquire(OTHER, options=device)
    answer = b"\x04\x0600000C" + b"\x05\x03GW1" + b"\x06\x06router"
    assert b"\x00\x00\x0d\xe9" + bytes([len(answer)]) + answer == ack.options[125]
    assert bound(lan).device == ("001122", "S1", "MPP")
    assert 125 not in lan.acquire(MAC).options


def test_message_types_of_other_services_are_ignored() -> None:
    """RFC 4388 and RFC 6926 are not served; a server never answers servers."""
    lan = Lan()
    for kind in (0x02, 0x05, 0x06, *range(9, 19)):
        assert "is not for a server" in lan.silent(
            Message(op=1, xid=1, chaddr=MAC, options={53: bytes([kind])})
        )
        lan.now += 1
    lan.silent(request(Type.DISCOVER, MAC)._replace(op=2))


def test_host_name_is_kept_with_the_lease() -> None:
    lan = Lan()
    lan.acquire(OTHER, options={12: b"desk-7.example.com\0"})
    assert bound(lan).hostname == "desk-7"
    lan.acquire(OTHER, options={81: b"\x05\x00\x00\x04desk\x00"})
    assert bound(lan).hostname == "desk"
    lan.acquire(OTHER, options={12: b"-bad name-"})
    assert bound(lan).hostname == ""


def test_garbage_is_dropped_with_its_reason() -> None:
    lan = Lan()
    assert lan.send_raw(b"\x01" * 100) == []
    assert lan.silent(Message(op=1, xid=1, chaddr=b"", options={53: b"\1"})) == "no hardware address"
    assert "option 82" in lan.silent(request(Type.DISCOVER, MAC, {82: b"\x01\x09a"}))


def test_relayed_renewal_is_found_by_its_address() -> None:
    lan = Lan()
    relay = Endpoint("10.30.0.1", 67, "lan0")
    offer = dhcp.decode(lan.send(request(Type.DISCOVER, OTHER, giaddr=ip("10.30.0.1")), relay)[0].data)
    ack = dhcp.decode(lan.send(select(offer, OTHER, giaddr=ip("10.30.0.1")), relay)[0].data)
    renewed = lan.ask(request(Type.REQUEST, OTHER, ciaddr=ack.yiaddr), replace(CLIENT, address="10.30.0.10"))
    assert (Type.ACK, ack.yiaddr) == (renewed.type, renewed.yiaddr)


def test_lease_remembers_the_port_although_a_renewal_passes_the_relay_by() -> None:
    lan = Lan()
    relay, info = Endpoint("10.30.0.1", 67, "lan0"), b"\x01\x08ge-0/0/1"
    discover = request(Type.DISCOVER, OTHER, {82: info}, giaddr=ip("10.30.0.1"))
    offer = dhcp.decode(lan.send(discover, relay)[0].data)
    asked = select(offer, OTHER, giaddr=ip("10.30.0.1"))
    asked = asked._replace(options={**asked.options, 82: info})
    ack = dhcp.decode(lan.send(asked, relay)[0].data)
    there = replace(CLIENT, address="10.30.0.10")
    lan.ask(request(Type.REQUEST, OTHER, ciaddr=ack.yiaddr), there)
    assert [each.lease.relay for each in lan.events if isinstance(each, Bound)] == [info, info]

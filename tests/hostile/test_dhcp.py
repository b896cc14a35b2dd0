"""Forged DHCP: no invented client takes what a listed phone comes for, no DECLINE costs a phone its address, no ARP empties a pool."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from netprov.dhcp import message as dhcp
from netprov.dhcp.lease import Declined, PoolUsedUp
from netprov.dhcp.message import Message, Type, dotted
from netprov.dhcp.server import Server
from netprov.inventory.load import parse
from netprov.mac import parse_mac
from netprov.machine import Dropped, Endpoint, Event
from netprov.plan import derive
from netprov.runtime.dhcp.overload import OF_ONE, Overload

PHONES = tuple(f"00:12:34:ab:45:{number:02x}" for number in range(20))
FIXED = PHONES[:5]
VENDOR = b"Cisco Systems, Inc. IP Phone CP-8851-3PCC"
SERVER = bytes((10, 20, 0, 1))
BROADCAST = Endpoint("0.0.0.0", 68, "lan0", broadcast=True)
RELAY = 0x0A140001


class Site:
    """A DHCP server with twenty listed phones, five of them with fixed addresses; a clock that goes when it is told."""

    def __init__(self, network: str = "") -> None:
        phones = "\n".join(
            f"  - {{mac: {mac}, model: CP-8851-3PCC{f', address: 10.20.0.{50 + n}' if mac in FIXED else ''}}}"
            for n, mac in enumerate(PHONES)
        )
        text = (
            "domain: example.com\n"
            f"networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24{network}}}}}\nphones:\n{phones}\n"
        )
        self.server = Server(derive(parse(text, "site.yaml").inventory).dhcp)
        self.now = 1000.0
        self.events: list[Event] = []
        self._xid = 0

    def send(
        self, mac: str, kind: Type, *, ciaddr: int = 0, port: bytes = b"", **options: bytes
    ) -> list[Message]:
        """Send a message, let what is probed be free, and return the replies."""
        self.say(mac, kind, ciaddr=ciaddr, port=port, **options)
        return self.settle()

    def say(self, mac: str, kind: Type, *, ciaddr: int = 0, port: bytes = b"", **options: bytes) -> None:
        self._xid += 1
        said = {53: bytes([kind]), 60: VENDOR, **{int(code[1:]): data for code, data in options.items()}}
        if port:
            said[82] = bytes((1, len(port))) + port
        message = Message(
            op=dhcp.BOOTREQUEST, xid=self._xid, chaddr=parse_mac(mac), ciaddr=ciaddr, flags=dhcp.BROADCAST,
            giaddr=RELAY if port else 0, options=said,
        )  # fmt: skip
        self.server.receive(dhcp.encode(message), BROADCAST, self.now)

    def settle(self, answers: dict[str, bytes] | None = None) -> list[Message]:
        """Let probes be answered from these addresses; return the replies."""
        for probe in self.server.probes_to_send():
            if answers and probe.address in answers:
                self.server.conclude(probe.address, taken=True, now=self.now, by=answers[probe.address])
        self.now += 0.5
        self.server.handle_timer(self.now)
        self.events += self.server.events()
        return [dhcp.decode(each.data) for each in self.server.datagrams_to_send()]

    def boot(self, mac: str, port: bytes = b"") -> int:
        """Return the address that a client gets, 0 for none."""
        offers = self.send(mac, Type.DISCOVER, port=port)
        if not offers:
            return 0
        wanted = offers[0].yiaddr.to_bytes(4, "big")
        (ack,) = self.send(mac, Type.REQUEST, _50=wanted, _54=SERVER, port=port)
        return ack.yiaddr if ack.type == Type.ACK else 0

    def decline(self, mac: str, address: int, *, port: bytes = b"") -> None:
        self.say(mac, Type.DECLINE, port=port, _50=address.to_bytes(4, "big"), _54=SERVER)


def invented() -> Iterator[str]:
    numbers = random.Random(14)
    while True:
        yield f"02:{numbers.randbytes(5).hex(':')}"


def honest(site: Site) -> list[int]:
    return [site.boot(mac) for mac in PHONES]


def test_invented_clients_do_not_take_what_listed_phones_come_for() -> None:
    site = Site()
    given = [site.boot(mac) for mac, _ in zip(invented(), range(300), strict=False)]
    assert sum(map(bool, given)) == 100 - 15
    used_up = next(event for event in site.events if isinstance(event, PoolUsedUp))
    assert "kept for listed phones" in str(used_up)
    assert any(
        event.reason == "no free address on network voice: the last 15 addresses are kept for listed phones"
        for event in site.events
        if isinstance(event, Dropped)
    )
    addresses = honest(site)
    assert all(addresses)
    assert len(set(addresses)) == 20


def test_offers_that_nobody_takes_up_count_too() -> None:
    site = Site()
    for mac, _ in zip(invented(), range(300), strict=False):
        site.say(mac, Type.DISCOVER)
    site.settle()
    assert all(honest(site))


def test_requests_without_an_offer_get_no_more_than_discovers_do() -> None:
    site = Site()
    for mac, address in zip(invented(), range(100, 200), strict=False):
        site.send(mac, Type.REQUEST, _50=bytes((10, 20, 0, address)), _54=SERVER)
    assert all(honest(site))


def test_phone_with_a_fixed_address_takes_nothing_of_the_share() -> None:
    """In its name anybody may ask for an address of the pool."""
    site = Site()
    for mac, _ in zip(invented(), range(300), strict=False):
        site.boot(mac)
    for number, mac in enumerate(FIXED):
        site.send(mac, Type.REQUEST, _50=bytes((10, 20, 0, 199 - number)), _54=SERVER)
    assert all(honest(site))


def test_one_port_does_not_take_what_strangers_have() -> None:
    site = Site()
    one = [site.boot(mac, port=b"Gi1/0/1") for mac, _ in zip(invented(), range(200), strict=False)]
    assert sum(map(bool, one)) == (100 - 15) // 2
    assert any("behind this port" in str(event.reason) for event in site.events if isinstance(event, Dropped))
    assert site.boot("02:aa:00:00:00:01", port=b"Gi1/0/2")
    assert all(honest(site))


def test_inventory_says_how_many_are_kept_and_how_many_a_port_has() -> None:
    site = Site(", kept: 90, per_port: 4")
    one = [site.boot(mac, port=b"Gi1/0/1") for mac, _ in zip(invented(), range(20), strict=False)]
    others = [site.boot(mac) for mac, _ in zip(invented(), range(20), strict=False)]
    assert sum(map(bool, one)) == 4
    assert sum(map(bool, others)) == 6 + 4  # the first four are the clients of before, which have leases


def test_forged_decline_does_not_cost_a_living_phone_its_address() -> None:
    site = Site()
    addresses = honest(site)
    for mac, address in zip(PHONES, addresses, strict=True):
        site.decline(mac, address)
        site.settle({dotted(address): parse_mac(mac)})
    assert not [event for event in site.events if isinstance(event, Declined)]
    assert honest(site) == addresses
    for mac, address in zip(PHONES, addresses, strict=True):
        (ack,) = site.send(mac, Type.REQUEST, ciaddr=address)
        assert (ack.type, ack.yiaddr) == (Type.ACK, address)


def test_forged_decline_does_not_cost_a_phone_that_is_off_its_fixed_address() -> None:
    site = Site()
    addresses = [site.boot(mac) for mac in FIXED]
    for mac, address in zip(FIXED, addresses, strict=True):
        site.decline(mac, address)
        site.settle()
    assert [site.boot(mac) for mac in FIXED] == addresses == [0x0A140032 + number for number in range(5)]


def test_forged_decline_of_a_pool_address_holds_it_for_a_minute() -> None:
    site = Site()
    address = site.boot(PHONES[10])
    site.decline(PHONES[10], address)
    site.settle()
    (bad,) = [event.lease for event in site.events if isinstance(event, Declined)]
    assert bad.expires - bad.started == 60


def test_client_that_asks_again_at_once_is_not_offered_what_it_declined() -> None:
    """Until it is known who answers there, the DISCOVER waits (RFC 2131 4.3.3)."""
    site = Site()
    address = site.boot(PHONES[10])
    site.decline(PHONES[10], address)
    site.say(PHONES[10], Type.DISCOVER)
    assert not site.server.datagrams_to_send()
    (offer,) = [*site.settle(), *site.settle()]  # the next address is looked at, too
    assert offer.type == Type.OFFER
    assert offer.yiaddr not in {0, address}


def test_stranger_that_answers_at_a_fixed_address_takes_it_for_an_hour() -> None:
    """A real conflict: the phone gets an address of the pool meanwhile."""
    site = Site()
    address = site.boot(FIXED[0])
    site.decline(FIXED[0], address)
    site.settle({dotted(address): b"\x02\x66\x66\x66\x66\x66"})
    (bad,) = [event.lease for event in site.events if isinstance(event, Declined)]
    assert bad.expires - bad.started == 3600
    assert site.boot(FIXED[0]) not in {0, address}


def test_conflict_that_only_the_phone_saw_is_looked_for_before_its_address_is_offered_again() -> None:
    site = Site()
    address = site.boot(FIXED[0])
    site.decline(FIXED[0], address)
    site.settle()
    site.say(FIXED[0], Type.DISCOVER)
    site.settle({dotted(address): b"\x02\x66\x66\x66\x66\x66"})
    assert site.boot(FIXED[0]) not in {0, address}


def test_relayed_decline_is_believed_no_more() -> None:
    """An answer to a ping may be the phone's own, for nobody tells its hardware address."""
    site = Site()
    address = site.boot(PHONES[10])
    site.decline(PHONES[10], address, port=b"Gi1/0/1")
    site.settle({dotted(address): b""})
    (bad,) = [event.lease for event in site.events if isinstance(event, Declined)]
    assert bad.expires - bad.started == 60


def test_host_that_answers_for_every_address_empties_no_pool() -> None:
    site = Site()
    everything = {f"10.20.0.{number}": b"\x02\x66\x66\x66\x66\x66" for number in range(256)}
    for mac, _ in zip(invented(), range(100), strict=False):
        site.say(mac, Type.DISCOVER)
        for _ in range(4):
            site.settle(everything)
    held = {event.lease.address for event in site.events if isinstance(event, Declined)}
    assert len(held) == 25
    assert all(honest(site))


def test_lasting_backlog_is_sifted_for_phones_and_a_short_one_is_not() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        overload = Overload({parse_mac(mac) for mac in PHONES}.__contains__)
        assert [overload.is_lasting(sock, now, full=True) for now in (10.0, 10.9, 11.0)] == [
            False,
            False,
            True,
        ]
        assert not overload.is_lasting(sock, 11.1, full=False)
        assert not overload.is_lasting(sock, 11.2, full=True)
    batch = [
        (bytes(28) + parse_mac(mac), BROADCAST)
        for mac in ("02:00:00:00:00:01", PHONES[3], "02:00:00:00:00:02")
    ]
    assert overload.sift(batch) == [batch[1]]
    assert overload.shed == 2


def test_who_repeats_a_message_in_a_phones_name_does_not_push_out_the_phones_own() -> None:
    overload = Overload(lambda _: True)

    def discover(xid: int, secs: int, **options: bytes) -> tuple[bytes, Endpoint]:
        wanted = {53: bytes([Type.DISCOVER]), **{int(code[1:]): data for code, data in options.items()}}
        message = Message(op=1, xid=xid, secs=secs, chaddr=parse_mac(PHONES[0]), options=wanted)
        return dhcp.encode(message), BROADCAST

    own = discover(7, 4, _60=b"a phone")
    forged = [discover(1000 + number, number % 60, _60=b"forged") for number in range(500)]
    batch = [*forged[:250], discover(7, 0, _60=b"a phone"), own, *forged[250:]]
    assert overload.thin(batch) == [own, forged[-1]]
    assert overload.shed == 500
    varied = [discover(number, 0, _60=b"%d" % number) for number in range(500)]
    assert overload.thin([*varied, own]) == [*varied[-OF_ONE + 1 :], own]
    other = discover(1, 1)[0][:28] + parse_mac(PHONES[1]) + discover(1, 1)[0][34:], BROADCAST
    assert other in overload.thin([*varied, other])


@pytest.mark.parametrize("kind", list(Type))
def test_declines_and_releases_in_phones_names_are_put_off_beside_a_flood(kind: Type) -> None:
    overload = Overload(lambda _: True)
    message = Message(op=1, xid=1, chaddr=parse_mac(PHONES[0]), options={53: bytes([kind])})
    batch = [(dhcp.encode(message), BROADCAST)]
    assert overload.sift(batch) == ([] if kind in {Type.DECLINE, Type.RELEASE} else batch)


def test_server_knows_listed_phones_and_who_has_a_lease_or_an_offer() -> None:
    site = Site()
    leased, offered, stranger = (parse_mac(f"02:00:00:00:00:0{number}") for number in range(3))
    site.boot("02:00:00:00:00:00")
    site.send("02:00:00:00:00:01", Type.DISCOVER)
    assert [site.server.knows(mac) for mac in (parse_mac(PHONES[0]), leased, offered)] == [True] * 3
    assert not site.server.knows(stranger)

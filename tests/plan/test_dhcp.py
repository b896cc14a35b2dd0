"""From inventory to DHCP: every default, every option with its origin, every value that cannot be served."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

from netprov.dhcp.client import Client, Identity
from netprov.dhcp.config import DhcpConfig
from netprov.dhcp.message import decode
from netprov.dhcp.server import Server
from netprov.errors import InventoryError
from netprov.inventory.model import Inventory
from netprov.machine import Endpoint
from netprov.plan.dhcp import plan_dhcp, without
from netprov.plan.offer import Offers, Preview
from netprov.plan.site import resolve

MAC = bytes.fromhex("001234ab45de")
VOICE = {"interface": "lan0", "subnet": "10.20.0.0/24"}
ACS = "https://pr1.example.com:7547/"


def plan(**sections: Any) -> DhcpConfig:
    inventory: dict[str, Any] = {"domain": "example.com", "networks": {"voice": VOICE}} | sections
    return plan_dhcp(resolve(Inventory.model_validate(inventory)))


def offered(
    config: DhcpConfig, mac: bytes = MAC, *, vendor_class: str = "", asks: bytes | None = None
) -> Preview:
    return Offers(config).preview(mac, vendor_class=vendor_class, asks=asks)


def codes(offer: Preview) -> list[int]:
    return [each.code for each in offer.options]


def option(offer: Preview, code: int) -> bytes:
    return next(each.data for each in offer.options if each.code == code)


def test_two_line_inventory_gives_basics() -> None:
    offer = offered(plan())
    assert codes(offer) == [54, 51, 58, 59, 1, 3, 6, 15]
    assert option(offer, 15) == b"example.com"
    assert option(offer, 3) == option(offer, 6) == IPv4Address("10.20.0.1").packed
    assert not offer.served


def test_cisco_vendor_class_is_served_by_default() -> None:
    assert offered(plan(), vendor_class="CP-8851-3PCC").served
    assert offered(plan(), vendor_class="Grandstream HT702 dslforum.org").served
    assert not offered(plan(), vendor_class="MSFT 5.0").served


def test_srv_phone_gets_no_provisioning_option() -> None:
    options = {
        66: "10.20.0.1",
        150: "10.20.0.1",
        159: "10.20.0.1",
        160: "http://h/",
        43: "http://h/",
        132: "120",
    }
    config = plan(classes={"mpp": {"match": {"vendor_class": "CP-*"}, "method": "srv", "options": options}})
    offer = offered(config, vendor_class="CP-8851-3PCC")
    assert codes(offer) == [54, 51, 58, 59, 1, 3, 6, 15, 132]
    assert {66, 150, 159, 160, 43} == {each.setting.code for each in offer.withheld}


def test_dhcp_phone_gets_its_class_options_in_the_order_asked() -> None:
    options = {66: "10.20.0.1", 150: ["10.20.0.1", "10.20.0.2"], 160: "http://h/$PSN.xml"}
    config = plan(
        classes={"d": {"method": "dhcp", "options": options, "force": 160}},
        phones=[{"mac": MAC.hex(), "class": "d"}],
    )
    offer = offered(config, asks=bytes([150, 66, 6]))
    assert codes(offer) == [54, 51, 58, 59, 150, 66, 6, 1, 3, 15, 160]
    assert next(each.origin for each in offer.options if each.code == 66) == ("classes", "d", "options", 66)


def test_acs_phone_gets_43_and_125() -> None:
    config = plan(
        classes={
            "cpe": {
                "match": {"vendor_class_contains": "dslforum.org"},
                "method": "acs",
                "acs_url": ACS,
                "provisioning_code": "P1",
            }
        }
    )
    offer = offered(config, vendor_class="CP-8851-3PCC dslforum.org")
    pairs = bytes([1, len(ACS)]) + ACS.encode() + b"\x02\x02P1"
    assert pairs == option(offer, 43)
    block = bytes([11, len(ACS)]) + ACS.encode() + b"\x0c\x02P1"
    assert b"\x00\x00\x0d\xe9" + bytes([len(block)]) + block == option(offer, 125)


def test_acs_url_is_not_for_method_dhcp() -> None:
    offer = offered(
        plan(classes={"d": {"method": "dhcp", "acs_url": ACS}}, phones=[{"mac": MAC.hex(), "class": "d"}])
    )
    assert not {43, 125} & set(codes(offer))


def test_manual_phone_gets_network_basics() -> None:
    config = plan(
        classes={"m": {"method": "manual", "options": {132: "120", 66: "10.20.0.1"}}},
        phones=[{"mac": MAC.hex(), "class": "m", "name": "desk"}],
    )
    assert codes(offered(config)) == [54, 51, 58, 59, 1, 3, 6, 12, 15]


def test_phone_entry_overrides_its_class() -> None:
    config = plan(
        classes={"d": {"match": {"mac": "00:12"}, "method": "dhcp", "options": {66: "a"}}},
        phones=[{"mac": MAC.hex(), "options": {66: "b"}, "address": "10.20.0.50"}],
    )
    offer = offered(config)
    assert option(offer, 66) == b"b"
    assert int(IPv4Address("10.20.0.50")) == offer.address


def test_routes_come_with_the_default_route() -> None:
    """RFC 3442: a client that takes 121 ignores 3."""
    config = plan(networks={"voice": VOICE | {"routes": [{"to": "10.30.0.0/16", "via": "10.20.0.254"}]}})
    offer = offered(config)
    assert option(offer, 121).hex() == "100a1e0a1400fe" + "000a140001"
    assert {3, 121} <= set(codes(offer))


def test_reserved_part_is_cut_out_of_the_pool() -> None:
    assert without(((1, 10), (20, 30)), ((5, 7), (30, 30))) == ((1, 4), (8, 10), (20, 29))
    network = plan(networks={"voice": VOICE | {"reserved": "10.20.0.150-10.20.0.199"}}).networks[0]
    assert network.pool == ((0x0A140064, 0x0A140095),)
    assert network.reserved == ((0x0A140096, 0x0A1400C7),)


def test_network_behind_a_relay_is_told_an_address_of_this_server() -> None:
    config = plan(networks={"voice": VOICE, "far": {"subnet": "10.30.0.0/24"}})
    assert int(IPv4Address("10.20.0.1")) == config.networks[1].address


def test_wrong_values_are_collected_with_their_paths() -> None:
    with pytest.raises(InventoryError) as caught:
        plan(
            networks={"voice": VOICE | {"options": {51: 60, 200: "x"}}},
            classes={"a": {"match": {"mac": "xx", "not": {"circuit_id": "0x1"}}, "options": {150: "name"}}},
        )
    assert [problem.path for problem in caught.value.problems] == [
        ("networks", "voice", "options", 51),
        ("networks", "voice", "options", 200),
        ("classes", "a", "match", "mac"),
        ("classes", "a", "match", "not", "circuit_id"),
        ("classes", "a", "options", 150),
    ]


def test_phone_with_a_class_of_its_own_is_not_matched() -> None:
    config = plan(
        classes={"all": {"match": {"mac": "00"}, "method": "dhcp"}, "own": {"method": "manual"}},
        phones=[{"mac": MAC.hex(), "class": "own"}],
    )
    assert offered(config).class_name == "own"


def test_a_device_that_tells_its_identity_is_shown_the_gateways_as_on_the_wire() -> None:
    gateway = {"oui": "001234", "serial": "GW1"}
    config = plan(networks={"voice": VOICE | {"gateway": gateway, "clients": "all"}})
    device = {125: bytes.fromhex("00000de90e") + b"\x01\x06001234\x02\x04SN01"}
    offer = Offers(config).preview(MAC, extra=device)
    (found,) = (each for each in offer.options if each.code == 125)
    assert (found.data, found.origin) == (
        bytes.fromhex("00000de90d") + b"\x04\x06001234\x05\x03GW1",
        ("networks", "voice", "gateway"),
    )


def test_an_option_that_does_not_fit_is_shown_as_not_sent() -> None:
    options = {200 + number: {"raw": "x" * 250} for number in range(8)}
    offer = offered(plan(networks={"voice": VOICE | {"options": options, "clients": "all"}}))
    assert [each.setting.code for each in offer.withheld] == [204, 205, 206, 207]
    assert "does not fit" in offer.withheld[0].reason
    assert not {204, 205, 206, 207} & set(codes(offer))


def test_a_network_without_addresses_to_give_serves_listed_phones_alone() -> None:
    config = plan(
        networks={"voice": VOICE | {"pool": [], "clients": "all"}},
        phones=[{"mac": "02:00:00:00:00:01", "address": "10.20.0.50"}],
    )
    assert (offered(config).served, offered(config).reason) == (False, "no free address on network voice")
    assert offered(config, bytes.fromhex("020000000001")).served


def test_a_network_behind_a_relay_is_asked_through_one() -> None:
    config = plan(networks={"voice": VOICE, "far": {"subnet": "10.30.0.0/24", "router": "10.30.0.254"}})
    offer = Offers(config).preview(MAC, vendor_class="CP-8851-3PCC", network="far")
    assert (offer.network, offer.reply.giaddr) == ("far", int(IPv4Address("10.30.0.254")))
    assert option(offer, 54) == IPv4Address("10.20.0.1").packed
    assert offer.offered == int(IPv4Address("10.30.0.100"))


def test_what_is_shown_is_what_the_server_sends() -> None:
    """Joined in memory: the octets of the preview are those of an OFFER to the same client."""
    options = {66: "10.20.0.1", 150: ["10.20.0.1", "10.20.0.2"], 132: "120"}
    config = plan(
        classes={"d": {"match": {"host_name": "sep*"}, "method": "dhcp", "options": options}},
        phones=[{"mac": MAC.hex(), "address": "10.20.0.50"}],
    )
    identity = Identity(MAC, "CP-8851-3PCC", hostname="SEP001234AB45DE", request_list=(66, 150, 132))
    client = Client(identity, lambda _bits: 7, "lan0")
    client.start(0.0)
    (discover,) = client.datagrams_to_send()
    server = Server(config)
    server.receive(discover.data, Endpoint("0.0.0.0", 68, "lan0"), 0.0)
    (sent,) = server.datagrams_to_send()
    shown = Offers(config).preview(
        MAC, vendor_class="CP-8851-3PCC", asks=bytes((66, 150, 132)), hostname="SEP001234AB45DE"
    )
    assert [(53, b"\x02"), *((each.code, each.data) for each in shown.options)] == [
        *decode(sent.data).options.items()
    ]

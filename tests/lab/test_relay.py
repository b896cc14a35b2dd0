"""The lab's relay agent: what it changes in messages, each way."""

from __future__ import annotations

from ipaddress import IPv4Address

from netprov.dhcp.message import BOOTREPLY, BOOTREQUEST, Message
from netprov.lab.relay import to_client, to_server

GIADDR = IPv4Address("10.30.0.1")
REQUEST = Message(BOOTREQUEST, 1, bytes(6), options={53: b"\x01"})
RELAY_INFO = b"\x01\x04lan1"


def test_request_gets_giaddr_hop_and_circuit_id_last() -> None:
    assert to_server(REQUEST, GIADDR, "lan1") == REQUEST._replace(
        hops=1, giaddr=int(GIADDR), options={53: b"\x01", 82: RELAY_INFO}
    )


def test_option_82_of_a_client_is_replaced() -> None:
    forged = REQUEST._replace(options={82: b"\x01\x01x", 53: b"\x01"})
    outward = to_server(forged, GIADDR, "lan1")
    assert outward is not None
    assert list(outward.options.items()) == [(53, b"\x01"), (82, RELAY_INFO)]


def test_request_from_another_relay_keeps_its_giaddr_and_option_82() -> None:
    relayed = REQUEST._replace(giaddr=7, hops=1, options={53: b"\x01", 82: b"\x01\x01x"})
    assert to_server(relayed, GIADDR, "lan1") == relayed._replace(hops=2)


def test_request_that_came_too_far_and_a_reply_are_not_taken_to_the_server() -> None:
    assert to_server(REQUEST._replace(hops=16), GIADDR, "lan1") is None
    assert to_server(REQUEST._replace(op=BOOTREPLY), GIADDR, "lan1") is None


def test_reply_loses_option_82_and_one_for_another_relay_is_dropped() -> None:
    reply = Message(BOOTREPLY, 1, bytes(6), giaddr=int(GIADDR), options={53: b"\x02", 82: RELAY_INFO})
    assert to_client(reply, GIADDR) == reply._replace(options={53: b"\x02"})
    assert to_client(reply._replace(giaddr=9), GIADDR) is None
    assert to_client(reply._replace(op=BOOTREQUEST), GIADDR) is None

"""The client, state by state; scapy builds the replies and reads the requests. Each test names the section it holds."""

from __future__ import annotations

import heapq
from dataclasses import replace
from ipaddress import IPv4Address
from itertools import count, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from netprov.dhcp.client import RETRANSMISSION, Client, Identity, State
from netprov.dhcp.client_event import Acquired, InformAnswered, Lost, OfferReceived, Refused, Renewed
from netprov.dhcp.lease import LeaseState
from netprov.machine import Datagram, Dropped, Endpoint
from tests.dhcp.link import CLIENT, CONFIG, FAR, MAC, VOICE, Lan

SERVER = Endpoint("10.20.0.1", 67, "lan0")
XID = 0x5EED
TOLD = [("server_id", "10.20.0.1"), ("lease_time", 3600), ("subnet_mask", "255.255.255.0")]


def client(**fields: Any) -> Client:
    """Return a client whose random numbers are all the same, so that it waits exactly the seconds of the table."""
    draws = {32: XID, 16: 32768}
    return Client(Identity(MAC, **fields), lambda bits: draws[bits], "lan0")


def said(each: Client) -> list[Any]:
    """Return what it sends, as (destination, source, BOOTP header, options) read by scapy."""
    found = []
    for datagram in each.datagrams_to_send():
        packet = BOOTP(datagram.data)
        options = {option[0]: option[1] for option in packet[DHCP].options if isinstance(option, tuple)}
        found.append((datagram.destination.address, datagram.source, packet, options))
    return found


def reply(kind: str, *, options: list[Any] | None = None, **fields: Any) -> bytes:
    header = {"op": 2, "xid": XID, "chaddr": MAC + bytes(10), "yiaddr": "10.20.0.50"} | fields
    return bytes(BOOTP(**header) / DHCP(options=[("message-type", kind), *(options or TOLD), "end"]))


def bound(**fields: Any) -> Client:
    each = client(**fields)
    each.start(100.0)
    each.receive(reply("offer"), SERVER, 100.5)
    each.receive(reply("ack"), SERVER, 101.0)
    assert each.state is State.BOUND
    each.events()
    each.datagrams_to_send()
    return each


def test_discover_says_who_the_client_is() -> None:
    """RFC 2131 4.4.1, table 5."""
    each = client(
        vendor_class="CP-8851-3PCC", client_id=b"\x01" + MAC, hostname="SEP001234AB45DE", lease_time=600, broadcast=True
    )  # fmt: skip
    each.start(100.0)
    ((destination, source, packet, options),) = said(each)
    assert (destination, source) == ("255.255.255.255", "0.0.0.0")
    assert (packet.op, packet.xid, packet.chaddr[:6], packet.ciaddr) == (1, XID, MAC, "0.0.0.0")
    assert packet.flags.value == 0x8000
    assert options["message-type"] == 1
    assert options["vendor_class_id"] == b"CP-8851-3PCC"
    assert options["client_id"] == b"\x01" + MAC
    assert options["hostname"] == b"SEP001234AB45DE"
    assert (options["lease_time"], options["max_dhcp_size"]) == (600, 1500)
    assert 66 in options["param_req_list"]


def test_offer_is_asked_for_by_address_and_server() -> None:
    """RFC 2131 4.3.2: DHCPREQUEST generated during SELECTING; ciaddr is zero, options 50 and 54 are set."""
    each = client()
    each.start(100.0)
    each.datagrams_to_send()
    each.receive(reply("offer"), SERVER, 103.0)
    ((_, _, packet, options),) = said(each)
    assert (options["message-type"], options["requested_addr"], options["server_id"]) == (
        3,
        "10.20.0.50",
        "10.20.0.1",
    )
    assert (packet.ciaddr, packet.secs) == ("0.0.0.0", 3)
    assert [type(event) for event in each.events()] == [OfferReceived]


def test_lease_counts_from_the_request_and_t1_t2_default_to_half_and_seven_eighths() -> None:
    """RFC 2131 4.4.1 and 4.4.5."""
    each = client()
    each.start(100.0)
    each.receive(reply("offer"), SERVER, 100.5)
    each.receive(reply("ack"), SERVER, 109.0)
    acquired = each.events()[-1]
    assert isinstance(acquired, Acquired)
    lease = acquired.lease
    assert (lease.obtained, lease.t1, lease.t2, lease.expires) == (100.5, 1900.5, 3250.5, 3700.5)
    assert (lease.address, lease.server_id, each.timer()) == ("10.20.0.50", "10.20.0.1", 1900.5)


def test_lease_counts_from_the_original_request_not_its_repetition() -> None:
    """RFC 2131 4.4.1: the answer may be to either, and the server counts from the first."""
    each = client()
    each.start(0.0)
    each.receive(reply("offer"), SERVER, 1.0)
    each.handle_timer(5.0)
    each.receive(reply("ack"), SERVER, 5.5)
    assert each.lease is not None
    assert each.lease.expires == 3601.0


def test_t1_and_t2_of_the_server_are_kept() -> None:
    """RFC 2132 9.11 and 9.12."""
    each = client()
    each.start(0.0)
    each.receive(reply("offer"), SERVER, 0.0)
    each.receive(reply("ack", options=[*TOLD, ("renewal_time", 60), ("rebinding_time", 120)]), SERVER, 0.0)
    assert each.lease is not None
    assert (each.lease.t1, each.lease.t2) == (60.0, 120.0)


def test_silence_is_asked_again_after_4_8_16_32_64_seconds() -> None:
    """RFC 2131 4.1."""
    each = client()
    each.start(0.0)
    due = [each.timer()]
    for _ in range(6):
        each.handle_timer(due[-1] or 0.0)
        due.append(each.timer())
    gaps = [(later or 0) - (earlier or 0) for earlier, later in zip([0.0, *due], due, strict=False)]
    assert gaps == [*RETRANSMISSION, 64, 64]
    sent = said(each)
    assert [packet.secs for _, _, packet, _ in sent] == [0, 4, 12, 28, 60, 124, 188]
    assert {packet.xid for _, _, packet, _ in sent} == {XID}


def test_offer_that_is_never_acknowledged_is_given_up() -> None:
    """RFC 2131 3.1.5: the client restarts the initialization procedure."""
    each = client()
    each.start(0.0)
    each.receive(reply("offer"), SERVER, 0.0)
    while each.state is State.REQUESTING:
        each.handle_timer(each.timer() or 0.0)
    assert each.state is State.SELECTING
    assert [options["message-type"] for *_, options in said(each)] == [1, 3, 3, 3, 3, 3, 1]


def test_former_address_is_asked_for_first_and_given_up_for_a_discover() -> None:
    """RFC 2131 4.4.2: INIT-REBOOT has option 50 and no option 54."""
    each = client()
    each.start(0.0, "10.20.0.77")
    ((_, _, _, options),) = said(each)
    assert (options["message-type"], options["requested_addr"]) == (3, "10.20.0.77")
    assert "server_id" not in options
    each.receive(
        reply("nak", options=[("server_id", "10.20.0.1"), ("error_message", b"wrong network")]), SERVER, 1.0
    )
    assert each.events() == [Refused("10.20.0.1", "wrong network")]
    assert (each.state, said(each)[0][3]["message-type"]) == (State.SELECTING, 1)


def test_renewal_goes_to_the_server_then_rebinding_to_everybody() -> None:
    """RFC 2131 4.4.5: ciaddr is set, options 50 and 54 are not; half of what is left, at least 60 s."""
    each = bound()
    each.handle_timer(1900.5)
    ((destination, source, packet, options),) = said(each)
    assert (destination, source, packet.ciaddr, each.state) == (
        "10.20.0.1",
        "10.20.0.50",
        "10.20.0.50",
        State.RENEWING,
    )
    assert not {"requested_addr", "server_id"} & set(options)
    assert each.timer() == 1900.5 + (3250.5 - 1900.5) / 2
    while each.state is State.RENEWING:
        each.handle_timer(each.timer() or 0.0)
    assert said(each)[-1][0] == "255.255.255.255"
    waits = []
    while each.state is State.REBINDING:
        waits.append(each.timer() or 0.0)
        each.handle_timer(waits[-1])
    assert waits[-1] == 3700.5
    assert all(later - earlier >= 60 for earlier, later in pairwise(waits[:-1]))
    assert each.events() == [Lost("10.20.0.50")]
    assert (each.state, each.lease) == (State.SELECTING, None)


@pytest.mark.parametrize("at", [1900.5, 3250.5])
def test_acknowledged_renewal_starts_the_lease_anew(at: float) -> None:
    each = bound()
    each.handle_timer(1900.5)
    if at > 3000:
        each.handle_timer(at)
    each.receive(reply("ack", yiaddr="0.0.0.0", ciaddr="10.20.0.50"), SERVER, at + 2)
    (renewed,) = each.events()
    assert isinstance(renewed, Renewed)
    assert (renewed.lease.address, renewed.lease.expires, each.state) == (
        "10.20.0.50",
        at + 3600,
        State.BOUND,
    )


def test_renewing_early_is_possible_only_with_a_lease() -> None:
    each = client()
    each.renew(0.0)
    assert (each.state, said(each)) == (State.IDLE, [])
    each = bound()
    each.renew(200.0)
    assert (each.state, said(each)[0][3]["message-type"]) == (State.RENEWING, 3)


def test_release_is_unicast_and_ends_it() -> None:
    """RFC 2131 4.4.6, table 5: option 54 and no description of the client."""
    each = bound(vendor_class="CP-8851-3PCC", client_id=b"\x00lab")
    each.release()
    ((destination, _, packet, options),) = said(each)
    assert (destination, packet.ciaddr, each.state, each.timer()) == (
        "10.20.0.1",
        "10.20.0.50",
        State.IDLE,
        None,
    )
    assert options == {"message-type": 7, "client_id": b"\x00lab", "server_id": "10.20.0.1"}
    each.release()
    assert said(each) == []


def test_decline_is_broadcast_and_waits_ten_seconds() -> None:
    """RFC 2131 3.1.5 and 4.4.4, table 5."""
    each = bound()
    each.decline(110.0)
    ((destination, source, packet, options),) = said(each)
    assert (destination, source, packet.ciaddr) == ("255.255.255.255", "0.0.0.0", "0.0.0.0")
    assert options == {"message-type": 4, "requested_addr": "10.20.0.50", "server_id": "10.20.0.1"}
    each.handle_timer(119.9)
    assert (each.state, said(each)) == (State.INIT, [])
    each.handle_timer(120.0)
    assert (each.state, said(each)[0][3]["message-type"]) == (State.SELECTING, 1)
    each.decline(121.0)
    assert (each.state, said(each)) == (State.SELECTING, [])


def test_inform_has_its_address_in_ciaddr_and_gets_options() -> None:
    """RFC 2131 4.4.3."""
    each = client()
    each.inform("10.20.0.9", 0.0)
    ((_, source, packet, options),) = said(each)
    assert (source, packet.ciaddr, options["message-type"]) == ("10.20.0.9", "10.20.0.9", 8)
    each.receive(
        reply("ack", yiaddr="0.0.0.0", options=[("server_id", "10.20.0.1"), (66, b"tftp")]), SERVER, 1.0
    )
    (informed,) = each.events()
    assert isinstance(informed, InformAnswered)
    assert (informed.server_id, informed.options[66], each.state) == ("10.20.0.1", b"tftp", State.IDLE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "octets"),
        (reply("offer", op=1), "not a BOOTREPLY"),
        (reply("offer", xid=1), "answers no open request (xid)"),
        (reply("offer", chaddr=bytes(16)), "for another client (chaddr)"),
        (reply("offer", yiaddr="0.0.0.0"), "offer without address or server identifier"),
        (reply("offer", options=[("lease_time", 60)]), "offer without address or server identifier"),
        (reply("ack"), "message type 5 in state SELECTING"),
        (reply("nak"), "message type 6 in state SELECTING"),
    ],
    ids=["empty", "request", "xid", "chaddr", "no address", "no server", "ack too early", "nak too early"],
)
def test_reply_that_fits_nothing_is_dropped_with_its_reason(data: bytes, reason: str) -> None:
    each = client()
    each.start(0.0)
    each.datagrams_to_send()
    each.receive(data, SERVER, 1.0)
    (dropped,) = each.events()
    assert isinstance(dropped, Dropped)
    assert reason in dropped.reason
    assert (each.state, said(each)) == (State.SELECTING, [])


def test_acknowledgement_without_a_lease_time_binds_nothing() -> None:
    """RFC 2131 table 3: option 51 MUST be in a DHCPACK to a DHCPREQUEST."""
    each = client()
    each.start(0.0)
    each.receive(reply("offer"), SERVER, 0.0)
    each.events()
    each.receive(reply("ack", options=[("server_id", "10.20.0.1")]), SERVER, 1.0)
    assert [type(event) for event in each.events()] == [Dropped]
    assert each.state is State.REQUESTING


def test_reply_after_the_end_is_dropped() -> None:
    each = bound()
    each.release()
    each.receive(reply("ack"), SERVER, 300.0)
    assert [type(event) for event in each.events()] == [Dropped]
    assert each.lease is None


@given(
    seed=st.integers(0, 2**32), loss=st.sampled_from([0.0, 0.1, 0.4, 0.8]), lease_time=st.integers(60, 900)
)
def test_client_never_believes_in_a_lease_that_its_server_has_ended(
    seed: int, loss: float, lease_time: int
) -> None:
    """RFC 2131 4.4.1: the lease counts from the request, so the client's always ends first, whatever is lost or late."""
    draw = Random(seed)
    lan = Lan(replace(CONFIG, networks=(replace(VOICE, lease=lease_time), FAR)))
    each = Client(Identity(MAC), draw.getrandbits, "lan0")
    serial, queue = count(), list[tuple[float, int, bool, Datagram]]()
    begin, lan.now = lan.now, lan.now
    each.start(begin)
    while lan.now < begin + 6 * lease_time:
        for upwards, sent in ((True, each.datagrams_to_send()), (False, lan.server.datagrams_to_send())):
            for datagram in sent:
                if draw.random() >= loss:
                    heapq.heappush(queue, (lan.now + draw.random() * 3, next(serial), upwards, datagram))
        due = [
            timer for timer in (each.timer(), lan.server.timer(), *[each[0] for each in queue[:1]]) if timer
        ]
        lan.now = max(lan.now, min(due))
        while queue and queue[0][0] <= lan.now:
            *_, upwards, datagram = heapq.heappop(queue)
            if upwards:
                lan.server.receive(
                    datagram.data, replace(CLIENT, address=datagram.source or "0.0.0.0"), lan.now
                )
            else:
                each.receive(datagram.data, SERVER, lan.now)
        lan.server.handle_timer(lan.now)
        each.handle_timer(lan.now)
        lan.server.events()
        if each.lease is not None and lan.now < each.lease.expires:
            address = int(IPv4Address(each.lease.address))
            (held,) = (lease for lease in lan.server.leases() if lease.address == address)
            assert (held.mac, held.state) == (MAC, LeaseState.BOUND)
            assert held.expires >= each.lease.expires
    assert each.lease is not None or loss

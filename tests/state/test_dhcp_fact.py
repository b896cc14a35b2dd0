"""What of DHCP is worth keeping, and of whom."""

from __future__ import annotations

import pytest

from netprov.dhcp.lease import Bound, Declined, Lease, LeaseState, Nak, Released
from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.standing import Fact
from netprov.state.dhcp_fact import REPEAT_S, DhcpFacts

MAC = bytes.fromhex("001234ab45de")
WHO = MAC.hex(":")
LEASE = Lease(0x0A140064, "voice", MAC, MAC, LeaseState.BOUND, 0, 1)
DROP = Dropped("no free address on network voice", Endpoint("0.0.0.0", 68, "lan0", MAC))
NAK = Nak(MAC, "voice", "10.9.9.9 is not yours")


@pytest.mark.parametrize(
    ("event", "fact", "text"),
    [
        (Bound(LEASE), Fact("10.20.0.100", WHO), f"{WHO} gets 10.20.0.100 on voice"),
        (Bound(LEASE, renewed=True), None, ""),
        (Released(LEASE), Fact("10.20.0.100", WHO), f"{WHO} gives 10.20.0.100 on voice back"),
        (
            Declined(LEASE, "probe"),
            Fact("", WHO),
            "10.20.0.100 on voice is in use by a stranger, says a probe",
        ),
        (NAK, Fact("", WHO), f"{WHO} is refused (DHCPNAK) on voice: 10.9.9.9 is not yours"),
        (DROP, Fact("", WHO), f"{WHO} gets no answer: no free address on network voice"),
        (Dropped("too short", Endpoint("10.20.0.9", 68)), None, ""),
    ],
)
def test_events_become_facts_of_a_client(event: Event, fact: Fact | None, text: str) -> None:
    found = DhcpFacts().fact_of(event, 0.0)
    assert fact == (found[1] if found else None)
    assert text == (str(found[0]) if found else "")


def test_the_same_refusal_is_told_again_only_after_a_while() -> None:
    facts = DhcpFacts()
    times = [0.0, 1.0, REPEAT_S - 1, REPEAT_S, REPEAT_S + 1]
    assert [facts.fact_of(DROP, now) is not None for now in times] == [True, False, False, True, False]
    assert facts.fact_of(NAK, REPEAT_S + 2) is not None  # another reason


def test_the_end_of_refusals_is_a_fact_even_if_it_only_renews() -> None:
    facts = DhcpFacts()
    facts.fact_of(NAK, 0.0)
    assert facts.fact_of(Bound(LEASE, renewed=True), 1.0) is not None
    assert facts.fact_of(Bound(LEASE, renewed=True), 2.0) is None
    assert facts.fact_of(NAK, 3.0) is not None

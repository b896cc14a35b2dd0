"""The teller: each event is reported, or counted; metrics count all."""

from __future__ import annotations

from netprov.dhcp.lease import Bound, Expired, Lease, LeaseState
from netprov.machine import Dropped, Endpoint, Event
from netprov.runtime.metrics import Metrics
from netprov.runtime.role import Suppressed
from netprov.runtime.throttle import EACH_SECOND, Throttle

LEASE = Lease(0x0A140064, "voice", b"k", b"\0" * 6, LeaseState.BOUND, 0.0, 3600.0)


def test_every_event_of_a_flood_is_counted_and_some_are_told() -> None:
    said: list[Event] = []
    metrics = Metrics()

    def report(service: str, event: Event) -> None:
        said.append(event)
        metrics.count(service, event)

    throttle = Throttle("dhcp", report)
    for second in range(2):
        throttle.tell([Bound(LEASE)] * (EACH_SECOND - 1))
        throttle.tell([Dropped("late", Endpoint("10.20.0.9", 68))] * 41)
        throttle.tell([Expired(LEASE)] * 7)
        throttle.settle()
        told = said[second * (EACH_SECOND + 2) :]
        assert told[-2:] == [Suppressed("Dropped", 40), Suppressed("Expired", 7)]
        assert len(told) == EACH_SECOND + 2
    assert str(Suppressed("Expired", 7)) == "7 more Expired in the last second"
    assert Suppressed("Dropped", 40).everyday
    assert not Suppressed("Expired", 7).everyday
    counted = {kind: count for (_, kind, _), count in metrics.counts.items()}
    assert counted == {"Bound": 2 * (EACH_SECOND - 1), "Dropped": 82, "Expired": 14}

"""The teller: each event is reported, or counted; metrics count all."""

from __future__ import annotations

import asyncio

from netprov.dhcp.lease import Bound, Expired, Lease, LeaseState
from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.event import SyslogLine
from netprov.runtime.metrics import Metrics
from netprov.runtime.role import Notice, Suppressed
from netprov.runtime.throttle import EACH_SECOND, EACH_SENDER, STRANGERS, LineThrottle, Throttle

LEASE = Lease(0x0A140064, "voice", b"k", b"\0" * 6, LeaseState.BOUND, 0.0, 3600.0)


def test_every_event_of_a_flood_is_counted_and_some_are_told() -> None:
    said: list[Event] = []
    metrics = Metrics()

    def report(service: str, event: Event) -> None:
        said.append(event)
        metrics.count(service, event)

    throttle = Throttle("dhcp", report, more={"Dropped": 30})
    for second in range(2):
        throttle.tell([Bound(LEASE)] * (EACH_SECOND - 1))
        throttle.tell([Dropped("late", Endpoint("10.20.0.9", 68))] * 41)
        throttle.tell([Expired(LEASE)] * 7)
        throttle.settle()
        told = said[second * (EACH_SECOND - 1 + 30 + 7 + 1) :]
        assert told[-1] == Suppressed("Dropped", 41 - 30)
        assert len(told) == EACH_SECOND - 1 + 30 + 7 + 1
    assert str(Suppressed("Expired", 7)) == "7 more Expired in the last second"
    assert Suppressed("Dropped", 40).everyday
    assert not Suppressed("Expired", 7).everyday
    counted = {kind: count for (_, kind, _), count in metrics.counts.items()}
    assert counted == {"Bound": 2 * (EACH_SECOND - 1), "Dropped": 82, "Expired": 14}


def lines(*events: Event, window: float = 3600.0) -> list[Event]:
    """Return what a log takes of events; the phone is the one at 10.20.0.50."""
    said: list[Event] = []

    async def go() -> None:
        throttle = LineThrottle(
            lambda _, event: said.append(event), lambda address: address == "10.20.0.50", window=window
        )
        for event in events:
            throttle("syslog", event)
        throttle.settle()

    asyncio.run(go())
    return said


def test_a_log_takes_so_many_lines_of_a_sender_and_tells_the_number_of_the_rest() -> None:
    line = SyslogLine("10.20.0.9", 6, "again")
    assert lines(*[line] * (EACH_SENDER + 3)) == [*[line] * EACH_SENDER, Suppressed("SyslogLine", 3)]


def test_strangers_of_many_addresses_leave_room_in_the_log_for_a_phone_and_for_us() -> None:
    strangers = [SyslogLine(f"10.9.{number >> 8}.{number & 255}", 6, "x") for number in range(STRANGERS + 5)]
    phone, notice = SyslogLine("10.20.0.50", 6, "here"), Notice("a disk is full", "error")
    assert lines(*strangers, phone, notice) == [
        *strangers[:STRANGERS],
        *(phone, notice, Suppressed("SyslogLine", 5)),
    ]

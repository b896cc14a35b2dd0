"""Log lines: one each, in words, without secrets."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import dataclass, field
from io import StringIO
from typing import ClassVar

from netprov.dhcp.other import OtherServer
from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.event import SyslogLine
from netprov.runtime.log import DELAY_S, EventLog, describe
from netprov.runtime.role import Notice


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    octets: bytes
    secret: str = field(repr=False)
    event_kind: ClassVar[str] = "Sample"


def test_event_is_its_kind_and_its_fields_without_secrets() -> None:
    assert describe(Sample("a phone", b"\x01\xff", "hunter2")) == "Sample name='a phone' octets=01ff"


def test_event_with_its_own_sentence_is_logged_as_that() -> None:
    assert describe(Notice("pr2 is not on this machine")) == "pr2 is not on this machine"


def test_endpoint_is_written_as_address_port_and_interface() -> None:
    event = Dropped("too short", Endpoint("10.20.0.5", 68, "lan0"))
    assert describe(event) == "Dropped reason='too short' source=10.20.0.5:68%lan0"


def logged(event: Event, *, journal: bool = True, verbose: bool = False) -> str:
    stream = StringIO()
    EventLog(stream, journal=journal, verbose=verbose)("dhcp", event)
    return stream.getvalue()


def test_dropped_datagram_is_an_everyday_event() -> None:
    event = Dropped("too short", Endpoint("10.20.0.5", 68))
    assert logged(event) == ""
    assert logged(event, verbose=True) == "<7>dhcp: Dropped reason='too short' source=10.20.0.5:68\n"


def test_notice_is_logged_at_its_own_severity() -> None:
    assert logged(Notice("the store is full", "error")) == "<3>dhcp: the store is full\n"


def test_severity_of_a_phones_own_message_is_not_ours() -> None:
    """RFC 5424 counts severities from 0; what a phone sends says nothing about how we log it."""
    assert logged(SyslogLine("10.20.0.50", 6, "link up")) == ""
    assert logged(SyslogLine("10.20.0.50", 0, "panic"), verbose=True) == "<7>dhcp: 10.20.0.50 says: panic\n"


def test_event_that_names_its_level_is_logged_at_it() -> None:
    assert logged(OtherServer("10.20.0.9", b"\0" * 6, "lan0")).startswith("<4>dhcp: ")


def test_event_is_one_line_whatever_it_holds() -> None:
    assert logged(Notice("one\ntwo")) == "<6>dhcp: one two\n"


class Writes(list[str]):
    """A stream that keeps each write apart."""

    def write(self, text: str) -> int:
        self.append(text)
        return len(text)


def test_events_of_one_moment_are_written_in_one_piece_and_in_their_order() -> None:
    writes = Writes()
    log = EventLog(writes, journal=True, verbose=False)  # type: ignore[arg-type]

    async def turn() -> None:
        log("dhcp", Notice("one"))
        log("dns", Notice("two"))
        assert writes == []
        async with asyncio.timeout(20):
            while not writes:
                await asyncio.sleep(DELAY_S)
        assert writes == ["<6>dhcp: one\n<6>dns: two\n"]
        log("dhcp", Notice("three"))

    asyncio.run(turn())
    log("dhcp", Notice("four"))
    log.flush()
    assert "".join(writes[1:]) == "<6>dhcp: three\n<6>dhcp: four\n"


def test_events_of_another_thread_are_written_at_once() -> None:
    writes = Writes()
    log = EventLog(writes, journal=True, verbose=False)  # type: ignore[arg-type]
    thread = threading.Thread(target=log, args=("tftp", Notice("one")))
    thread.start()
    thread.join()
    assert writes == ["<6>tftp: one\n"]


def test_terminal_is_told_the_time() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d dhcp: up\n", logged(Notice("up"), journal=False))

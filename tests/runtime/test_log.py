"""Log lines: one each, in words, without secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import StringIO
from typing import ClassVar

from netprov.dhcp.other import OtherServer
from netprov.machine import Dropped, Endpoint, Event
from netprov.provision.event import SyslogLine
from netprov.runtime.log import EventLog, describe
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


def test_terminal_is_told_the_time() -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d dhcp: up\n", logged(Notice("up"), journal=False))

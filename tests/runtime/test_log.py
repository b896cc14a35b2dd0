"""Log lines: one each, in words, without secrets."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import pytest

from netprov.machine import Dropped, Endpoint
from netprov.runtime.log import describe, log_event
from netprov.runtime.service import Notice


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    octets: bytes
    secret: str = field(repr=False)


def test_event_is_its_kind_and_its_fields_without_secrets() -> None:
    assert describe(Sample("a phone", b"\x01\xff", "hunter2")) == "Sample name='a phone' octets=01ff"


def test_event_with_its_own_sentence_is_logged_as_that() -> None:
    assert describe(Notice("pr2 is not on this machine")) == "pr2 is not on this machine"


def test_endpoint_is_written_as_address_port_and_interface() -> None:
    event = Dropped("too short", Endpoint("10.20.0.5", 68, "lan0"))
    assert describe(event) == "Dropped reason='too short' source=10.20.0.5:68%lan0"


def test_dropped_datagram_is_an_everyday_event(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log_event("dhcp", Dropped("too short", Endpoint("10.20.0.5", 68)))
    assert caplog.records == []


def test_notice_is_logged_at_its_own_severity(caplog: pytest.LogCaptureFixture) -> None:
    log_event("dns", Notice("the store is full", "error"))
    assert caplog.record_tuples == [("dns", logging.ERROR, "the store is full")]

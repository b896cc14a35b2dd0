"""An ACS and hostile messages: each has its answer and leaves a record, and phones are served beside it."""

from __future__ import annotations

import tracemalloc
from xml.etree import ElementTree as ET

import pytest

from netprov.cwmp.acs import Acs
from netprov.cwmp.device import MessageRefused
from netprov.cwmp.session import AcsRequest, Reply
from netprov.machine import Dropped
from tests.cwmp.link import Link, config, phone
from tests.hostile.soap import Hostile, Where, inform, messages

MESSAGES = tuple(messages())
MAC = (
    "<ParameterList><ParameterValueStruct><Name>Device.LAN.MACAddress</Name><Value>00:12:34:ab:45:de</Value>"
)
LISTED = inform(more=f"{MAC}</ParameterValueStruct></ParameterList>")

SESSION = 8 << 10
"""Octets that a session and the record of its device may take; 1.8 KiB were measured."""


class Sender:
    """A device that says what it likes, on one connection."""

    def __init__(self, acs: Acs) -> None:
        self._acs = acs
        self._cookie = ""

    def say(self, body: bytes) -> Reply:
        reply = self._acs.respond(AcsRequest(body, self._cookie, "10.20.0.66", "evil"), 1000, "evil")
        self._cookie = dict(reply.headers).get("Set-Cookie", self._cookie).partition(";")[0]
        return reply

    def reach(self, where: Where) -> None:
        """Hold a session as far as there."""
        if where == "outside":
            return
        assert "InformResponse" in told(self.say(LISTED))
        if where == "asked":
            assert "SetParameterValues" in told(self.say(b""))


def told(reply: Reply) -> str:
    """Return what a reply is: its HTTP status where it is none of SOAP, its fault code, or its method."""
    if reply.status != 200:
        return str(reply.status)
    root = ET.fromstring(reply.body)
    code = root.find(".//FaultCode")
    return (root[1][0].tag.rpartition("}")[2] if code is None else code.text) or ""


def test_there_are_more_than_200_messages_and_no_two_are_the_same() -> None:
    assert len({(each.where, each.body) for each in MESSAGES}) == len(MESSAGES)
    assert len(MESSAGES) > 200


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: f"{each.where}-{each.name}"[:60])
def test_hostile_message_is_answered_as_the_standard_says_and_a_phone_is_served_beside(
    message: Hostile,
) -> None:
    acs = Acs(config())
    honest = Link(phone(), acs)
    honest.cpe.boot(honest.now, bootstrap=True)
    honest.step()
    sender = Sender(acs)
    if message.where == "outside":
        expected = {"taken": "InformResponse"}.get(message.comes, message.comes)
        assert told(sender.say(message.body)) == expected
        honest.run()
        assert honest.cpe.configured
        return
    sender.reach(message.where)
    acs.events()
    assert told(sender.say(message.body)) == message.comes
    refusals = [each for each in acs.events() if isinstance(each, MessageRefused | Dropped)]
    assert [each.source for each in refusals if isinstance(each, MessageRefused)] == ["10.20.0.66"]
    # A message that cannot be read ends its session: the empty POST that follows belongs to none.
    assert told(sender.say(b"")) == ("400" if message.comes == "400" else "SetParameterValues")
    honest.run()
    assert honest.cpe.configured


@pytest.mark.parametrize("where", ["inside", "asked"])
def test_session_that_stalls_at_a_step_is_over_after_its_time_and_its_device_begins_anew(
    where: Where,
) -> None:
    acs = Acs(config())
    sender = Sender(acs)
    sender.reach(where)
    late = Link(phone(), acs, now=1000 + acs.limits.idle + 1)
    late.cpe.boot(late.now, bootstrap=True)
    late.run()
    assert late.cpe.configured
    assert acs.sessions == 0
    assert told(sender.say(b"")) == "400"


def test_a_thousand_open_sessions_take_little_memory_and_a_phone_is_served_beside() -> None:
    acs = Acs(config())
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1000):
            body = inform(serial=f"EVIL{number}")
            reply = acs.respond(AcsRequest(body, "", "10.20.0.66", f"c{number}"), 1000, f"t{number}")
            assert told(reply) == "InformResponse"
            acs.events()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert acs.sessions == 1000
    assert after - before < 1000 * SESSION
    honest = Link(phone(), acs)
    honest.cpe.boot(honest.now, bootstrap=True)
    honest.run()
    assert honest.cpe.configured

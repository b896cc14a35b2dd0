"""Whoever watches an emulated phone is told what it waits for while a server is silent."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from netprov.cli.verb.lab.phone.story import still_waiting
from netprov.emulator.failure import COMPRESSED
from netprov.emulator.phone import Waiting, World
from netprov.errors import ServiceError
from netprov.phone.action import Action, AskDhcp, Failed, Fetch, Lease, Resolve, Trouble, Wait
from netprov.phone.handset.identity import MODELS, Identity
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import parse_url
from netprov.runtime.dns.ask import ask

MAC = "00:12:34:ab:45:de"
ASK = AskDhcp("CP-8851-3PCC", (66,), MAC)


class Silent:
    """A link whose server says nothing until somebody was told of it."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.actions: list[Action] = []

    def tell(self, action: Action) -> None:
        self.actions.append(action)
        self.told.set()

    async def ask(self, _action: AskDhcp) -> Lease | Failed:
        await self.told.wait()
        return Failed(Trouble.TIMEOUT, "16 s")


def world(link: Silent, after: float) -> World:
    handset = Handset(Identity(MAC, MODELS["CP-8851-3PCC"]), random.randrange)
    return World(handset, link, COMPRESSED, Waiting(link.tell, after))


def test_a_silent_server_is_told_before_the_phone_gives_up() -> None:
    async def test() -> None:
        link = Silent()
        assert await world(link, 0).perform(ASK) == Failed(Trouble.TIMEOUT, "16 s")
        assert link.actions == [ASK]

    asyncio.run(asyncio.wait_for(test(), 30))


def test_an_answer_in_time_is_told_by_its_own_step_alone() -> None:
    async def test() -> None:
        link = Silent()
        link.told.set()
        await world(link, 3600).perform(ASK)
        assert link.actions == []

    asyncio.run(asyncio.wait_for(test(), 30))


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (ASK, "no DHCP server has answered on lan0 yet; the phone asks for 16 s in all"),
        (
            Resolve("pr1.example.com", "A", ("10.20.0.1",)),
            "no answer yet for pr1.example.com from DNS 10.20.0.1",
        ),
        (
            Fetch(parse_url("http://pr1.example.com/x"), "10.20.0.11"),
            "no answer yet from pr1.example.com (10.20.0.11); the phone waits 8 s at most",
        ),
        (Wait(30, "before it resyncs"), "the phone lets 30 s pass: before it resyncs"),
    ],
)
def test_what_is_waited_for_is_said_in_words(action: Action, said: str) -> None:
    assert still_waiting(action, COMPRESSED, "lan0") == said


def test_each_try_of_a_question_that_has_no_answer_is_told() -> None:
    told: list[tuple[int, int]] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with pytest.raises(ServiceError, match="does not answer"):
            asyncio.run(
                ask(
                    "a.example",
                    1,
                    "127.0.0.1",
                    port,
                    patience=0.01,
                    waiting=lambda *tries: told.append(tries),
                )
            )
    assert told == [(1, 3), (2, 3)]

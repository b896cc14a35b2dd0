"""The real process of the ACS, killed while an operator's calls are asked, sent and answered: nothing lost, nothing made twice."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from netprov.cwmp import codec, rpc
from netprov.cwmp.action import Answer, Post
from netprov.cwmp.transaction import ENDS
from netprov.errors import ServiceError
from netprov.runtime.control.client import ask, ask_each
from netprov.runtime.process import DRAIN
from netprov.state.acs.store import FILE as ACS_FILE
from netprov.state.acs.store import AcsStore
from tests.cwmp.link import PHONE
from tests.port import free_port
from tests.runtime.cwmp.driven import Driven

pytestmark = pytest.mark.timeout(600)

KEY = str(PHONE)
INTERVAL = "Device.ManagementServer.PeriodicInformInterval"
SITE = """\
domain: example.com
networks: {{lo: {{interface: lo, subnet: 127.0.0.0/24, pool: []}}}}
hosts: {{pr1: 127.0.0.1, far: 192.0.2.1}}
srv: {{https: [{{target: pr1, port: 443}}]}}
classes: {{cpe: {{method: acs, acs_url: 'http://pr1.example.com:{port}/'}}}}
phones: [{{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, class: cpe}}]
"""
ROUNDS = 6
BOUND_S = 300
MOMENTS = ("before", "during", "after")
"""When it dies: as the phone begins to speak; while it is asked; when the phone has its answer."""


class Killed:
    """`netprov serve acs`, which is started again whenever it is needed."""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state"
        self.port = free_port()
        self.file = directory / "site.yaml"
        self.file.write_text(SITE.format(port=self.port))
        self.server: asyncio.subprocess.Process | None = None

    async def begin(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "netprov", "serve", "acs", "-f", str(self.file), "--state", str(self.state),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def start(self) -> None:
        if self.server is not None:
            return
        self.server = await self.begin()
        assert self.server.stdout is not None
        while b"Ready" not in (line := await self.server.stdout.readline()):
            assert line, "it ended before it served"

    async def kill(self, number: int = signal.SIGKILL) -> None:
        if self.server is not None:
            with suppress(ProcessLookupError):
                self.server.send_signal(number)
            await self.server.communicate()
            self.server = None

    async def ask(self, operation: str, **arguments: Any) -> list[Any]:
        return await asyncio.to_thread(lambda: list(ask(self.state, operation, arguments)))

    async def drain(self, begun: asyncio.Event) -> None:
        """Drain it, and wait until it has ended."""
        loop, arguments = asyncio.get_running_loop(), {"roles": ["acs"], "seconds": float(BOUND_S)}

        def follow() -> None:
            for _ in ask_each(self.state, ("acs",), DRAIN, arguments):
                loop.call_soon_threadsafe(begun.set)

        await asyncio.to_thread(follow)
        assert self.server is not None
        await self.server.communicate()
        self.server = None

    async def queue(self, call: rpc.Rpc) -> int:
        message = codec.encode(rpc.Message(call)).decode()
        [queued] = await self.ask(
            "acs.queue", call=message, devices=[KEY], untyped=[], lasts=3600, at_once=0, window=[]
        )
        number: int = queued["first"]
        return number

    async def told(self) -> dict[int, dict[str, Any]]:
        return {
            each["id"]: each for each in await self.ask("acs.history", device="", first=0, last=0, limit=999)
        }


@asynccontextmanager
async def killed(directory: Path) -> AsyncIterator[tuple[Killed, Driven]]:
    acs = Killed(directory)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            phone = Driven(f"http://127.0.0.1:{acs.port}/", client)
            await acs.start()
            await phone.session()
            yield acs, phone
    finally:
        await acs.kill()


def dying(acs: Killed, phone: Driven, at: int, moment: str, later: float) -> None:
    """Have the ACS die once, at a post of the phone from now; it is started again before the next."""
    fatal = phone.posts + at

    async def send(post: Post) -> Answer:
        await acs.start()
        if phone.posts != fatal:
            return await phone.post(post)
        if moment == "before":
            await acs.kill()
            return await phone.post(post)
        if moment == "after":
            answer = await phone.post(post)
            await acs.kill()
            return answer
        posting = asyncio.create_task(phone.post(post))
        await asyncio.wait((posting,), timeout=later)
        await acs.kill()
        return await posting

    phone.send = send


async def sessions(acs: Killed, phone: Driven) -> dict[int, dict[str, Any]]:
    """Hold sessions until everything has ended, six at the most."""
    for _ in range(6):
        await phone.session()
        await acs.start()
        told = await acs.told()
        if all(each["state"] in ENDS for each in told.values()):
            return told
    pytest.fail(f"not ended: {told}")


def test_what_is_promised_survives_death_at_any_moment_and_is_done_once(tmp_path: Path) -> None:
    chance = random.Random(4711)
    sets: dict[int, rpc.ParameterValue] = {}
    reboots, downloads = set(), set()

    async def check() -> None:
        async with killed(tmp_path) as (acs, phone):
            for number in range(ROUNDS):
                value = rpc.ParameterValue(INTERVAL, str(1000 + number), "xsd:unsignedInt")
                sets[await acs.queue(rpc.SetParameterValues((value,)))] = value
                reboots.add(await acs.queue(rpc.Reboot()))
                downloads.add(await acs.queue(rpc.Download("", rpc.FIRMWARE, f"http://a.example/{number}")))
                dying(acs, phone, chance.randint(1, 6), MOMENTS[number % 3], chance.uniform(0, 0.02))
                told = await sessions(acs, phone)
            assert set(told) == {*sets, *reboots, *downloads}, "each that was promised, each once"
            for number, value in sets.items():
                times = sum(
                    count
                    for each, count in phone.did.items()
                    if isinstance(each, rpc.SetParameterValues) and each.parameters == (value,)
                )
                assert (told[number]["state"], 1 <= times <= 2) == ("done", True), told[number]
            for number in reboots:
                assert_once(told[number], phone.did[rpc.Reboot(f"t-{number}")])
            for number in downloads:
                times = sum(
                    count
                    for each, count in phone.did.items()
                    if isinstance(each, rpc.Download) and each.command_key == f"t-{number}"
                )
                assert_once(told[number], times)

    asyncio.run(asyncio.wait_for(check(), BOUND_S))


def assert_once(told: dict[str, Any], times: int) -> None:
    """What a device must not do twice was made once, or it is said that nobody knows."""
    assert (told["state"], times) in {("done", 1), ("unknown", 1), ("unknown", 0)}, told


def test_what_an_operator_was_promised_is_there_when_the_acs_dies_at_once(tmp_path: Path) -> None:
    promised: set[int] = set()

    async def ask_on(acs: Killed) -> None:
        with suppress(ServiceError):
            while True:
                promised.add(await acs.queue(rpc.Reboot()))

    async def check() -> None:
        async with killed(tmp_path) as (acs, _phone):
            asking = [asyncio.create_task(ask_on(acs)) for _ in range(4)]
            while len(promised) < 20:
                await asyncio.wait(asking, timeout=0.01)
                assert not all(each.done() for each in asking)
            await acs.kill()
            await asyncio.gather(*asking)

    asyncio.run(asyncio.wait_for(check(), BOUND_S))
    store = AcsStore(tmp_path / "state" / ACS_FILE)
    kept = {each.number: each.state for each in store.live()}
    store.close()
    assert promised <= kept.keys()
    assert {"queued"} == set(kept.values())


def test_nobody_serves_beside_an_acs_that_drains_and_who_comes_next_makes_what_it_left_once(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        jar = aiohttp.DummyCookieJar()
        async with killed(tmp_path) as (acs, phone), aiohttp.ClientSession(cookie_jar=jar) as later:
            numbers = [await acs.queue(rpc.Reboot()) for _ in range(2)]
            begun, refused = asyncio.Event(), b""
            draining: list[asyncio.Task[None]] = []
            made: list[int] = []

            async def drained(post: Post) -> Answer:
                nonlocal refused
                try:
                    answer = await phone.post(post)
                except aiohttp.ClientError:
                    await taken_over()
                    raise
                if b"Reboot>" in answer.body and not draining:
                    draining.append(asyncio.create_task(acs.drain(begun)))
                    await begun.wait()
                    successor = await acs.begin()
                    refused, _ = await successor.communicate()
                    assert successor.returncode, "it must not serve beside the one that drains"
                return answer

            async def taken_over() -> None:
                assert draining, "it was not to go yet"
                before, phone.client = phone.client, later
                await before.close()
                await asyncio.gather(*draining)
                made.extend(phone.did[rpc.Reboot(f"t-{number}")] for number in numbers)
                await acs.start()

            phone.send = drained
            await phone.session()
            if not made:
                await taken_over()
            phone.send = phone.post
            told = await sessions(acs, phone)
            assert b"is served with the state directory" in refused
            assert made == [1, 0], "what was under way went on, and nothing new was begun"
            assert [told[number]["state"] for number in numbers] == ["done", "done"]
            assert [phone.did[rpc.Reboot(f"t-{number}")] for number in numbers] == [1, 1]

    asyncio.run(asyncio.wait_for(check(), BOUND_S))

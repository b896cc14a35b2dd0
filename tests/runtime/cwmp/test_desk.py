"""What an operator asks of the running ACS, and what a phone over real sockets makes of it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from netprov.cwmp import codec, rpc
from netprov.errors import NetprovError, ServiceError
from netprov.runtime.operation import Asker
from netprov.state.acs.store import FILE as ACS_FILE
from tests.cwmp.link import MAC, PHONE
from tests.port import free_port
from tests.runtime.cwmp.driven import Driven
from tests.runtime.cwmp.test_service import Ran, plan, run, running

KEY = str(PHONE)
ALICE = Asker(1, "alice")
INTERVAL = "Device.ManagementServer.PeriodicInformInterval"


class Seat:
    """An operator before a running ACS, and a phone that has been heard of."""

    def __init__(self, ran: Ran, driven: Driven) -> None:
        self.ran = ran
        self.phone = driven

    async def ask(self, operation: str, **arguments: Any) -> list[Any]:
        return [each async for each in self.ran.service.operations()[operation](ALICE, arguments)]

    async def queue(self, call: rpc.Rpc, **more: Any) -> int:
        message = codec.encode(rpc.Message(call)).decode()
        usual = {"devices": [KEY], "untyped": [], "lasts": 3600, "at_once": 0, "window": []}
        [queued] = await self.ask("acs.queue", call=message, **{**usual, **more})
        first = queued["first"]
        assert isinstance(first, int)
        return first

    async def told(self, number: int) -> dict[str, Any]:
        [found] = await self.ask("acs.history", device="", first=number, last=number, limit=1)
        assert isinstance(found, dict)
        return found

    async def done(self, call: rpc.Rpc, **more: Any) -> dict[str, Any]:
        number = await self.queue(call, **more)
        await self.phone.session()
        return await self.told(number)


@asynccontextmanager
async def seated(state: Path) -> AsyncIterator[Seat]:
    port = free_port()
    async with running(state, plan(f"http://pr1.example.com:{port}/")) as ran:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            driven = Driven(f"http://127.0.0.1:{port}/", client)
            await driven.session()
            yield Seat(ran, driven)


CALLS = [
    (rpc.GetRPCMethods(), "methods"),
    (rpc.GetParameterValues((INTERVAL,)), "parameters"),
    (rpc.GetParameterNames("Device.", next_level=True), "names"),
    (rpc.GetParameterAttributes((INTERVAL,)), "attributes"),
    (rpc.SetParameterAttributes((rpc.NewAttributes(INTERVAL, 1),)), ""),
    (rpc.SetParameterValues((rpc.ParameterValue(INTERVAL, "600", "xsd:unsignedInt"),)), "status"),
    (rpc.AddObject("Device.Services.VoiceService.1.VoiceProfile.1.Line."), ""),
    (rpc.Reboot(), ""),
    (rpc.Download("", rpc.FIRMWARE, "http://a.example/f"), ""),
    (rpc.Download("", rpc.CONFIGURATION, "http://a.example/c"), ""),
    (rpc.Download("", rpc.CUSTOM_CA, "http://a.example/ca"), ""),
    (rpc.FactoryReset(), ""),
]


@pytest.mark.parametrize(("call", "field"), CALLS)
def test_each_method_is_delivered_and_its_answer_told(tmp_path: Path, call: rpc.Rpc, field: str) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            told = await seat.done(call)
            if isinstance(call, rpc.AddObject) and told["state"] == "failed":
                assert told["note"].startswith("9005"), "this phone has no voice service"
                return
            assert ("done", rpc.method_of(call), "alice", 1) == (
                told["state"], told["method"], told["user"], told["tries"],
            )  # fmt: skip
            assert not field or field in told["answer"]

    run(check)


def test_failed_transfer_is_told_in_words(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            seat.phone.faults["http://a.example/f"] = (9018, "wrong hash")
            told = await seat.done(rpc.Download("", rpc.FIRMWARE, "http://a.example/f"))
            assert (told["state"], told["note"]) == ("failed", "9018 wrong hash")
            assert seat.ran.service._acs.devices[KEY].fault == "", "the profile is another matter"

    run(check)


def test_fault_names_the_parameter(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            told = await seat.done(rpc.SetParameterValues((rpc.ParameterValue("Device.Nonsense", "1"),)))
            assert told["state"] == "failed"
            assert "Device.Nonsense: 9005" in told["note"]

    run(check)


def test_value_without_a_type_gets_the_one_that_was_reported(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            wanted = rpc.SetParameterValues((rpc.ParameterValue(INTERVAL, "600"),))
            with pytest.raises(ServiceError, match="has not reported of what type"):
                await seat.queue(wanted, untyped=[INTERVAL])
            await seat.done(rpc.GetParameterValues((INTERVAL,)))
            told = await seat.done(wanted, untyped=[INTERVAL])
            assert (told["state"], told["arguments"]["parameters"][0]["type"]) == ("done", "xsd:unsignedInt")
            assert seat.phone.did[rpc.Reboot("")] == 0
            chunks = await seat.ask("acs.values", device=KEY)
            values = {each["name"]: each["value"] for chunk in chunks for each in chunk["values"]}
            assert values[INTERVAL] == "3600", "what it reported, until it reports again"

    run(check)


def test_order_of_a_device_is_kept_and_its_settings_stay_its_own(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            first = await seat.queue(
                rpc.SetParameterValues((rpc.ParameterValue(INTERVAL, "600", "xsd:unsignedInt"),))
            )
            second = await seat.queue(rpc.GetParameterValues((INTERVAL,)))
            before = seat.phone.did.total()
            await seat.phone.session()
            assert [(await seat.told(each))["state"] for each in (first, second)] == ["done", "done"]
            assert (await seat.told(second))["answer"]["parameters"][0]["value"] == "600"
            await seat.phone.session()
            asked = [type(each).__name__ for each in seat.phone.did]
            assert asked.count("SetParameterValues") == 2, "the ACS's own once, the operator's once"
            assert seat.phone.did.total() > before

    run(check)


def test_who_waits_is_told_as_each_ends(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            first = await seat.queue(rpc.GetRPCMethods())
            last = await seat.queue(rpc.Reboot())
            waiting = asyncio.create_task(seat.ask("acs.wait", first=first, last=last))
            await seat.phone.session()
            said = [each for each in await waiting if each]
            assert [(first, "done"), (last, "done")] == [(each["id"], each["state"]) for each in said]
            assert [each["id"] for each in await seat.ask("acs.wait", first=first, last=last)] == [
                first,
                last,
            ]

    run(check)


def test_what_waits_can_be_cancelled_and_what_ended_cannot(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            number = await seat.queue(rpc.Reboot())
            assert await seat.ask("acs.cancel", first=number, last=number) == [{"id": number, "error": ""}]
            await seat.phone.session()
            assert (await seat.told(number))["state"] == "cancelled"
            assert seat.phone.did[rpc.Reboot(f"t-{number}")] == 0
            [again] = await seat.ask("acs.cancel", first=number, last=number)
            assert "no transaction" in again["error"]

    run(check)


def test_expired_call_is_not_sent(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            told = await seat.done(rpc.Reboot(), lasts=0)
            assert told["state"] == "expired"
            assert not [each for each in seat.phone.did if isinstance(each, rpc.Reboot)]

    run(check)


def test_devices_are_told_with_names_and_why_they_are_behind(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            [chunk] = await seat.ask("acs.devices")
            [device] = chunk["devices"]
            assert (
                device["key"], device["mac"], device["class"], device["model"], device["behind"],
            ) == (KEY, MAC, "cpe", "CP-8851-3PCC", "")  # fmt: skip

    run(check)


def test_phone_that_never_informed_is_told_too(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(tmp_path, plan(f"http://pr1.example.com:{free_port()}/")) as ran:
            operation = ran.service.operations()["acs.devices"]
            [chunk] = [each async for each in operation(ALICE, {})]
            [device] = chunk["devices"]
            assert (device["key"], device["mac"], device["behind"]) == ("", MAC, "it has never Informed")

    run(check)


@pytest.mark.parametrize(
    "wrong",
    [{"devices": ["nobody"]}, {"devices": [7]}, {"window": [1]}, {"window": [0, 9999]}, {"devices": []}],
)
def test_nonsense_is_refused_in_words(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            with pytest.raises(NetprovError):
                await seat.queue(rpc.Reboot(), **wrong)
            assert not seat.ran.service._acs.queue.live

    run(check)


def test_what_cannot_be_kept_is_asked_of_nobody(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            await seat.phone.session()
            store = seat.ran.service._records
            assert store._database is not None
            store._database.execute("PRAGMA query_only = 1")
            with pytest.raises(ServiceError, match="nothing is asked"):
                await seat.queue(rpc.Reboot())
            assert not seat.ran.service._acs.queue.live
            store._database.execute("PRAGMA query_only = 0")
            assert (await seat.done(rpc.GetRPCMethods()))["state"] == "done"

    run(check)


def test_call_that_cannot_be_kept_as_sent_does_not_leave(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated(tmp_path) as seat:
            number = await seat.queue(rpc.Reboot())
            store = seat.ran.service._records
            assert store._database is not None
            writable = store._database

            async def fail_once(post: Any) -> Any:
                writable.execute(f"PRAGMA query_only = {int(seat.phone.posts == failing)}")
                return await seat.phone.post(post)

            failing = seat.phone.posts + 2  # the Inform, then the empty POST that the Reboot would answer
            seat.phone.send = fail_once
            await seat.phone.session()
            assert (await seat.told(number))["state"] == "done"
            assert seat.phone.did[rpc.Reboot(f"t-{number}")] == 1

    run(check)


def test_passwords_are_on_disk_only_until_they_are_set(tmp_path: Path) -> None:
    password = "hush-hush-4711"
    name = "Device.ManagementServer.ConnectionRequestPassword"

    async def check() -> None:
        async with seated(tmp_path) as seat:
            told = await seat.done(rpc.SetParameterValues((rpc.ParameterValue(name, password),)))
            assert told["state"] == "done"
            assert password not in str(told)

    run(check)
    with sqlite3.connect(os.fspath(tmp_path / ACS_FILE)) as database:
        records = [record for (record,) in database.execute("SELECT record FROM asked")]
    assert records
    assert not [record for record in records if password in record]

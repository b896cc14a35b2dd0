"""Connection requests over real sockets, to a door that shares no code with the ACS's client."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from netprov.cwmp import rpc
from netprov.cwmp.device import Device
from netprov.cwmp.parameter import REQUEST_PASSWORD, REQUEST_URL, REQUEST_USER
from netprov.runtime.cwmp.connection_request import ConnectionRequests
from tests.cwmp.link import MAC
from tests.runtime.cwmp.test_desk import KEY, Seat, seated
from tests.runtime.cwmp.test_service import run


class Door:
    """Where a device takes connection requests: Digest by RFC 2617, worked out here; `answer` may say something else first."""

    def __init__(self, account: Callable[[], tuple[str, str]]) -> None:
        self._account = account
        self.knocks = 0
        self.taken = 0
        self.answer: Callable[[int], web.Response | None] = lambda _number: None
        self.url = ""

    async def visited(self, request: web.Request) -> web.Response:
        self.knocks += 1
        said = self.answer(self.knocks)
        if said is not None:
            return said
        if not self._good(request):
            challenge = 'Digest realm="phone", nonce="n1", qop="auth", algorithm=MD5'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        self.taken += 1
        return web.Response()

    def _good(self, request: web.Request) -> bool:
        told = dict(re.findall(r'(\w+)="?([^",]*)"?', request.headers.get("Authorization", "")))
        user, password = self._account()
        first = _md5(f"{user}:phone:{password}")
        second = _md5(f"GET:{request.path_qs}")
        expected = _md5(f"{first}:n1:{told.get('nc')}:{told.get('cnonce')}:auth:{second}")
        return bool(password) and (told.get("username"), told.get("response")) == (user, expected)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@asynccontextmanager
async def opened(account: Callable[[], tuple[str, str]]) -> AsyncIterator[Door]:
    door = Door(account)
    server = web.ServerRunner(web.Server(door.visited))  # type: ignore[arg-type]
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    door.url = f"http://127.0.0.1:{server.addresses[0][1]}/secret-path"
    try:
        yield door
    finally:
        await server.cleanup()


@asynccontextmanager
async def seated_at_a_door(state: Path) -> AsyncIterator[tuple[Seat, Door]]:
    async with seated(state) as seat:
        parameters = seat.phone.cpe.parameters
        async with opened(
            lambda: (parameters.value(REQUEST_USER), parameters.value(REQUEST_PASSWORD))
        ) as door:
            parameters.assign(REQUEST_URL, door.url)
            await seat.phone.session()
            yield seat, door


async def connect(seat: Seat) -> str:
    [said] = await seat.ask("acs.connect", devices=[KEY])
    assert (said["device"], said["mac"]) == (KEY, MAC)
    error = said["error"]
    assert isinstance(error, str)
    return error


def test_phone_is_asked_for_a_session_by_the_account_that_it_got(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated_at_a_door(tmp_path) as (seat, door):
            assert await connect(seat) == ""
            assert (door.taken, door.knocks) == (1, 2)

    run(check)


def test_phone_that_refuses_its_account_gets_another_and_is_asked_by_that(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated_at_a_door(tmp_path) as (seat, door):
            parameters = seat.phone.cpe.parameters
            before = parameters.value(REQUEST_PASSWORD)
            parameters.assign(REQUEST_PASSWORD, "somebody set it")
            assert "refuses the ACS's account" in await connect(seat)
            assert "in its next session" in await connect(seat)
            await seat.phone.session()
            assert parameters.value(REQUEST_PASSWORD) not in {before, "somebody set it"}
            assert await connect(seat) == ""
            assert door.taken == 1

    run(check)


def test_account_outlasts_the_acs_and_is_told_to_nobody(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated_at_a_door(tmp_path) as (seat, door):
            password = seat.phone.cpe.parameters.value(REQUEST_PASSWORD)
            said = [await seat.ask("acs.devices"), await seat.ask("acs.values", device=KEY)]
            assert password
            assert password not in str((said, seat.ran.events))
            [kept] = seat.ran.service._records.load(10)
            assert await asker().ask(kept) == await asker().ask(seat.ran.service._acs.devices[KEY])
            assert door.taken == 2

    run(check)


def asker() -> ConnectionRequests:
    return ConnectionRequests(pauses=(0, 0), timeout=aiohttp.ClientTimeout(total=0.5))


ANSWERS: list[tuple[str, Callable[[int], web.Response | None], str, int]] = [
    ("busy twice", lambda number: web.Response(status=503) if number < 3 else None, "", 4),
    ("busy", lambda _: web.Response(status=503), "busy", 3),
    ("elsewhere", lambda _: web.Response(status=302, headers={"Location": "/other"}), "302", 1),
    (
        "Basic", lambda _: web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="phone"'}),
        "refuses the ACS's account", 1,
    ),
    ("gone", lambda _: web.Response(status=404), "404", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "why", "knocks"), [each[1:] for each in ANSWERS], ids=[each[0] for each in ANSWERS]
)
def test_what_comes_of_a_request_is_told_in_words(answer: Any, why: str, knocks: int) -> None:
    async def check() -> None:
        async with opened(lambda: ("netprov", "p1")) as door:
            door.answer = answer
            asked = await asker().ask(device(door.url))
            assert why in asked.error if why else asked.error == ""
            assert door.knocks == knocks

    run(check)


def test_device_that_nobody_answers_for_is_tried_three_times_and_told() -> None:
    async def check() -> None:
        async with opened(lambda: ("netprov", "p1")) as door:
            url = door.url
        asked = await asker().ask(device(url))
        assert "cannot be asked" in asked.error

    run(check)


def test_other_address_than_the_device_s_own_is_not_asked() -> None:
    async def check() -> None:
        async with opened(lambda: ("netprov", "p1")) as door:
            asked = await asker().ask(device(door.url, address="127.0.0.2"))
            assert "is at '127.0.0.1'" in asked.error
            assert door.knocks == 0

    run(check)


def device(url: str, address: str = "127.0.0.1") -> Device:
    return Device(KEY, listed=True, address=address, request_url=url, request_password="p1")


def test_call_is_delivered_in_the_session_that_was_asked_for(tmp_path: Path) -> None:
    async def check() -> None:
        async with seated_at_a_door(tmp_path) as (seat, door):
            number = await seat.queue(rpc.GetRPCMethods())
            assert await connect(seat) == ""
            assert door.taken == 1
            seat.phone.cpe.trigger(rpc.EventCode("6 CONNECTION REQUEST"), seat.phone.now)
            assert (await seat.told(number))["state"] == "queued"
            await seat.phone.go_on()
            assert (await seat.told(number))["state"] == "done"

    run(check)

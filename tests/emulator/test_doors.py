"""A living phone's own doors, by real sockets on loopback: its web page and its SIP port follow its address."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from netprov.emulator.doors import MOST_VISITORS, Doors
from netprov.emulator.stay import Pace, Stay
from netprov.phone.action import Action, AskDhcp, Lease, Result, Say
from netprov.phone.handset.memory import Handset
from netprov.phone.life.input import LeaseAsked
from netprov.phone.life.machine import LivingPhone
from tests.phone.test_page import notify
from tests.phone.world import PHONE, Server, World, no_chance
from tests.port import free_port


class Lan:
    """DHCP gives the addresses in turn."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self._world = World({66: b"10.20.0.1"}, servers={"tftp 10.20.0.1 69": Server()})
        self.said: list[str] = []

    async def perform(self, action: Action) -> Result:
        result = self._world(action)
        if isinstance(action, Say):
            self.said.append(action.text)
        if isinstance(action, AskDhcp) and isinstance(result, Lease):
            return replace(result, address=self.addresses.pop(0))
        return result


def get(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_doors_are_where_the_phone_is() -> None:
    page, sip = str(free_port()), str(free_port(socket.SOCK_DGRAM))
    identity = replace(
        PHONE,
        parameters=(("Web_Server_Port", page), ("SIP_Port_1_", sip), ("Auth_Resync-Reboot_1_", "No")),
    )

    async def test() -> None:
        told: list[str] = []
        phone = LivingPhone(Handset(identity, no_chance))
        lan = Lan("127.0.0.8", "127.0.0.9", "192.0.2.1")
        stay = Stay(phone, lan, Pace(), lambda _step: None)
        doors = Doors(stay, told.append)
        stay.at_rest = doors.follow
        living = asyncio.create_task(stay.run())
        await stay.rest()
        before = phone.tally.resyncs
        assert await asyncio.to_thread(get, f"http://127.0.0.8:{page}/admin/resync") == 200
        await stay.rest()
        assert phone.tally.resyncs == before + 1
        stay.happen(LeaseAsked())
        await stay.rest()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(20)
            await asyncio.to_thread(sock.sendto, notify("resync"), ("127.0.0.9", int(sip)))
            assert (await asyncio.to_thread(sock.recv, 2000)).startswith(b"SIP/2.0 200 OK")
        await stay.rest()
        assert phone.tally.resyncs == before + 3
        stay.happen(LeaseAsked())
        await stay.rest()
        assert [each.partition(" at ")[0] for each in told] == [
            "no web page of the phone",
            "no SIP port of the phone",
        ]
        living.cancel()
        await asyncio.wait((living,))
        await doors.close()

    asyncio.run(asyncio.wait_for(test(), 60))


def test_a_form_is_submitted_by_http_and_one_that_is_too_long_is_not() -> None:
    page = free_port()
    identity = replace(PHONE, parameters=(("Web_Server_Port", str(page)), ("SIP_Port_1_", "")))

    def sent(body: bytes) -> int:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.8:{page}/admin/advanced", body, timeout=20
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    async def test() -> None:
        phone = LivingPhone(Handset(identity, no_chance))
        stay = Stay(phone, Lan("127.0.0.8"), Pace(), lambda _step: None)
        doors = Doors(stay, lambda _text: None)
        stay.at_rest = doors.follow
        living = asyncio.create_task(stay.run())
        await stay.rest()
        assert await asyncio.to_thread(get, f"http://127.0.0.8:{page}/admin/advanced") == 200
        assert await asyncio.to_thread(sent, b"GPP_A=a+b&GPP_B=%26") == 200
        await stay.rest()
        assert (phone.handset["GPP_A"], phone.handset["GPP_B"]) == ("a b", "&")
        assert await asyncio.to_thread(sent, b"GPP_A=" + b"x" * (1 << 17)) == 413
        assert phone.handset["GPP_A"] == "a b"
        living.cancel()
        await asyncio.wait((living,))
        await doors.close()

    asyncio.run(asyncio.wait_for(test(), 60))


def test_ports_that_are_none_leave_the_phone_alive_and_are_told() -> None:
    identity = replace(PHONE, parameters=(("Web_Server_Port", "99999"), ("SIP_Port_1_", "-1")))

    async def test() -> None:
        told: list[str] = []
        stay = Stay(LivingPhone(Handset(identity, no_chance)), Lan("127.0.0.8"), Pace(), lambda _step: None)
        stay.at_rest = Doors(stay, told.append).follow
        living = asyncio.create_task(stay.run())
        await asyncio.wait((asyncio.ensure_future(stay.rest()), living), return_when=asyncio.FIRST_COMPLETED)
        assert not living.done()
        assert [each.partition(",")[0] for each in told] == [
            "Web_Server_Port is '99999'",
            "SIP_Port_1_ is '-1'",
        ]
        living.cancel()
        await asyncio.wait((living,))

    asyncio.run(asyncio.wait_for(test(), 60))


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"\xff\x1b[2J\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"HEAD /admin/reboot HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /admin/reboot HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_garbage_at_the_page_is_refused_and_nothing_is_said_of_it(
    request_: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    page = free_port()
    identity = replace(PHONE, parameters=(("Web_Server_Port", str(page)), ("SIP_Port_1_", "")))

    async def test() -> None:
        phone = LivingPhone(Handset(identity, no_chance))
        stay = Stay(phone, Lan("127.0.0.8"), Pace(), lambda _step: None)
        doors = Doors(stay, lambda _text: None)
        stay.at_rest = doors.follow
        living = asyncio.create_task(stay.run())
        await stay.rest()
        action = phone.action
        reader, writer = await asyncio.open_connection("127.0.0.8", page)
        writer.write(request_)
        assert re.match(rb"HTTP/1.[01] 40[05] ", await reader.readline())
        assert phone.action is action
        writer.close()
        living.cancel()
        await asyncio.wait((living,))
        await doors.close()

    asyncio.run(asyncio.wait_for(test(), 60))
    assert capfd.readouterr() == ("", "")


def test_strangers_who_hold_connections_leave_the_phone_its_descriptors() -> None:
    page = free_port()
    identity = replace(PHONE, parameters=(("Web_Server_Port", str(page)), ("SIP_Port_1_", "")))

    async def test() -> None:
        stay = Stay(LivingPhone(Handset(identity, no_chance)), Lan("127.0.0.8"), Pace(), lambda _step: None)
        doors = Doors(stay, lambda _text: None)
        stay.at_rest = doors.follow
        living = asyncio.create_task(stay.run())
        await stay.rest()
        held = [await asyncio.open_connection("127.0.0.8", page) for _ in range(MOST_VISITORS)]
        late, late_writer = await asyncio.open_connection("127.0.0.8", page)
        with contextlib.suppress(ConnectionResetError):
            assert await late.read() == b""
        for _, writer in (*held, (late, late_writer)):
            writer.close()
            with contextlib.suppress(ConnectionResetError):
                await writer.wait_closed()
        while await asyncio.to_thread(status_of, page) != 200:
            pass
        living.cancel()
        await asyncio.wait((living,))
        await doors.close()

    asyncio.run(asyncio.wait_for(test(), 60))


def status_of(page: int) -> int:
    try:
        return get(f"http://127.0.0.8:{page}/")
    except OSError:
        return 0

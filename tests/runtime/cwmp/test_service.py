"""The ACS service on loopback: HTTP and HTTPS by aiohttp's client, records on disk, reloads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from netprov.cwmp import codec, rpc
from netprov.cwmp.acs import Changes
from netprov.cwmp.action import Answer, Fetch, Post
from netprov.cwmp.device import Device
from netprov.cwmp.rpc import DeviceId
from netprov.errors import ServiceError
from netprov.inventory.load import parse
from netprov.machine import Event
from netprov.pki.names import PhoneSubject
from netprov.pki.store import Store
from netprov.plan import Plan, derive
from netprov.runtime.cwmp.service import AcsService
from netprov.runtime.role import RoleContext, reload
from netprov.runtime.web.server import Timeouts, WebLimits
from netprov.runtime.web.tls import client_context
from netprov.state.acs.store import FILE as ACS_FILE
from netprov.state.acs.store import AcsStore
from netprov.state.place import make_room
from tests.cwmp.link import phone
from tests.port import free_port

INFORM = codec.encode(rpc.Message(rpc.Inform(DeviceId("Cisco", "001234", "CP-8851-3PCC", "S1"), ()), "1"))


SRV = "srv: {https: [{target: pr1, port: 443}]}\n"


def plan(url: str, more: str = "", *, classes: str = "", srv: str = SRV) -> Plan:
    text = (
        "domain: example.com\n"
        "networks: {lo: {interface: lo, subnet: 127.0.0.0/24, pool: []}}\n"
        "hosts: {pr1: 127.0.0.1, far: 192.0.2.1}\n"
        f"{srv}classes:\n  cpe: {{method: acs, acs_url: '{url}'}}\n{classes}"
        "phones: [{mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, class: cpe}]\n"
    )
    return derive(parse(text + more, "site.yaml").inventory)


class Ran:
    """A running service, what it reported, and a client."""

    def __init__(self, service: AcsService, client: aiohttp.ClientSession, events: list[Event]) -> None:
        self.service = service
        self.client = client
        self.events = events

    async def post(self, url: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.post(
            url, data=BytesIO(body), headers=named, skip_auto_headers=["Content-Type"]
        ) as reply:
            return reply.status, await reply.read()


@asynccontextmanager
async def running(state: Path, at: Plan, **settings: Any) -> AsyncIterator[Ran]:
    events: list[Event] = []
    service = AcsService(RoleContext(state, lambda _name, event: events.append(event)), **settings)
    await service.start(at)
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            yield Ran(service, client, events)
    finally:
        await service.stop()


def run(check: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(check(), 30)

    asyncio.run(bounded())


def test_phone_is_configured_over_http_and_the_record_is_on_disk(tmp_path: Path) -> None:
    url = f"http://pr1.example.com:{(port := free_port())}/"

    async def check() -> None:
        async with running(tmp_path, plan(url)) as ran:
            assert list(ran.service.listening()) == [f"http 127.0.0.1:{port}"]
            cpe = phone(url.replace("pr1.example.com", "127.0.0.1"))
            cpe.boot(0, bootstrap=True)
            while not cpe.settled:
                match cpe.next_action(0):
                    case Post() as post:
                        async with ran.client.post(
                            post.url, data=post.body, headers=post.headers, skip_auto_headers=["Content-Type"]
                        ) as reply:
                            cpe.posted(
                                Answer(reply.status, tuple(reply.headers.items()), await reply.read()), 0
                            )
                    case Fetch() as fetch:
                        assert fetch.url == "https://pr1.example.com/Cisco/001234ab45de.cfg"
                        cpe.fetched(0)
            assert cpe.configured
            kinds = [type(event).__name__ for event in ran.events]
            assert kinds == [
                "InformReceived",
                "Configured",
                "DownloadRequested",
                "InformReceived",
                "FileTransferred",
            ]
        with sqlite3.connect(tmp_path / ACS_FILE) as database:
            [(record,)] = database.execute("SELECT record FROM device")
        assert '"mac": "00:12:34:ab:45:de"' in record

    run(check)


def test_acs_speaks_tls_with_a_certificate_for_its_host(tmp_path: Path) -> None:
    url = f"https://pr1.example.com:{(port := free_port())}/"

    async def check() -> None:
        async with running(tmp_path, plan(url)) as ran:
            context = client_context(Store(tmp_path / "pki").anchors())
            for name in ("pr1.example.com", "example.com"):
                async with ran.client.post(
                    f"https://127.0.0.1:{port}/", data=INFORM, ssl=context, server_hostname=name
                ) as reply:
                    assert reply.status == 200
            assert list(ran.service.listening()) == [f"https 127.0.0.1:{port}"]

    run(check)


def test_client_certificate_says_which_device_it_is(tmp_path: Path) -> None:
    url = f"https://pr1.example.com:{(port := free_port())}/"
    at = plan(url, "certificates: {client_certificates: optional, keys: ecdsa-p256}\n")

    def inform(mac: str) -> bytes:
        told = (rpc.ParameterValue("Device.LAN.MACAddress", mac),)
        return codec.encode(rpc.Message(rpc.Inform(DeviceId("Cisco", "001234", "M", "S1"), (), told), "1"))

    async def check() -> None:
        async with running(tmp_path, at) as ran:
            store = Store(tmp_path / "pki")
            store.issue_phone(
                at.pki, PhoneSubject("CP-8851-3PCC", "S1", "001234ab45de"), "ecdsa-p256", time.time()
            )
            own = client_context(
                store.anchors(), certificate=tmp_path / "pki/phones/001234ab45de.ecdsa-p256.pem"
            )
            for mac, comes in (("00:12:34:ab:45:de", rpc.InformResponse), ("00:12:34:ab:45:df", rpc.Fault)):
                async with ran.client.post(
                    f"https://127.0.0.1:{port}/", data=inform(mac), ssl=own, server_hostname="example.com"
                ) as reply:
                    assert isinstance(codec.decode(await reply.read()).rpc, comes)
            assert [type(event).__name__ for event in ran.events if "Inform" in str(event)] == [
                "InformReceived",
                "MessageRefused",
            ]
            assert "the client certificate is of 00:12:34:ab:45:de" in str(ran.events[-1])

    run(check)


def test_what_is_no_cwmp_is_told_so(tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{free_port()}"

    async def check() -> None:
        async with running(tmp_path, plan(f"{base}/cwmp")) as ran:
            assert await ran.post(f"{base}/") == (404, b"the ACS is at /cwmp\n")
            async with ran.client.get(f"{base}/cwmp") as reply:
                assert (reply.status, reply.headers["Allow"]) == (405, "POST")
            assert (await ran.post(f"{base}/cwmp"))[0] == 400
            assert (await ran.post(f"{base}/cwmp", INFORM, Content_Encoding="gzip"))[0] == 415
            assert (await ran.post(f"{base}/cwmp", b"x" * (1 << 21)))[0] == 413
            assert (await ran.post(f"{base}/cwmp", INFORM))[0] == 200

    run(check)


def test_password_is_asked_for_and_checked(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    secret = "acs: {credentials: {username: admin, password: '1234', scheme: basic}}\n"

    async def check() -> None:
        async with running(tmp_path, plan(url, secret)) as ran:
            async with ran.client.post(url, data=INFORM) as reply:
                assert reply.status == 401
                assert [each.partition(" ")[0] for each in reply.headers.getall("WWW-Authenticate")] == [
                    "Digest",
                    "Basic",
                ]
            for password, status in (("wrong", 401), ("1234", 200)):
                header = "Basic " + b64encode(f"admin:{password}".encode()).decode()
                assert status == (await ran.post(url, INFORM, Authorization=header))[0]

    run(check)


def test_password_can_be_a_secret_outside_the_inventory(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    secret = "acs: {credentials: {username: admin, scheme: basic}}\n"

    async def check() -> None:
        with pytest.raises(ServiceError, match="no secret is named 'acs'") as raised:
            async with running(tmp_path, plan(url, secret)):
                pass
        assert "acs PASSWORD" in raised.value.remedy
        with (tmp_path / "secrets").open("a") as secrets:
            secrets.write("acs 1234\n")
        async with running(tmp_path, plan(url, secret)) as ran:
            header = "Basic " + b64encode(b"admin:1234").decode()
            assert (await ran.post(url, INFORM))[0] == 401
            assert (await ran.post(url, INFORM, Authorization=header))[0] == 200

    run(check)


def test_address_that_is_elsewhere_is_passed_over_and_waited_for(tmp_path: Path) -> None:
    async def check() -> None:
        async with running(tmp_path, plan("http://far.example.com:7547/")) as ran:
            assert not ran.service.listening()
            assert list(ran.service.waiting()) == ["192.0.2.1"]
            told = list(map(str, ran.events))
            assert "192.0.2.1:7547 is not on this machine" in told[0]
            assert "ip address add 192.0.2.1/24" in told[1]

    run(check)


def test_port_that_is_taken_is_said_with_the_remedy(tmp_path: Path) -> None:
    async def check() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            with pytest.raises(ServiceError, match="is taken by another program") as raised:
                async with running(tmp_path, plan(f"http://127.0.0.1:{other.getsockname()[1]}/")):
                    pass
            assert "ss -lntp" in raised.value.remedy

    run(check)


def test_reload_moves_the_listener_and_keeps_the_sessions(tmp_path: Path) -> None:
    old, new = (f"http://127.0.0.1:{free_port()}/" for _ in range(2))

    async def check() -> None:
        async with running(tmp_path, plan(old)) as ran:
            assert (await ran.post(old, INFORM))[0] == 200
            await reload(ran.service, plan(new))
            assert (await ran.post(new))[0] == 200
            with pytest.raises(aiohttp.ClientError):
                async with aiohttp.ClientSession() as fresh:
                    await fresh.post(old, data=INFORM)
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                other.listen()
                with pytest.raises(ServiceError):
                    await reload(ran.service, plan(f"http://127.0.0.1:{other.getsockname()[1]}/"))
            assert (await ran.post(new, INFORM))[0] == 200

    run(check)


def test_reload_turns_http_into_https_on_the_same_port(tmp_path: Path) -> None:
    place = f"pr1.example.com:{(port := free_port())}"

    async def check() -> None:
        async with running(tmp_path, plan(f"http://{place}/")) as ran:
            assert (await ran.post(f"http://127.0.0.1:{port}/", INFORM))[0] == 200
            await reload(ran.service, plan(f"https://{place}/"))
            assert list(ran.service.listening()) == [f"https 127.0.0.1:{port}"]

    run(check)


def test_nothing_stays_open_when_the_second_of_two_ports_is_taken(tmp_path: Path) -> None:
    async def check() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            free, taken = free_port(), other.getsockname()[1]
            second = f"  b: {{method: acs, acs_url: 'http://127.0.0.1:{taken}/'}}\n"
            both = plan(f"http://127.0.0.1:{free}/", classes=second)
            async with running(tmp_path, plan("http://far.example.com/")) as ran:
                with pytest.raises(ServiceError):
                    await reload(ran.service, both)
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection("127.0.0.1", free)

    run(check)


def test_records_survive_a_restart(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"

    async def check() -> None:
        for _ in range(2):
            async with running(tmp_path, plan(url)) as ran:
                assert (await ran.post(url, INFORM))[0] == 200
        store = AcsStore(tmp_path / ACS_FILE)
        assert [device.key for device in store.load(10)] == ["001234-CP-8851-3PCC-S1"]
        store.close()

    run(check)


def test_store_keeps_what_many_wait_for_and_the_newest_of_each(tmp_path: Path) -> None:
    async def check() -> None:
        store = AcsStore(tmp_path / ACS_FILE)
        devices = [Device(f"d{n % 7}", codes=("1 BOOT",), informed_at=n) for n in range(50)]
        await asyncio.gather(
            *(store.keep(Changes((device,)), 0) for device in devices), store.keep(Changes(), 0)
        )
        assert {f"d{n % 7}": float(n) for n in range(43, 50)} == {
            device.key: device.informed_at for device in store.load(100)
        }
        assert [device.key for device in store.load(1)] == ["d0"]
        assert store.load(1)[0].codes == ("1 BOOT",)
        store.close()

    run(check)


def test_store_reads_records_of_other_versions(tmp_path: Path) -> None:
    store = AcsStore(tmp_path / ACS_FILE)
    assert store._database is not None
    store._database.execute('INSERT INTO device VALUES (\'k\', 1, \'{"key": "k", "later_field": 1}\')')
    assert [Device("k")] == store.load(10)
    store.close()


def test_store_that_is_no_database_is_said_with_the_remedy(tmp_path: Path) -> None:
    make_room(tmp_path / ACS_FILE).write_text(
        "this is not a database, and long enough to be told from one\n" * 20
    )
    with pytest.raises(ServiceError, match="cannot be used"):
        AcsStore(tmp_path / ACS_FILE)


def test_disk_that_fails_keeps_the_answer_back(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/"

    async def check() -> None:
        async with running(tmp_path, plan(url)) as ran:
            database = ran.service._records._database
            assert database is not None
            database.execute("DROP TABLE device")
            assert (await ran.post(url, INFORM))[0] == 503
            assert any("cannot be written" in str(event) for event in ran.events)

    run(check)


@asynccontextmanager
async def half_requests(port: int, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Hold connections open, each of which has sent half a request."""
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    try:
        for _ in range(count):
            opened.append(await asyncio.open_connection("127.0.0.1", port))
            opened[-1][1].write(b"POST / HTTP/1.1\r\nHost: x\r\n")
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def received(reader: asyncio.StreamReader) -> bytes:
    """Return what came until the end; octets of ours that meet a socket closed already are answered by a reset."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def open_connections(service: AcsService) -> float:
    return next(each.value for each in service.samples() if each.name == "acs_connections")


def test_half_requests_are_closed_in_time_and_others_served_meanwhile(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}/"

    async def check() -> None:
        async with (
            running(tmp_path, plan(url), timeouts=Timeouts(head=0.2, idle=0.1)) as ran,
            half_requests(port, 100) as readers,
        ):
            # Without keep-alive: an idle connection is closed so soon that the client may be about to use it again.
            assert (await ran.post(url, INFORM, Connection="close"))[0] == 200
            assert [await received(reader) for reader in readers] == [b""] * 100
            assert (await ran.post(url, INFORM, Connection="close"))[0] == 200
            while open_connections(ran.service):
                await asyncio.sleep(0.02)

    run(check)


def test_idlest_connection_makes_room_for_the_next(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}/"

    async def check() -> None:
        async with (
            running(tmp_path, plan(url), limits=WebLimits(connections=5)) as ran,
            half_requests(port, 6) as readers,
        ):
            assert await received(readers[0]) == b""
            assert (await ran.post(url, INFORM))[0] == 200
            assert await received(readers[1]) == b""
            assert open_connections(ran.service) == 5

    run(check)


def test_every_device_that_was_answered_is_on_record_after_kill_9(tmp_path: Path) -> None:
    """Durable before visible: an InformResponse leaves only after the record is on disk."""
    url = f"http://127.0.0.1:{free_port()}/"
    inventory = tmp_path / "site.yaml"
    inventory.write_text(
        "domain: example.com\nnetworks: {lo: {interface: lo, subnet: 127.0.0.0/24, pool: []}}\n"
        f"classes: {{cpe: {{method: acs, acs_url: '{url}'}}}}\n"
    )
    answered: set[str] = set()

    async def phone_informs(client: aiohttp.ClientSession, serial: str) -> None:
        device = DeviceId("Cisco", "001234", "CP-8851-3PCC", serial)
        data = codec.encode(rpc.Message(rpc.Inform(device, ()), "1"))
        with contextlib.suppress(aiohttp.ClientError):
            async with client.post(url, data=data) as reply:
                if reply.status == 200:
                    answered.add(str(device))

    async def check() -> None:
        command = [
            sys.executable,
            "-m",
            "netprov",
            "serve",
            "acs",
            "-f",
            str(inventory),
            "--state",
            str(tmp_path),
        ]
        server = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert server.stdout is not None
        while b"Ready" not in await server.stdout.readline():
            assert server.returncode is None
        async with aiohttp.ClientSession() as client:
            phones = [asyncio.create_task(phone_informs(client, f"S{number}")) for number in range(400)]
            while len(answered) < 50:
                await asyncio.sleep(0)
            server.kill()
            await asyncio.gather(*phones)
        await server.communicate()

    run(check)
    store = AcsStore(tmp_path / ACS_FILE)
    assert answered - {device.key for device in store.load(1000)} == set()
    assert len(answered) < 400
    store.close()

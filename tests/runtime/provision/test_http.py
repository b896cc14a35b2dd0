"""The HTTP and HTTPS servers on loopback, spoken to in octets and by Python's own client."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from netprov.inventory.model import Inventory
from netprov.machine import Event
from netprov.plan import Plan, derive
from netprov.provision.config import Listener
from netprov.provision.event import Asked, Reported, TlsFailed
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import RoleContext, reload
from netprov.runtime.web.server import Timeouts, WebLimits
from tests.port import free_port

BRIEF = Timeouts(handshake=0.3, head=0.3, body=0.3, idle=0.3)
PHONE = "00:12:34:ab:45:de"


def a_plan(firmware: Path | None = None) -> Plan:
    inventory = {
        "domain": "example.com",
        "networks": {"voice": {"interface": "lan0", "subnet": "10.20.0.0/24"}},
        "phones": [{"mac": PHONE, "model": "CP-8851-3PCC", "values": {"Display_Name_1_": "4081001141"}}],
    }
    if firmware is not None:
        inventory["provisioning"] = {"files": {"/firmware": str(firmware)}}
    plan = derive(Inventory.model_validate(inventory))
    listeners = (Listener("http", "127.0.0.1", free_port()), Listener("https", "127.0.0.1", free_port()))
    return replace(plan, provision=replace(plan.provision, listeners=listeners))


class Site:
    """A running service, its ports and what it reported."""

    def __init__(self, service: HttpService, plan: Plan, events: list[Event]) -> None:
        self.service = service
        self.plan = plan
        self.events = events
        self.http, self.https = (each.port for each in plan.provision.listeners)

    async def say(self, octets: bytes, *, secure: bool = False) -> bytes:
        """Send octets, and return all that comes until the server closes."""
        context = None
        if secure:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        port = self.https if secure else self.http
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(octets)
        try:
            async with asyncio.timeout(20):
                return await reader.read()
        finally:
            writer.close()

    async def seen(self, kind: type[Event]) -> Event:
        """Wait for an event of a kind."""
        async with asyncio.timeout(20):
            while not (found := [each for each in self.events if isinstance(each, kind)]):
                await asyncio.sleep(0.01)
        return found[0]


Scenario = Callable[[Site], Awaitable[None]]


def serve(tmp_path: Path, scenario: Scenario, plan: Plan | None = None, **settings: object) -> None:
    async def run() -> None:
        events: list[Event] = []
        context = RoleContext(tmp_path, lambda _, event: events.append(event))
        service = HttpService(context, **settings)  # type: ignore[arg-type]
        chosen = plan or a_plan()
        await service.start(chosen)
        try:
            await scenario(Site(service, chosen, events))
        finally:
            await service.stop()

    asyncio.run(run())


def get(target: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    lines = [f"{method} {target} HTTP/{version}", "Host: pr1", "Connection: close", *fields, "", ""]
    return "\r\n".join(lines).encode()


def test_profile_is_served_over_http_1_0_and_1_1(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        for octets in (get("/001234ab45de.cfg"), b"GET /001234ab45de.cfg HTTP/1.0\r\n\r\n"):
            head, _, body = (await site.say(octets)).partition(b"\r\n\r\n")
            assert b" 200 OK\r\n" in head
            assert f"Content-Length: {len(body)}".encode() in head
            assert body.startswith(b"<flat-profile>")

    serve(tmp_path, scenario)


def test_head_has_the_length_and_no_body(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        whole = await site.say(get("/001234ab45de.cfg"))
        head = await site.say(get("/001234ab45de.cfg", method="HEAD"))
        length = len(whole.partition(b"\r\n\r\n")[2])
        assert head.endswith(b"\r\n\r\n")
        assert f"Content-Length: {length}".encode() in head

    serve(tmp_path, scenario)


@pytest.mark.parametrize(
    "target", ["/", "/nothing", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "*", "//"]
)
def test_whatever_is_not_in_the_catalog_is_404_without_a_page(tmp_path: Path, target: str) -> None:
    async def scenario(site: Site) -> None:
        reply = await site.say(get(target))
        assert reply[8:13] in {b" 404 ", b" 400 "}
        assert b"<html" not in reply.lower()
        assert b"WWW-Authenticate" not in reply

    serve(tmp_path, scenario)


def test_requests_on_one_connection_are_answered_in_order(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        first = get("/nothing").replace(b"Connection: close\r\n", b"")
        reply = await site.say(first + get("/001234ab45de.cfg"))
        assert reply.index(b" 404 ") < reply.index(b" 200 ")

    serve(tmp_path, scenario)


@pytest.mark.parametrize("chunked", [False, True])
def test_report_is_taken_after_100_continue(tmp_path: Path, chunked: bool) -> None:
    body = b"<flat-profile><Display_Name_1_>4081001141</Display_Name_1_></flat-profile>"

    async def scenario(site: Site) -> None:
        path = f"{site.plan.provision.reports}/001234ab45de.xml"
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
        octets = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n" if chunked else body
        reply = await site.say(get(path, framing, "Expect: 100-continue", method="PUT") + octets)
        assert reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
        reported = await site.seen(Reported)
        assert isinstance(reported, Reported)
        assert reported.mac == PHONE

    serve(tmp_path, scenario)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n", 400),
        (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 500 + b"\r\n", 400),
        (b"PUT /report HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (5 << 20), 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello to the wrong port\r\n\r\n", 400),
    ],
    ids=["field", "line", "fields", "body", "tls"],
)
def test_oversize_and_nonsense_are_refused_and_closed(tmp_path: Path, octets: bytes, status: int) -> None:
    async def scenario(site: Site) -> None:
        try:
            reply = await site.say(octets)
        except ConnectionResetError:
            return  # refused before all of it was sent
        assert reply[8:13] == f" {status} ".encode()

    serve(tmp_path, scenario)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", b""),
        (b"GET /nothing HTTP/1.1\r\nHost:", b""),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    ],
)
def test_client_that_does_not_go_on_is_closed(
    tmp_path: Path, octets: bytes, said: bytes, secure: bool
) -> None:
    async def scenario(site: Site) -> None:
        reply = await site.say(octets, secure=secure)  # returns only when the server closes
        assert reply.partition(b"\r\n")[0] == said

    serve(tmp_path, scenario, timeouts=BRIEF)


def test_body_that_never_ends_is_answered_408(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        reply = await site.say(get("/report", "Content-Length: 10", method="PUT") + b"abc")
        assert reply.startswith(b"HTTP/1.1 408 ")

    serve(tmp_path, scenario, timeouts=BRIEF)


def test_half_open_handshake_is_given_up_and_told(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.https)
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        failed = await site.seen(TlsFailed)
        assert isinstance(failed, TlsFailed)
        assert failed.address == "127.0.0.1"

    serve(tmp_path, scenario, timeouts=BRIEF)


def test_phone_that_refuses_the_certificate_is_told_with_its_alert(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        def refuse() -> None:
            # Not asyncio's client, which hangs up before its alert is sent.
            context = ssl.create_default_context()
            with socket.create_connection(("127.0.0.1", site.https)) as plain:
                context.wrap_socket(plain, server_hostname="example.com")

        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(refuse)
        failed = await site.seen(TlsFailed)
        assert isinstance(failed, TlsFailed)
        assert "unknown ca" in failed.reason

    serve(tmp_path, scenario)


def test_too_many_handshakes_cost_the_oldest_and_no_live_phone(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", site.https) for _ in range(12)]
        assert b" 200 OK\r\n" in await site.say(get("/001234ab45de.cfg"), secure=True)
        async with asyncio.timeout(20):
            assert await idle[0][0].read() == b""
        for _, writer in idle:
            writer.close()

    serve(tmp_path, scenario, limits=WebLimits(handshakes=4))


def test_too_many_idle_connections_cost_the_idlest(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", site.http) for _ in range(20)]
        assert b" 200 OK\r\n" in await site.say(get("/001234ab45de.cfg"))
        async with asyncio.timeout(20):
            assert await idle[0][0].read() == b""
        for _, writer in idle:
            writer.close()

    serve(tmp_path, scenario, limits=WebLimits(connections=8))


def test_file_of_a_tree_is_sent_in_part_and_not_again_unless_changed(tmp_path: Path) -> None:
    firmware = tmp_path / "firmware"
    firmware.mkdir()
    content = bytes(range(256)) * 4096
    (firmware / "sip88xx.loads").write_bytes(content)

    async def scenario(site: Site) -> None:
        whole = await site.say(get("/firmware/sip88xx.loads"))
        head, _, body = whole.partition(b"\r\n\r\n")
        assert body == content
        part = await site.say(get("/firmware/sip88xx.loads", "Range: bytes=1000-1999"), secure=True)
        assert part.startswith(b"HTTP/1.1 206 ")
        assert part.endswith(b"\r\n\r\n" + content[1000:2000])
        (tag,) = [line for line in head.decode().split("\r\n") if line.lower().startswith("etag: ")]
        again = await site.say(get("/firmware/sip88xx.loads", f"If-None-Match: {tag[6:]}"))
        assert again.startswith(b"HTTP/1.1 304 ")

    serve(tmp_path, scenario, a_plan(firmware))


def test_reload_keeps_open_connections_and_answers_by_the_new_plan(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.http)
        writer.write(b"GET /001234ab45de.cfg HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        await reload(site.service, replace(site.plan, provision=replace(site.plan.provision, devices={})))
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b" 404 " in await reader.read()
        writer.close()

    serve(tmp_path, scenario)


def test_every_request_is_reported_with_who_asked(tmp_path: Path) -> None:
    async def scenario(site: Site) -> None:
        agent = "User-Agent: Cisco-CP-8851-3PCC/11.3.1 (001234ab45de)"
        await site.say(get("/8851-3PCC.xml", agent), secure=True)
        asked = await site.seen(Asked)
        assert isinstance(asked, Asked)
        assert (asked.scheme, asked.address, asked.method, asked.status) == ("https", "127.0.0.1", "GET", 200)
        assert asked.agent is not None
        assert asked.agent.mac == PHONE

    serve(tmp_path, scenario)

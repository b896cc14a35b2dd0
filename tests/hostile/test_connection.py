"""Connections that are closed at once, or never: phones are served beside them, and places are free again at once."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from netprov.cwmp import codec, rpc
from netprov.cwmp.rpc import DeviceId
from netprov.inventory.load import parse
from netprov.plan import Plan, derive
from netprov.provision.config import Listener
from netprov.runtime.cwmp.service import AcsService
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import RoleContext
from netprov.runtime.web.server import WebLimits
from tests.port import free_port

LIMITS = WebLimits(connections=64, handshakes=32)
PHONES = tuple(f"127.0.1.{number}" for number in range(1, 21))
STRANGERS = tuple(f"127.0.3.{number}" for number in range(1, 51))
"""Addresses of the one host that attacks."""
GET = b"GET /001234ab4500.cfg HTTP/1.1\r\nHost: pr1\r\nConnection: close\r\n\r\n"
HALF = b"POST /report/001234ab4500.xml HTTP/1.1\r\nHost: pr1\r\n"
WAYS: Mapping[str, bytes] = {
    "nothing": b"",
    "half a line": b"GET /0012",
    "half a head": b"GET / HTTP/1.1\r\nHost: pr1\r\n",
    "whole": GET,
    "half a body": HALF + b"Content-Length: 100\r\n\r\nabc",
    "half a chunk": HALF + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "expecting": HALF + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
    "malformed": b"\x00\x00\r\n\r\n",
    "half a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


def plan(scheme: str, port: int) -> Plan:
    text = f"""
domain: example.com
networks: {{lo: {{interface: lo, subnet: 127.0.0.0/24, pool: []}}}}
hosts: {{pr1: 127.0.0.1}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}
classes: {{cpe: {{method: acs, acs_url: 'http://pr1.example.com:{port}/'}}}}
phones: [{{mac: "00:12:34:ab:45:00", model: CP-8851-3PCC, class: cpe}}]
"""
    derived = derive(parse(text, "site.yaml").inventory)
    if scheme == "acs":
        return derived
    listeners = (Listener(scheme, "127.0.0.1", port),)  # type: ignore[arg-type]
    return replace(derived, provision=replace(derived.provision, listeners=listeners))


def inform(serial: str) -> bytes:
    body = codec.encode(rpc.Message(rpc.Inform(DeviceId("Cisco", "001234", "CP-8851-3PCC", serial), ()), "1"))
    head = b"POST / HTTP/1.1\r\nHost: pr1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


class Target:
    """A server of a kind, those who attack it, and twenty phones."""

    def __init__(self, scheme: str, state: Path) -> None:
        self.scheme = scheme
        self.port = free_port()
        context = RoleContext(state, lambda _service, _event: None)
        kind = AcsService if scheme == "acs" else HttpService
        self.service = kind(context, limits=LIMITS)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if scheme == "https" else None
        if self.tls is not None:
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return len(self.service._web.connections) + len(self.service._web.handshakes)

    async def phone(self, number: int) -> bytes:
        """Fetch a profile, or report to the ACS; return the status."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls, local_addr=(PHONES[number], 0)
        )
        writer.write(inform(f"S{number}") if self.scheme == "acs" else GET)
        reply = await reader.read()
        writer.close()
        return reply[9:12]

    async def honest(self) -> set[bytes]:
        """Let every phone live at once; return what statuses there were."""
        async with asyncio.timeout(60):
            return set(await asyncio.gather(*map(self.phone, range(len(PHONES)))))

    async def free(self) -> bool:
        """Wait until no place is taken."""
        async with asyncio.timeout(5):  # half of the shortest deadline by which they would be swept
            while self.taken:
                await asyncio.sleep(0.01)
        return True


def attack(
    port: int, address: str, octets: bytes, *, reset: bool = False, keep: bool = False
) -> socket.socket:
    """Connect, say something, and close unless told to keep; what the server refuses is no matter."""
    sock = socket.socket()
    sock.settimeout(20)
    with suppress(OSError):
        sock.bind((address, 0))
        sock.connect(("127.0.0.1", port))
        sock.sendall(octets)
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if not keep:
        sock.close()
    return sock


@pytest.fixture
def tracebacks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No stranger makes the server log a fault of its own."""
    caplog.set_level(logging.ERROR)
    yield
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.usefixtures("tracebacks")
@pytest.mark.parametrize("scheme", ["http", "https", "acs"])
def test_connections_that_are_closed_at_once_cost_phones_nothing(tmp_path: Path, scheme: str) -> None:
    def close_at_once(port: int) -> None:
        for number in range(20):
            for octets in WAYS.values():
                for reset in (False, True):
                    attack(port, STRANGERS[number], octets, reset=reset)

    async def scenario() -> None:
        target = Target(scheme, tmp_path)
        await target.service.start(plan(scheme, target.port))
        try:
            assert await target.honest() == {b"200"}
            flood = asyncio.create_task(asyncio.to_thread(close_at_once, target.port))
            while not flood.done():
                assert await target.honest() == {b"200"}
            await flood
            assert await target.free()
        finally:
            await target.service.stop()

    asyncio.run(scenario())


@pytest.mark.usefixtures("tracebacks")
@pytest.mark.parametrize("each", [1, 4], ids=["many addresses", "few of many"])
@pytest.mark.parametrize("way", ["nothing", "half a head", "half a body", "half a TLS hello"])
@pytest.mark.parametrize("scheme", ["http", "https", "acs"])
def test_connections_that_stay_cost_phones_nothing(tmp_path: Path, scheme: str, way: str, each: int) -> None:
    """From fifty addresses, so that no host is greedier than a phone."""

    def connect(port: int) -> list[socket.socket]:
        attackers = chain.from_iterable([address] * each for address in STRANGERS * (4 // each))
        return [attack(port, address, WAYS[way], keep=True) for address in attackers]

    async def scenario() -> None:
        target = Target(scheme, tmp_path)
        await target.service.start(plan(scheme, target.port))
        try:
            assert await target.honest() == {b"200"}
            socks = await asyncio.to_thread(connect, target.port)
            for _ in range(3):
                assert await target.honest() == {b"200"}
                assert target.taken <= LIMITS.connections + LIMITS.handshakes
            for sock in socks:
                sock.close()
            assert await target.free()
        finally:
            await target.service.stop()

    asyncio.run(scenario())


def test_busy_connections_have_a_bound_too(tmp_path: Path) -> None:
    """Half bodies make a connection busy for a minute; there is no more room for them than for idle ones."""

    async def scenario() -> None:
        target = Target("http", tmp_path)
        await target.service.start(plan("http", target.port))
        try:
            half = WAYS["half a body"]
            socks = await asyncio.to_thread(
                lambda: [attack(target.port, "127.0.3.1", half, keep=True) for _ in range(300)]
            )
            assert await target.honest() == {b"200"}
            assert target.taken <= LIMITS.connections
            for sock in socks:
                sock.close()
        finally:
            await target.service.stop()

    asyncio.run(scenario())

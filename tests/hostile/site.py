"""A provisioning server with its device records on loopback, for attacks and the honest phones beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from netprov.inventory.load import parse
from netprov.machine import Event
from netprov.plan import Plan, derive
from netprov.provision.config import Listener
from netprov.runtime.provision.service import HttpService
from netprov.runtime.role import RoleContext
from netprov.runtime.web.tls import client_context
from netprov.state.device_record import DeviceRecords
from tests.port import free_port

PHONES = tuple(f"00:12:34:ab:45:{number:02x}" for number in range(20))


def a_plan(more: str = "") -> Plan:
    """Return a plan with 20 listed phones, served over HTTP on loopback."""
    phones = "\n".join(f"  - {{mac: {mac}, model: CP-8851-3PCC}}" for mac in PHONES)
    text = f"""
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
phones:
{phones}
{more}"""
    plan = derive(parse(text, "site.yaml").inventory)
    listeners = (Listener("http", "127.0.0.1", free_port()),)
    return replace(plan, provision=replace(plan.provision, listeners=listeners))


class Site:
    """A running server, what it reported and what it complained of."""

    def __init__(self, plan: Plan, state: Path) -> None:
        self.plan = plan
        self.state = state
        self.events: list[Event] = []
        self.complaints: list[str] = []
        self.port = plan.provision.listeners[0].port

    async def say(self, octets: bytes, *, secure: bool = False) -> bytes:
        """Send octets, over TLS if `secure`, and return all that comes until the server closes."""
        context = client_context(None) if secure else None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
        writer.write(octets)
        try:
            async with asyncio.timeout(30):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def honest(self) -> list[bytes]:
        """Let every listed phone fetch its profile at once; return the status lines."""
        replies = await asyncio.gather(*(self.say(request(f"/{plain(mac)}.cfg")) for mac in PHONES))
        return [reply.partition(b"\r\n")[0] for reply in replies]


def serve(state: Path, scenario: Callable[[Site], Awaitable[None]], plan: Plan | None = None) -> Site:
    """Run a scenario against a server; its device records are whole afterwards."""
    site = Site(plan or a_plan(), state)

    async def run() -> None:
        records = DeviceRecords(state, site.complaints.append)
        records.follow(listed=frozenset(site.plan.provision.devices))
        await records.start()

        def report(service: str, event: Event) -> None:
            site.events.append(event)
            records.observe(service, event)

        service = HttpService(RoleContext(state, report))
        await service.start(site.plan)
        try:
            await scenario(site)
        finally:
            await service.stop()
            await records.stop()

    asyncio.run(run())
    return site


def request(target: str, *fields: bytes, method: str = "GET", body: bytes = b"") -> bytes:
    """Return a request after which the connection is closed."""
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: pr1", b"Connection: close", *fields]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def plain(mac: str) -> str:
    """Return a MAC address as paths have it."""
    return mac.replace(":", "")

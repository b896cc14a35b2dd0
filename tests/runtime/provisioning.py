"""Runs a provisioning service in this process, on loopback, with a plan that names any free port."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from netprov.inventory.load import parse
from netprov.machine import Endpoint, Event
from netprov.plan import Plan, derive
from netprov.provision.config import Listener, Provision
from netprov.runtime.role import RoleContext, Service
from netprov.tftp.download import Download

MAC = "00:12:34:ab:45:de"
SITE = f"""
domain: example.com
networks: {{voice: {{interface: lan0, subnet: 10.20.0.0/24}}}}
certificates: {{keys: [ecdsa-p256], ca_key: ecdsa-p256}}
phones: [{{mac: {MAC}, model: CP-8851-3PCC, values: {{A: own}}}}]
"""

Exchange = Callable[[], object]


def plan_of(*listeners: Listener, **more: object) -> Plan:
    """Return a plan with these sockets and nothing else to serve on."""
    plan = derive(parse(SITE, "site.yaml").inventory)
    provision: Provision = replace(plan.provision, listeners=listeners, syslog=("127.0.0.1",), **more)  # type: ignore[arg-type]
    return replace(plan, provision=provision)


class Events(list[tuple[str, Event]]):
    """What a service reported."""

    def __call__(self, service: str, event: Event) -> None:
        self.append((service, event))

    def text(self) -> str:
        """Return it all, a line each."""
        return "\n".join(str(event) for _, event in self)


def role_context(state: Path) -> tuple[RoleContext, Events]:
    """Return the surroundings of a service, and what it will report."""
    events = Events()
    return RoleContext(state, events), events


@asynccontextmanager
async def running(service: Service, plan: Plan) -> AsyncIterator[None]:
    """Run a service for a while."""
    await service.start(plan)
    try:
        yield
    finally:
        await service.stop()


def with_service(service: Service, plan: Plan, exchange: Exchange) -> None:
    """Run a service while a thread does an exchange with it."""

    async def go() -> None:
        async with running(service, plan):
            await asyncio.to_thread(exchange)

    asyncio.run(go())


def download(
    listener: Listener,
    name: str,
    options: dict[str, str] | None = None,
    mode: str = "octet",
    *,
    address: str = "127.0.0.1",
) -> Download:
    """Fetch by TFTP from an address, with our own machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        sock.settimeout(0.05)
        server = Endpoint(listener.address, listener.port)
        machine = Download(name, server, time.monotonic(), options=options, mode=mode)
        while not machine.finished:
            _send(sock, machine)
            try:
                data, source = sock.recvfrom(70000)
                machine.receive(data, Endpoint(*source), time.monotonic())
            except TimeoutError:
                machine.handle_timer(time.monotonic())
        _send(sock, machine)
    return machine


def _send(sock: socket.socket, machine: Download) -> None:
    for each in machine.datagrams_to_send():
        sock.sendto(each.data, (each.destination.address, each.destination.port))

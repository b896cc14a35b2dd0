"""The doors of a living phone, at its own address: its web page, its SIP port, and where the ACS asks for sessions.

They follow the phone's address and ports. A door that cannot be opened (the port is another program's) is told, and the
phone lives without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable
from typing import cast

from aiohttp import web

from netprov.emulator.stay import Stay
from netprov.hostport import port_number
from netprov.phone.handset.settings import is_yes
from netprov.phone.life.form import LONGEST
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.notify import NotifyServer
from netprov.phone.life.page import BUSY, PageReply, knock, submit, visit
from netprov.provision.auth import Authority

SILENT = logging.getLogger("netprov.emulator.web")
SILENT.setLevel(logging.CRITICAL + 1)
"""What aiohttp says of requests that are none: strangers do not write on the terminal of whoever lets a phone live."""

MOST_VISITORS, VISIT_S = 32, 30.0
"""Connections to one of a phone's pages at once, and how long each may last, in seconds."""

NOWHERE = "0.0.0.0"
"""The address of a phone that has none of its own."""


Answerer = Callable[[LivingPhone, Authority, str, str | None], PageReply]
Taker = Callable[[LivingPhone, Authority, str, str | None, str], PageReply]


class Doors:
    """What listens for one phone; `say` is told of doors that stay shut."""

    def __init__(self, stay: Stay, say: Callable[[str], None]) -> None:
        self._stay = stay
        self._say = say
        self._authority = Authority(os.urandom(32))
        self._open_at: tuple[str, int, int, int] | None = None
        self._pages: list[web.AppRunner] = []
        self._listeners: list[asyncio.Server] = []
        self._sip: asyncio.DatagramTransport | None = None

    async def follow(self) -> None:
        """Open the doors where the phone is now; nothing happens where they are there already."""
        wanted = self._wanted()
        if wanted == self._open_at:
            return
        await self.close()
        self._open_at = wanted
        if wanted is None:
            return
        for name in ("Web_Server_Port", "SIP_Port_1_"):
            if self._stay.phone.handset[name] and not self._port(name):
                self._say(
                    f"{name} is {self._stay.phone.handset[name]!r}, which is no port: nothing listens there"
                )
        address, page, sip, request = wanted
        if page:
            await self._open_page("web page", address, page, visit, submit)
        if request:
            await self._open_page("port for connection requests", address, request, knock)
        if sip:
            await self._open_sip(address, sip)

    async def close(self) -> None:
        """Shut every door."""
        for listener in self._listeners:
            listener.close()
        for page in self._pages:
            await page.cleanup()
        if self._sip is not None:
            self._sip.close()
        self._listeners, self._pages = [], []
        self._sip, self._open_at = None, None

    def _wanted(self) -> tuple[str, int, int, int] | None:
        handset = self._stay.phone.handset
        if handset.lease is None or handset.lease.address == NOWHERE:
            return None
        page = self._port("Web_Server_Port") if is_yes(handset["Enable_Web_Server"]) else 0
        request = handset.management.port if handset.management else 0
        return handset.lease.address, page, self._port("SIP_Port_1_"), request

    def _port(self, name: str) -> int:
        """Return the port that a parameter names, 0 for none: a profile may say anything."""
        return port_number(self._stay.phone.handset[name].strip()) or 0

    async def _open_page(
        self, what: str, address: str, port: int, answer: Answerer, take: Taker | None = None
    ) -> None:
        def answered(reply: PageReply) -> web.Response:
            if reply.event is not None and not self._stay.happen(reply.event):
                reply = BUSY
            headers = {"WWW-Authenticate": reply.challenge} if reply.challenge else {}
            text = "\n".join((*reply.text, ""))
            return web.Response(status=reply.status, text=text, headers=headers, content_type=reply.kind)

        async def visited(request: web.Request) -> web.Response:
            authorization = request.headers.get("Authorization")
            return answered(answer(self._stay.phone, self._authority, request.path_qs, authorization))

        async def submitted(request: web.Request) -> web.Response:
            assert take is not None
            body = (await request.read()).decode("utf-8", "replace")
            authorization = request.headers.get("Authorization")
            return answered(take(self._stay.phone, self._authority, request.path_qs, authorization, body))

        application = web.Application(client_max_size=LONGEST)
        application.router.add_get("/{path:.*}", visited, allow_head=False)
        if take is not None:
            application.router.add_post("/{path:.*}", submitted)
        runner = web.AppRunner(application, access_log=None, logger=SILENT)
        self._pages.append(runner)
        await runner.setup()
        try:
            self._listeners.append(
                await asyncio.get_running_loop().create_server(_admission(runner), address, port)
            )
        except OSError as error:
            self._say(f"no {what} of the phone at {address}:{port}: {error.strerror}")

    async def _open_sip(self, address: str, port: int) -> None:
        try:
            self._sip, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _SipPort(self._stay, NotifyServer(self._authority)), (address, port)
            )
        except OSError as error:
            self._say(f"no SIP port of the phone at {address}:{port}: {error.strerror}")


def _admission(runner: web.AppRunner) -> Callable[[], asyncio.Protocol]:
    """Return who takes connections: so many, and each for so long, so that strangers leave the phone its descriptors."""
    server = runner.server
    assert server is not None

    def admit() -> asyncio.Protocol:
        if len(server.connections) >= MOST_VISITORS:
            return _Shut()
        visitor = server()
        asyncio.get_running_loop().call_later(VISIT_S, visitor.force_close)
        return visitor

    return admit


class _Shut(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()


class _SipPort(asyncio.DatagramProtocol):
    def __init__(self, stay: Stay, server: NotifyServer) -> None:
        self._stay = stay
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.receive(self._stay.phone.handset, data, self._stay.phone.takes)
        if reply.data and self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.sendto(reply.data, addr)
        if reply.event is not None:
            self._stay.happen(reply.event)

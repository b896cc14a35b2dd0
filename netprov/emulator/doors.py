"""The doors of a living phone, at its own address: its web page, its SIP port.

They follow the phone's address and ports. A door that cannot be opened (the port is another program's) is told, and the
phone lives without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import cast

from aiohttp import web

from netprov.emulator.stay import Stay
from netprov.number import whole
from netprov.phone.handset.settings import is_yes
from netprov.phone.life.notify import NotifyServer
from netprov.phone.life.page import visit
from netprov.provision.auth import Authority

NOWHERE = "0.0.0.0"
"""The address of a phone that has none of its own."""


class Doors:
    """What listens for one phone; `say` is told of doors that stay shut."""

    def __init__(self, stay: Stay, say: Callable[[str], None]) -> None:
        self._stay = stay
        self._say = say
        self._authority = Authority(os.urandom(32))
        self._open_at: tuple[str, int, int] | None = None
        self._page: web.AppRunner | None = None
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
        address, page, sip = wanted
        if page:
            await self._open_page(address, page)
        if sip:
            await self._open_sip(address, sip)

    async def close(self) -> None:
        """Shut every door."""
        if self._page is not None:
            await self._page.cleanup()
        if self._sip is not None:
            self._sip.close()
        self._page = self._sip = self._open_at = None

    def _wanted(self) -> tuple[str, int, int] | None:
        handset = self._stay.phone.handset
        if handset.lease is None or handset.lease.address == NOWHERE:
            return None
        page = whole(handset["Web_Server_Port"]) if is_yes(handset["Enable_Web_Server"]) else 0
        return handset.lease.address, page or 0, whole(handset["SIP_Port_1_"]) or 0

    async def _open_page(self, address: str, port: int) -> None:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._visited)
        self._page = web.AppRunner(application, access_log=None)
        await self._page.setup()
        try:
            await web.TCPSite(self._page, address, port).start()
        except OSError as error:
            self._say(f"no web page of the phone at {address}:{port}: {error.strerror}")

    async def _visited(self, request: web.Request) -> web.Response:
        reply = visit(
            self._stay.phone, self._authority, request.path_qs, request.headers.get("Authorization")
        )
        if reply.event is not None:
            self._stay.happen(reply.event)
        headers = {"WWW-Authenticate": reply.challenge} if reply.challenge else {}
        return web.Response(status=reply.status, text="\n".join((*reply.text, "")), headers=headers)

    async def _open_sip(self, address: str, port: int) -> None:
        try:
            self._sip, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _SipPort(self._stay, NotifyServer(self._authority)), (address, port)
            )
        except OSError as error:
            self._say(f"no SIP port of the phone at {address}:{port}: {error.strerror}")


class _SipPort(asyncio.DatagramProtocol):
    def __init__(self, stay: Stay, server: NotifyServer) -> None:
        self._stay = stay
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.receive(self._stay.phone.handset, data)
        if reply.data and self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.sendto(reply.data, addr)
        if reply.event is not None:
            self._stay.happen(reply.event)

"""The HTTP and HTTPS servers: aiohttp on every planned socket that is on this machine, one catalog behind them."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from netprov.errors import PkiError, ServiceError
from netprov.mac import read_mac
from netprov.machine import Event
from netprov.pki.chain import decode
from netprov.plan import Plan
from netprov.provision.answer import TreeFile
from netprov.provision.auth import Authority
from netprov.provision.config import Listener
from netprov.provision.event import KeyGiven
from netprov.provision.gate.handout import HandOut, Wanted
from netprov.provision.http import HttpRequest, Response
from netprov.provision.requester import Requester, parse_agent
from netprov.provision.respond import (
    Answered,
    Responder,
    content_type,
    locked_key,
    missing_file,
    sent_file,
)
from netprov.provision.selection import FileState, select
from netprov.runtime.handover import Place
from netprov.runtime.net.sender import Origin, Senders, minute_of_day
from netprov.runtime.role import Notice, Prepared, RoleContext, Sample, reload
from netprov.runtime.web.file import send_file
from netprov.runtime.web.server import Timeouts, WebLimits, WebServer
from netprov.runtime.web.stream import Stream
from netprov.runtime.web.tls_keeper import TlsKeeper
from netprov.state.catalog import discard_secrets, exposed, load_catalog, publish_secrets, secret_files
from netprov.state.handout import KeyLedger
from netprov.state.tree import open_file


class HttpService:
    """Serves `http` and `https` listeners of the plan."""

    name = "http"

    def __init__(
        self,
        context: RoleContext,
        *,
        timeouts: Timeouts | None = None,
        limits: WebLimits | None = None,
    ) -> None:
        self._role = context
        self._senders = Senders(context.state)
        self._timeouts = timeouts
        self._limits = limits
        self._tls = TlsKeeper(self.name, context)
        self._authority = Authority(os.urandom(32))
        self._ledger = KeyLedger(context.state)
        self._web: WebServer
        self._responder: Responder

    async def start(self, plan: Plan) -> None:
        """Bind, and serve."""
        self._plan = plan
        self._web = WebServer(
            self.name,
            self._role,
            self._answer,
            self._context,
            timeouts=self._timeouts,
            limits=self._limits,
            vouch=lambda address: address in self._plan.provision.addresses,
            quick=self._quick,
        )
        try:
            await reload(self, plan)
        except BaseException:
            await self.stop()
            raise

    def release(self, plan: Plan | None) -> Sequence[Place]:
        """Let other roles bind what a plan takes from this one."""
        return self._web.release(None if plan is None else _wanted(plan))

    async def prepare(self, plan: Plan) -> Prepared:
        """Load certificates and secrets, bind what is new; connections go on."""
        tls = await self._tls.prepare(plan.pki)
        try:
            responder = await asyncio.to_thread(self._build_responder, plan, tls.anchors)
            binding = self._web.prepare(_wanted(plan))
        except BaseException:
            discard_secrets(self._role.state)
            await tls.abort()
            raise

        async def commit() -> None:
            await asyncio.to_thread(publish_secrets, self._role.state)
            await tls.commit()
            self._responder, self._plan = responder, plan
            self._web.commit(binding)

        async def abort() -> None:
            binding.abort()
            discard_secrets(self._role.state)
            await tls.abort()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Close every socket; replies under way get up to a second."""
        await self._tls.stop()
        await self._web.stop()
        self._senders.close()
        self._ledger.close()

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return self._web.listening()

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return self._web.waiting()

    @property
    def connections(self) -> int:
        """How many clients are connected, their handshakes done."""
        return len(self._web.connections)

    def samples(self) -> Iterator[Sample]:
        """Say how many phones are connected, and how many are shaking hands."""
        yield Sample("http_connections", "Open connections.", self.connections)
        yield Sample("http_bodies_shed", "Bodies there was no room for.", self._web.bodies.shed, total=True)
        yield Sample("http_handshakes", "TLS handshakes under way.", len(self._web.handshakes))

    # Requests.

    def _quick(self, asked: HttpRequest, stream: Stream) -> Response | None:
        """Answer what the catalog holds whole, and report it; files, and keys, are for `_answer`."""
        requester = self._requester(asked, stream)
        answered = self._responder.respond(asked, requester, requester.now)
        if answered.file is not None or answered.key is not None:
            return None
        self._tell(answered)
        return answered.response

    async def _answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Answer one request, and report it."""
        stream = request.transport
        if not isinstance(stream, Stream):
            raise ConnectionResetError  # it is gone already
        asked = HttpRequest(
            request.method, request.raw_path, request.version.minor, _fields(request.headers), body
        )
        requester = self._requester(asked, stream)
        answered = self._responder.respond(asked, requester, requester.now)
        if answered.file is not None:
            return await self._send(request, asked, answered, answered.file)
        if answered.key is not None:
            answered = await self._give(answered, answered.key)
        self._tell(answered)
        response = web.Response(
            status=answered.response.status,
            body=answered.response.body,
            headers=CIMultiDict(answered.response.fields),
        )
        response.headers["Server"] = "netprov"
        return response

    async def _send(
        self, request: web.BaseRequest, asked: HttpRequest, answered: Answered, wanted: TreeFile
    ) -> web.StreamResponse:
        opened = open_file(wanted)
        if opened is None:
            answered = missing_file(answered)
            self._tell(answered)
            fields = CIMultiDict(answered.response.fields)
            return web.Response(status=answered.response.status, headers=fields)
        try:
            selection = select(asked.method, asked.fields, FileState(opened.size, opened.modified_ns))
            self._tell(sent_file(answered, selection))
            media = content_type(opened.path)
            return await send_file(request, opened.fd, selection, media, seconds=self._web.timeouts.reply)
        finally:
            opened.close()

    async def _give(self, answered: Answered, wanted: Wanted) -> Answered:
        """Put on disk that a key leaves, and let it; what cannot be put there does not."""
        try:
            given = await asyncio.to_thread(self._ledger.give, wanted, time.time())
        except ServiceError as error:
            self._report(Notice(f"no key was given to {wanted.mac}: {error}", "error"))
            return locked_key(answered, 503, "its key cannot be put on record", "key-unrecorded")
        if given is None:
            return locked_key(answered, 403, "its key was given a moment ago", "key-locked")
        self._report(KeyGiven(wanted.address, wanted.mac, wanted.proof, given.times))
        return answered

    def _handed(self, mac: str) -> HandOut | None:
        try:
            return self._ledger.of(mac)
        except ServiceError:
            return None  # `_give` meets it again, tells, and gives nothing

    def _tell(self, answered: Answered) -> None:
        event = answered.event
        self._report(event)
        if event.mac and event.status < 400:
            self._web.known.answered(event.address)
        if answered.more is not None:
            self._report(answered.more)

    def _requester(self, asked: HttpRequest, stream: Stream) -> Requester:
        tls, address = stream.tls, stream.peer[0]
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        now = time.time()
        origin = Origin(self._senders, address)
        return Requester(
            "http" if tls is None else "https",
            address,
            *stream.local,
            parse_agent(asked.fields.get("user-agent", "")),
            _certificate_mac(certificate) if certificate else "",
            origin.mac,
            at_port=origin.at_port,
            now=now,
            minute=minute_of_day(now),
        )

    def _context(self, address: str) -> ssl.SSLContext:
        """Return the TLS of the phone at an address: its class may speak older versions than others."""
        oldest = self._responder.oldest_tls(address, partial(self._senders.mac, address))
        return self._tls.context_from(oldest)

    def _report(self, event: Event) -> None:
        self._role.report(self.name, event)

    def _build_responder(self, plan: Plan, ca: bytes) -> Responder:
        for file, mode in exposed(secret_files(plan.provision.secrets, self._role.state)):
            self._report(
                Notice(f"{file} is open to everybody (mode {mode:03o}): chmod 600 {file}", "warning")
            )
        catalog = load_catalog(plan.provision, self._role.state, ca=ca, handed=self._handed)
        return Responder(catalog, plan.provision, self._authority)


def _wanted(plan: Plan) -> list[Listener]:
    return [each for each in plan.provision.listeners if each.scheme in {"http", "https"}]


def _fields(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Return header fields by lower-case name, repeated ones joined (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for written, value in headers.items():
        name = written.lower()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


@lru_cache(maxsize=4096)
def _certificate_mac(der: bytes | None) -> str:
    """Return the MAC address that a phone's certificate names, "" without one."""
    if der is None:
        return ""
    try:
        phone = decode(der)[0].phone()
    except PkiError:
        return ""
    return read_mac(phone.mac) if phone is not None else ""

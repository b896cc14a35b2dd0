"""Answers the requests of one process of the HTTP service: what the catalog holds at once, files, and what has to be decided.

Who decides is the owner of nonces, keys and counts, and of what sources said: this process itself, or the one that a worker asks.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from netprov.hostport import Scheme
from netprov.machine import Event
from netprov.provision.answer import TreeFile
from netprov.provision.config import TlsVersion
from netprov.provision.event import Asked
from netprov.provision.http import HttpRequest, Response
from netprov.provision.requester import Requester, parse_agent
from netprov.provision.respond import Answered, Elsewhere, Responder, content_type, missing_file, sent_file
from netprov.provision.selection import FileState, select
from netprov.provision.source import Sourced
from netprov.runtime.net.known import KnownAddresses
from netprov.runtime.net.sender import Origin, Senders, minute_of_day
from netprov.runtime.provision.channel import Arrival
from netprov.runtime.web.file import send_file
from netprov.runtime.web.peer import certificate_mac
from netprov.runtime.web.stream import Stream
from netprov.state.tree import open_file

_NOTHING: Sourced = {}

Decide = Callable[[HttpRequest, Arrival], Awaitable[Answered]]


class Front:
    """Answers from the plan that `responder` is of, and reports every answer before it leaves.

    `decide` answers what cannot be at once; `known` remembers who was given what only phones ask for.
    """

    responder: Responder
    known: KnownAddresses

    def __init__(self, senders: Senders, decide: Decide, report: Callable[[Event], None]) -> None:
        self._senders = senders
        self._decide = decide
        self._report = report

    def respond(self, asked: HttpRequest, arrival: Arrival, sourced: Sourced = _NOTHING) -> Answered:
        """Answer a request as far as this process can, with what sources said of the phone; raises `Elsewhere` where it cannot."""
        requester = self._requester(asked, arrival, sourced)
        return self.responder.respond(asked, requester, requester.now)

    def quick(self, asked: HttpRequest, stream: Stream) -> Response | None:
        """Answer what the catalog holds whole, and report it; all else is for `answer`."""
        try:
            answered = self.respond(asked, _arrival(stream))
        except Elsewhere:
            return None
        if answered.file is not None or answered.key is not None:
            return None
        self._tell(answered)
        return answered.response

    async def answer(self, request: web.BaseRequest, body: bytes, *, seconds: float) -> web.StreamResponse:
        """Answer one request, and report it; a file may take so many seconds."""
        stream = request.transport
        if not isinstance(stream, Stream):
            raise ConnectionResetError  # it is gone already
        asked = HttpRequest(
            request.method, request.raw_path, request.version.minor, _fields(request.headers), body
        )
        answered = await self._decide(asked, _arrival(stream))
        if answered.file is not None:
            return await self._send(request, asked, answered, answered.file, seconds=seconds)
        self._tell(answered)
        response = web.Response(
            status=answered.response.status,
            body=answered.response.body,
            headers=CIMultiDict(answered.response.fields),
        )
        response.headers["Server"] = "netprov"
        return response

    def learn(self, event: Event) -> None:
        """Remember who was answered, by this process or by a worker."""
        if isinstance(event, Asked) and event.mac and event.status < 400:
            self.known.answered(event.address)

    def oldest_tls(self, address: str) -> TlsVersion | None:
        """Return the oldest TLS that the phone at an address may speak, None for the site's."""
        return self.responder.oldest_tls(address, Origin(self._senders, address).mac)

    async def _send(
        self,
        request: web.BaseRequest,
        asked: HttpRequest,
        answered: Answered,
        wanted: TreeFile,
        *,
        seconds: float,
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
            return await send_file(request, opened.fd, selection, content_type(opened.path), seconds=seconds)
        finally:
            opened.close()

    def _tell(self, answered: Answered) -> None:
        self._report(answered.event)
        self.learn(answered.event)
        if answered.more is not None:
            self._report(answered.more)
            self._senders.posted.note(answered.more, time.time())

    def _requester(self, asked: HttpRequest, arrival: Arrival, sourced: Sourced) -> Requester:
        now = time.time()
        origin = Origin(self._senders, arrival.address)
        return Requester(
            arrival.scheme,
            arrival.address,
            arrival.server,
            arrival.port,
            parse_agent(asked.fields.get("user-agent", "")),
            arrival.certificate_mac,
            origin.mac,
            posted_before=self._senders.posted.of,
            at_port=origin.at_port,
            now=now,
            minute=minute_of_day(now),
            sourced=sourced,
        )


def _arrival(stream: Stream) -> Arrival:
    scheme: Scheme = "http" if stream.tls is None else "https"
    return Arrival(scheme, stream.peer[0], *stream.local, certificate_mac(stream))


def _fields(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """Return header fields by lower-case name, repeated ones joined (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for written, value in headers.items():
        name = written.lower()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields

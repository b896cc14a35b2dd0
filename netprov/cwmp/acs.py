"""The server's side of CWMP: the sessions of an ACS (TR-069 Amendment 6 sections 3.4, 3.7.2).

Sans-IO. Each HTTP request becomes one `AcsRequest`, its answer a `Reply`:

    acs = Acs(config, records)
    reply = acs.respond(Request(body, cookie=…, source=…, connection=…), now, token)
    for record in acs.changed(): …              # keep these durably, before the reply leaves
    for event in acs.events(): …

`token` is fresh random text for each request; it names the session if this request opens one. A session is found by
its cookie (section 3.4.2) or, for a device that keeps none, by its connection. Deliberately absent: connection
requests, Upload, several envelopes a message, HoldRequests, which an ACS need not use.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from netprov.cwmp import codec, rpc
from netprov.cwmp.config import AcsConfig
from netprov.cwmp.device import (
    FAILED,
    OUTSTANDING,
    TEXT,
    AcsEvent,
    Configured,
    Device,
    DownloadRequested,
    Faulted,
    FileTransferred,
    InformReceived,
    MessageRefused,
    after_inform,
    download_for,
    identify,
    settings_for,
)
from netprov.cwmp.parameter import PARAMETER_KEY
from netprov.errors import Malformed
from netprov.machine import Dropped, Endpoint

COOKIE: Final = "session"
METHODS: Final = ("Inform", "GetRPCMethods", "TransferComplete")
"""What we answer to a CPE's GetRPCMethods (section 3.6, table 5)."""


@dataclass(frozen=True, slots=True)
class AcsLimits:
    """What one ACS puts up with: octets a message, sessions at once, messages a session, seconds, records kept."""

    body: int = 1 << 20
    sessions: int = 10_000
    messages: int = 100
    idle: float = 60.0
    session: float = 600.0
    records: int = 100_000


@dataclass(frozen=True, slots=True)
class AcsRequest:
    """One POST: its body, its Cookie header, the address it came from, and the connection by any name.

    `excerpt` returns what a record may tell of it if it is refused; never of the body, which holds passwords.
    """

    body: bytes
    cookie: str = ""
    source: str = ""
    connection: str = ""
    excerpt: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer: status, body (XML if there is one), further headers."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Session:
    """One session; `waiting` is what is still to be asked, `asked` what was and is not answered."""

    token: str
    connection: str
    device: str
    inform: rpc.Inform
    version: str
    started: float
    seen: float
    messages: int = 1
    serial: int = 0
    asked: rpc.Rpc | None = None
    asked_id: str = ""
    planned: bool = False
    waiting: deque[rpc.Rpc] = field(default_factory=deque)


class Acs:
    """The sessions of one ACS, and what it knows of its devices."""

    def __init__(
        self, config: AcsConfig, records: Iterable[Device] = (), limits: AcsLimits | None = None
    ) -> None:
        self.config = config
        self.limits = limits or AcsLimits()
        self._devices = {record.key: record for record in records}
        self._sessions: dict[str, _Session] = {}
        self._by_device: dict[str, str] = {}
        self._by_connection: dict[str, str] = {}
        self._changed: dict[str, Device] = {}
        self._events: list[AcsEvent | Dropped] = []

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every device that is known, by its OUI, product class and serial number."""
        return self._devices

    @property
    def sessions(self) -> int:
        """How many sessions are open, or were left open a short while ago."""
        return len(self._sessions)

    def events(self) -> tuple[AcsEvent | Dropped, ...]:
        """Return and forget what happened since the last call."""
        drained, self._events = tuple(self._events), []
        return drained

    def changed(self) -> tuple[Device, ...]:
        """Return and forget which records changed since the last call."""
        drained, self._changed = tuple(self._changed.values()), {}
        return drained

    def respond(self, request: AcsRequest, now: float, token: str) -> Reply:
        """Answer one POST. Whatever it holds, nothing is raised."""
        self._expire(now)
        session = self._find(request, now)
        if not request.body.strip():
            return (
                self._refuse(request, "an empty POST outside a session")
                if session is None
                else self._turn(session, now)
            )
        try:
            message = codec.decode(request.body)
        except Malformed as error:
            self._end(session)
            return self._refuse(request, str(error))
        if isinstance(message.rpc, rpc.Inform):
            self._end(session)
            return self._inform(message, message.rpc, request, now, token)
        if session is None:
            # A session begins with an Inform (section 3.7.1.1).
            self._events.append(
                Dropped(f"{_name(message.rpc)} outside a session", Endpoint(request.source, 0))
            )
            return _say(message, rpc.Fault(8001, "A session begins with an Inform"))
        return self._continue(session, message, request, now)

    def _find(self, request: AcsRequest, now: float) -> _Session | None:
        session = self._sessions.get(_cookie(request.cookie))
        if session is None and not request.cookie:
            # Quirk: some devices keep no cookie; theirs is the session of the connection.
            session = self._sessions.get(self._by_connection.get(request.connection, ""))
        if session is None:
            return None
        self._sessions[session.token] = self._sessions.pop(session.token)
        session.seen = now
        session.messages += 1
        if session.messages > self.limits.messages or now - session.started > self.limits.session:
            self._end(session)
            return None
        return session

    def _inform(
        self, message: rpc.Message, inform: rpc.Inform, request: AcsRequest, now: float, token: str
    ) -> Reply:
        key = str(inform.device)[:TEXT]
        if key in self._by_device:
            self._end(self._sessions[self._by_device[key]])
        if len(self._sessions) >= self.limits.sessions:
            self._events.append(Dropped("too many sessions", Endpoint(request.source, 0)))
            return Reply(503, headers=(("Retry-After", "30"),))
        mac, target = identify(inform, request.source, self.config)
        codes = tuple(event.code[:TEXT] for event in inform.events[:16])
        self._record(
            after_inform(self._devices.get(key, Device(key)), inform, codes, now),
            mac,
            request,
            target is not None,
        )
        session = _Session(token, request.connection, key, inform, message.version, now, now)
        self._sessions[token] = session
        self._by_device[key] = token
        if request.connection:
            self._by_connection[request.connection] = token
        known = self._known(session)
        self._events.append(
            InformReceived(
                key, mac, request.source, codes, target is not None, known.product_class, known.software
            )
        )
        reply = _say(message, rpc.InformResponse())
        return replace(reply, headers=(*reply.headers, ("Set-Cookie", f"{COOKIE}={token}; Path=/; HttpOnly")))

    def _record(self, device: Device, mac: str, request: AcsRequest, listed: bool) -> None:
        self._keep(replace(device, mac=mac, listed=listed, address=request.source))
        if len(self._devices) > self.limits.records:
            stranger = next((each.key for each in self._devices.values() if not each.listed), None)
            del self._devices[stranger if stranger is not None else next(iter(self._devices))]

    def _known(self, session: _Session) -> Device:
        return self._devices.get(session.device) or Device(session.device)

    def _keep(self, device: Device) -> None:
        self._devices[device.key] = device
        self._changed[device.key] = device

    def _continue(self, session: _Session, message: rpc.Message, request: AcsRequest, now: float) -> Reply:
        """Take in a call of the CPE, or its answer to ours."""
        answers = session.asked is not None and _is_answer(message.rpc)
        if answers and message.id not in {"", session.asked_id}:
            # Section 3.5: an answer repeats the ID. Quirk: some devices send none, and one call is open at most.
            self._end(session)
            return self._refuse(
                request,
                f"{_name(message.rpc)} with the ID {message.id[:TEXT]!r}, {session.asked_id!r} was asked",
            )
        match message.rpc:
            case rpc.TransferComplete() as report:
                self._transferred(session, report, now)
                return _say(message, rpc.TransferCompleteResponse())
            case rpc.GetRPCMethods():
                return _say(message, rpc.GetRPCMethodsResponse(METHODS))
            case rpc.Fault() as fault if session.asked is not None:
                self._faulted(session, session.asked, fault, now)
            case rpc.SetParameterValuesResponse() if isinstance(session.asked, rpc.SetParameterValues):
                names = tuple(each.name for each in session.asked.parameters)
                told = session.inform.parameter(PARAMETER_KEY)[:TEXT]
                taken = replace(self._known(session), taken_key=session.asked.parameter_key, key_before=told)
                self._keep(taken)
                self._events.append(Configured(session.device, names))
            case rpc.DownloadResponse() as response if isinstance(session.asked, rpc.Download):
                self._accepted(session, session.asked, response, now)
            case call if not _is_answer(call):
                # Methods of a CPE among them: what an ACS calls, it does not answer (annex A.3.1.1, table 5).
                reason = f"{_name(call)} is no method of this ACS: fault 8000"
                self._events.append(MessageRefused(request.source, reason[:TEXT], sent=request.excerpt()))
                return _say(message, rpc.Fault(8000))
            case other:
                self._end(session)
                return self._refuse(request, f"{_name(other)} that nobody asked for")
        session.asked = None
        return self._turn(session, now)

    def _turn(self, session: _Session, now: float) -> Reply:
        """It is our turn: ask the next thing, or end the session with 204 (section 3.7.2.4)."""
        if not session.planned:
            session.planned = True
            device = self._known(session)
            wanted = (
                settings_for(device, session.inform, self.config),
                download_for(device, self.config, now),
            )
            session.waiting.extend(call for call in wanted if call is not None)
        if session.asked is not None:
            # The CPE gave no answer but an empty POST: the call is lost.
            self._events.append(
                Faulted(
                    session.device,
                    _name(session.asked),
                    rpc.Fault(9002, "no answer"),
                    self._known(session).mac,
                )
            )
            session.asked = None
        if not session.waiting:
            self._end(session)
            return Reply(204)
        session.asked = session.waiting.popleft()
        session.serial += 1
        session.asked_id = f"netprov-{session.serial}"
        return _say(rpc.Message(session.asked, session.asked_id, session.version), session.asked)

    def _accepted(
        self, session: _Session, call: rpc.Download, response: rpc.DownloadResponse, now: float
    ) -> None:
        device = self._known(session)
        self._events.append(DownloadRequested(session.device, call.url, call.command_key))
        self._keep(replace(device, requested=call.command_key, hold_until=now + OUTSTANDING, fault=""))
        if response.status == 0:
            self._transferred(session, rpc.TransferComplete(call.command_key), now)

    def _transferred(self, session: _Session, report: rpc.TransferComplete, now: float) -> None:
        device = self._known(session)
        if report.fault_code:
            fault = str(rpc.Fault(report.fault_code, report.fault_text[:TEXT]))
            self._keep(
                replace(device, requested=report.command_key[:TEXT], hold_until=now + FAILED, fault=fault)
            )
        else:
            self._keep(replace(device, applied=report.command_key[:TEXT], hold_until=0, fault=""))
        self._events.append(
            FileTransferred(
                session.device,
                device.mac,
                report.command_key,
                report.fault_code,
                report.fault_text,
                device.address,
            )
        )

    def _faulted(self, session: _Session, asked: rpc.Rpc, fault: rpc.Fault, now: float) -> None:
        device = self._known(session)
        self._events.append(Faulted(session.device, _name(asked), fault, device.mac))
        device = replace(device, fault=str(fault)[:TEXT])
        if isinstance(asked, rpc.SetParameterValues):
            # What it cannot be set to now it cannot be at the next Inform either.
            device = replace(device, refused_key=asked.parameter_key)
        elif isinstance(asked, rpc.Download):
            device = replace(device, requested=asked.command_key, hold_until=now + FAILED)
        self._keep(device)

    def _refuse(self, request: AcsRequest, reason: str) -> Reply:
        self._events.append(MessageRefused(request.source, reason[:TEXT], sent=request.excerpt()))
        return Reply(400, f"{reason}\n".encode("ascii", "replace"), (("Content-Type", "text/plain"),))

    def _end(self, session: _Session | None) -> None:
        if session is None or self._sessions.pop(session.token, None) is None:
            return
        if self._by_device.get(session.device) == session.token:
            del self._by_device[session.device]
        if self._by_connection.get(session.connection) == session.token:
            del self._by_connection[session.connection]

    def _expire(self, now: float) -> None:
        """End the sessions that went silent; the longest silent stands first."""
        while self._sessions:
            session = next(iter(self._sessions.values()))
            if now - session.seen <= self.limits.idle:
                return
            self._end(session)


def _cookie(header: str) -> str:
    """Return our cookie of a Cookie header."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value.strip('"')
    return ""


def _say(message: rpc.Message, body: rpc.Rpc) -> Reply:
    """Answer with a message that repeats its cwmp:ID and namespace (section 3.5)."""
    data = codec.encode(rpc.Message(body, message.id, message.version))
    return Reply(200, data, (("Content-Type", "text/xml; charset=utf-8"),))


def _is_answer(body: rpc.Rpc) -> bool:
    return isinstance(body, rpc.Fault) or _name(body).endswith("Response")


def _name(body: rpc.Rpc) -> str:
    return body.method if isinstance(body, rpc.Unknown) else type(body).__name__

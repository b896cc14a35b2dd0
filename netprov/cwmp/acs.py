"""The server's side of CWMP: the sessions of an ACS (TR-069 Amendment 6 sections 3.4, 3.7.2).

Sans-IO. Each HTTP request becomes one `AcsRequest`, its answer a `Reply`:

    acs = Acs(config, records)
    reply = acs.respond(Request(body, cookie=…, source=…, connection=…), now, token)
    for record in acs.changed(): …              # keep these durably, before the reply leaves
    for event in acs.events(): …

`token` is fresh random text for each request; it names the session if this request opens one. A session is found by
its cookie (section 3.4.2) or, for a device that keeps none, by its connection. Deliberately absent:
Upload, several envelopes a message, HoldRequests, which an ACS need not use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from netprov.cwmp import codec, rpc
from netprov.cwmp.admission import agreed, refusal
from netprov.cwmp.config import AcsConfig
from netprov.cwmp.connection_request import account_for, after_account
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
from netprov.cwmp.queue import Queue, TransactionEnded
from netprov.cwmp.session import COOKIE, AcsLimits, AcsRequest, Reply, Session, Sessions
from netprov.cwmp.transaction import Transaction
from netprov.errors import Malformed
from netprov.machine import Dropped, Endpoint

METHODS: Final = ("Inform", "GetRPCMethods", "TransferComplete")
"""What we answer to a CPE's GetRPCMethods (section 3.6, table 5)."""


INFORMED: Final = 64
"""Parameters of an Inform that are kept."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be kept before an answer leaves: records, transactions, and the values that devices reported."""

    devices: tuple[Device, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    reported: tuple[tuple[str, tuple[rpc.ParameterValue, ...]], ...] = ()


class Acs:
    """The sessions of one ACS, and what it knows of its devices."""

    def __init__(
        self,
        config: AcsConfig,
        records: Iterable[Device] = (),
        limits: AcsLimits | None = None,
        queue: Queue | None = None,
        *,
        draw_password: Callable[[], str] | None = None,
    ) -> None:
        self.config = config
        self.limits = limits or AcsLimits()
        self.queue = queue or Queue()
        self._draw_password = draw_password
        self._devices = {record.key: record for record in records}
        self._sessions = Sessions(self.limits, self._ended)
        self._changed: dict[str, Device] = {}
        self._reported: dict[str, dict[str, rpc.ParameterValue]] = {}
        self._events: list[AcsEvent | Dropped] = []

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every device that is known, by its OUI, product class and serial number."""
        return self._devices

    @property
    def sessions(self) -> int:
        """How many sessions are open, or were left open a short while ago."""
        return len(self._sessions)

    def events(self) -> tuple[AcsEvent | TransactionEnded | Dropped, ...]:
        """Return and forget what happened since the last call."""
        drained, self._events = (*self._events, *self.queue.events()), []
        return drained

    def changed(self) -> Changes:
        """Return and forget what changed since the last call, and what devices reported."""
        drained = Changes(
            tuple(self._changed.values()),
            self.queue.changed(),
            tuple((device, tuple(values.values())) for device, values in self._reported.items()),
        )
        self._changed, self._reported = {}, {}
        return drained

    def account_void(self, key: str, password: str) -> None:
        """Take in that a device refuses the account of connection requests: it gets another in its next session."""
        device = self._devices.get(key)
        if device is not None and device.request_password == password:
            self._keep(replace(device, request_password=""))

    def not_kept(self, request: AcsRequest | None, changes: Changes, now: float) -> None:
        """Take in that changes could not be kept: the answer to the request was not sent, and its session is over."""
        self.queue.not_kept(changes.transactions, now)
        if request is not None:
            self._sessions.end(self._sessions.find(request, now), now)

    def respond(self, request: AcsRequest, now: float, token: str) -> Reply:
        """Answer one POST. Whatever it holds, nothing is raised."""
        self._sessions.expire(now)
        self.queue.expire(now)
        session = self._sessions.find(request, now)
        if not request.body.strip():
            return (
                self._refuse(request, "an empty POST outside a session")
                if session is None
                else self._turn(session, now)
            )
        try:
            message = codec.decode(request.body)
        except Malformed as error:
            self._sessions.end(session, now)
            return self._refuse(request, str(error))
        if isinstance(message.rpc, rpc.Inform):
            self._sessions.end(session, now)
            return self._inform(message, message.rpc, request, now, token)
        if session is None:
            # A session begins with an Inform (section 3.7.1.1).
            self._events.append(
                Dropped(f"{rpc.method_of(message.rpc)} outside a session", Endpoint(request.source, 0))
            )
            return _say(message, rpc.Fault(8001, "A session begins with an Inform"))
        return self._continue(session, message, request, now)

    def _inform(
        self, message: rpc.Message, inform: rpc.Inform, request: AcsRequest, now: float, token: str
    ) -> Reply:
        key = str(inform.device)[:TEXT]
        mac, target = identify(inform, request.source, self.config, request.certificate)
        refused = refusal(message, inform, target, request.certificate, self.config)
        if refused is not None:
            reason = f"Inform of {key}: fault {refused}"
            # Without a certificate, its MAC address is what it says of itself: nothing that is to stand in a phone's record.
            self._events.append(
                MessageRefused(request.source, reason[:TEXT], request.certificate, request.excerpt())
            )
            return _say(message, refused)
        self._sessions.end(self._sessions.of(key), now)
        if len(self._sessions) >= self.limits.sessions:
            self._events.append(Dropped("too many sessions", Endpoint(request.source, 0)))
            return Reply(503, headers=(("Retry-After", "30"),))
        codes = tuple(event.code[:TEXT] for event in inform.events[:16])
        self._record(
            after_inform(self._devices.get(key, Device(key)), inform, codes, now),
            mac,
            request,
            target is not None,
        )
        session = Session(
            token,
            request.connection,
            key,
            inform,
            message.version,
            request.certificate,
            now,
            now,
            parameter_key=inform.parameter(PARAMETER_KEY)[:TEXT],
        )
        self._sessions.open(session)
        self.queue.informed(key, inform, now)
        self._tell(session, inform.parameters[:INFORMED])
        known = self._known(session)
        self._events.append(
            InformReceived(
                key, mac, request.source, codes, target is not None, known.product_class, known.software
            )
        )
        reply = _say(message, rpc.InformResponse(), use=agreed(message.supported))
        return replace(reply, headers=(*reply.headers, ("Set-Cookie", f"{COOKIE}={token}; Path=/; HttpOnly")))

    def _record(self, device: Device, mac: str, request: AcsRequest, listed: bool) -> None:
        self._keep(replace(device, mac=mac, listed=listed, address=request.source))
        if len(self._devices) > self.limits.records:
            stranger = next((each.key for each in self._devices.values() if not each.listed), None)
            del self._devices[stranger if stranger is not None else next(iter(self._devices))]

    def _known(self, session: Session) -> Device:
        return self._devices.get(session.device) or Device(session.device)

    def _keep(self, device: Device) -> None:
        self._devices[device.key] = device
        self._changed[device.key] = device

    def _continue(self, session: Session, message: rpc.Message, request: AcsRequest, now: float) -> Reply:
        """Take in a call of the CPE, or its answer to ours."""
        answers = session.asked is not None and rpc.is_answer(message.rpc)
        if answers and message.id not in {"", session.asked_id}:
            # Section 3.5: an answer repeats the ID. Quirk: some devices send none, and one call is open at most.
            self._sessions.end(session, now)
            return self._refuse(
                request,
                f"{rpc.method_of(message.rpc)} with the ID {message.id[:TEXT]!r}, {session.asked_id!r} was asked",
            )
        match message.rpc:
            case rpc.TransferComplete() as report:
                if not self.queue.transferred(session.device, report, now):
                    self._transferred(session, report, now)
                return _say(message, rpc.TransferCompleteResponse())
            case rpc.GetRPCMethods():
                return _say(message, rpc.GetRPCMethodsResponse(METHODS))
            case call if not rpc.is_answer(call):
                # Methods of a CPE among them: what an ACS calls, it does not answer (annex A.3.1.1, table 5).
                reason = f"{rpc.method_of(call)} is no method of this ACS: fault 8000"
                self._events.append(MessageRefused(request.source, reason[:TEXT], sent=request.excerpt()))
                return _say(message, rpc.Fault(8000))
            case said if session.asked is None or not _answers(said, session.asked):
                self._sessions.end(session, now)
                return self._refuse(request, f"{rpc.method_of(said)} that nobody asked for")
            case said:
                self._answered(session, session.asked, said, now)
        session.asked = session.transaction = None
        return self._turn(session, now)

    def _answered(self, session: Session, asked: rpc.Rpc, said: rpc.Rpc, now: float) -> None:
        """Take in the answer to our call."""
        if isinstance(said, rpc.GetParameterValuesResponse):
            self._tell(session, said.parameters)
        if session.transaction is not None:
            self.queue.answered(session.transaction, said, now)
            return
        if session.account is not None:
            self._keep(after_account(self._known(session), session.account, said))
            session.account = None
            return
        match said:
            case rpc.Fault():
                self._faulted(session, asked, said, now)
            case rpc.DownloadResponse() if isinstance(asked, rpc.Download):
                self._accepted(session, asked, said, now)
            case rpc.SetParameterValuesResponse() if isinstance(asked, rpc.SetParameterValues):
                told = session.inform.parameter(PARAMETER_KEY)[:TEXT]
                session.parameter_key = asked.parameter_key
                self._keep(replace(self._known(session), taken_key=asked.parameter_key, key_before=told))
                names = tuple(each.name for each in asked.parameters)
                self._events.append(Configured(session.device, names))

    def _tell(self, session: Session, values: tuple[rpc.ParameterValue, ...]) -> None:
        """Note what a listed device reports; of others nothing is kept but their record."""
        if self._known(session).listed:
            told = self._reported.setdefault(session.device, {})
            told.update((each.name[:TEXT], each) for each in values)

    def _turn(self, session: Session, now: float) -> Reply:
        """It is our turn: ask the next thing, or end the session with 204 (section 3.7.2.4)."""
        if session.asked is not None:
            # The CPE gave no answer but an empty POST: the call is lost.
            self._unanswered(session, session.asked, now)
        session.asked, session.transaction = self._next(session, now)
        if session.asked is None:
            self._sessions.end(session, now)
            return Reply(204)
        session.serial += 1
        session.asked_id = f"netprov-{session.serial}"
        return _say(rpc.Message(session.asked, session.asked_id, session.version), session.asked)

    def _next(self, session: Session, now: float) -> tuple[rpc.Rpc | None, int | None]:
        """Return what to ask now, and the number of its transaction: settings, what operators ask, then the profile."""
        if not self._sessions.may_ask(session):
            return None, None
        if session.stage == "settings":
            session.stage = "account"
            settings = settings_for(self._known(session), session.inform, self.config)
            if settings is not None:
                return settings, None
        if session.stage == "account":
            session.stage = "transactions"
            session.account = self._account(session)
            if session.account is not None:
                return session.account, None
        asked = self.queue.deliver(session.device, now, session.parameter_key)
        if asked is not None:
            return asked.call, asked.number
        if session.stage == "transactions":
            session.stage = "over"
            return download_for(self._known(session), self.config, now), None
        return None, None

    def _account(self, session: Session) -> rpc.SetParameterValues | None:
        if self._draw_password is None:
            return None
        return account_for(self._known(session), session.inform, session.parameter_key, self._draw_password)

    def _unanswered(self, session: Session, asked: rpc.Rpc, now: float) -> None:
        session.account = None
        if session.transaction is not None:
            self.queue.lost(session.transaction, now)
            return
        fault = rpc.Fault(9002, "no answer")
        self._events.append(Faulted(session.device, rpc.method_of(asked), fault, self._known(session).mac))

    def _ended(self, session: Session, now: float) -> None:
        """A session is over: what was asked in it last and not answered is lost."""
        if session.transaction is not None:
            self.queue.lost(session.transaction, now)

    def _accepted(
        self, session: Session, call: rpc.Download, response: rpc.DownloadResponse, now: float
    ) -> None:
        device = self._known(session)
        self._events.append(DownloadRequested(session.device, call.url, call.command_key))
        self._keep(replace(device, requested=call.command_key, hold_until=now + OUTSTANDING, fault=""))
        if response.status == 0:
            self._transferred(session, rpc.TransferComplete(call.command_key), now)

    def _transferred(self, session: Session, report: rpc.TransferComplete, now: float) -> None:
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

    def _faulted(self, session: Session, asked: rpc.Rpc, fault: rpc.Fault, now: float) -> None:
        device = self._known(session)
        self._events.append(Faulted(session.device, rpc.method_of(asked), fault, device.mac))
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


def _say(message: rpc.Message, body: rpc.Rpc, *, use: str = "") -> Reply:
    """Answer with a message that repeats its cwmp:ID and namespace (section 3.5)."""
    data = codec.encode(rpc.Message(body, message.id, message.version, use=use))
    return Reply(200, data, (("Content-Type", "text/xml; charset=utf-8"),))


def _answers(said: rpc.Rpc, asked: rpc.Rpc) -> bool:
    """Say whether something is an answer to a call."""
    return isinstance(said, rpc.Fault) or rpc.method_of(said) == f"{rpc.method_of(asked)}Response"

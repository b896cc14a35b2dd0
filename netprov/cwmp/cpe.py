"""The phone's side of CWMP: sessions with an ACS, and what they lead to (TR-069 Amendment 6 sections 3.4, 3.7.1).

Sans-IO. Whoever drives it does what `next_action` says and tells how that went:

    cpe = Cpe(device, telephone(device, "https://acs.example.com:7547/", mac="00:12:34:ab:45:de"), random)
    cpe.boot(now, bootstrap=True)
    while not cpe.settled:
        match cpe.next_action(now):
            case Post(url, body, headers):      # POST it as it is, without following redirects or keeping cookies
                cpe.posted(Answer(status, headers, body), now)       # or cpe.post_failed("timed out", now)
            case Fetch(url, file_type, username, password):
                cpe.fetched(now)                # the file is there and was applied
                                                # or cpe.fetch_failed(9015, "connection refused", now)
            case Restart():                     # restart, then cpe.boot(now); on `factory` begin with a new Cpe
                cpe.boot(now)
            case Wait(until, reason):           # sleep; a retry may be where you give up: `cpe.failure` says why
                now = until

All times are in seconds of one clock; `wall` of the constructor turns one into the dateTime that an Inform carries.
`settled` is true once no session is open and nothing is outstanding but the next periodic Inform; `configured` is
true once a vendor configuration file was fetched and reported. `events` drains what happened, for a timeline.
Deliberately absent: the connection request server; `trigger` opens the session that one would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Final
from urllib.parse import urljoin, urlsplit

from netprov.cookie import Jar
from netprov.cwmp import codec, rpc
from netprov.cwmp.action import (
    Action,
    Answer,
    CpeEvent,
    Fetch,
    InformAccepted,
    Post,
    Reported,
    ReportRefused,
    SessionClosed,
    SessionFailed,
    Wait,
)
from netprov.cwmp.method import Methods
from netprov.cwmp.objects import Table
from netprov.cwmp.outstanding import Outcome, Outstanding
from netprov.cwmp.parameter import INTERVAL, PERIODIC, URL, Parameter, Parameters
from netprov.errors import Malformed

REDIRECTS: Final = 5
"""How many redirects in a row a CPE follows (section 3.4.6)."""

REPEATS: Final = 10
"""How often a request is made again in one session because the ACS says so (fault 8005, "Retry request")."""

RETRY: Final = 8005

CONNECTION_REQUEST: Final = "6 CONNECTION REQUEST"

RETRY_MINIMUM: Final = 5.0
RETRY_MULTIPLIER: Final = 2.0
"""The session retry policy of section 3.2.1.1: the n-th wait is between minimum x multiplier to the n-1 and to the n."""


class _State(Enum):
    CLOSED = auto()
    INFORM = auto()
    """Our Inform is out."""
    REQUEST = auto()
    """A request of ours is out."""
    LISTEN = auto()
    """An empty POST or a response is out: the ACS's turn."""


class Cpe:
    """One phone's CWMP client; drive it as the module's docstring shows."""

    def __init__(
        self,
        device: rpc.DeviceId,
        parameters: Iterable[Parameter],
        random: Callable[[], float],
        *,
        tables: Iterable[Table] = (),
        wall: Callable[[float], str] = lambda _now: rpc.UNKNOWN_TIME,
        version: str = "1-2",
    ) -> None:
        """`random` returns numbers from 0 to 1; `version` is the CWMP namespace (the phones' V1.2 support is on)."""
        self.device = device
        self.parameters = Parameters(parameters, tables)
        self.failure = ""
        self.configured = False
        self.outstanding = Outstanding()
        self._random = random
        self._wall = wall
        self._version = version
        self._state = _State.CLOSED
        self._methods = Methods(self.parameters)
        self._post: Post | None = None
        self._cookies = Jar()
        self._held = False
        self._repeats = 0
        self._target = ""
        self._redirects = 0
        self._retries = 0
        self._retry_at: float | None = None
        self._periodic_at: float | None = None
        self._serial = 0
        self._events = self._methods.events

    def boot(self, now: float, *, bootstrap: bool = False) -> None:
        """Note that the phone has started; `bootstrap` the first time, and the first with this ACS."""
        if self._methods.restart and not self._methods.restart.factory:
            self.outstanding.add("M Reboot", self._methods.restarted_by)
        self._methods.restart = None
        self._retry_at = None
        self._retries = 0  # table 3 counts from the boot on
        self._periodic_at = None
        if bootstrap:
            self.outstanding.add("0 BOOTSTRAP")
        self.trigger(rpc.EventCode("1 BOOT"), now)

    def interrupt(self) -> None:
        """Note that the phone lost its power: an open session is gone; what is to be fetched and to be told is not.

        An ACS that has asked for a file waits for its TransferComplete (annex A.3.2.8), whatever happens to the phone.
        """
        self._state, self._post, self._retry_at = _State.CLOSED, None, None

    def trigger(self, cause: rpc.EventCode, now: float) -> None:
        """Open a session for a cause, as soon as none is open; a connection request waits for no retry.

        Section 3.2.2: a session is attempted within 30 seconds of it. The count of retries goes on.
        """
        self.outstanding.add(cause.code, cause.command_key)
        if self._state is _State.CLOSED and (self._retry_at is None or cause.code == CONNECTION_REQUEST):
            self._open(now)

    def change(self, name: str, value: str, now: float) -> None:
        """Note that a parameter (its name below the root) changed; the ACS is told when it wants to be."""
        if self.parameters.change(name, value):
            self.trigger(rpc.EventCode("4 VALUE CHANGE"), now)

    @property
    def settled(self) -> bool:
        """Whether nothing is outstanding but the next periodic Inform."""
        return (
            self._state is _State.CLOSED
            and self._retry_at is None
            and not (self.outstanding or self._methods.transfers or self._methods.restart)
        )

    def events(self) -> tuple[CpeEvent, ...]:
        """Return and forget what happened since the last call, in order."""
        drained = tuple(self._events)
        self._events.clear()
        return drained

    def next_action(self, now: float) -> Action:
        """Return what to do now; the same until it is answered."""
        if self._state is _State.CLOSED:
            self._open_if_due(now)
        if self._post is not None:
            return self._post
        if self._methods.restart:
            return self._methods.restart
        if self._retry_at is not None:
            return Wait(self._retry_at, "retry")
        if self._methods.transfers:
            transfer = self._methods.transfers[0]
            if transfer.due > now:
                return Wait(transfer.due, "delay")
            request = transfer.request
            return Fetch(request.url, request.file_type, request.username, request.password)
        return Wait(float("inf") if self._periodic_at is None else self._periodic_at, "periodic")

    def posted(self, answer: Answer, now: float) -> None:
        """Take in the answer to the Post."""
        if self._state is _State.CLOSED:
            return
        self._cookies.take(self._target, answer.headers, now)
        if answer.status in {301, 302, 307, 308} and answer.header("Location"):
            self._follow(answer.header("Location"), now)
        elif answer.status == 204 or (answer.status == 200 and not answer.body.strip()):
            self._answered(None, now)
        elif answer.status == 200:
            try:
                message = codec.decode(answer.body)
            except Malformed as error:
                self._fail(f"the ACS's answer cannot be read: {error}", now)
            else:
                self._answered(message, now)
        else:
            self._fail(f"the ACS answered HTTP {answer.status}", now)

    def post_failed(self, reason: str, now: float) -> None:
        """Note that the ACS could not be reached, or did not answer."""
        if self._state is not _State.CLOSED:
            self._fail(reason, now)

    def fetched(self, now: float) -> None:
        """Note that the file of the Fetch was fetched and applied."""
        self._transferred(0, "", now)

    def fetch_failed(self, code: int, reason: str, now: float) -> None:
        """Note that the Fetch failed, with a fault code of 9010 to 9019 (annex A.5.1)."""
        self._transferred(code, reason, now)

    def _open_if_due(self, now: float) -> None:
        if self._methods.restart:
            return
        if self._retry_at is not None:
            if now >= self._retry_at:
                self._open(now)
        elif self.outstanding:
            self._open(now)
        elif not self._methods.transfers and self._periodic_at is not None and now >= self._periodic_at:
            self.outstanding.add("2 PERIODIC")
            self._open(now)

    def _open(self, now: float) -> None:
        """Begin a session with an Inform (section 3.7.1.1)."""
        self._retry_at = None
        self._cookies, self._held, self._repeats = Jar(), False, 0
        self._target = self.parameters.value(URL)
        if urlsplit(self._target).scheme not in {"http", "https"}:
            self._fail(f"the ACS URL {self._target!r} is not an HTTP URL", now)
            return
        self._state = _State.INFORM
        self._call(
            rpc.Inform(
                device=self.device,
                events=self._event_codes(),
                parameters=self.parameters.for_inform(),
                current_time=self._wall(now),
                retry_count=self._retries,
            ),
            now,
        )

    def _event_codes(self) -> tuple[rpc.EventCode, ...]:
        return self.outstanding.codes(changed=self.parameters.changed)

    def _answered(self, message: rpc.Message | None, now: float) -> None:
        self._redirects = 0
        said = message.rpc if message else None
        if message is not None:
            self._held = message.hold_requests
            ours = self._state is not _State.LISTEN
            if ours and message.id not in {"", str(self._serial)}:
                # Section 3.5: an answer repeats the ID. Quirk: some ACSs send none, and one request is out at most.
                self._fail(f"the ACS answered with the ID {message.id[:40]!r}, {self._serial} was asked", now)
                return
        match self._state, said:
            case _State.INFORM, rpc.InformResponse():
                self.failure = ""
                self._events.append(
                    InformAccepted(self._target, tuple(each.code for each in self._event_codes()))
                )
                self.outstanding.informed()
                self.parameters.told()
                self._our_turn(now)
            case _State.REQUEST, rpc.TransferCompleteResponse():
                self._note_report()
                self._our_turn(now)
            case _State.LISTEN, None:
                self._given_away(now)
            case ((_State.INFORM | _State.REQUEST), rpc.Fault() as fault):
                self._refused(fault, now)
            case _State.LISTEN, call if call is not None and message is not None and not rpc.is_answer(call):
                self._respond(message, now)
            case _:
                what = "nothing" if said is None else rpc.method_of(said)
                self._fail(f"the ACS answered with {what} out of turn", now)

    def _our_turn(self, now: float) -> None:
        """Send our next request, or give the turn away with an empty POST (section 3.7.1.3)."""
        if self.outstanding.outcomes and not self._held:
            self._state = _State.REQUEST
            self._call(self.outstanding.outcomes[0].report, now)
        else:
            self._state = _State.LISTEN
            self._send(b"", now)

    def _given_away(self, now: float) -> None:
        """The ACS has no more requests: the session is over, unless there are requests that it held (section 3.7.1.4)."""
        if self.outstanding.outcomes and not self._held:
            self._our_turn(now)
        else:
            self._close(now)

    def _refused(self, fault: rpc.Fault, now: float) -> None:
        """The ACS refused our request: made again where it says so; a report it does not want is not made again."""
        if fault.code == RETRY and self._repeats < REPEATS:
            self._repeats += 1
            return  # the same message is posted again
        if self._state is _State.INFORM or fault.code == RETRY:
            self._fail(f"the ACS refused: {fault}", now)
            return
        outcome = self.outstanding.outcomes.popleft()
        self._events.append(ReportRefused(outcome.url, str(fault)))
        self._our_turn(now)

    def _note_report(self) -> None:
        outcome = self.outstanding.outcomes.popleft()
        if outcome.report.fault_code == 0 and outcome.file_type == rpc.CONFIGURATION:
            self.configured = True
        self._events.append(Reported(outcome.url, outcome.report.fault_code))

    def _respond(self, message: rpc.Message, now: float) -> None:
        """Answer the ACS with its own cwmp:ID and namespace."""
        response = self._methods.serve(message.rpc, now)
        self._send(codec.encode(rpc.Message(response, message.id, message.version)), now)

    def _transferred(self, code: int, reason: str, now: float) -> None:
        if not self._methods.transfers or self._state is not _State.CLOSED:
            return
        request = self._methods.transfers.popleft().request
        ended = self._wall(now)
        report = rpc.TransferComplete(request.command_key, code, reason, ended, ended)
        self.outstanding.outcomes.append(Outcome(request.url, request.file_type, report))

    def _close(self, now: float) -> None:
        self._state = _State.CLOSED
        if self._methods.moved:
            # The first contact with another ACS is a bootstrap (section 3.7.1.5).
            self._methods.moved = False
            self.outstanding.add("0 BOOTSTRAP")
        self._post = None
        self._retries = 0
        enabled = self.parameters.value(PERIODIC) in {"1", "true"}
        self._periodic_at = now + int(self.parameters.value(INTERVAL)) if enabled else None
        self._events.append(SessionClosed())

    def _fail(self, reason: str, now: float) -> None:
        """Break off, and retry after a wait that doubles (section 3.2.1.1, table 3)."""
        self._state = _State.CLOSED
        self._post = None
        self._redirects = 0
        self.failure = reason
        self._retries += 1
        longest = RETRY_MINIMUM * RETRY_MULTIPLIER ** min(self._retries, 10)
        shortest = longest / RETRY_MULTIPLIER
        self._retry_at = now + shortest + self._random() * (longest - shortest)
        self._events.append(SessionFailed(reason))

    def _call(self, request: rpc.Rpc, now: float) -> None:
        self._serial += 1
        self._repeats = 0
        self._send(codec.encode(rpc.Message(request, str(self._serial), self._version)), now)

    def _send(self, body: bytes, now: float) -> None:
        # An empty POST has neither Content-Type nor SOAPAction; a full one has SOAPAction without a value (3.4.1).
        headers = [("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", "")] if body else []
        cookies = self._cookies.header(self._target, now)
        if cookies:
            headers.append(("Cookie", cookies))
        self._post = Post(self._target, body, tuple(headers))

    def _follow(self, location: str, now: float) -> None:
        """Send the same message to where the ACS points (section 3.4.6)."""
        self._redirects += 1
        target = urljoin(self._target, location)
        if self._redirects > REDIRECTS or urlsplit(target).scheme not in {"http", "https"}:
            self._fail(f"the ACS redirected to {location} after {self._redirects - 1} redirects", now)
            return
        self._target = target
        assert self._post is not None
        self._send(self._post.body, now)

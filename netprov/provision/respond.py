"""Answers HTTP requests from the catalog: which method, whose credentials, what is kept; nothing about sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from netprov.errors import Malformed
from netprov.failure import FailureLimit
from netprov.provision.answer import Content, Lock, Redirect, Refusal, TreeFile, Unasked
from netprov.provision.auth import REALM, REASONS, Authority
from netprov.provision.catalog import Catalog, decode_path
from netprov.provision.config import Device, Provision, TlsVersion
from netprov.provision.event import PROBE, Asked, Posted, Reported, claimed
from netprov.provision.gate.handout import Wanted
from netprov.provision.http import HttpRequest, Response
from netprov.provision.report import Report, is_sealed, is_secret, open_report, parse_posted, parse_report
from netprov.provision.requester import Agent, Requester
from netprov.provision.selection import Selection

_TYPES: Mapping[str, str] = {
    ".xml": "text/xml",
    ".cfg": "text/xml",
    ".pem": "application/x-pem-file",
    ".txt": "text/plain",
}
_METHODS = {"GET", "HEAD", "POST"}
_ALLOW = (("Allow", "GET, HEAD, POST"),)
_ALLOW_FILE = (("Allow", "GET, HEAD"),)
_PLAIN = (("Content-Type", "text/plain"),)
_CHALLENGES: Mapping[int, tuple[tuple[str, str], ...]] = {
    401: (("WWW-Authenticate", f'Basic realm="{REALM}"'),),
    407: (("Proxy-Authenticate", f'Basic realm="{REALM}"'),),
}
"""What goes with a status that the inventory asks for."""

_SELECTED: Mapping[int, str] = {
    304: "not changed",
    412: "it has changed",
    416: "the file ends before the range",
}

MAX_POSTED = 4096
"""Octets of a posted body that are kept."""


class Elsewhere(Exception):
    """The answer hangs on what another process counts, nonces or keys that were given, or on what only it asks."""


class SourceUnasked(Elsewhere):
    """The answer hangs on what a source says of a phone: ask it, and respond again."""

    def __init__(self, unasked: Unasked) -> None:
        self.unasked = unasked
        super().__init__(unasked.reason)


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply to one request, and the facts to report; `file` is set where the pump has to open one first."""

    response: Response
    event: Asked
    file: TreeFile | None = None
    more: Reported | Posted | None = None
    key: Wanted | None = None
    """What of a phone's keys the reply holds: it is put on record first, or does not leave."""
    shown: bool = False
    """Whether the sender has shown who he is by a password or a key of that phone."""


def _posted(request: HttpRequest) -> str:
    return request.body[:MAX_POSTED].decode("utf-8", "replace")


class Responder:
    """Answers the requests of one plan; `authority` asks for credentials where a profile is locked.

    Without one, what asks for credentials raises `Elsewhere`.
    """

    def __init__(self, catalog: Catalog, provision: Provision, authority: Authority | None) -> None:
        self._catalog = catalog
        self._provision = provision
        self._authority = authority
        self._failures = FailureLimit()
        self._reports = provision.reports.rstrip("/").lower()

    def oldest_tls(self, address: str, link_mac: Callable[[], str]) -> TlsVersion | None:
        """Return the oldest TLS that the phone at an address may speak, None for the site's."""
        return self._catalog.oldest_tls(address, link_mac)

    def respond(self, request: HttpRequest, requester: Requester, now: float) -> Answered:
        """Answer one request."""
        if requester.now != now:
            requester = replace(requester, now=now)
        answered = self._respond(request, requester, now)
        mac = answered.event.mac
        if not mac or answered.shown or self._catalog.is_proven(mac, requester):
            return answered
        # A path can name any phone: what is asked in its name is told of the sender.
        more = answered.more and replace(answered.more, proven=False)
        event = claimed(answered.event)
        return Answered(answered.response, event, answered.file, more, answered.key, answered.shown)

    def _respond(self, request: HttpRequest, requester: Requester, now: float) -> Answered:
        raw = target_path(request.target)
        if mark := request.fields.get(PROBE):
            requester = self._catalog.marked(requester, mark, raw, now)
        path = decode_path(raw)
        if path is None:
            return _refuse(request, requester, raw, Refusal("not a path of any file"))
        if self._is_report(path):
            return self._report(request, requester, path, now)
        if request.method not in _METHODS:
            return _refuse(request, requester, path, Refusal("method", 405), _ALLOW)
        if request.method == "POST" and request.body:
            requester = replace(requester, posted=tuple(parse_posted(_posted(request)).items()))
        answer = self._catalog.respond(path, requester)
        match answer:
            case Content():
                return self._content(request, requester, path, answer, now)
            case TreeFile() if request.method == "POST":
                return _refuse(request, requester, path, Refusal("a file is not posted to", 405), _ALLOW_FILE)
            case TreeFile():
                event = _event(request, requester, path, 200, answer.mac, kind="file")
                return Answered(Response(200), event, answer)
            case Redirect():
                response = Response(answer.status, (("Location", answer.location),))
                event = _event(request, requester, path, answer.status, answer.mac, reason=answer.location)
                return Answered(response, event)
            case Unasked():
                return self._before_source(request, requester, path, answer, now)
            case Refusal():
                fields = _CHALLENGES.get(answer.status, ())
                if answer.retry_after:
                    fields = (*fields, ("Retry-After", str(answer.retry_after)))
                return _refuse(request, requester, path, answer, fields)

    def _before_source(
        self, request: HttpRequest, requester: Requester, path: str, unasked: Unasked, now: float
    ) -> Answered:
        """Ask for credentials where a profile wants them and none came: strangers set no source to work. Raises `SourceUnasked`."""
        lock = self._catalog.lock(unasked.device)
        if lock is not None and "authorization" not in request.fields:
            mac = unasked.device.mac
            if (asked := self._ask(request, requester, path, lock=lock, mac=mac, now=now)) is not None:
                return asked
        raise SourceUnasked(unasked)

    def _ask(
        self, request: HttpRequest, requester: Requester, path: str, *, lock: Lock, mac: str, now: float
    ) -> Answered | None:
        """Ask for a phone's credentials, unless they are there and good."""
        if self._authority is None:
            raise Elsewhere
        verdict = self._authority.judge(
            request.fields.get("authorization"),
            lock.account,
            lock.scheme,
            method=request.method,
            target=request.target,
            now=now,
        )
        if verdict == "good":
            return None
        challenges = self._authority.challenge(lock.scheme, now, stale=verdict == "stale")
        fields = tuple(("WWW-Authenticate", challenge) for challenge in challenges)
        return _refuse(request, requester, path, Refusal(REASONS[verdict], 401, mac), fields)

    def _content(
        self, request: HttpRequest, requester: Requester, path: str, content: Content, now: float
    ) -> Answered:
        if content.lock is not None:
            asked = self._ask(request, requester, path, lock=content.lock, mac=content.mac, now=now)
            if asked is not None:
                return asked
        fields: tuple[tuple[str, str], ...] = (("Content-Type", content.content_type),)
        if content.coding:
            fields = (*fields, ("Content-Encoding", content.coding))
        event = _event(
            request, requester, path, 200, content.mac, kind=content.kind, octets=len(content.body)
        )
        posted = None
        if request.method == "POST" and request.body:
            kept = {name: value for name, value in requester.posted if not is_secret(name)}
            posted = Posted(requester.address, content.mac, path, _posted(request), kept)
        shown = content.lock is not None
        key = content.key if request.method != "HEAD" else None
        return Answered(Response(200, fields, content.body), event, more=posted, key=key, shown=shown)

    def _is_report(self, path: str) -> bool:
        lower = path.lower()
        return bool(self._reports) and (lower == self._reports or lower.startswith(f"{self._reports}/"))

    def _report(self, request: HttpRequest, requester: Requester, path: str, now: float) -> Answered:
        if request.method not in {"PUT", "POST"}:
            return _refuse(request, requester, path, Refusal("reports are sent here, not fetched"))
        mac = self._catalog.who(path, requester)
        device = self._provision.devices.get(mac) or Device(mac)
        coding = request.fields.get("content-encoding", "").strip().lower()
        sealed = is_sealed(request.body, coding)
        if sealed and (refused := self._refuse_sealed(request, requester, path, device, now)) is not None:
            return refused
        try:
            if sealed:
                report = self._open(request.body, coding, path, device, requester)
            elif coding in {"", "identity", "gzip"}:
                report = parse_report(request.body, path)
            else:
                raise Malformed(f"content coding {coding[:20]!r}")
        except Malformed as error:
            if sealed:
                self._failures.count((mac, requester.address), now)
            return _refuse(request, requester, path, Refusal(f"report: {error}", 400, mac))
        if mac not in self._provision.devices and not self._catalog.is_proven(mac, requester):
            reason = "a report of a phone that is neither listed nor the sender"
            return _refuse(request, requester, path, Refusal(reason, 403, mac))
        event = _event(request, requester, path, 200, mac, kind=f"{report.kind} report")
        reported = Reported(requester.address, mac, report.kind, path, report.fields)
        return Answered(Response(200), event, more=reported, shown=sealed)

    def _open(self, body: bytes, coding: str, path: str, device: Device, requester: Requester) -> Report:
        return open_report(
            body,
            coding,
            path,
            key=self._catalog.secrets.report_key(device.mac),
            policy=device.policy,
            firmware=requester.agent.firmware if requester.agent else device.firmware,
        )

    def _refuse_sealed(
        self, request: HttpRequest, requester: Requester, path: str, device: Device, now: float
    ) -> Answered | None:
        """Refuse what is encrypted before any key is tried, if it does not come from the phone, or that fails often."""
        mac = device.mac
        if self._failures.is_over((mac, requester.address), now):
            refusal = Refusal("encrypted reports of this phone or sender fail too often", 429, mac)
            return _refuse(request, requester, path, refusal)
        if mac and self._catalog.is_proven(mac, requester):
            return None
        lock = self._catalog.lock(device) if mac in self._provision.devices else None
        if lock is None:
            reason = (
                "an encrypted report that comes neither from the phone's address nor with its certificate"
            )
            return _refuse(request, requester, path, Refusal(reason, 403, mac))
        return self._ask(request, requester, path, lock=lock, mac=mac, now=now)


def content_type(path: str) -> str:
    """Return the media type of a static file by its name."""
    return _TYPES.get(path[path.rfind(".") :].lower(), "application/octet-stream")


def sent_file(answered: Answered, selection: Selection) -> Answered:
    """Say of the answer with a file what of it is sent."""
    event = replace(
        answered.event,
        status=selection.status,
        octets=selection.length,
        kind="file" if selection.status in {200, 206} else "",
        reason=_SELECTED.get(selection.status, ""),
    )
    return replace(answered, event=event)


def missing_file(answered: Answered) -> Answered:
    """Turn the answer with a file into a refusal: it is not there, or is none."""
    event = answered.event
    refusal = Asked(
        event.scheme,
        event.address,
        event.method,
        event.path,
        404,
        mac=event.mac,
        reason="no such file",
        agent=event.agent,
        probe=event.probe,
    )
    return Answered(Response(404, _PLAIN), refusal)


def locked_key(answered: Answered, status: int, reason: str, why: str = "") -> Answered:
    """Turn the answer with a key into a refusal: it could not be put on record, or somebody else came first."""
    event = replace(answered.event, status=status, kind="", octets=0, reason=reason, why=why)
    return Answered(Response(status, _PLAIN), event)


def target_path(target: str) -> str:
    """Return the path of a request target in origin or absolute form (RFC 9112 section 3.2)."""
    if target.startswith("/") or "://" not in target:
        return target
    rest = target.partition("://")[2]
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"


def _refuse(
    request: HttpRequest,
    requester: Requester,
    path: str,
    refusal: Refusal,
    fields: tuple[tuple[str, str], ...] = (),
) -> Answered:
    event = _event(request, requester, path[:200], refusal.status, refusal.mac, reason=refusal.reason)
    if refusal.why:
        event = replace(event, why=refusal.why)
    return Answered(Response(refusal.status, (*fields, *_PLAIN)), event)


def _event(
    request: HttpRequest,
    requester: Requester,
    path: str,
    status: int,
    mac: str,
    *,
    kind: str = "",
    octets: int = 0,
    reason: str = "",
) -> Asked:
    agent: Agent | None = requester.agent
    return Asked(
        requester.scheme,
        requester.address,
        request.method,
        path,
        status,
        kind,
        octets,
        mac,
        reason,
        agent,
        PROBE in request.fields,
    )

"""SIP NOTIFY at the phone: Event resync, report, reboot_now and restart_now (RFC 3261, RFC 6665 section 4.1.3).

Cisco's guides: `Resync_From_SIP`; `Auth_Resync-Reboot_1_` challenges with Digest by the account of line 1;
`resync;profile=URL` is followed once. Deliberately absent: every other method and event, and SIP over TCP or TLS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netprov.errors import Malformed
from netprov.phone.handset.memory import Handset
from netprov.phone.handset.settings import is_yes
from netprov.phone.life.input import Input, PowerCycled, ReportAsked, ResyncAsked
from netprov.provision.auth import Account, Authority

MAX_HEADERS = 100
RETRY_S = 60
"""Seconds after which somebody may ask again whom the phone could not see to (RFC 3261 section 21.5.4)."""

COPIED = ("via", "from", "to", "call-id", "cseq")
"""Header fields that a response repeats (RFC 3261 section 8.2.6.2)."""

_SHORT: Mapping[str, str] = {"v": "via", "f": "from", "t": "to", "i": "call-id", "o": "event"}
_PHRASES: Mapping[int, str] = {
    200: "OK",
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    489: "Bad Event",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class SipRequest:
    """The head of a request; header fields by their long names in lower case, in order."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """Return the first of that name, or ""."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class SipReply:
    """A response's octets, b"" for none, and what the phone is made to do."""

    data: bytes
    event: Input | None = None


class NotifyServer:
    """Answers what comes to the phone's SIP port; a request that is sent again is answered again, and done once."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._last: tuple[bytes, bytes] = b"", b""

    def receive(
        self, handset: Handset, datagram: bytes, takes: Callable[[Input], bool] = lambda _event: True
    ) -> SipReply:
        """Take one datagram in; `takes` tells whether the phone would see to what it asks for."""
        if datagram == self._last[0]:
            return SipReply(self._last[1])
        try:
            request = parse_request(datagram)
        except Malformed:
            return SipReply(b"")
        status, more, event = self._judge(handset, request)
        if event is not None and not takes(event):
            return SipReply(_reply(request, 503, (("Retry-After", str(RETRY_S)),)))
        data = _reply(request, status, more)
        self._last = datagram, data
        return SipReply(data, event)

    def _judge(
        self, handset: Handset, request: SipRequest
    ) -> tuple[int, tuple[tuple[str, str], ...], Input | None]:
        if request.method != "NOTIFY":
            return 405, (("Allow", "NOTIFY"),), None
        event = _event(request.header("event"))
        if event is None:
            return 489, (("Allow-Events", "resync, report, reboot_now, restart_now"),), None
        if not (is_yes(handset["Resync_From_SIP"]) and is_yes(handset["Provision_Enable"])):
            return 403, (), None
        if is_yes(handset["Auth_Resync-Reboot_1_"]):
            account = Account(handset["Auth_ID_1_"] or handset["User_ID_1_"], handset["Password_1_"])
            verdict = self._authority.judge(
                request.header("authorization"),
                account,
                "digest",
                method=request.method,
                target=request.target,
                now=handset.now,
            )
            if verdict != "good" or not account.user:
                stale = verdict == "stale"
                challenges = self._authority.challenge("digest", handset.now, stale=stale)
                return 401, tuple(("WWW-Authenticate", each) for each in challenges), None
        return 200, (), event


def parse_request(datagram: bytes) -> SipRequest:
    """Read the head of a request. Raises `Malformed`."""
    lines = datagram.decode("utf-8", "replace").partition("\r\n\r\n")[0].split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "SIP/2.0" or len(lines) > MAX_HEADERS:
        raise Malformed("not a SIP request")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise Malformed("a header field without a colon")
        key = name.strip().lower()
        headers.append((_SHORT.get(key, key), value.strip()))
    request = SipRequest(words[0], words[1], tuple(headers))
    if not all(request.header(name) for name in COPIED):
        raise Malformed("a header field is missing")
    return request


def _event(text: str) -> Input | None:
    """Return what an Event asks for, None for one that phones do not know."""
    name, _, rest = text.partition(";")
    match name.strip().lower():
        case "resync":
            key, _, url = rest.strip().partition("=")
            return ResyncAsked(url.strip().strip('"') if key.strip().lower() == "profile" else "")
        case "report":
            return ReportAsked()
        case "reboot_now" | "restart_now":
            return PowerCycled()
    return None


def _reply(request: SipRequest, status: int, more: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"SIP/2.0 {status} {_PHRASES[status]}"]
    for name, value in request.headers:
        if name in COPIED:
            tag = ";tag=netprov" if name == "to" and ";tag=" not in value else ""
            lines.append(f"{name.title()}: {value}{tag}")
    lines += [f"{name}: {value}" for name, value in more]
    return "\r\n".join([*lines, "Content-Length: 0", "", ""]).encode()

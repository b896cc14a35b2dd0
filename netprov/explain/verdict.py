"""What one fetch came to, by its status and its trouble: something, or a fault with its cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.phone.action import Failed, Fetch, Response, Step, Trouble


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that went wrong: the id of its cause, the facts, and the step that shows it."""

    id: str
    detail: str
    step: Step | None = None
    led: bool = False
    """Whether a redirect led there: somebody's answer, though what it led to is silent."""

    @property
    def answered(self) -> bool:
        """Whether somebody's answer shows it, rather than silence."""
        return self.led or self.id in ANSWERED


SEALED = -1
"""Status of an answer that a capture saw only encrypted."""

SENT = -2
"""Status of an answer that the server which gave it calls a profile: it is not at hand, and it is known what it was."""

UNKNOWN = "elsewhere"
"""The cause of a road that leads to a server of which the inventory knows nothing: it may well be fine."""

WHY = "netprov-why"
"""The field in which a refusal of our own servers, as planned or on record, names its cause."""

UNSEEN = "not-captured"
"""The cause where a capture lacks what would tell."""

UNASKED = "source-unasked"
"""The cause where an answer hangs on what a source of values would say."""

_TROUBLE: Mapping[Trouble, str] = {
    Trouble.TIMEOUT: "server-silent",
    Trouble.REFUSED: "port-closed",
    Trouble.UNREACHABLE: "unreachable",
    Trouble.RESET: "closed-early",
    Trouble.UNTRUSTED: "tls-untrusted",
    Trouble.WRONG_NAME: "tls-wrong-name",
    Trouble.EXPIRED: "tls-expired",
    Trouble.NOT_YET: "tls-not-yet",
    Trouble.TLS: "tls-version",
    Trouble.REJECTED: "tls-rejected",
    Trouble.CLIENT_CERTIFICATE: "client-certificate",
    Trouble.NOT_TLS: "not-tls",
    Trouble.NOT_FOUND: "file-missing",
    Trouble.TRANSFER: "tftp-refused",
    Trouble.STALLED: "tftp-stalled",
    Trouble.GARBAGE: "not-http",
    Trouble.ELSEWHERE: UNKNOWN,
    Trouble.UNSEEN: UNSEEN,
    Trouble.UNASKED: UNASKED,
}

_TFTP: Mapping[Trouble, str] = {Trouble.TIMEOUT: "tftp-silent", Trouble.REFUSED: "tftp-closed"}

_STATUS: Mapping[int, str] = {
    301: "redirect",
    302: "redirect",
    401: "unauthorized",
    403: "forbidden",
    404: "file-missing",
    407: "unauthorized",
}

WITHHELD = frozenset(
    {
        *("demand-hours", "demand-sender", "key-locked", "key-never", "key-sender", "key-unrecorded"),
        *("source-failed", "source-answer"),
    }
)
"""Causes that our own servers give for what they keep from a sender."""

UNANSWERED = frozenset(
    {
        "server-silent",
        "port-closed",
        "unreachable",
        "tftp-silent",
        "tftp-closed",
        "acs-unreachable",
        "closed-early",
        UNKNOWN,
        UNSEEN,
        UNASKED,
    }
)

ANSWERED = frozenset(
    {
        *(set(_TROUBLE.values()) | set(_STATUS.values())) - UNANSWERED,
        *(
            "index-page",
            "encrypted",
            "wrong-key",
            "empty-file",
            "corrupt",
            "tftp-stalled",
            "not-tls",
            "bad-request",
            "server-error",
        ),
        *(
            "ca-missing",
            "bad-rule",
            "activation",
            "rule-circle",
            "acs-refuses",
            "option-octets",
            "target-no-address",
            "host-no-address",
            "srv-no-service",
        ),
        *WITHHELD,
    }
)
"""Causes that somebody's answer shows, rather than silence."""


def is_management(step: Step) -> bool:
    """Tell whether a fetch is of CWMP."""
    action = step.action
    return isinstance(action, Fetch) and action.method == "POST" and "SOAPAction" in action.headers


def fault_of(step: Step) -> str:
    """Return the id of a fetch's cause of failure by its status alone, "" for one that brought something."""
    action, result = step.action, step.result
    if not isinstance(action, Fetch):
        return ""
    if isinstance(result, Failed):
        return _trouble(action, result)
    if not isinstance(result, Response) or result.status < 0 or 200 <= result.status < 300:
        return ""
    if result.status in {301, 302} and result.header("Location"):
        return ""  # followed; what comes of it is another step
    if result.status == 400 and b"plain HTTP request" in result.body:
        return "not-http"
    if cause := result.header(WHY):
        return cause
    default = (
        "server-error" if result.status >= 500 else ("bad-request" if result.status >= 400 else "redirect")
    )
    return _STATUS.get(result.status, default)


def _trouble(action: Fetch, result: Failed) -> str:
    if action.url.scheme == "tftp":
        return _TFTP.get(result.trouble) or _TROUBLE.get(result.trouble, "server-silent")
    if result.trouble in {Trouble.NXDOMAIN, Trouble.NODATA}:
        return "host-no-address"
    return _TROUBLE.get(result.trouble, "server-silent")

"""What one fetch came to: a profile, something else that is fine, or a fault with its cause."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.errors import Malformed
from netprov.phone.action import Failed, Fetch, Response, Step, Trouble
from netprov.provision.profile import Layer, parse_profile

SEALED = -1
"""Status of an answer that a capture saw only encrypted."""

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

UNANSWERED = frozenset(
    {
        "server-silent",
        "port-closed",
        "unreachable",
        "tftp-silent",
        "tftp-closed",
        "acs-unreachable",
        "closed-early",
    }
)

ANSWERED = frozenset(
    {
        *(set(_TROUBLE.values()) | set(_STATUS.values())) - UNANSWERED,
        *(
            "index-page",
            "encrypted",
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
            "acs-refuses",
            "option-octets",
            "target-no-address",
            "host-no-address",
            "srv-no-service",
        ),
    }
)
"""Causes that somebody's answer shows, rather than silence."""


def is_management(step: Step) -> bool:
    """Tell whether a fetch is of CWMP."""
    action = step.action
    return isinstance(action, Fetch) and action.method == "POST" and "SOAPAction" in action.headers


def is_profile(step: Step) -> bool:
    """Tell whether a fetch brought a profile, or an answer that cannot be looked into."""
    if not isinstance(step.action, Fetch) or not isinstance(step.result, Response) or is_management(step):
        return False
    if step.result.status == SEALED:
        return True
    return (
        200 <= step.result.status < 300 and not _body_fault(step.result.body) and _profile(step) is not None
    )


def parameter(step: Step, name: str) -> str:
    """Return a parameter of the profile that a fetch brought, or ""."""
    profile = _profile(step)
    found = profile.get(name) if profile else None
    return (found.value or "").strip() if found else ""


def fault_of(step: Step) -> str:
    """Return the id of a fetch's cause of failure, "" for one that went well."""
    action, result = step.action, step.result
    if not isinstance(action, Fetch):
        return ""
    if isinstance(result, Failed):
        return _trouble(action, result)
    if not isinstance(result, Response) or result.status == SEALED:
        return ""
    if 200 <= result.status < 300:
        return "" if is_management(step) else _body_fault(result.body)
    if result.status in {301, 302} and result.header("Location"):
        return ""  # followed; what comes of it is another step
    if result.status == 400 and b"plain HTTP request" in result.body:
        return "not-http"
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


def _body_fault(body: bytes) -> str:
    """Return what is wrong with a file that came where a profile or a certificate was wanted."""
    start = body.lstrip()[:200].lower()
    if not start:
        return "empty-file"
    if start.startswith(b"salted__"):
        return "encrypted"
    if b"<html" in start or start.startswith(b"<!doctype html"):
        return "index-page"
    if start.startswith(b"-----begin certificate"):
        return ""
    try:
        parse_profile(body)
    except Malformed:
        return "corrupt"
    return ""


def _profile(step: Step) -> Layer | None:
    if not isinstance(step.result, Response) or not step.result.body:
        return None
    try:
        return parse_profile(step.result.body)
    except Malformed:
        return None

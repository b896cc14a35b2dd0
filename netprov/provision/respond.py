"""Answers HTTP requests from the catalog: methods, conditions and ranges (RFC 9110), nothing about sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.provision.asker import Agent, Asker
from netprov.provision.catalog import Catalog, Content, Redirect, Refusal, TreeFile, decode_path
from netprov.provision.event import Asked
from netprov.provision.http import Request, Response, select_range

_TYPES: Mapping[str, str] = {
    ".xml": "text/xml",
    ".cfg": "text/xml",
    ".pem": "application/x-pem-file",
    ".txt": "text/plain",
}
_METHODS = {"GET", "HEAD", "POST"}
_ALLOW = (("Allow", "GET, HEAD, POST"),)
_PLAIN = (("Content-Type", "text/plain"),)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the pump found of a static file."""

    size: int
    modified: float
    etag: str
    last_modified: str


@dataclass(frozen=True, slots=True)
class FileReply:
    """A reply whose body is a part of a file: octets `first` up to `past`; `length` is what Content-Length says."""

    response: Response
    first: int
    past: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply to one request, and the fact to report; `file` is set where the pump has to open one first."""

    response: Response
    event: Asked
    file: TreeFile | None = None


def respond(catalog: Catalog, request: Request, asker: Asker) -> Answered:
    """Answer one request."""
    raw = target_path(request.target)
    if request.method not in _METHODS:
        return _refuse(request, asker, raw, Refusal("method", 405), _ALLOW)
    path = decode_path(raw)
    if path is None:
        return _refuse(request, asker, raw, Refusal("not a path of any file"))
    answer = catalog.respond(path, asker)
    match answer:
        case Content():
            response = Response(200, (("Content-Type", answer.content_type),), answer.body)
            event = _event(request, asker, path, 200, answer.mac, kind=answer.kind, octets=len(answer.body))
            return Answered(response, event)
        case TreeFile():
            return Answered(Response(200), _event(request, asker, path, 200, answer.mac, kind="file"), answer)
        case Redirect():
            response = Response(answer.status, (("Location", answer.location),))
            event = _event(request, asker, path, answer.status, answer.mac, reason=answer.location)
            return Answered(response, event)
        case Refusal():
            return _refuse(request, asker, path, answer)


def file_reply(request: Request, path: str, facts: FileFacts) -> FileReply:
    """Answer with a file that is there: conditions first, then the range (RFC 9110 sections 13 and 14)."""
    fields = request.fields
    common = (
        ("Content-Type", _TYPES.get(path[path.rfind(".") :].lower(), "application/octet-stream")),
        ("ETag", facts.etag),
        ("Last-Modified", facts.last_modified),
        ("Accept-Ranges", "bytes"),
    )
    if not _modified(fields, facts):
        return FileReply(Response(304, common), 0, 0)
    wanted = select_range(fields.get("range"), facts.size) if _range_applies(fields, facts) else None
    if wanted is None:
        return FileReply(Response(200, common), 0, facts.size)
    first, past = wanted
    if first >= past:
        return FileReply(Response(416, (("Content-Range", f"bytes */{facts.size}"),)), 0, 0)
    about = ("Content-Range", f"bytes {first}-{past - 1}/{facts.size}")
    return FileReply(Response(206, (*common, about)), first, past)


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
    )
    return Answered(Response(404, _PLAIN), refusal)


def target_path(target: str) -> str:
    """Return the path of a request target in origin or absolute form (RFC 9112 section 3.2)."""
    if target.startswith("/") or "://" not in target:
        return target
    rest = target.partition("://")[2]
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"


def _modified(fields: Mapping[str, str], facts: FileFacts) -> bool:
    tags = fields.get("if-none-match")
    if tags is not None:
        listed = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" not in listed and facts.etag not in listed
    return fields.get("if-modified-since") != facts.last_modified


def _range_applies(fields: Mapping[str, str], facts: FileFacts) -> bool:
    condition = fields.get("if-range")
    return condition is None or condition in {facts.etag, facts.last_modified}


def _refuse(
    request: Request, asker: Asker, path: str, refusal: Refusal, fields: tuple[tuple[str, str], ...] = ()
) -> Answered:
    event = _event(request, asker, path[:200], refusal.status, refusal.mac, reason=refusal.reason)
    return Answered(Response(refusal.status, (*fields, *_PLAIN)), event)


def _event(
    request: Request,
    asker: Asker,
    path: str,
    status: int,
    mac: str,
    *,
    kind: str = "",
    octets: int = 0,
    reason: str = "",
) -> Asked:
    agent: Agent | None = asker.agent
    return Asked(asker.scheme, asker.address, request.method, path, status, kind, octets, mac, reason, agent)

"""HTTP/1.0 and 1.1 messages as a server reads and writes them, sans-IO (RFC 9112), within fixed limits.

One reader a connection: octets in, whole requests out. What is ambiguous is refused rather than guessed (both
lengths, folded lines, bare carriage returns), so that no proxy in between can be made to see other requests than
we do. Absent: HTTP/2, multipart ranges, trailers' content, any coding but chunked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) (\S+) HTTP/1\.([01])\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,256})?\Z")
_REASONS: Mapping[int, str] = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Limits:
    """Octets; phones send heads of about 300 and reports of up to 200,000."""

    line: int = 4096
    head: int = 16384
    fields: int = 64
    body: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request; field names in lower case, repeated ones joined with a comma (RFC 9110 section 5.3)."""

    method: str
    target: str
    version: int
    """The minor version: 0 or 1."""
    fields: Mapping[str, str]
    body: bytes = b""
    keep_alive: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """A request that cannot be read: answer `status`, then close, for what follows cannot be told apart."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Response:
    """A reply without its body's framing, which is the connection's."""

    status: int
    fields: Sequence[tuple[str, str]] = ()
    body: bytes = b""


@dataclass(slots=True)
class _Body:
    """A body on its way in: octets still to come, of the chunk or of all; `chunked` has its own states."""

    request: Request
    missing: int
    chunked: bool
    state: str = "size"
    received: bytearray = field(default_factory=bytearray)
    trailer: int = 0


class RequestReader:
    """Reads the requests of one connection."""

    __slots__ = ("_body", "_buffer", "_continue", "_limits", "_scanned")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._scanned = 0
        self._body: _Body | None = None
        self._continue = False

    def feed(self, data: bytes) -> None:
        """Take in octets; call `next_request` until it returns None."""
        self._buffer += data

    def next_request(self) -> Request | Rejected | None:
        """Return the next whole request, or what is wrong with it, or None if more octets are needed."""
        if self._body is None:
            found = self._head()
            if found is None or isinstance(found, Rejected):
                return found
            if self._body is None:
                return found
        return self._read_body(self._body)

    def wants_continue(self) -> bool:
        """Say once whether the client waits for `100 Continue` before its body (RFC 9110 section 10.1.1)."""
        wanted, self._continue = self._continue, False
        return wanted

    @property
    def in_body(self) -> bool:
        """Whether a head has come, and its body has not ended."""
        return self._body is not None

    @property
    def idle(self) -> bool:
        """Whether no request has begun."""
        return self._body is None and not self._buffer

    def _head(self) -> Request | Rejected | None:
        buffer = self._buffer
        while buffer[:2] == b"\r\n" or buffer[:1] == b"\n":  # empty lines before a request (RFC 9112 2.2)
            del buffer[: 2 if buffer[:1] == b"\r" else 1]
        end, after = _end_of_head(buffer, self._scanned)
        if end < 0:
            self._scanned = max(0, len(buffer) - 3)
            if len(buffer) > self._limits.head:
                return Rejected(431, "head too long")
            if len(buffer) > self._limits.line and b"\n" not in buffer[: self._limits.line]:
                return Rejected(414, "request line too long")
            return None
        self._scanned = 0
        if end > self._limits.head:
            return Rejected(431, "head too long")
        text = buffer[:end].decode("latin-1").replace("\r\n", "\n")
        del buffer[:after]
        return self._parse(text)

    def _parse(self, text: str) -> Request | Rejected:
        if _CONTROL.search(text):
            return Rejected(400, "control character in the head")
        first, *lines = text.split("\n")
        if len(first) > self._limits.line:
            return Rejected(414, "request line too long")
        line = _REQUEST_LINE.match(first)
        if line is None:
            version = first.rpartition(" ")[2]
            if version.startswith("HTTP/") and not version.startswith("HTTP/1."):
                return Rejected(505, f"version {version[5:12]}")
            return Rejected(400, "not a request line")
        if len(lines) > self._limits.fields:
            return Rejected(431, "too many fields")
        fields: dict[str, str] = {}
        for each in lines:
            name, colon, value = each.partition(":")
            if not colon or not _TOKEN.match(name):
                return Rejected(400, "not a header field")
            name = name.lower()
            value = value.strip(" \t")
            if name in fields:
                if name in {"content-length", "host", "transfer-encoding"} and fields[name] != value:
                    return Rejected(400, f"two fields {name}")
                value = f"{fields[name]}, {value}" if fields[name] != value else value
            fields[name] = value
        return self._frame(line[1], line[2], int(line[3]), fields)

    def _frame(self, method: str, target: str, version: int, fields: dict[str, str]) -> Request | Rejected:
        """Decide about the body (RFC 9112 section 6.3) and about what comes after the reply (section 9.3)."""
        if version == 1 and "host" not in fields:
            return Rejected(400, "no Host")
        options = {each.strip().lower() for each in fields.get("connection", "").split(",")}
        keep = "close" not in options if version else "keep-alive" in options
        request = Request(method, target, version, fields, b"", keep)
        coding = fields.get("transfer-encoding")
        length = fields.get("content-length")
        if coding is not None:
            if length is not None or not version:
                return Rejected(400, "two lengths")
            if coding.lower() != "chunked":
                return Rejected(501, "transfer coding")
            self._body = _Body(request, 0, chunked=True)
        elif length is not None:
            if not (length.isascii() and length.isdigit()) or len(length) > 12:
                return Rejected(400, "not a length")
            if int(length) > self._limits.body:
                return Rejected(413, "body too long")
            if int(length):
                self._body = _Body(request, int(length), chunked=False)
        if self._body is not None and version and fields.get("expect", "").lower() == "100-continue":
            self._continue = True
        return request

    def _read_body(self, body: _Body) -> Request | Rejected | None:
        buffer = self._buffer
        if body.chunked:
            done = self._read_chunks(body)
            if done is not True:
                return done or None
        else:
            body.received += buffer[: body.missing]
            taken = min(body.missing, len(buffer))
            del buffer[:taken]
            body.missing -= taken
            if body.missing:
                return None
        self._body = None
        self._continue = False
        r = body.request
        return Request(r.method, r.target, r.version, r.fields, bytes(body.received), r.keep_alive)

    def _read_chunks(self, body: _Body) -> bool | Rejected:
        """Decode as many chunks as are there (RFC 9112 section 7.1); True once the last has come."""
        buffer = self._buffer
        while True:
            if body.state == "data":
                taken = buffer[: body.missing]
                del buffer[: len(taken)]
                body.received += taken
                body.missing -= len(taken)
                if body.missing:
                    return False
                body.state = "end"
            line_end = buffer.find(b"\n")
            if line_end < 0:
                return Rejected(400, "chunk size too long") if len(buffer) > 300 else False
            line = bytes(buffer[:line_end]).removesuffix(b"\r")
            del buffer[: line_end + 1]
            if body.state == "end":
                if line:
                    return Rejected(400, "chunk longer than it said")
                body.state = "size"
            elif body.state == "size":
                size = _CHUNK_SIZE.match(line)
                if size is None:
                    return Rejected(400, "not a chunk size")
                body.missing = int(size[1], 16)
                if len(body.received) + body.missing > self._limits.body:
                    return Rejected(413, "body too long")
                body.state = "data" if body.missing else "trailer"
            else:
                body.trailer += len(line) + 2
                if body.trailer > self._limits.line:
                    return Rejected(431, "trailers too long")
                if not line:
                    return True


def encode_head(response: Response, *, length: int, date: str, keep_alive: bool, version: int) -> bytes:
    """Encode a reply's head; `length` is the body's in octets, also where it is not sent (HEAD, 304)."""
    status = response.status
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}", "Server: netprov", f"Date: {date}"]
    if status >= 200 and status not in {204, 304}:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in response.fields]
    if not keep_alive:
        lines.append("Connection: close")
    elif not version:
        lines.append("Connection: keep-alive")
    lines.append("\r\n")
    return "\r\n".join(lines).encode("latin-1", "replace")


def select_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the one range asked for as (first, past the last), None to send all (RFC 9110 section 14.2).

    A range beyond the end is (size, size): answer 416. Several ranges, and units other than bytes, are ignored.
    """
    if header is None:
        return None
    found = re.match(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*\Z", header)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        suffix = int(found[2])
        return (max(0, size - suffix), size) if suffix and size else (size, size)
    first = int(found[1])
    past = min(int(found[2]) + 1, size) if found[2] else size
    if found[2] and int(found[2]) < first:
        return None
    return (first, past) if first < size else (size, size)


def _end_of_head(buffer: bytearray, start: int) -> tuple[int, int]:
    """Return where the head ends and where what follows begins, (-1, -1) if it has not ended."""
    crlf = buffer.find(b"\r\n\r\n", start)
    bare = buffer.find(b"\n\n", start)
    mixed = buffer.find(b"\n\r\n", start)
    ends = [(at, at + n) for at, n in ((crlf, 4), (bare, 2), (mixed, 3)) if at >= 0]
    return min(ends, default=(-1, -1))

"""HTTP/1.1 as a phone speaks it: one request out, one response read piece by piece (RFC 9112)."""

from __future__ import annotations

from collections.abc import Mapping

from netprov.errors import Malformed
from netprov.hostport import PORTS, format_hostport
from netprov.number import whole
from netprov.phone.action import MAX_FILE, Response
from netprov.phone.rule.url import Url

MAX_HEAD = 64 * 1024
"""Octets of a head that a phone takes."""

BODILESS = frozenset({204, 304})

PROXY_AUTHORIZATION = "Proxy-Authorization"


def encode_request(
    method: str, url: Url, headers: Mapping[str, str], body: bytes, *, to_proxy: bool = False
) -> bytes:
    """Return a request; the host is the URL's, whatever address it goes to. A proxy is told the whole URL (RFC 9112 3.2.2)."""
    host = url.host if url.port == PORTS[url.scheme] else format_hostport(url.host, url.port)
    lines = [f"{method} {url if to_proxy else url.path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method in {"POST", "PUT"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def encode_connect(url: Url, authorization: str) -> bytes:
    """Return the request for a tunnel to the URL's host (RFC 9110 9.3.6)."""
    host = format_hostport(url.host, url.port)
    lines = [f"CONNECT {host} HTTP/1.1", f"Host: {host}"]
    lines += [f"{PROXY_AUTHORIZATION}: {authorization}"] if authorization else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


class ResponseReader:
    """Reads one response; `response` is set once it is whole."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._buffer = bytearray()
        self._body = bytearray()
        self._left: int | None = None
        self._chunked = False
        self._head: tuple[int, tuple[tuple[str, str], ...]] | None = None
        self.response: Response | None = None
        self.keeps = True

    @property
    def started(self) -> bool:
        """Whether any octet came."""
        return self._head is not None or bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take in octets, b"" for the end of the connection. Raises `Malformed`, `ConnectionResetError` for an early end."""
        self._buffer += data
        while self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > MAX_HEAD:
                    raise Malformed("a head without end")
                if self._buffer and not b"HTTP/1.".startswith(self._buffer[:7]):
                    raise Malformed("the answer is not HTTP")
                if not data:
                    raise ConnectionResetError("closed before an answer")
                return
            self._take_head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
        if self._chunked:
            self._take_chunks()
        else:
            self._take_plain(ended=not data)
        if len(self._body) > MAX_FILE:
            raise Malformed(f"more than {MAX_FILE} octets")
        if self.response is None and not data:
            raise ConnectionResetError("closed in the middle of an answer")

    def _take_head(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        status = whole(rest[:3])
        if not version.startswith("HTTP/1.") or status is None:
            raise Malformed("the answer is not HTTP")
        if 100 <= status < 200:
            return  # an interim response; the final one follows
        headers = tuple((k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in lines[1:]))
        self._head = status, headers
        lower = {name.lower(): value.lower() for name, value in headers}
        self.keeps = version != "HTTP/1.0" and lower.get("connection") != "close"
        self._chunked = "chunked" in lower.get("transfer-encoding", "")
        length = whole(lower.get("content-length", ""))
        opened = self._method == "CONNECT" and status < 300
        if status in BODILESS or self._method == "HEAD" or opened:
            self._chunked, self._left = False, 0
        elif length is not None and not self._chunked:
            self._left = length

    def _take_plain(self, *, ended: bool) -> None:
        if self._left is None:  # the body ends with the connection
            self._body += self._buffer
            self._buffer.clear()
            self.keeps = False
            if ended:
                self._finish()
            return
        piece = self._buffer[: self._left]
        self._body += piece
        self._left -= len(piece)
        del self._buffer[: len(piece)]
        if self._left == 0:
            self._finish()

    def _take_chunks(self) -> None:
        while self.response is None:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                return
            try:
                size = int(self._buffer[:end].split(b";")[0], 16)
            except ValueError:
                raise Malformed("a chunk without a size") from None
            if size == 0:
                if len(self._buffer) < end + 4:
                    return
                del self._buffer[: end + 4]
                self._finish()
                return
            if len(self._buffer) < end + 2 + size + 2:
                return
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 4 + size]

    def _finish(self) -> None:
        assert self._head is not None
        self.response = Response(self._head[0], bytes(self._body), self._head[1])

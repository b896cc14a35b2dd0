"""Requests as octets, for two HTTP servers side by side; `{tag}` and `{date}` are each server's own validators."""

from __future__ import annotations

from dataclasses import dataclass

FILE = "/fw/a.loads"
CONTENT = bytes(range(256)) * 12
OLD, NEW = "Mon, 01 Jan 2001 00:00:00 GMT", "Tue, 01 Jan 2036 00:00:00 GMT"


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent; `methods` are those of its requests, one answer is due to each; `then` is sent after the first."""

    name: str
    octets: bytes
    methods: tuple[str, ...] = ()
    half_close: bool = False
    then: bytes = b""

    def __post_init__(self) -> None:
        if not self.methods:
            object.__setattr__(self, "methods", (self.octets.split(b" ")[0].decode(),))


def request(*fields: str, method: str = "GET", target: str = FILE, version: str = "1.1") -> bytes:
    """Return a request's head, with a Host."""
    return "\r\n".join((f"{method} {target} HTTP/{version}", "Host: a", *fields, "", "")).encode("latin-1")


def _with(*fields: str) -> list[Case]:
    return [
        Case(f"{method} {', '.join(fields)}", request(*fields, method=method)) for method in ("GET", "HEAD")
    ]


_RANGES = (
    *("bytes=0-0", "bytes=0-9", "bytes=100-199", "bytes=3000-", "bytes=-10", "bytes=0-", "bytes=-99999"),
    *("bytes=3000-99999", "bytes=3071-3071", "bytes=3072-", "bytes=3072-3080", "bytes=99999-", "bytes=-0"),
    *("bytes=99999999999999999999-", "bytes=0-99999999999999999999", "bytes=-99999999999999999999"),
    *("bytes=0-1,5-6", "bytes=0-0,-1", "bytes=5-6,0-9", "bytes=9999-,0-1", "bytes=9998-,9999-"),
    *(
        "bytes=0-9,",
        "bytes=,0-9",
        "bytes= 0-9",
        "bytes=0 - 9",
        "bytes =0-9",
        "BYTES=0-9",
        "octets=0-9",
        "lines=1-2",
    ),
    *(
        "bytes=9-0",
        "bytes=a-b",
        "bytes=-",
        "bytes=",
        "bytes",
        "bytes=1",
        "bytes=1-2-3",
        "bytes=--1",
        "=0-9",
        "",
    ),
)
_CONDITIONS = (
    *("If-None-Match: {tag}", 'If-None-Match: "other"', "If-None-Match: *", 'If-None-Match: "x", {tag}'),
    *("If-None-Match: W/{tag}", "If-None-Match: other", 'If-None-Match: "x",W/{tag}'),
    *("If-Match: {tag}", 'If-Match: "other"', "If-Match: *", "If-Match: W/{tag}", 'If-Match: "x", {tag}'),
    *("If-Modified-Since: {date}", f"If-Modified-Since: {OLD}", f"If-Modified-Since: {NEW}"),
    *("If-Modified-Since: never", "If-Modified-Since: "),
    *("If-Unmodified-Since: {date}", f"If-Unmodified-Since: {OLD}", f"If-Unmodified-Since: {NEW}"),
    "If-Unmodified-Since: never",
)
_TOGETHER = (
    *(
        ("Range: bytes=0-9", f"If-Range: {each}")
        for each in ("{tag}", "W/{tag}", '"other"', "{date}", OLD, NEW, "x")
    ),
    ("Range: bytes=9999-", 'If-Range: "other"'),
    ("Range: bytes=9999-", "If-Range: {tag}"),
    ("If-Range: {tag}",),
    ("If-None-Match: {tag}", f"If-Modified-Since: {OLD}"),
    ('If-None-Match: "other"', "If-Modified-Since: {date}"),
    ("If-Match: {tag}", f"If-Unmodified-Since: {OLD}"),
    ('If-Match: "other"', "If-None-Match: {tag}"),
    ("If-Match: {tag}", "If-None-Match: {tag}"),
    ("Range: bytes=0-9", "If-None-Match: {tag}"),
    ("Range: bytes=9999-", "If-None-Match: {tag}"),
    ("Range: bytes=0-9", 'If-Match: "other"'),
    ("Range: bytes=0-9", "Range: bytes=5-6"),
)
_GET, _HEAD = request(), request(method="HEAD")
_NO_HOST = f"GET {FILE} HTTP/1.1\r\n\r\n".encode()
_HEX = b"GET %b HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n"
_CHUNKED = "Transfer-Encoding: chunked"
_BODY = b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"

CASES: tuple[Case, ...] = (
    *(each for text in _RANGES for each in _with(f"Range: {text}")),
    *(each for text in _CONDITIONS for each in _with(text)),
    *(each for texts in _TOGETHER for each in _with(*texts)),
    # Versions, and whether the connection is kept.
    Case("1.1", _GET),
    Case("1.1 close", request("Connection: close")),
    Case("1.1 close among others", request("Connection: x, Close")),
    Case("1.1 HEAD", _HEAD),
    Case("1.0", request(version="1.0")),
    Case("1.0 without Host", f"GET {FILE} HTTP/1.0\r\n\r\n".encode()),
    Case("1.0 keep-alive", request("Connection: keep-alive", version="1.0")),
    Case("1.0 HEAD keep-alive", request("Connection: keep-alive", version="1.0", method="HEAD")),
    Case("0.9", f"GET {FILE}\r\n".encode()),
    Case("version 0.9 said", request(version="0.9")),
    Case("version 1.2", request(version="1.2")),
    Case("version 2.0", request(version="2.0")),
    Case("version 3.0", request(version="3.0")),
    Case("version x", request(version="x")),
    Case("version 1", request(version="1")),
    Case("version 01.1", request(version="01.1")),
    Case("http in small letters", f"GET {FILE} http/1.1\r\nHost: a\r\n\r\n".encode()),
    Case("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    # Half-closed, pipelined.
    Case("half-closed", _GET, half_close=True),
    Case("half-closed HEAD", _HEAD, half_close=True),
    Case("half-closed, three", _GET * 3, ("GET",) * 3, half_close=True),
    Case("half-closed within a head", _GET[:20], half_close=True),
    Case("pipelined GET GET", _GET * 2, ("GET", "GET")),
    Case("pipelined HEAD GET", _HEAD + _GET, ("HEAD", "GET")),
    Case("pipelined GET HEAD range", _GET + _HEAD + request("Range: bytes=1-2"), ("GET", "HEAD", "GET")),
    Case("pipelined GET, 404, GET", _GET + request(target="/fw/none") + _GET, ("GET",) * 3),
    Case("pipelined close GET", request("Connection: close") + _GET, ("GET", "GET")),
    Case("pipelined GET, malformed", _GET + b"nonsense\r\n\r\n", ("GET", "GET")),
    Case("empty lines before", b"\r\n\r\n" + _GET, ("GET",)),
    # Methods.
    *(
        Case(f"{method} without a body", request("Content-Length: 0", method=method))
        for method in ("POST", "PUT")
    ),
    Case("POST with a body", request("Content-Length: 3", method="POST") + b"abc"),
    Case("POST chunked", request(_CHUNKED, method="POST") + _BODY),
    Case("POST without a length", request(method="POST")),
    Case("POST to nothing", request("Content-Length: 3", method="POST", target="/fw/none") + b"abc"),
    Case("DELETE", request(method="DELETE")),
    Case("OPTIONS", request(method="OPTIONS")),
    Case("OPTIONS *", request(method="OPTIONS", target="*")),
    Case("TRACE", request(method="TRACE")),
    Case("CONNECT", request(method="CONNECT", target="a:80")),
    Case("unknown method", request(method="BREW")),
    Case("small letters in a method", request(method="get")),
    Case("no letters in a method", request(method="G@T")),
    # Bodies of a GET.
    Case("GET with a body", request("Content-Length: 3") + b"abc"),
    Case("GET chunked", request(_CHUNKED) + _BODY),
    Case("GET chunked with a trailer", request(_CHUNKED) + b"1\r\na\r\n0\r\nX: y\r\n\r\n"),
    Case("chunk size that is none", request(_CHUNKED) + b"zz\r\n"),
    Case("chunk longer than said", request(_CHUNKED) + b"1\r\nabc\r\n0\r\n\r\n"),
    Case("chunk size with a sign", request(_CHUNKED) + b"+1\r\na\r\n0\r\n\r\n"),
    Case("chunked and a length", request(_CHUNKED, "Content-Length: 3") + _BODY),
    Case("chunked in 1.0", request(_CHUNKED, version="1.0") + _BODY),
    Case("chunked twice", request(_CHUNKED, _CHUNKED) + _BODY),
    Case("unknown transfer coding", request("Transfer-Encoding: x")),
    Case("two lengths that differ", request("Content-Length: 3", "Content-Length: 4") + b"abcd"),
    Case("two lengths alike", request("Content-Length: 3", "Content-Length: 3") + b"abc"),
    Case("length with a sign", request("Content-Length: +3") + b"abc"),
    Case("negative length", request("Content-Length: -3")),
    Case("length that is none", request("Content-Length: x")),
    Case("length beyond all", request("Content-Length: 99999999999999999999")),
    Case("Expect: 100-continue", request("Expect: 100-continue", "Content-Length: 3"), then=b"abc"),
    Case("POST Expect", request("Expect: 100-continue", "Content-Length: 3", method="POST"), then=b"abc"),
    Case("Expect without a body", request("Expect: 100-continue")),
    Case("unknown expectation", request("Expect: x")),
    # Host, target.
    Case("no Host", _NO_HOST),
    Case("two Hosts", request("Host: b")),
    Case("two Hosts alike", request("Host: a")),
    Case("empty Host", f"GET {FILE} HTTP/1.1\r\nHost:\r\n\r\n".encode()),
    Case("Host with a path", f"GET {FILE} HTTP/1.1\r\nHost: a/b\r\n\r\n".encode()),
    Case("Host with a blank", f"GET {FILE} HTTP/1.1\r\nHost: a b\r\n\r\n".encode()),
    Case("blank in the path", request(target="/fw/a b")),
    Case("escaped blank", request(target="/fw/a%20b")),
    Case("escaped letters", request(target="/fw/%61.loads")),
    Case("escaped slash", request(target="/fw%2fa.loads")),
    Case("escaped NUL", request(target="/fw/a.loads%00")),
    Case("malformed escape", request(target="/fw/a.loads%zz")),
    Case("dots", request(target="/fw/../fw/./a.loads")),
    Case("dots out of the root", request(target="/../../etc/passwd")),
    Case("two slashes", request(target="//fw//a.loads")),
    Case("query", request(target=f"{FILE}?a=b")),
    Case("fragment", request(target=f"{FILE}#x")),
    Case("absolute form", request(target=f"http://a{FILE}")),
    Case("absolute form of another host", request(target=f"http://b{FILE}")),
    Case("absolute form of https", request(target=f"https://a{FILE}")),
    Case("absolute form without a path", request(target="http://a")),
    Case("no slash", request(target="fw/a.loads")),
    Case("star", request(target="*")),
    Case("folder", request(target="/fw/")),
    Case("folder without a slash", request(target="/fw/sub")),
    Case("not there", request(target="/fw/none")),
    Case("not there HEAD", request(target="/fw/none", method="HEAD")),
    Case("path below a file", request(target=f"{FILE}/x")),
    Case("octets above 127 in the path", request(target="/fw/\xff")),
    Case("target too long", request(target="/fw/" + "x" * 40_000)),
    # Fields.
    Case("field too large", request("X: " + "y" * 40_000)),
    Case("fields too many", request(*(f"X{count}: y" for count in range(3000)))),
    Case("NUL in a value", _HEX % (FILE.encode(), b"a\0b")),
    Case("CR in a value", _HEX % (FILE.encode(), b"a\rb")),
    Case("control in a value", _HEX % (FILE.encode(), b"a\x01b")),
    Case("octets above 127 in a value", _HEX % (FILE.encode(), b"\xff\xfe")),
    Case("folded value", request("X: a\r\n b")),
    Case("blank before the colon", request("X : a")),
    Case("blank in a name", request("X Y: a")),
    Case("no colon", request("nonsense")),
    Case("empty name", request(": a")),
    Case("underscore in a name", request("X_Y: a")),
    Case("bare line feeds", _GET.replace(b"\r\n", b"\n")),
    Case("two blanks in the request line", _GET.replace(b" HTTP", b"  HTTP")),
    Case("tab in the request line", _GET.replace(b" HTTP", b"\tHTTP")),
    Case("blank at the start", b" " + _GET, ("GET",)),
    Case("nonsense", b"nonsense\r\n\r\n"),
    Case("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", ("GET",)),
    Case(
        "Upgrade: h2c",
        request("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    ),
    Case("Accept that nothing meets", request("Accept: image/png")),
    Case("Accept-Encoding: gzip", request("Accept-Encoding: gzip")),
    # A profile, whose octets nginx has as a file.
    Case("profile", request(target="/8851-3PCC.xml")),
    Case("profile HEAD", request(target="/8851-3PCC.xml", method="HEAD")),
    Case("profile 1.0", request(target="/8851-3PCC.xml", version="1.0")),
    Case("profile pipelined", request(target="/8851-3PCC.xml") * 3, ("GET",) * 3),
    Case("profile half-closed", request(target="/8851-3PCC.xml"), half_close=True),
    Case("profile range", request("Range: bytes=0-9", target="/8851-3PCC.xml")),
    Case("profile If-None-Match", request("If-None-Match: *", target="/8851-3PCC.xml")),
    Case("profile PUT", request("Content-Length: 3", target="/8851-3PCC.xml", method="PUT") + b"abc"),
)

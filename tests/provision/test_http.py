"""HTTP/1 messages, sans-IO: one case list whole and octet by octet, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.provision.http import (
    Limits,
    Rejected,
    Request,
    RequestReader,
    Response,
    encode_head,
    select_range,
)

H = {"host": "pr1"}

CASES: list[tuple[str, bytes, list[Request]]] = [
    ("get 1.1", b"GET /a HTTP/1.1\r\nHost: pr1\r\n\r\n", [Request("GET", "/a", 1, H, b"", True)]),
    ("get 1.0", b"GET /a HTTP/1.0\r\n\r\n", [Request("GET", "/a", 0, {})]),
    (
        "1.0 keep-alive",
        b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        [Request("GET", "/", 0, {"connection": "Keep-Alive"}, b"", True)],
    ),
    (
        "close",
        b"GET / HTTP/1.1\r\nHost: pr1\r\nConnection: x, Close\r\n\r\n",
        [Request("GET", "/", 1, {**H, "connection": "x, Close"})],
    ),
    ("bare line feeds", b"GET / HTTP/1.0\nA:b\n\n", [Request("GET", "/", 0, {"a": "b"})]),
    ("mixed line ends", b"GET / HTTP/1.0\nA:b\n\r\n", [Request("GET", "/", 0, {"a": "b"})]),
    ("empty lines first", b"\r\n\r\nGET / HTTP/1.0\r\n\r\n", [Request("GET", "/", 0, {})]),
    (
        "repeated fields",
        b"GET / HTTP/1.0\r\nA: b\r\nA: c\r\nA: c\r\n\r\n",
        [Request("GET", "/", 0, {"a": "b, c, c"})],
    ),
    (
        "length",
        b"POST /r HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
        [Request("POST", "/r", 0, {"content-length": "3"}, b"abc")],
    ),
    (
        "chunked",
        (
            b"PUT /r HTTP/1.1\r\nHost: pr1\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
        ),
        [Request("PUT", "/r", 1, {**H, "transfer-encoding": "chunked"}, b"abc0123456789", True)],
    ),
    (
        "pipelined",
        b"POST /r HTTP/1.1\r\nHost: pr1\r\nContent-Length: 1\r\n\r\nxGET /2 HTTP/1.0\r\n\r\n",
        [
            Request("POST", "/r", 1, {**H, "content-length": "1"}, b"x", True),
            Request("GET", "/2", 0, {}),
        ],
    ),
]


def read(reader: RequestReader) -> list[Request | Rejected]:
    found: list[Request | Rejected] = []
    while (request := reader.next_request()) is not None:
        found.append(request)
        if isinstance(request, Rejected):
            break
    return found


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("step", [1, 7, 10000])
def test_requests_are_read_however_they_arrive(data: bytes, expected: list[Request], step: int) -> None:
    reader = RequestReader(Limits())
    found: list[Request | Rejected] = []
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
        found += read(reader)
    assert expected == found
    assert reader.idle


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"get / HTTP/1.1\r\n\r\n", 400),
        (b"GET / x HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\n\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA: b\r\n c\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA: b\rC: d\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA: b\0\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nnonsense\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nContent-Length: \xb2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 400, 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n", 413),
        (b"POST / HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET /" + b"a" * 5000 + b" HTTP/1.0\r\n\r\n", 414),
        (b"GET /" + b"a" * 5000, 414),
        (b"GET / HTTP/1.0\r\n" + b"A: b\r\n" * 65 + b"\r\n", 431),
        (b"GET / HTTP/1.0\r\nA: " + b"b" * 20000, 431),
        (b"GET / HTTP/1.0\r\nA: " + b"b" * 20000 + b"\r\n\r\n", 431),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"T: t\r\n" * 2000,
            431,
        ),
    ],
)
def test_what_cannot_be_read_is_rejected(data: bytes, status: int) -> None:
    reader = RequestReader(Limits())
    reader.feed(data)
    found = reader.next_request()
    assert isinstance(found, Rejected), found
    assert status == found.status


def test_a_client_that_waits_is_told_to_continue_once() -> None:
    reader = RequestReader(Limits())
    reader.feed(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
    assert reader.next_request() is None
    assert reader.in_body
    assert reader.wants_continue()
    assert not reader.wants_continue()
    reader.feed(b"x")
    assert isinstance(reader.next_request(), Request)


@given(st.lists(st.binary(max_size=60) | st.sampled_from([case[1] for case in CASES]), max_size=6))
def test_any_octets_give_requests_or_one_rejection(pieces: list[bytes]) -> None:
    reader = RequestReader(Limits())
    for piece in pieces:
        reader.feed(piece)
        if any(isinstance(each, Rejected) for each in read(reader)):
            return


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        (None, 10, None),
        ("bytes=0-4", 10, (0, 5)),
        ("bytes=5-", 10, (5, 10)),
        ("bytes=-3", 10, (7, 10)),
        ("bytes=-30", 10, (0, 10)),
        ("bytes=8-99", 10, (8, 10)),
        ("bytes=10-", 10, (10, 10)),
        ("bytes=-0", 10, (10, 10)),
        ("bytes=-5", 0, (0, 0)),
        ("bytes=5-4", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("bytes=-", 10, None),
        ("lines=1-2", 10, None),
    ],
)
def test_range_is_selected(header: str | None, size: int, expected: tuple[int, int] | None) -> None:
    assert expected == select_range(header, size)


@pytest.mark.parametrize(
    ("status", "keep_alive", "version", "expected"),
    [
        (200, True, 1, b"HTTP/1.1 200 OK\r\nServer: netprov\r\nDate: D\r\nContent-Length: 5\r\nA: b\r\n\r\n"),
        (
            404,
            False,
            1,
            (
                b"HTTP/1.1 404 Not Found\r\nServer: netprov\r\nDate: D\r\nContent-Length: 5\r\nA: b\r\n"
                b"Connection: close\r\n\r\n"
            ),
        ),
        (304, True, 1, b"HTTP/1.1 304 Not Modified\r\nServer: netprov\r\nDate: D\r\nA: b\r\n\r\n"),
        (
            200,
            True,
            0,
            (
                b"HTTP/1.1 200 OK\r\nServer: netprov\r\nDate: D\r\nContent-Length: 5\r\nA: b\r\n"
                b"Connection: keep-alive\r\n\r\n"
            ),
        ),
    ],
)
def test_head_of_a_reply(status: int, keep_alive: bool, version: int, expected: bytes) -> None:
    response = Response(status, (("A", "b"),))
    assert expected == encode_head(response, length=5, date="D", keep_alive=keep_alive, version=version)

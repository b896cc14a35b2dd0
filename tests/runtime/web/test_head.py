"""What is answered at once and what aiohttp answers is the same, octet for octet but for the date."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.provision.config import Listener
from netprov.runtime.provision.service import HttpService
from netprov.runtime.web.head import read_head
from tests.port import free_port
from tests.runtime.provisioning import plan_of, role_context, with_service

PATH = b"/Cisco/001234ab45de.cfg"


def reply(sock: socket.socket) -> tuple[bytes, set[bytes], bytes]:
    """Return status line, fields and body of one reply."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"Content-Length: (\d+)", head)
    while found and len(body) < int(found[1]) and not ONLY_HEAD.get(sock):
        body += sock.recv(65536)
    status, *lines = head.split(b"\r\n")
    return status, {line for line in lines if not line.startswith((b"Date: ", b"Content-Length: 0"))}, body


ONLY_HEAD: dict[socket.socket, bool] = {}


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("connection", [b"", b"close", b"keep-alive"])
@pytest.mark.parametrize("path", [PATH, b"/nothing", b"/8851-3PCC.xml?x=1"])
def test_both_ways_give_the_same_answer(
    tmp_path: Path, method: bytes, version: bytes, connection: bytes, path: bytes
) -> None:
    context, events = role_context(tmp_path)
    listener = Listener("http", "127.0.0.1", free_port())
    field = b"Connection: %b\r\n" % connection if connection else b""
    request = b"%b %b HTTP/%b\r\nHost: a\r\n%b\r\n" % (method, path, version, field)
    found = []

    def exchange() -> None:
        for pieces in ((request,), (request[:10], request[10:])):
            with socket.create_connection(("127.0.0.1", listener.port), timeout=20) as sock:
                ONLY_HEAD[sock] = method == b"HEAD"
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for piece in pieces[:-1]:
                    sock.sendall(piece)
                    # The server has read the first piece once it has answered somebody who came later.
                    with socket.create_connection(("127.0.0.1", listener.port), timeout=20) as other:
                        other.sendall(b"GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
                        reply(other)
                sock.sendall(pieces[-1])
                found.append((reply(sock), str(events[-1][1])))
                del ONLY_HEAD[sock]
                if connection == b"close" or (version == b"1.0" and connection != b"keep-alive"):
                    assert sock.recv(1) == b"", "it is closed"

    with_service(HttpService(context), plan_of(listener), exchange)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nbad name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nx: \xff\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x: y\r\n" * 70 + b"\r\n",
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_more_or_less_than_a_plain_request_is_left_to_aiohttp(data: bytes) -> None:
    assert read_head(data) is None


@pytest.mark.fuzz
@given(st.binary(max_size=80), st.binary(max_size=40))
def test_fuzz_a_head_says_what_was_sent(path: bytes, value: bytes) -> None:
    found = read_head(b"GET /%b HTTP/1.1\r\nHost: a\r\nX-Y: %b\r\n\r\n" % (path, value))
    if found is not None:
        assert found.request.target.encode() == b"/" + path
        assert found.request.fields["x-y"].encode() == value.strip(b" \t")


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    """RFC 9112 section 5.1."""
    found = read_head(b"GET / HTTP/1.1\r\nHost: a\r\nX-Y: \t! \t\r\n\r\n")
    assert found is not None
    assert found.request.fields["x-y"] == "!"

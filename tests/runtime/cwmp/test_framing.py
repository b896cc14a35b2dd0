"""A whole session with the ACS in every way that HTTP frames a message and keeps a connection, octet by octet."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from netprov.cwmp import codec, rpc
from netprov.cwmp.rpc import DeviceId
from tests.port import free_port
from tests.runtime.cwmp.test_service import plan, run, running

Framing = Callable[[str, bytes], tuple[bytes, ...]]
"""A Cookie header line ("" or with its line end) and a body to what is written, piece by piece."""


def by_length(line: str, more: str = "") -> Framing:
    return lambda cookie, body: (
        f"POST / {line}\r\n{more}{cookie}Content-Length: {len(body)}\r\n\r\n".encode() + body,
    )


def chunked(cookie: str, body: bytes) -> tuple[bytes, ...]:
    """Three octets a chunk, with an extension and a trailer (RFC 9112 section 7.1)."""
    pieces = b"".join(b"%x;e=1\r\n%s\r\n" % (len(part), part) for part in re.findall(b"(?s).{1,99}", body))
    head = f"POST / HTTP/1.1\r\nHost: x\r\n{cookie}Transfer-Encoding: chunked\r\n\r\n"
    return head.encode() + pieces + b"0\r\nX-Trailer: 1\r\n\r\n", b""


def expecting(cookie: str, body: bytes) -> tuple[bytes, ...]:
    if not body:  # there is nothing to wait with
        return by_length("HTTP/1.1", "Host: x\r\n")(cookie, body)
    head = (
        f"POST / HTTP/1.1\r\nHost: x\r\n{cookie}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode(), body


def trickled(cookie: str, body: bytes) -> tuple[bytes, ...]:
    (whole,) = by_length("HTTP/1.1", "Host: x\r\n")(cookie, body)
    return tuple(whole[place : place + 64] for place in range(0, len(whole), 64))


FRAMINGS: dict[str, tuple[Framing, bool]] = {
    "kept": (by_length("HTTP/1.1", "Host: x\r\n"), True),
    "closed": (by_length("HTTP/1.1", "Host: x\r\nConnection: close\r\n"), False),
    "1.0": (by_length("HTTP/1.0"), False),
    "1.0 kept": (by_length("HTTP/1.0", "Connection: keep-alive\r\n"), True),
    "chunked": (chunked, True),
    "expecting": (expecting, True),
    "trickled": (trickled, True),
    "whole URL": (lambda cookie, body: (by_length("HTTP/1.1", "Host: x\r\n")(cookie, body)[0].replace(
        b"POST / ", b"POST http://127.0.0.1/ "),), True),
}  # fmt: skip
"""Each framing, and whether the connection is still there after the answer."""

COOKIES: dict[str, Callable[[str], str]] = {
    "alone": lambda pair: f"Cookie: {pair}\r\n",
    "with attributes": lambda pair: f"Cookie: {pair}; Path=/; HttpOnly\r\n",
    "among others": lambda pair: f"Cookie: a=1; sessions=x; {pair}; b=\r\n",
    "in two headers": lambda pair: f"Cookie: a=1\r\ncookie: {pair}\r\n",
    "as RFC 2965 has it": lambda pair: 'Cookie: $Version="1"; {}="{}"; $Path="/"\r\n'.format(
        *pair.split("=", 1)
    ),
}


class Device:
    """Speaks HTTP by hand, over one connection as long as it is kept."""

    def __init__(self, port: int, framing: Framing, cookies: Callable[[str], str], *, keeps: bool) -> None:
        self._port, self._framing, self._cookies, self._keeps = port, framing, cookies, keeps
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._cookie = ""
        self._id = "1"

    async def post(self, body: rpc.Rpc | None) -> tuple[int, rpc.Rpc | None]:
        """Post a message, and return the status and what it says."""
        data = b"" if body is None else codec.encode(rpc.Message(body, self._id))
        streams = self._streams or await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams = streams
        first, *rest = self._framing(self._cookies(self._cookie) if self._cookie else "", data)
        writer.write(first)
        status, fields = await head(reader) if b"Expect:" in first else (0, {})
        for piece in rest:
            writer.write(piece)
            await writer.drain()
        assert status in {0, 100}
        status, fields = await head(reader)
        answer = await reader.readexactly(int(fields.get("content-length", "0")))
        self._cookie = fields.get("set-cookie", self._cookie).partition(";")[0]
        if not self._keeps:
            assert await reader.read() == b""
            writer.close()
            self._streams = None
        if not answer or status != 200:
            return status, None
        message = codec.decode(answer)
        self._id = message.id
        return status, message.rpc

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = (each.split(": ", 1) for each in lines[1:] if each)
    return int(lines[0].split()[1]), {name.lower(): value for name, value in fields}


@pytest.mark.parametrize(
    ("framing", "cookie"),
    [*((framing, "alone") for framing in FRAMINGS), *(("kept", cookie) for cookie in COOKIES)],
)
def test_session_is_held_however_http_frames_it(tmp_path: Path, framing: str, cookie: str) -> None:
    port = free_port()

    async def check() -> None:
        async with running(tmp_path, plan(f"http://127.0.0.1:{port}/")):
            frame, keeps = FRAMINGS[framing]
            device = Device(port, frame, COOKIES[cookie], keeps=keeps)
            inform = rpc.Inform(DeviceId("Cisco", "001234", "CP-8851-3PCC", "001234ab45de"), ())
            steps: list[tuple[rpc.Rpc | None, int, type[rpc.Rpc] | None]] = [
                (inform, 200, rpc.InformResponse),
                (rpc.GetRPCMethods(), 200, rpc.GetRPCMethodsResponse),
                (None, 200, rpc.SetParameterValues),
                (rpc.SetParameterValuesResponse(), 200, rpc.Download),
                (rpc.DownloadResponse(), 204, None),
            ]
            for body, expected, comes in steps:
                status, said = await device.post(body)
                assert (status, None if said is None else type(said)) == (expected, comes)
            assert (await device.post(None))[0] == 400  # the session is over, whatever the cookie says
            device.close()

    run(check)

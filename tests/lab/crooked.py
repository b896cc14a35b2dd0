"""Servers that answer in every wrong way, one port each, in a thread of a host: what a phone meets on other people's networks."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from netprov.lab.lan import Host
from netprov.pki.bundle import Bundle
from tests.pki.chains import made

ADDRESS = "10.20.0.11"
NAME = "far.example.com"
PROFILE = b"<flat-profile><Proxy_1_>example.com</Proxy_1_></flat-profile>\n"
MUTE, RUDE, SSH, WEB, CLOSED = 8001, 8002, 8003, 8004, 8005
GOOD_TLS, UNTRUSTED, WRONG_NAME, EXPIRED, FUTURE, TLS13, CLIENT, NO_INTERMEDIATE = range(8101, 8109)
TFTP, TFTP_MUTE, TFTP_STALLS, TFTP_CLOSED = 6901, 6902, 6903, 6904
ACS_LOCKED, ACS_FORBIDS = 7601, 7602
DAY = 86400.0

Answer = tuple[int, Mapping[str, str], bytes]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def _next(rule: str) -> bytes:
    return f"<flat-profile><Profile_Rule>{rule}</Profile_Rule></flat-profile>".encode()


def _to(url: str, status: int = 302) -> Answer:
    return status, {"Location": url}, b""


_BASE = f"http://{ADDRESS}:{WEB}"
PAGES: Mapping[str, Answer] = {
    "/good": (200, {}, PROFILE),
    "/gzip": (200, {}, gzip.compress(PROFILE)),
    "/coded": (200, {"Content-Encoding": "gzip"}, gzip.compress(PROFILE)),
    "/401": (401, {"WWW-Authenticate": 'Basic realm="staff"'}, b""),
    "/403": (403, {}, b""),
    "/410": (410, {}, b""),
    "/500": (500, {}, b""),
    "/503": (503, {"Retry-After": "5"}, b""),
    "/nowhere": (302, {}, b""),
    "/307": _to(f"{_BASE}/good", 307),
    "/loop": _to(f"{_BASE}/loop"),
    "/round": _to(f"{_BASE}/trip"),
    "/trip": _to(f"{_BASE}/round"),
    "/moved": _to(f"{_BASE}/good", 301),
    "/dead": _to(f"http://{ADDRESS}:{CLOSED}/x"),
    "/lost": _to(f"{_BASE}/missing"),
    "/unnamed": _to("http://nowhere.example.com/x"),
    "/tls": _to(f"https://{NAME}:{GOOD_TLS}/good"),
    "/stranger": _to(f"https://{NAME}:{UNTRUSTED}/good"),
    "/empty": (200, {}, b""),
    "/corrupt": (200, {}, b"<flat-profile><A>1</B></flat-profile>"),
    "/index": (200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html><body>It works</body></html>"),
    "/encrypted": (200, {}, b"Salted__" + bytes(range(48))),
    "/8188": (200, {"Content-Encoding": "aes128gcm"}, bytes(range(16)) + b"\0\0\x10\0\0" + bytes(range(40))),
    "/then-missing": (200, {}, _next(f"{_BASE}/missing")),
    "/then-dead": (200, {}, _next(f"http://{ADDRESS}:{CLOSED}/x")),
    "/then-tftp-srv": (200, {}, _next("[--srv] tftp://example.com/x")),
    "/then-good": (200, {}, _next(f"{_BASE}/good")),
    "/then-code": (200, {}, _next("gds://")),
    "/then-srv": (200, {}, _next("[--srv] https://empty.example.com/x")),
    "/then-key": (200, {}, _next(f"[--key secret] {_BASE}/encrypted")),
    "/then-no-ca": (
        200,
        {},
        f"<flat-profile><Custom_CA_Rule>http://{ADDRESS}:{CLOSED}/ca.pem</Custom_CA_Rule>"
        f"<Profile_Rule>{_BASE}/good</Profile_Rule></flat-profile>".encode(),
    ),
    "/then-back": (200, {}, _next(f"{_BASE}/then-forth")),
    "/then-forth": (200, {}, _next(f"{_BASE}/then-back")),
}


def _reply(pages: Callable[[str, str], Answer], head: bytes) -> bytes:
    """Return the answer to a request; to what is none, as nginx gives it to a TLS handshake on its plain port."""
    words = head.decode("latin-1").split(" ")
    status, headers, body = pages(*words[:2]) if len(words) > 2 and words[0].isalpha() else (400, {}, b"")
    fields = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _web(
    pages: Callable[[str, str], Answer], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    writer.write(_reply(pages, await reader.read(8192)))
    await writer.drain()


def _secure(context: ssl.SSLContext, sock: socket.socket) -> None:
    """Serve HTTPS until the socket closes. asyncio's TLS drops the alert of a handshake that fails; this one sends it."""
    while True:
        try:
            accepted, _ = sock.accept()
        except OSError:
            return
        accepted.settimeout(5)
        with accepted, contextlib.suppress(OSError), context.wrap_socket(accepted, server_side=True) as peer:
            peer.sendall(_reply(_file, peer.recv(8192)))


def _file(_method: str, path: str) -> Answer:
    return PAGES.get(path, (404, {}, b""))


async def _mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _rude(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read(4096)


async def _ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    await reader.read(4096)


async def _closing(answer: Serve, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection, and close it whatever comes."""
    try:
        with contextlib.suppress(OSError):
            await answer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class _Tftp(asyncio.DatagramProtocol):
    """Answers a read request by its port, and by the file's name: good, forbidden, else missing."""

    def __init__(self, port: int) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._port == TFTP_MUTE or data[:2] != b"\0\1":
            return
        name = data[2:].partition(b"\0")[0].rpartition(b"/")[2]
        if self._port == TFTP_STALLS:
            self._transport.sendto(b"\0\3\0\1" + PROFILE.ljust(512), addr)
        elif name == b"good":
            self._transport.sendto(b"\0\3\0\1" + PROFILE, addr)
        else:
            code = 2 if name == b"forbidden" else 1
            self._transport.sendto(struct.pack(">HH", 5, code) + b"no\0", addr)


def _tls(folder: Path, name: str, chain: Bundle, *, client: Bundle | None = None) -> ssl.SSLContext:
    file = folder / f"{name}.pem"
    file.write_bytes(chain.encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if name == "tls13":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if client is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client.leaf.pem())
    return context


def authority(name: str = "Far CA") -> Bundle:
    """Return a CA that is valid now."""
    now = time.time()
    return made(name, names=(), authority=True, start=now - 2 * DAY, end=now + 30 * DAY)


def _contexts(folder: Path, issuer: Bundle) -> dict[int, ssl.SSLContext]:
    now = time.time()

    def chain(*names: str, of: Bundle = issuer, start: float = -DAY, end: float = DAY) -> Bundle:
        return made(names[0], names=names, issuer=of, start=now + start, end=now + end)

    right = chain(NAME)
    middle = made("Middle CA", names=(), authority=True, issuer=issuer, start=now - DAY, end=now + DAY)
    below = chain(NAME, of=middle)
    return {
        GOOD_TLS: _tls(folder, "good", right),
        UNTRUSTED: _tls(folder, "untrusted", chain(NAME, of=authority("Stranger"))),
        WRONG_NAME: _tls(folder, "name", chain("other.example.net")),
        EXPIRED: _tls(folder, "expired", chain(NAME, end=-3600)),
        FUTURE: _tls(folder, "future", chain(NAME, start=3600)),
        TLS13: _tls(folder, "tls13", right),
        CLIENT: _tls(folder, "client", right, client=issuer),
        NO_INTERMEDIATE: _tls(folder, "middle", Bundle(below.chain[:1], below.key)),
    }


@dataclass(frozen=True)
class _Listening:
    """A listening socket whose thread ends with it."""

    sock: socket.socket

    def close(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


async def _start(folder: Path, issuer: Bundle) -> list[Any]:
    """Open every port; return what is to be closed."""
    loop = asyncio.get_running_loop()
    locked: Answer = (401, {"WWW-Authenticate": 'Basic realm="acs"'}, b"")
    servers: list[Any] = []

    async def tcp(port: int, answer: Serve) -> None:
        servers.append(await asyncio.start_server(partial(_closing, answer), ADDRESS, port))

    await tcp(MUTE, _mute)
    await tcp(RUDE, _rude)
    await tcp(SSH, _ssh)
    await tcp(WEB, partial(_web, _file))
    await tcp(ACS_LOCKED, partial(_web, lambda _method, _path: locked))
    await tcp(ACS_FORBIDS, partial(_web, lambda _method, _path: (403, {}, b"")))
    for port, context in _contexts(folder, issuer).items():
        sock = socket.create_server((ADDRESS, port))
        threading.Thread(target=_secure, args=(context, sock)).start()
        servers.append(_Listening(sock))
    for port in (TFTP, TFTP_MUTE, TFTP_STALLS):
        transport, _ = await loop.create_datagram_endpoint(partial(_Tftp, port), local_addr=(ADDRESS, port))
        servers.append(transport)
    return servers


@contextmanager
def crooked(host: Host, folder: Path, issuer: Bundle) -> Iterator[None]:
    """Run them all on a host that has ADDRESS; `issuer` is the CA that phones trust."""
    ready, stops = threading.Event(), []

    async def serve() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda _loop, _context: None)  # clients hang up in every way
        servers = await _start(folder, issuer)
        stops.append(partial(loop.call_soon_threadsafe, done.set))
        ready.set()
        await done.wait()
        for each in servers:
            each.close()
        held = asyncio.all_tasks() - {asyncio.current_task()}
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)

    def run() -> None:
        with host.entered():
            asyncio.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield
    finally:
        for stop in stops:
            stop()
        thread.join(10)

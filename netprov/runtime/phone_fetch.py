"""What an emulated phone asks with sockets once it has an address: DNS, TFTP, HTTP and HTTPS.

Every exchange leaves from the phone's own address and ends in a result, whatever happens: the errors of sockets, TLS
and HTTP are turned into the troubles that a phone knows.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import aiohttp
from yarl import URL

from netprov.dns import stub
from netprov.errors import Malformed, PkiError
from netprov.machine import Endpoint
from netprov.phone.action import Failed, Fetch, Found, Resolve, Response, SrvRecord, Trouble
from netprov.pki.chain import decode
from netprov.runtime.tls import client_context
from netprov.tftp.download import Download
from netprov.tftp.packet import ErrorCode
from netprov.tftp.transfer import Failed as TransferFailed
from netprov.tftp.transfer import Limits

TYPES: Mapping[str, int] = {"A": 1, "SRV": 33}
MAX_BODY = 8 << 20
"""Octets of one file that a phone takes."""

IP_RECVERR = 11

_VERIFY: Mapping[int, Trouble] = {
    9: Trouble.NOT_YET,
    10: Trouble.EXPIRED,
    62: Trouble.WRONG_NAME,
    64: Trouble.WRONG_NAME,
}
"""OpenSSL's verification codes that say something else than an unknown authority."""

_ERRNO: Mapping[int, Trouble] = {
    errno.ECONNREFUSED: Trouble.REFUSED,
    errno.EHOSTUNREACH: Trouble.UNREACHABLE,
    errno.ENETUNREACH: Trouble.UNREACHABLE,
    errno.ECONNRESET: Trouble.RESET,
    errno.EPIPE: Trouble.RESET,
    errno.ETIMEDOUT: Trouble.TIMEOUT,
}

_STATUS: Mapping[stub.Status, Trouble] = {
    stub.Status.NXDOMAIN: Trouble.NXDOMAIN,
    stub.Status.NODATA: Trouble.NODATA,
    stub.Status.REFUSED: Trouble.DNS_REFUSED,
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a phone waits, in seconds; `waits` scales what it lets pass on purpose."""

    dhcp: float
    dns: float
    dns_tries: int
    connect: float
    answer: float
    tftp: Limits
    waits: float


REALISTIC = Patience(60, 2.0, 3, 10.0, 30.0, Limits(first_timeout=2.0, tries=5), 1.0)
COMPRESSED = Patience(6, 1.0, 2, 2.0, 8.0, Limits(first_timeout=0.5, max_timeout=1.0, tries=2), 0.0)
"""As a phone is, and as a test wants it. No guide gives figures; the realistic ones are common client defaults."""


async def resolve(
    action: Resolve, source: str, patience: Patience, draw: Callable[[int], int]
) -> Found | Failed:
    """Ask each DNS server in turn, by UDP, then by TCP where the answer was truncated."""
    failed = Failed(Trouble.NO_SERVER)
    for _ in range(patience.dns_tries):
        for server in action.servers:
            query = stub.build_query(action.name, TYPES[action.type], id_=draw(16))
            try:
                reply = await _ask_udp(query, server, source, patience.dns)
                if reply is not None and reply.truncated:
                    reply = await _ask_tcp(query, server, source, patience.dns)
            except TimeoutError:
                failed = Failed(Trouble.TIMEOUT, f"from DNS server {server}")
                continue
            except (OSError, Malformed) as error:
                failed = Failed(trouble_of(error), f"DNS server {server}")
                continue
            if reply is not None:
                return _found(reply, action)
    return failed


def _found(reply: stub.Reply, action: Resolve) -> Found | Failed:
    if reply.status is not stub.Status.ANSWER:
        return Failed(_STATUS.get(reply.status, Trouble.DNS_FAILED), action.name)
    records = tuple(SrvRecord(t.priority, t.weight, t.port, t.target) for t in reply.targets())
    return Found(tuple(str(each) for each in reply.addresses() if each.version == 4), records)


async def _ask_udp(query: bytes, server: str, source: str, patience: float) -> stub.Reply | None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind((source, 0))
        sock.connect((server, 53))
        async with asyncio.timeout(patience):
            await loop.sock_sendall(sock, query)
            while True:
                reply = stub.parse_reply(await loop.sock_recv(sock, 65535), query)
                if reply is not None:
                    return reply


async def _ask_tcp(query: bytes, server: str, source: str, patience: float) -> stub.Reply | None:
    async with asyncio.timeout(patience):
        reader, writer = await asyncio.open_connection(server, 53, local_addr=(source, 0))
        try:
            writer.write(len(query).to_bytes(2, "big") + query)
            length = int.from_bytes(await reader.readexactly(2), "big")
            return stub.parse_reply(await reader.readexactly(length), query)
        except asyncio.IncompleteReadError:
            return None
        finally:
            writer.close()


async def download(action: Fetch, source: str, patience: Patience) -> Response | Failed:
    """Read one file by TFTP."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)  # so that a closed port is noticed at once
        sock.bind((source, 0))
        server = Endpoint(action.address, action.url.port)
        transfer = Download(
            action.url.path.lstrip("/"),
            server,
            time.monotonic(),
            options={"blksize": "1428"},
            limits=patience.tftp,
            max_octets=MAX_BODY,
        )
        try:
            while not transfer.finished:
                for datagram in transfer.datagrams_to_send():
                    await loop.sock_sendto(
                        sock, datagram.data, (datagram.destination.address, datagram.destination.port)
                    )
                await _next_packet(sock, transfer)
            for datagram in transfer.datagrams_to_send():
                await loop.sock_sendto(
                    sock, datagram.data, (datagram.destination.address, datagram.destination.port)
                )
        except OSError as error:
            return Failed(trouble_of(error), f"TFTP at {action.address}")
    outcome = transfer.outcome
    if isinstance(outcome, TransferFailed):
        return _tftp_failure(outcome)
    return Response(200, transfer.content())


async def _next_packet(sock: socket.socket, transfer: Download) -> None:
    due = transfer.timer()
    try:
        async with asyncio.timeout(None if due is None else max(0.0, due - time.monotonic())):
            data, (address, port) = await asyncio.get_running_loop().sock_recvfrom(sock, 65536)
    except TimeoutError:
        transfer.handle_timer(time.monotonic())
        return
    transfer.receive(data, Endpoint(address, port), time.monotonic())


def _tftp_failure(outcome: TransferFailed) -> Failed:
    if outcome.code == ErrorCode.FILE_NOT_FOUND:
        return Failed(Trouble.NOT_FOUND, outcome.reason)
    if outcome.code is not None:
        return Failed(Trouble.TRANSFER, outcome.reason)
    return Failed(Trouble.TIMEOUT, outcome.reason)


class WebClient:
    """HTTP and HTTPS of one phone; close it at the end."""

    def __init__(self, source: str, patience: Patience) -> None:
        self._patience = patience
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(local_addr=(source, 0), limit=4),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type"),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def fetch(self, action: Fetch) -> Response | Failed:
        """Ask one address for one URL, without following redirects."""
        url = action.url
        default = url.port == (443 if url.scheme == "https" else 80)
        try:
            context = phone_context(action.anchors) if action.verify else None
            async with self._session.request(
                action.method,
                URL(f"{url.scheme}://{action.address}:{url.port}{url.path}", encoded=True),
                data=action.body or None,
                headers={"Host": url.host if default else f"{url.host}:{url.port}", **action.headers},
                ssl=context if context is not None else True,
                server_hostname=action.verify or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=self._patience.answer, sock_connect=self._patience.connect
                ),
            ) as response:
                body = await response.content.read(MAX_BODY)
                headers = tuple(
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.raw_headers
                )
                return Response(response.status, body, headers)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError, PkiError) as error:
            return Failed(trouble_of(error), _reason(error))


@lru_cache(maxsize=64)
def phone_context(anchors: tuple[str, ...]) -> ssl.SSLContext:
    """Return a TLS context that trusts these anchors alone.

    Quirk: firmware of these phones speaks TLS 1.2 at most, 7832 and 8832 from 12.0(7)SR3 excepted.
    """
    context = client_context([each for pem in anchors for each in decode(pem.encode())])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def trouble_of(error: Exception) -> Trouble:
    """Return what a phone would call an error of a socket, of TLS or of HTTP."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return trouble_of(error.certificate_error)
        case ssl.SSLCertVerificationError():
            return _VERIFY.get(error.verify_code, Trouble.UNTRUSTED)
        case ssl.SSLError() | aiohttp.ClientSSLError():
            return Trouble.TLS
        case TimeoutError():
            return Trouble.TIMEOUT
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError():
            return Trouble.RESET
        case OSError():
            inner = error.__cause__
            code = error.errno if error.errno in _ERRNO else getattr(inner, "errno", None)
            return _ERRNO.get(code or 0, Trouble.UNREACHABLE)
        case _:
            return Trouble.GARBAGE


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        inner = error.certificate_error
        return str(getattr(inner, "verify_message", inner))
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}:{error.port}"
    if isinstance(error, aiohttp.ClientConnectorError):
        # Its own text names Python objects; the trouble and the address that was asked are told already.
        return "" if error.os_error.errno in _ERRNO else error.os_error.strerror or ""
    return "" if isinstance(error, TimeoutError) else str(error)

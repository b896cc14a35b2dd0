"""HTTP and HTTPS of one phone, by its own sockets.

TLS is driven through memory buffers, so that the alert with which a phone refuses a certificate leaves the machine: asyncio's
own TLS drops it, and the alert is what servers log and captures show.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from functools import lru_cache

from netprov.emulator.failure import CertificateWantedError, Timeouts, reason, trouble_of
from netprov.errors import Malformed, PkiError
from netprov.explain.capture.handshake import read_side
from netprov.phone.action import Failed, Fetch, Proxy, Response
from netprov.phone.fetch.http import PROXY_AUTHORIZATION, ResponseReader, encode_connect, encode_request
from netprov.phone.rule.url import Url
from netprov.pki.chain import decode
from netprov.runtime.web.tls import client_context

CHUNK = 65536

_Key = tuple[str, int, str, tuple[str, ...]]


class WebClient:
    """Asks servers from one address; connections are kept and used again. Close it at the end.

    One that does not verify takes any certificate, for a look at what a server gives whose CA is not known.
    """

    def __init__(self, source: str, timeouts: Timeouts, *, verifies: bool = True) -> None:
        self._source = source
        self._verifies = verifies
        self._timeouts = timeouts
        self._idle: dict[_Key, _Connection] = {}

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._idle.values():
            connection.close()
        self._idle.clear()

    async def fetch(self, action: Fetch) -> Response | Failed:
        """Ask one address for one URL, without following redirects."""
        key = _key(action)
        try:
            async with asyncio.timeout(self._timeouts.answer):
                kept = self._idle.pop(key, None)
                if kept is not None:
                    answer = await self._ask(kept, key, action, again=True)
                    if answer is not None:
                        return answer
                connection = await self._connect(action)
                if isinstance(connection, Response):
                    return connection
                answer = await self._ask(connection, key, action, again=False)
                assert answer is not None
                return answer
        except (OSError, TimeoutError, Malformed, PkiError) as error:
            return Failed(trouble_of(error), reason(error))

    async def _ask(
        self, connection: _Connection, key: _Key, action: Fetch, *, again: bool
    ) -> Response | None:
        """Send the request and read the answer; None where a kept connection turns out to be closed."""
        reader = ResponseReader(action.method)
        try:
            await connection.send(_request(action))
            while reader.response is None:
                reader.feed(await connection.receive())
        except BaseException as error:
            connection.close()
            if again and isinstance(error, OSError) and not reader.started:
                return None
            raise
        if reader.keeps:
            self._idle[key] = connection
        else:
            connection.close()
        return reader.response

    async def _connect(self, action: Fetch) -> _Connection | Response:
        """Return a connection to the server, through its proxy where it has one, or what the proxy answered instead."""
        context = None
        if action.verify:
            credentials = action.client_certificate + action.client_key
            context = (
                phone_context(action.anchors, credentials, tls13=action.tls13)
                if self._verifies
                else client_context(None, oldest="1.0")
            )
        connection = _Connection(self._source)
        try:
            async with asyncio.timeout(self._timeouts.connect):
                proxy = action.proxy
                await connection.open(action.address, action.url.port if proxy is None else proxy.port)
                if proxy is not None and context is not None:
                    refused = await _tunnel(connection, action.url, proxy)
                    if refused is not None:
                        connection.close()
                        return refused
                if context is not None:
                    await connection.secure(context, action.verify)
        except BaseException:
            connection.close()
            raise
        return connection


def _key(action: Fetch) -> _Key:
    """Return what connections are the same for: through a proxy, plain requests to any host share one, tunnels do not.

    A server that was trusted by other anchors has not been by these.
    """
    anchors = action.anchors if action.verify else ()
    if action.proxy is None:
        return action.address, action.url.port, action.verify, anchors
    within = f"{action.url.host}:{action.url.port} " if action.verify else ""
    return action.address, action.proxy.port, f"{within}{action.verify}", anchors


def _request(action: Fetch) -> bytes:
    if action.proxy is None or action.verify:
        return encode_request(action.method, action.url, action.headers, action.body)
    own = {PROXY_AUTHORIZATION: action.proxy.authorization} if action.proxy.authorization else {}
    return encode_request(action.method, action.url, {**action.headers, **own}, action.body, to_proxy=True)


async def _tunnel(connection: _Connection, url: Url, proxy: Proxy) -> Response | None:
    """Ask a proxy for a tunnel; return its answer if it makes none."""
    reader = ResponseReader("CONNECT")
    await connection.send(encode_connect(url, proxy.authorization))
    while reader.response is None:
        reader.feed(await connection.receive())
    return None if 200 <= reader.response.status < 300 else reader.response


class _Connection:
    """One TCP connection, perhaps with TLS in it."""

    def __init__(self, source: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._source = source
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._heard = bytearray()
        """What came during the handshake."""

    async def open(self, address: str, port: int) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.bind((self._source, 0))
        await self._loop.sock_connect(self._socket, (address, port))

    async def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Shake hands; whatever goes wrong, the alert is sent first."""
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except ssl.SSLError as error:
                await self._flush()
                if "ALERT" in (error.reason or "") and read_side(bytes(self._heard)).asks_certificate:
                    raise CertificateWantedError(error.errno, error.strerror) from error
                raise
        await self._flush()
        self._heard.clear()
        self._tls = tls

    async def send(self, data: bytes) -> None:
        if self._tls is None:
            await self._loop.sock_sendall(self._socket, data)
            return
        self._tls.write(data)
        await self._flush()

    async def receive(self) -> bytes:
        """Return what came, b"" at the end."""
        if self._tls is None:
            return await self._loop.sock_recv(self._socket, CHUNK)
        while True:
            try:
                return self._tls.read(CHUNK)
            except ssl.SSLWantReadError:
                data = await self._loop.sock_recv(self._socket, CHUNK)
                if not data:
                    return b""
                self._incoming.write(data)
            except ssl.SSLZeroReturnError:
                return b""

    def close(self) -> None:
        self._socket.close()

    async def _flush(self) -> None:
        data = self._outgoing.read()
        if data:
            await self._loop.sock_sendall(self._socket, data)

    async def _fill(self) -> None:
        data = await self._loop.sock_recv(self._socket, CHUNK)
        if not data:
            raise ConnectionResetError("closed during the TLS handshake")
        self._heard += data
        self._incoming.write(data)


@lru_cache(maxsize=64)
def phone_context(anchors: tuple[str, ...], credentials: str = "", *, tls13: bool = False) -> ssl.SSLContext:
    """Return a TLS context that trusts these anchors alone; `credentials` are a client's certificate and key in PEM.

    Quirk: firmware of these phones speaks TLS 1.2 at most, but for `tls13`: 7832 and 8832 from 12.0(7)SR3.
    """
    context = client_context([each for pem in anchors for each in decode(pem.encode())])
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if tls13 else ssl.TLSVersion.TLSv1_2
    if credentials:
        descriptor = os.memfd_create("client")  # the ssl module reads certificates from files only
        try:
            os.write(descriptor, credentials.encode())
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
    return context

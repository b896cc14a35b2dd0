"""HEAD, asked of a web server by the process that it runs in."""

from __future__ import annotations

import asyncio
import socket
import ssl

from netprov.provision.config import Listener
from netprov.runtime.self_check import Askers

_HEAD = b"HEAD / HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n"


async def ask_head(listener: Listener, askers: Askers) -> None:
    """Return once the server at a listener has answered, in TLS or HTTP, whatever it is. Raises `OSError`, `EOFError`."""
    with askers.open(socket.SOCK_STREAM, listener.address) as sock:
        await asyncio.get_running_loop().sock_connect(sock, (listener.address, listener.port))
        try:
            await _exchange(sock, _anybody() if listener.scheme == "https" else None)
        except ssl.SSLError:
            return  # it speaks, if only to refuse: who must show a certificate has none here


async def _exchange(sock: socket.socket, context: ssl.SSLContext | None) -> None:
    name = None if context is None else ""
    reader, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname=name)
    try:
        writer.write(_HEAD)
        await reader.readexactly(1)
    finally:
        writer.transport.abort()


def _anybody() -> ssl.SSLContext:
    """Return TLS that takes any certificate: who answers is known, and whether it can is asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

"""TLS of one accepted connection, between a socket that the caller reads and writes and the octets of its protocol.

OpenSSL works on memory here: one `recv` brings all records that have come, and one `send` carries all that are ready, the
session ticket, the reply and close_notify among them. On the socket itself it would ask twice for each record, for its
header and for what follows.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final

_RECORD: Final = 16384
"""Octets that a TLS record holds at most (RFC 8446 section 5.1)."""


class TlsLayer:
    """The server's end of one TLS connection; everything but `take` may raise `ssl.SSLError`.

    `connection` is OpenSSL's: for the certificate that the peer sent, and the like.
    """

    __slots__ = ("_incoming", "_outgoing", "connection")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.connection = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def put(self, data: bytes) -> None:
        """Take in what came from the socket."""
        self._incoming.write(data)

    def take(self) -> bytes:
        """Return what there is to send."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def shake(self) -> bool:
        """Go on with the handshake; say whether it is done."""
        try:
            self.connection.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def read(self) -> bytes | None:
        """Return the next octets for the protocol, b"" when the peer has said that it sends no more, None for none yet."""
        try:
            return self.connection.read(_RECORD)
        except ssl.SSLWantReadError:
            return None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Make records of octets of the protocol."""
        if len(data) <= _RECORD:
            if data:  # of nothing OpenSSL would make an empty record
                self.connection.write(data)
            return
        with memoryview(data) as view:
            for at in range(0, len(view), _RECORD):
                self.connection.write(view[at : at + _RECORD])

    def close(self) -> None:
        """Say that no more is sent (close_notify, RFC 8446 section 6.1), and do not wait for the peer's."""
        with suppress(OSError, ValueError):
            self.connection.unwrap()

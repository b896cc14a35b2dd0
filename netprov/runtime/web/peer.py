"""Whom a connection is from, by the client certificate that it came with."""

from __future__ import annotations

from functools import lru_cache

from netprov.errors import PkiError
from netprov.mac import read_mac
from netprov.pki.chain import decode
from netprov.runtime.web.stream import Stream


def certificate_mac(stream: Stream) -> str:
    """Return the MAC address that a phone's certificate names, which TLS has verified; "" without one, or if it names none."""
    certificate = None if stream.tls is None else stream.tls.getpeercert(binary_form=True)
    return _mac(certificate) if certificate else ""


@lru_cache(maxsize=4096)
def _mac(der: bytes) -> str:
    try:
        phone = decode(der)[0].phone()
    except PkiError:
        return ""
    return read_mac(phone.mac) if phone is not None else ""

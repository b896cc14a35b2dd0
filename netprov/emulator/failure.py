"""What a phone calls an error of a socket, of TLS or of HTTP, and how long it waits before it calls silence one."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from netprov.phone.action import Trouble
from netprov.tftp.transfer import TransferLimits

_VERIFY: Mapping[int, Trouble] = {
    9: Trouble.NOT_YET,
    10: Trouble.EXPIRED,
    62: Trouble.WRONG_NAME,
    64: Trouble.WRONG_NAME,
}
"""OpenSSL's verification codes that say something else than an unknown authority."""

_REASONS: Mapping[str, Trouble] = {
    "WRONG_VERSION_NUMBER": Trouble.NOT_TLS,
    "HTTP_REQUEST": Trouble.NOT_TLS,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Trouble.CLIENT_CERTIFICATE,
}
"""OpenSSL's symbols of reasons (opensslerr) that say something else than that a handshake failed."""

_ERRNO: Mapping[int, Trouble] = {
    errno.ECONNREFUSED: Trouble.REFUSED,
    errno.EHOSTUNREACH: Trouble.UNREACHABLE,
    errno.ENETUNREACH: Trouble.UNREACHABLE,
    errno.ECONNRESET: Trouble.RESET,
    errno.EPIPE: Trouble.RESET,
    errno.ETIMEDOUT: Trouble.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a phone waits, in seconds; `waits` scales what it lets pass on purpose."""

    dhcp: float
    dns: float
    dns_tries: int
    connect: float
    answer: float
    tftp: TransferLimits
    waits: float


REALISTIC = Timeouts(60, 2.0, 3, 10.0, 30.0, TransferLimits(first_timeout=2.0, silence=18.0), 1.0)
COMPRESSED = Timeouts(
    16, 1.0, 2, 2.0, 8.0, TransferLimits(first_timeout=0.5, max_timeout=1.0, silence=1.5), 0.0
)
"""As a phone is, and as a test wants it. No guide gives figures; the realistic ones are common client defaults."""


class CertificateWantedError(ssl.SSLError):
    """A server asked for a certificate, got none, and ended the handshake (RFC 5246 7.4.6)."""


def trouble_of(error: Exception) -> Trouble:
    """Return what a phone would call an error."""
    match error:
        case ssl.SSLCertVerificationError():
            return _VERIFY.get(error.verify_code, Trouble.UNTRUSTED)
        case CertificateWantedError():
            return Trouble.CLIENT_CERTIFICATE
        case ssl.SSLError():
            return _REASONS.get(error.reason or "", Trouble.TLS)
        case TimeoutError():
            return Trouble.TIMEOUT
        case OSError():
            return _ERRNO.get(error.errno or errno.ECONNRESET, Trouble.UNREACHABLE)
        case _:
            return Trouble.GARBAGE


def reason(error: Exception) -> str:
    """Return an error's own words, "" where it has none."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return ""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)

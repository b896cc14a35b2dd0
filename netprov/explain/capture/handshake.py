"""What a capture shows of TLS: names, certificates, alerts, and how much was said afterwards (RFC 5246, RFC 8446).

Nothing is decrypted: of TLS 1.3 the certificate and the alerts stay hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from netprov.errors import Malformed, PkiError
from netprov.phone.action import Failed, Trouble
from netprov.pki.chain import Certificate, decode_each
from netprov.pki.names import covers
from netprov.wire import Reader

CHANGE, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, CERTIFICATE_REQUEST = 1, 2, 11, 13

ALERTS: Mapping[int, str] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    112: "unrecognized_name",
    116: "certificate_required",
}
"""Alert descriptions (RFC 8446 section 6)."""

CERTIFICATE_REQUIRED = 116
_CERTIFICATE_ALERTS = frozenset({42, 43, 44, 45, 46, 48, 51})
ENCRYPTED_ALERT = 19
"""Octets of an encrypted alert's record in TLS 1.3: 2, one for its type, 16 of the tag."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one side said: plaintext handshake messages and alerts, and the sizes of its application records."""

    hello: bytes = b""
    certificates: tuple[Certificate, ...] = ()
    alert: int | None = None
    application: tuple[int, ...] = ()
    is_tls: bool = True
    changed: bool = False
    asks_certificate: bool = False
    """Whether the server asked the phone for a certificate."""


def read_side(data: bytes) -> Side:
    """Read one side's octets; what follows the change of ciphers is counted only."""
    if data and (len(data) < 3 or data[0] not in {ALERT, HANDSHAKE} or data[1] != 3):
        return Side(is_tls=False)
    handshake, alert, application, changed = bytearray(), None, [], False
    reader = Reader(data)
    try:
        while reader.remaining():
            kind = reader.u8()
            reader.u16()
            body = reader.take(reader.u16())
            if kind == CHANGE:
                changed = True
            elif kind == HANDSHAKE and not changed:
                handshake += body
            elif kind == ALERT and not changed and len(body) == 2:
                alert = body[1]
            elif kind == APPLICATION:
                application.append(len(body))
    except Malformed:
        pass
    messages = _messages(bytes(handshake))
    return Side(
        messages.get(CLIENT_HELLO) or messages.get(SERVER_HELLO) or b"",
        _certificates(messages.get(CERTIFICATE, b"")),
        alert,
        tuple(application),
        True,
        changed,
        CERTIFICATE_REQUEST in messages,
    )


def server_name(hello: bytes) -> str:
    """Return the SNI of a ClientHello (RFC 6066 section 3), "" without one."""
    data = _extension(hello, 0, client=True)
    return data[5:].decode("ascii", "replace") if len(data) > 5 else ""


def is_tls13(hello: bytes) -> bool:
    """Tell whether a ServerHello chose TLS 1.3 (RFC 8446 section 4.2.1)."""
    return _extension(hello, 43, client=False) == b"\x03\x04"


def failure(client: Side, server: Side, *, wanted: str, now: float) -> Failed | None:
    """Return why the handshake failed, None if it did not."""
    if not server.is_tls:
        return Failed(Trouble.NOT_TLS, "the first octets are no TLS record")
    if client.alert is not None and client.alert:
        name = ALERTS.get(client.alert, str(client.alert))
        if client.alert in _CERTIFICATE_ALERTS and server.certificates:
            return _rejected(client.alert, server.certificates, wanted, now)
        return Failed(Trouble.TLS, f"the phone's alert: {name}")
    if server.alert is not None and server.alert and not server.application:
        said = f"the server's alert: {ALERTS.get(server.alert, str(server.alert))}"
        wanted_one = server.alert == CERTIFICATE_REQUIRED or server.asks_certificate
        return Failed(Trouble.CLIENT_CERTIFICATE if wanted_one else Trouble.TLS, said)
    if server.certificates and not client.changed and client.alert is None:
        return _rejected(None, server.certificates, wanted, now)
    if is_tls13(server.hello) and client.application[:1] == (ENCRYPTED_ALERT,):
        return Failed(Trouble.TLS, "the phone ended the handshake with an encrypted alert (TLS 1.3)")
    return None


def _rejected(alert: int | None, chain: tuple[Certificate, ...], wanted: str, now: float) -> Failed:
    """Tell which fault of the certificate the phone means; several alerts are not specific, and some send none."""
    leaf = chain[0]
    names = ", ".join((*leaf.dns_names, *map(str, leaf.addresses))) or leaf.common_name
    said = "the phone hung up without an alert" if alert is None else f"the phone's alert: {ALERTS[alert]}"
    facts = f"{said}; the certificate is for {names}, signed by {leaf.issuer}"
    dates = f", valid {leaf.not_before:.0f} to {leaf.not_after:.0f}"
    if any(now > each.not_after for each in chain):
        return Failed(Trouble.EXPIRED, facts + dates)
    if any(now < each.not_before for each in chain):
        return Failed(Trouble.NOT_YET, facts + dates)
    if alert not in {48, 51} and wanted and not covers(leaf.dns_names, leaf.addresses, wanted):
        return Failed(Trouble.WRONG_NAME, f"{facts}; the phone wants {wanted}")
    return Failed(Trouble.UNTRUSTED, facts)


def _messages(data: bytes) -> dict[int, bytes]:
    """Return handshake messages by type, the first of each."""
    found: dict[int, bytes] = {}
    reader = Reader(data)
    try:
        while reader.remaining():
            kind = reader.u8()
            body = reader.take((reader.u8() << 16) + reader.u16())
            found.setdefault(kind, body)
    except Malformed:
        pass
    return found


def _certificates(data: bytes) -> tuple[Certificate, ...]:
    ders = []
    reader = Reader(data)
    try:
        reader.take(min(3, reader.remaining()))
        while reader.remaining():
            ders.append(reader.take((reader.u8() << 16) + reader.u16()))
        return decode_each(ders)
    except (Malformed, PkiError):
        return ()


def _extension(hello: bytes, wanted: int, *, client: bool) -> bytes:
    reader = Reader(hello)
    try:
        reader.take(34)
        reader.take(reader.u8())
        if client:
            reader.take(reader.u16())
            reader.take(reader.u8())
        else:
            reader.take(3)
        reader.u16()
        while reader.remaining():
            kind = reader.u16()
            data = reader.take(reader.u16())
            if kind == wanted:
                return data
    except Malformed:
        pass
    return b""

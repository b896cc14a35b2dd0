"""Certificate revocation lists (RFC 5280 section 5); the list itself is the record of what is revoked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from netprov.errors import PkiError
from netprov.pki.chain import Certificate
from netprov.pki.issue import Issuer

REASONS: Mapping[str, x509.ReasonFlags] = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key-compromise": x509.ReasonFlags.key_compromise,
    "superseded": x509.ReasonFlags.superseded,
    "cessation-of-operation": x509.ReasonFlags.cessation_of_operation,
    "affiliation-changed": x509.ReasonFlags.affiliation_changed,
}
"""The reasons an operator may give (RFC 5280 5.3.1)."""


def sign(
    issuer: Issuer, before: x509.CertificateRevocationList | None, *, now: float, lifetime: float
) -> x509.CertificateRevocationList:
    """Sign the next list of an issuer: what `before` has, its number one higher, valid from `now`."""
    builder = _builder(issuer, before, now=now, lifetime=lifetime)
    return builder.sign(issuer.key, hashes.SHA256())


def revoke(
    issuer: Issuer,
    before: x509.CertificateRevocationList | None,
    certificate: Certificate,
    *,
    reason: str,
    now: float,
    lifetime: float,
) -> x509.CertificateRevocationList:
    """Sign the next list of an issuer, with one certificate more."""
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(certificate.x509.serial_number)
        .revocation_date(_when(now))
    )
    if reason != "unspecified":
        # RFC 5280 5.3.1: the code "SHOULD be absent instead of using the unspecified (0) reasonCode value".
        entry = entry.add_extension(x509.CRLReason(REASONS[reason]), critical=False)
    builder = _builder(issuer, before, now=now, lifetime=lifetime).add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256())


def encode(lists: tuple[x509.CertificateRevocationList, ...]) -> bytes:
    """Return lists as one PEM file."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in lists)


def decode(data: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    """Decode a PEM file of lists; `PkiError` if one cannot be read."""
    mark = b"-----END X509 CRL-----"
    try:
        parts = [part + mark for part in data.split(mark)[:-1]]
        return tuple(x509.load_pem_x509_crl(part) for part in parts)
    except ValueError as error:
        raise PkiError(
            "the revocation list cannot be read", "restore crl.pem: it holds what is revoked"
        ) from error


def is_revoked(lists: tuple[x509.CertificateRevocationList, ...], certificate: Certificate) -> bool:
    """Tell whether a list of the certificate's issuer has it."""
    own = certificate.x509
    return any(
        each.issuer == own.issuer
        and each.get_revoked_certificate_by_serial_number(own.serial_number) is not None
        for each in lists
    )


def _builder(
    issuer: Issuer, before: x509.CertificateRevocationList | None, *, now: float, lifetime: float
) -> x509.CertificateRevocationListBuilder:
    number = (
        before.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number + 1
        if before is not None
        else 1
    )
    own = issuer.certificate.x509
    identifier = own.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(own.subject)
        .last_update(_when(now))
        .next_update(_when(now + lifetime))
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
    )
    for entry in before or ():
        builder = builder.add_revoked_certificate(entry)
    return builder


def _when(time: float) -> datetime:
    return datetime.fromtimestamp(int(time), UTC)

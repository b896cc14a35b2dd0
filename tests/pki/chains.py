"""Chains made to order, right and wrong, for the tests of whoever looks at certificates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from netprov.pki.bundle import Bundle
from netprov.pki.chain import describe
from netprov.pki.issue import PrivateKey
from tests.pki.conftest import NOW

DAY = 86400


def ca(name: str = "Any CA", *, key: PrivateKey | None = None) -> Bundle:
    return made(name, key=key, authority=True, names=())


def made(
    common_name: str = "example.com",
    *,
    names: tuple[str, ...] = ("example.com", "pr1.example.com"),
    issuer: Bundle | None = None,
    key: Any = None,
    authority: bool = False,
    start: float = NOW - DAY,
    end: float = NOW + 300 * DAY,
    use: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    permitted: tuple[str, ...] = (),
) -> Bundle:
    """Return a certificate with whatever the test needs wrong; signed by itself if it has no issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.leaf.x509.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(start, UTC))
        .not_valid_after(datetime.fromtimestamp(end, UTC))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    if permitted:
        constraints = x509.NameConstraints([x509.DNSName(name) for name in permitted], None)
        builder = builder.add_extension(constraints, critical=True)
    certificate = describe(builder.sign(issuer.key if issuer else key, hashes.SHA256()))
    return Bundle((certificate, *(issuer.chain if issuer and not issuer.leaf.self_issued else ())), key)


def small_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)

"""What a certificate says: decoded from PEM or DER (RFC 5280), for people, the store, `check` and `doctor`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from netprov.errors import PkiError
from netprov.pki.names import Address, PhoneSubject

_PEM = b"-----BEGIN CERTIFICATE-----"
WEAK_HASHES = frozenset({"md5", "sha1"})
"""What signatures are no longer made with, and no longer checked by cryptography."""

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for a certificate that contradicts X.509; it looks at parts only when they are asked for."""

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate, decoded; times are seconds since 1970, `serial` is hexadecimal."""

    subject: str
    common_name: str
    issuer: str
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...]
    not_before: float
    not_after: float
    key: str
    key_bits: int
    signature_hash: str
    serial: str
    fingerprint: str
    is_ca: bool
    server_use: bool
    permitted: tuple[str, ...]
    x509: x509.Certificate = field(repr=False)

    @property
    def self_issued(self) -> bool:
        """Tell whether subject and issuer are the same name, as a root's are."""
        return self.subject == self.issuer

    def issued_by(self, issuer: Certificate) -> bool:
        """Tell whether the issuer's name and key fit this certificate's issuer field and signature.

        A signature too weak to be checked here (MD5, SHA-1) counts as right: `verify` has a finding for it.
        """
        if self.signature_hash in WEAK_HASHES:
            return self.x509.issuer == issuer.x509.subject
        try:
            self.x509.verify_directly_issued_by(issuer.x509)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True

    def pem(self) -> str:
        """Return the certificate as PEM text."""
        return self.x509.public_bytes(Encoding.PEM).decode("ascii")

    def phone(self) -> PhoneSubject | None:
        """Return the phone that a client certificate names in OU, L and ST, or None if it is not a phone's."""
        unit = _attribute(self.x509, NameOID.ORGANIZATIONAL_UNIT_NAME)
        serial = _attribute(self.x509, NameOID.LOCALITY_NAME)
        mac = _attribute(self.x509, NameOID.STATE_OR_PROVINCE_NAME)
        found = PhoneSubject(unit, serial, mac)
        return found if unit and serial and found.mac else None


def decode(data: bytes) -> tuple[Certificate, ...]:
    """Decode the certificates of a PEM file, in its order, or the one of a DER file; `PkiError` if there is none."""
    try:
        with warnings.catch_warnings():
            # What RFC 5280 forbids in serial numbers and names is read all the same: it stops no phone.
            warnings.simplefilter("ignore", UserWarning)
            if _PEM in data:
                return tuple(describe(each) for each in x509.load_pem_x509_certificates(data))
            return (describe(x509.load_der_x509_certificate(data)),)
    except _UNREADABLE as error:
        what = (
            "a private key, not a certificate"
            if b"PRIVATE KEY-----" in data
            else "not a certificate that can be read"
        )
        raise PkiError(
            what, "PEM (-----BEGIN CERTIFICATE-----) or DER; a key goes where a key is asked for"
        ) from error


def is_certificate(data: bytes) -> bool:
    """Tell whether a file holds certificates."""
    try:
        return bool(decode(data))
    except PkiError:
        return False


def decode_each(ders: Iterable[bytes]) -> tuple[Certificate, ...]:
    """Decode the DER certificates of a TLS handshake, in the order they were sent."""
    return tuple(decode(der)[0] for der in ders)


def describe(certificate: x509.Certificate) -> Certificate:
    """Decode what a certificate says; raises `PkiError` for one that contradicts X.509."""
    if certificate.public_bytes(Encoding.DER)[-len(certificate.signature) - 1]:
        # OpenSSL refuses it too.
        raise PkiError("a certificate whose signature ends within an octet", "have it issued again")
    key, bits = _key(certificate)
    alternative = _extension(certificate, x509.SubjectAlternativeName)
    basic = _extension(certificate, x509.BasicConstraints)
    constraints = _extension(certificate, x509.NameConstraints)
    uses = _extension(certificate, x509.ExtendedKeyUsage)
    algorithm = certificate.signature_hash_algorithm
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        common_name=_attribute(certificate, NameOID.COMMON_NAME),
        issuer=certificate.issuer.rfc4514_string(),
        dns_names=tuple(alternative.get_values_for_type(x509.DNSName)) if alternative else (),
        addresses=_addresses(alternative),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        key=key,
        key_bits=bits,
        signature_hash=algorithm.name if algorithm else "none",
        serial=f"{certificate.serial_number:x}",
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        is_ca=bool(basic and basic.ca),
        server_use=uses is None or ExtendedKeyUsageOID.SERVER_AUTH in uses,
        permitted=_permitted(constraints),
        x509=certificate,
    )


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    match certificate.public_key():
        case rsa.RSAPublicKey() as key:
            return f"RSA-{key.key_size}", key.key_size
        case ec.EllipticCurvePublicKey() as key:
            name = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(key.curve.name)
            return f"ECDSA {name or key.curve.name}", key.key_size
        case key:
            return type(key).__name__.removesuffix("PublicKey").lstrip("_"), 0


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _addresses(alternative: x509.SubjectAlternativeName | None) -> tuple[Address, ...]:
    if alternative is None:
        return ()
    found = alternative.get_values_for_type(x509.IPAddress)
    return tuple(each for each in found if isinstance(each, IPv4Address | IPv6Address))


def _permitted(constraints: x509.NameConstraints | None) -> tuple[str, ...]:
    if constraints is None:
        return ()
    names = constraints.permitted_subtrees or []
    return tuple(each.value for each in names if isinstance(each, x509.DNSName))

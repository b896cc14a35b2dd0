"""Making certificates: root, intermediate, server, phone, signing request (RFC 5280, RFC 2986).

Pure but for the drawing of keys. Times are seconds since 1970; serial numbers are arguments, 20 octets at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from netprov.pki.chain import Certificate, describe
from netprov.pki.names import Address, PhoneSubject
from netprov.pki.request import AuthorityRequest, KeyKind, ServerRequest

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_PHONE_MAKER = "Cisco Systems, Inc."


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA that signs: its certificate, its key, where its CRL is fetched."""

    certificate: Certificate
    key: PrivateKey
    crl_url: str | None = None


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when, in seconds since 1970."""

    start: float
    end: float

    def inside(self, issuer: Certificate) -> Validity:
        """Return the part that lies within the issuer's own validity."""
        return Validity(max(self.start, issuer.not_before), min(self.end, issuer.not_after))


def new_key(kind: KeyKind) -> PrivateKey:
    """Draw a new private key."""
    if kind == "ecdsa-p256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, int(kind.removeprefix("rsa-")))


def kind_of(key: PrivateKey | PublicKey) -> KeyKind | None:
    """Return which of our kinds a key is, or None."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return {2048: "rsa-2048", 4096: "rsa-4096"}.get(key.key_size)  # type: ignore[return-value]
    return "ecdsa-p256" if key.curve.name == "secp256r1" else None


def root(request: AuthorityRequest, key: PrivateKey, *, now: float, serial: int) -> Certificate:
    """Issue the root to itself."""
    validity = Validity(now - request.backdate, now + request.lifetime)
    permitted = () if request.intermediate else request.permitted
    name = _common_name(request.name)
    builder = _builder(name, key.public_key(), validity, serial).issuer_name(name)
    # Path length 1 also without an intermediate, so that one can be added while phones keep the root.
    builder = _authority(builder, path_length=1, permitted=permitted)
    return _signed(builder, key)


def intermediate(
    request: AuthorityRequest, key: PublicKey, issuer: Issuer, *, now: float, serial: int
) -> Certificate:
    """Issue the CA below the root, which carries the name constraints and can be replaced unknown to phones."""
    validity = Validity(now - request.backdate, now + request.intermediate_lifetime)
    name = _common_name(f"{request.name} issuing")
    builder = _below(_builder(name, key, validity.inside(issuer.certificate), serial), issuer)
    return _signed(_authority(builder, path_length=0, permitted=request.permitted), issuer.key)


def server(
    request: ServerRequest, key: PublicKey, issuer: Issuer, *, now: float, backdate: float, serial: int
) -> Certificate:
    """Issue a server's certificate: the domain first in the SAN and as common name, then every target."""
    validity = Validity(now - backdate, now + request.lifetime).inside(issuer.certificate)
    builder = _below(_builder(_common_name(request.domain), key, validity, serial), issuer)
    builder = builder.add_extension(_alternative(request.dns_names, request.addresses), critical=False)
    return _signed(_end_entity(builder, key, ExtendedKeyUsageOID.SERVER_AUTH), issuer.key)


def server_from_request(
    csr: x509.CertificateSigningRequest, issuer: Issuer, *, validity: Validity, serial: int
) -> Certificate:
    """Issue a server's certificate to a key that lives elsewhere, with the names that its request asks for.

    Raises ValueError if the request's signature is wrong, or its key is neither RSA nor on an elliptic curve.
    """
    key = csr.public_key()
    if not csr.is_signature_valid or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ValueError("the request is not signed by its own RSA or ECDSA key")
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    builder = _below(_builder(csr.subject, key, validity.inside(issuer.certificate), serial), issuer)
    builder = builder.add_extension(names, critical=False)
    return _signed(_end_entity(builder, key, ExtendedKeyUsageOID.SERVER_AUTH), issuer.key)


def phone(
    subject: PhoneSubject, key: PublicKey, issuer: Issuer, *, validity: Validity, serial: int
) -> Certificate:
    """Issue a client certificate shaped like a phone's own: `OU=CP-8841-3PCC, L=<serial>, ST=<mac>`."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _PHONE_MAKER),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, subject.model),
            x509.NameAttribute(NameOID.LOCALITY_NAME, subject.serial),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, subject.mac),
        ]
    )
    builder = _below(_builder(name, key, validity.inside(issuer.certificate), serial), issuer)
    return _signed(_end_entity(builder, key, ExtendedKeyUsageOID.CLIENT_AUTH), issuer.key)


def signing_request(request: ServerRequest, key: PrivateKey) -> x509.CertificateSigningRequest:
    """Make the PKCS#10 request for a server's certificate to be signed elsewhere."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_common_name(request.domain))
    builder = builder.add_extension(_alternative(request.dns_names, request.addresses), critical=False)
    return builder.sign(key, hashes.SHA256())


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(dns_names: Iterable[str], addresses: Iterable[Address]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [*(x509.DNSName(name) for name in dns_names), *(x509.IPAddress(address) for address in addresses)]
    )


def _builder(name: x509.Name, key: PublicKey, validity: Validity, serial: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(datetime.fromtimestamp(int(validity.start), UTC))
        .not_valid_after(datetime.fromtimestamp(int(validity.end), UTC))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _below(builder: x509.CertificateBuilder, issuer: Issuer) -> x509.CertificateBuilder:
    certificate = issuer.certificate.x509
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.issuer_name(certificate.subject).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
    )
    if issuer.crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(issuer.crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder


def _authority(
    builder: x509.CertificateBuilder, *, path_length: int, permitted: tuple[str, ...]
) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_key_usage(certificates=True), critical=True)
    if permitted:
        # RFC 5280 4.2.1.10: "Conforming CAs MUST mark this extension as critical".
        constraints = x509.NameConstraints([x509.DNSName(name) for name in permitted], None)
        builder = builder.add_extension(constraints, critical=True)
    return builder


def _end_entity(
    builder: x509.CertificateBuilder, key: PublicKey, use: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    # RSA key exchange, which old firmware may pick, encrypts to the key (RFC 5246 7.4.2).
    usage = _key_usage(encipherment=isinstance(key, rsa.RSAPublicKey))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return builder.add_extension(usage, critical=True).add_extension(
        x509.ExtendedKeyUsage([use]), critical=False
    )


def _key_usage(*, certificates: bool = False, encipherment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: PrivateKey) -> Certificate:
    return describe(builder.sign(key, hashes.SHA256()))

"""A private key with its chain, in one PEM file, so that replacing both is one rename (RFC 7468); PKCS#12 (RFC 7292)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from netprov.errors import PkiError
from netprov.pki.chain import Certificate, decode, describe
from netprov.pki.issue import PrivateKey


@dataclass(frozen=True, slots=True)
class Bundle:
    """A key and its chain, leaf first, without the root."""

    chain: tuple[Certificate, ...]
    key: PrivateKey = field(repr=False, compare=False)

    @property
    def leaf(self) -> Certificate:
        """The certificate of the key."""
        return self.chain[0]

    def encode(self) -> bytes:
        """Return key and chain as one PEM file."""
        return key_pem(self.key) + "".join(certificate.pem() for certificate in self.chain).encode()

    def encode_pkcs12(self, name: str, password: bytes) -> bytes:
        """Return a PKCS#12 file; an empty password leaves it unencrypted."""
        encryption: KeySerializationEncryption = (
            BestAvailableEncryption(password) if password else NoEncryption()
        )
        rest = [certificate.x509 for certificate in self.chain[1:]]
        return pkcs12.serialize_key_and_certificates(
            name.encode(), self.key, self.leaf.x509, rest, encryption
        )


def key_pem(key: PrivateKey, password: bytes = b"") -> bytes:
    """Return a private key as PKCS#8 PEM, encrypted if there is a password."""
    encryption: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def decode_key(data: bytes, password: bytes = b"", *, own: bool = False) -> PrivateKey:
    """Decode a private key, PEM or DER, RSA or on an elliptic curve; `PkiError` if it is none.

    OpenSSL proves the primes of a stranger's RSA key for 40 ms. Of our `own`, which were primes when it was written, it is
    enough that its numbers still belong together.
    """
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        key = load(data, password or None, unsafe_skip_rsa_key_validation=own)
        if own and isinstance(key, rsa.RSAPrivateKey) and not _coherent(key.private_numbers()):
            raise ValueError("numbers of several keys, or damaged ones")
    except TypeError as error:
        raise PkiError("the private key is encrypted", "give its password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PkiError(
            "not a private key that can be read, or the password is wrong", "PEM or DER, PKCS#8"
        ) from error
    return _supported(key)


def is_key(data: bytes, password: bytes = b"") -> bool:
    """Tell whether a file is a private key, also one whose password is not known."""
    if b"PRIVATE KEY-----" in data:
        return True
    try:
        return bool(decode_key(data, password))
    except PkiError:
        return False


def decode_bundle(data: bytes) -> Bundle:
    """Decode one of our own files: a key, then its chain."""
    key = decode_key(data, own=True)
    chain = decode(data)
    _fits(key, chain[0])
    return Bundle(chain, key)


def decode_pkcs12(data: bytes, password: bytes = b"") -> Bundle:
    """Decode a PKCS#12 file, its certificates put in order."""
    try:
        loaded = pkcs12.load_pkcs12(data, password or None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PkiError(
            "not a PKCS#12 file that can be read, or the password is wrong",
            "try `openssl pkcs12 -in FILE -info`",
        ) from error
    if loaded.key is None or loaded.cert is None:
        raise PkiError(
            "the PKCS#12 file lacks the key or its certificate", "export it again with `-inkey` and `-in`"
        )
    certificates = [describe(each.certificate) for each in (loaded.cert, *loaded.additional_certs)]
    return assemble(_supported(loaded.key), certificates)


def assemble(key: PrivateKey, certificates: Sequence[Certificate]) -> Bundle:
    """Join a key with the certificates that belong to it, whatever their order, without the root.

    Raises `PkiError` if no certificate is the key's own.
    """
    leaf = next((each for each in certificates if _same_key(key, each)), None)
    if leaf is None:
        raise PkiError(
            "no certificate of the chain belongs to this private key",
            "give the key that the certificate was requested with",
        )
    chain = [leaf]
    while issuer := next(
        (each for each in certificates if each not in chain and chain[-1].issued_by(each)), None
    ):
        chain.append(issuer)
    if len(chain) > 1 and chain[-1].self_issued:
        chain.pop()
    return Bundle(tuple(chain), key)


def _coherent(key: rsa.RSAPrivateNumbers) -> bool:
    """Tell whether the numbers of an RSA key belong together (RFC 8017 section 3.2)."""
    p, q, e = key.p, key.q, key.public_numbers.e
    return (
        p > 1 < q
        and p * q == key.public_numbers.n
        and (key.d * e - 1) % (p - 1) == 0 == (key.d * e - 1) % (q - 1)
        and (key.dmp1, key.dmq1) == (key.d % (p - 1), key.d % (q - 1))
        and key.iqmp * q % p == 1
    )


def _fits(key: PrivateKey, leaf: Certificate) -> None:
    if not _same_key(key, leaf):
        raise PkiError(
            "the private key does not belong to the certificate", "issue it again: `netprov cert issue`"
        )


def _same_key(key: PrivateKey, certificate: Certificate) -> bool:
    return bool(key.public_key() == certificate.x509.public_key())


def _supported(key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise PkiError(
        f"a key of kind {type(key).__name__} is none that phones know", "use RSA-2048 or ECDSA P-256"
    )

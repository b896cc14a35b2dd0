from __future__ import annotations

import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from netprov.errors import PkiError
from netprov.pki.bundle import assemble, decode_bundle, decode_key, decode_pkcs12, key_pem
from tests.pki.chains import ca, made

ROOT = ca("Root")
BETWEEN = made("Between", issuer=ROOT, authority=True, names=())
OWN = made(issuer=BETWEEN)


def test_key_and_chain_survive_their_file() -> None:
    assert decode_bundle(OWN.encode()) == OWN
    assert decode_bundle(OWN.encode()).key.private_numbers() == OWN.key.private_numbers()


def test_certificates_are_put_in_order_and_the_root_left_out() -> None:
    assert assemble(OWN.key, [ROOT.leaf, BETWEEN.leaf, OWN.leaf]) == OWN
    alone = ca("Alone")
    assert assemble(alone.key, [alone.leaf]).chain == (alone.leaf,)


def test_a_key_of_another_certificate_is_refused() -> None:
    with pytest.raises(PkiError, match="no certificate of the chain belongs"):
        assemble(ROOT.key, [OWN.leaf])
    with pytest.raises(PkiError, match="does not belong to the certificate"):
        decode_bundle(key_pem(ROOT.key) + OWN.leaf.pem().encode())


@pytest.mark.parametrize("number", ["p", "q", "d", "dmp1", "dmq1", "iqmp"])
def test_a_key_of_ours_of_which_one_number_is_damaged_is_refused(number: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    root = ca("RSA", key=key)
    assert decode_bundle(root.encode()) == root
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    whole = getattr(key.private_numbers(), number)
    octets = -(-whole.bit_length() // 8)
    damaged = der.replace(whole.to_bytes(octets), (whole ^ 1 << 40).to_bytes(octets))
    pem = ssl.DER_cert_to_PEM_cert(damaged).replace("CERTIFICATE", "PRIVATE KEY").encode()
    with pytest.raises(PkiError, match="not a private key that can be read"):
        decode_bundle(pem + root.leaf.pem().encode())


@pytest.mark.parametrize("password", [b"", b"secret"])
def test_pkcs12_goes_both_ways(password: bytes) -> None:
    assert decode_pkcs12(OWN.encode_pkcs12("own", password), password) == OWN


def test_pkcs12_without_a_key_is_refused() -> None:
    data = pkcs12.serialize_key_and_certificates(b"x", None, None, [OWN.leaf.x509], NoEncryption())
    with pytest.raises(PkiError, match="lacks the key"):
        decode_pkcs12(data)


def test_keys_are_read_in_pem_and_der_with_their_password() -> None:
    der = OWN.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert decode_key(der).private_numbers() == OWN.key.private_numbers()
    locked = key_pem(OWN.key, b"secret")
    assert decode_key(locked, b"secret").private_numbers() == OWN.key.private_numbers()
    with pytest.raises(PkiError, match="is encrypted"):
        decode_key(locked)
    with pytest.raises(PkiError, match="password is wrong"):
        decode_key(locked, b"other")


def test_a_kind_of_key_that_phones_do_not_know_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(PkiError, match="use RSA-2048 or ECDSA P-256"):
        decode_key(pem)

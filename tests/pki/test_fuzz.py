from __future__ import annotations

from hashlib import sha256
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import PkiError
from netprov.pki.bundle import decode_bundle, decode_key, decode_pkcs12
from netprov.pki.chain import decode
from netprov.pki.revocation import decode as decode_lists
from netprov.pki.verify import problems
from tests.pki.chains import ca, made
from tests.pki.conftest import NOW

pytestmark = pytest.mark.fuzz

ROOT = ca("Root")
BETWEEN = made("Between", issuer=ROOT, authority=True, names=())
GOOD = made(issuer=BETWEEN)


DER, PEM = GOOD.leaf.x509.public_bytes(Encoding.DER), GOOD.leaf.pem().encode()
CUTS = st.tuples(
    st.sampled_from([DER, PEM, PEM + PEM]), st.integers(0, 900), st.integers(0, 2), st.binary(max_size=2)
)
SPOILT = CUTS.map(lambda cut: cut[0][: cut[1]] + cut[3] + cut[0][cut[1] + cut[2] :])


@given(st.binary(max_size=300) | SPOILT)
def test_fuzz_arbitrary_bytes_are_the_certificates_that_ssl_finds_or_a_pki_error(data: bytes) -> None:
    """Whatever is read OpenSSL, by Python's ssl, reads too, and it is the whole file; a good one is never refused."""
    try:
        found = decode(data)
    except PkiError:
        assert data not in {DER, PEM, PEM + PEM}
        return
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    ders = {each.x509.public_bytes(Encoding.DER) for each in found}
    context.load_verify_locations(cadata=b"".join(ders))
    assert context.cert_store_stats()["x509"] == len(ders)
    assert {sha256(der).hexdigest() for der in ders} == {each.fingerprint for each in found}
    assert b"-----BEGIN" in data or ders == {data}


def test_signature_that_ends_within_an_octet_is_refused() -> None:
    """X.690 8.6: the octet before a BIT STRING's content counts unused bits; the fuzz test found that we did not look."""
    leaf = next(
        each for each in iter(lambda: made(issuer=BETWEEN).leaf, None) if each.x509.signature[-1] % 2 == 0
    )
    der = bytearray(leaf.x509.public_bytes(Encoding.DER))
    der[-len(leaf.x509.signature) - 1] = 1  # the bit left out is 0, as it has to be
    with pytest.raises(PkiError, match="within an octet"):
        decode(bytes(der))


@given(st.integers(0, 4000), st.integers(0, 255))
def test_fuzz_a_certificate_with_a_changed_octet_is_decoded_or_refused_and_judged(
    offset: int, octet: int
) -> None:
    der = bytearray(GOOD.leaf.x509.public_bytes(Encoding.DER))
    der[offset % len(der)] = octet
    try:
        found = decode(bytes(der))
    except PkiError:
        return
    judged = problems((*found, BETWEEN.leaf), "example.com", NOW, [ROOT.leaf])
    if found[0].fingerprint != GOOD.leaf.fingerprint:
        assert any(each.severity == "error" for each in judged)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=99).map(lambda data: b"-----BEGIN PRIVATE KEY-----" + data),
    )
)
def test_fuzz_arbitrary_bytes_as_keys_and_lists_are_refused(data: bytes) -> None:
    for decoder in (decode_key, decode_bundle, decode_pkcs12):
        try:
            decoder(data)
        except PkiError:
            continue
        raise AssertionError(decoder)
    try:
        decode_lists(data + b"-----END X509 CRL-----")
    except PkiError:
        return


KEY = GOOD.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@given(st.integers(0, len(KEY) - 1), st.integers(0, 255))
def test_fuzz_a_key_with_a_changed_octet_signs_for_its_public_key_or_is_refused(
    place: int, octet: int
) -> None:
    data = bytearray(KEY)
    data[place] = octet
    try:
        found = decode_key(bytes(data))
    except PkiError:
        assert octet != KEY[place]
        return
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    found.public_key().verify(found.sign(b"x", ec.ECDSA(SHA256())), b"x", ec.ECDSA(SHA256()))

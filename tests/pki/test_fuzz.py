from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
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


@given(st.binary(max_size=300))
def test_fuzz_arbitrary_bytes_are_a_certificate_or_a_pki_error(data: bytes) -> None:
    try:
        found = decode(data)
    except PkiError:
        return
    assert found


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

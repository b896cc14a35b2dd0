"""Encrypted profiles against the openssl program, RFC 8188's vectors, and damage."""

from __future__ import annotations

import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.errors import Malformed
from netprov.provision.config import Digest
from netprov.provision.crypto import (
    Opened,
    decode_ikm,
    decrypt_cbc,
    decrypt_gcm,
    derive_secret,
    digest_of,
    encrypt_cbc,
    encrypt_gcm,
    looks_like_cbc,
    open_cbc,
)
from tests.lab.conftest import needs

DIGESTS: tuple[Digest, ...] = ("md5", "sha256")
PROFILE = b"<flat-profile>\n<A>x</A>\n</flat-profile>\n"


def openssl(*arguments: str, given: bytes) -> bytes:
    result = subprocess.run(
        [needs("openssl"), "enc", *arguments], input=given, capture_output=True, check=True
    )
    return result.stdout


@pytest.mark.parametrize("digest", DIGESTS)
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 5000])
def test_openssl_decrypts_what_we_encrypt(digest: Digest, length: int) -> None:
    ours = encrypt_cbc(b"x" * length, "pass word", salt=b"saltsalt", digest=digest)
    theirs = openssl("-d", "-aes-256-cbc", "-md", digest, "-k", "pass word", given=ours)
    assert theirs == b"x" * length


@pytest.mark.parametrize("digest", DIGESTS)
def test_we_decrypt_what_openssl_encrypts(digest: Digest) -> None:
    theirs = openssl("-e", "-aes-256-cbc", "-salt", "-md", digest, "-k", "secret", given=PROFILE)
    assert decrypt_cbc(theirs, "secret", digest=digest) == PROFILE


def test_rfc_8188_section_3_1() -> None:
    ikm = decode_ikm("yqdlZ-tYemfogSmv7Ws5PQ", "b64url")
    body = urlsafe_b64decode("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg=")
    assert decrypt_gcm(body, ikm) == b"I am the walrus"
    assert encrypt_gcm(b"I am the walrus", ikm, salt=body[:16]) == body


def test_rfc_8188_section_3_2_several_records_with_padding() -> None:
    ikm = decode_ikm("BO3ZVPxUlnLORbVGMpbT1Q", "b64url")
    body = urlsafe_b64decode(
        "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA=="
    )
    assert decrypt_gcm(body, ikm) == b"I am the walrus"


@given(
    st.binary(max_size=3000),
    st.text(max_size=20),
    st.sampled_from(DIGESTS),
    st.binary(min_size=8, max_size=8),
)
def test_cbc_round_trip(data: bytes, passphrase: str, digest: Digest, salt: bytes) -> None:
    assert (
        decrypt_cbc(encrypt_cbc(data, passphrase, salt=salt, digest=digest), passphrase, digest=digest)
        == data
    )


@given(st.binary(max_size=3000), st.binary(max_size=40), st.integers(18, 300), st.binary(max_size=9))
def test_gcm_round_trip(data: bytes, ikm: bytes, record_size: int, key_id: bytes) -> None:
    body = encrypt_gcm(data, ikm, salt=bytes(16), key_id=key_id, record_size=record_size)
    assert decrypt_gcm(body, ikm) == data


def test_truncated_records_are_noticed() -> None:
    body = encrypt_gcm(b"x" * 100, b"k", salt=bytes(16), record_size=40)
    with pytest.raises(Malformed):
        decrypt_gcm(body[: 21 + 40], b"k")


@pytest.mark.parametrize(
    "data", [b"", b"Salted__", b"Salted__saltsalt", b"Salted__saltsalt" + b"x" * 15, PROFILE]
)
def test_what_openssl_did_not_write_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decrypt_cbc(data, "k", digest="md5")


def test_wrong_key_is_malformed() -> None:
    body = encrypt_cbc(PROFILE, "right", salt=bytes(8), digest="sha256")
    with pytest.raises(Malformed, match="wrong key"):
        decrypt_cbc(body, "wrong", digest="sha256")
    with pytest.raises(Malformed, match="wrong key"):
        decrypt_gcm(encrypt_gcm(PROFILE, b"right", salt=bytes(16)), b"wrong")


@pytest.mark.fuzz
@given(st.binary(max_size=100))
def test_fuzz_arbitrary_octets_are_malformed_or_decrypted(data: bytes) -> None:
    with suppress(Malformed):
        decrypt_gcm(data, b"k")
    with suppress(Malformed):
        decrypt_cbc(b"Salted__" + data, "k", digest="md5")


@pytest.mark.parametrize(
    ("firmware", "expected"),
    [
        ("11.0.1", "md5"),
        ("11.2.4", "md5"),
        ("11.3.1", "sha256"),
        ("12.0.7", "sha256"),
        ("sip78xx.11-0-1MPP", "md5"),
        ("sip88xx.11-3-1MPP-678.loads", "sha256"),
        ("sip8845_65.12-0-4MPP0101-90", "sha256"),
        ("sip88xx.11-2-3MSR1-1.loads", "md5"),
        ("11.2(3)MSR1", "md5"),
        ("", "sha256"),
        ("unknown", "sha256"),
    ],
)
def test_digest_goes_by_the_firmware(firmware: str, expected: Digest) -> None:
    assert expected == digest_of(firmware)


def test_secrets_of_phones_differ_and_repeat() -> None:
    secret = derive_secret(b"site", "profile", "00:12:34:AB:45:DE")
    assert secret == derive_secret(b"site", "profile", "00:12:34:ab:45:de")
    others = {
        derive_secret(b"site", "profile", "00:12:34:ab:45:df"),
        derive_secret(b"site", "password", "00:12:34:ab:45:de"),
        derive_secret(b"other", "profile", "00:12:34:ab:45:de"),
    }
    assert len(others | {secret}) == 4
    assert len(secret) == 64


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["-md", "sha256"], Opened(PROFILE, "sha256")),
        (["-md", "md5"], Opened(PROFILE, "md5")),
        (["-pbkdf2"], Opened(PROFILE, "sha256", pbkdf2=True)),
        (["-md", "sha256", "-a"], Opened(PROFILE, "sha256", base64=True)),
        (["-md", "md5", "-a"], Opened(PROFILE, "md5", base64=True)),
        (["-pbkdf2", "-a"], Opened(PROFILE, "sha256", pbkdf2=True, base64=True)),
    ],
)
def test_however_openssl_made_a_file_it_is_opened_and_told_how(more: list[str], expected: Opened) -> None:
    made = openssl("-aes-256-cbc", "-pass", "pass:k", *more, given=PROFILE)
    assert looks_like_cbc(made)
    assert open_cbc(made, "k", expected="sha256") == expected


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-3], lambda data: data[:-16] + bytes(16), lambda data: b"U2FsdGVkX1!"]
)
def test_a_wrong_key_and_damage_open_nothing_that_is_a_profile(damage: Callable[[bytes], bytes]) -> None:
    made = damage(openssl("-aes-256-cbc", "-pass", "pass:k", "-md", "sha256", given=PROFILE))
    try:
        assert open_cbc(made, "k", expected="sha256").plain != PROFILE
    except Malformed:
        pass

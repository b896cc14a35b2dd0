"""Encrypted profiles against the openssl program, RFC 8188's vectors, and damage."""

from __future__ import annotations

import re
import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Callable
from hashlib import md5
from random import Random

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7
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
from tests.conftest import EXAMPLES
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


def cbc_cipher(salt: bytes) -> Cipher[CBC]:
    """Return the cipher of passphrase "k" with MD5, by EVP_BytesToKey's manual page: D1, D2 and D3 in a row."""
    first = md5(b"k" + salt).digest()
    second = md5(first + b"k" + salt).digest()
    return Cipher(AES256(first + second), CBC(md5(second + b"k" + salt).digest()))


def opened_cbc(data: bytes) -> bytes | None:
    """Decrypt a file of openssl's with the parts that cryptography has for it; None for what cannot be."""
    if data[:8] != b"Salted__" or len(data) < 32 or len(data) % 16:
        return None
    decryptor, unpadder = cbc_cipher(data[8:16]).decryptor(), PKCS7(128).unpadder()
    try:
        return unpadder.update(decryptor.update(data[16:])) + unpadder.finalize()
    except ValueError:
        return None


def gcm_cipher(salt: bytes, sequence: int, tag: bytes | None = None) -> Cipher[GCM]:
    """Return the cipher of one record by RFC 8188 sections 2.2 and 2.3, of key "k"."""
    key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(b"k")
    base = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(b"k")
    nonce = bytes(a ^ b for a, b in zip(base, sequence.to_bytes(12, "big"), strict=True))
    return Cipher(AES(key), GCM(nonce, tag))


def opened_gcm(data: bytes) -> bytes | None:
    """Decrypt a body of aes128gcm by RFC 8188 section 2, record by record; None for what cannot be."""
    if len(data) < 21 or (size := int.from_bytes(data[16:20], "big")) < 18:
        return None
    records = data[21 + data[20] :]
    plain = b""
    for sequence in range(max(1, -(-len(records) // size))):
        record = records[sequence * size :][:size]
        if len(record) < 17:
            return None
        decryptor = gcm_cipher(data[:16], sequence, record[-16:]).decryptor()
        try:
            text = decryptor.update(record[:-16]) + decryptor.finalize()
        except InvalidTag:
            return None
        end = b"\2" if (sequence + 1) * size >= len(records) else b"\1"
        matched = re.fullmatch(rb"(.*)%b\0*" % end, text, re.DOTALL)
        if not matched:
            return None
        plain += matched[1]
    return plain


def made_cbc(salt: bytes, blocks: bytes, ending: bytes) -> bytes:
    """Encrypt blocks whose last octets are `ending`, whatever they say as padding."""
    encryptor = cbc_cipher(salt).encryptor()
    return b"Salted__" + salt + encryptor.update((blocks + ending)[-(len(blocks) // 16 * 16) or None :])


def made_gcm(salt: bytes, size: int, texts: list[bytes]) -> bytes:
    """Encrypt records of texts that bring their own delimiters and padding; all but the last fill their record."""
    out = [salt, size.to_bytes(4, "big"), b"\0"]
    for sequence, text in enumerate(texts):
        encryptor = gcm_cipher(salt, sequence).encryptor()
        whole = text if sequence == len(texts) - 1 else text.ljust(size - 16, b"\0")[: size - 16]
        out.append(encryptor.update(whole) + encryptor.finalize() + encryptor.tag)
    return b"".join(out)


SALTS = st.binary(min_size=16, max_size=16)
ENDINGS = st.builds(lambda octet, count: bytes([octet]) * count, st.integers(0, 18), st.integers(0, 18))
CBC_FILES = st.builds(lambda s, b, e: made_cbc(s[:8], b, e), SALTS, st.binary(max_size=64), ENDINGS)
RECORDS = st.builds(
    lambda text, delimiter, padding: text + bytes([delimiter]) * (delimiter < 4) + bytes(padding),
    st.binary(max_size=24),
    st.sampled_from([0, 1, 1, 1, 2, 2, 2, 3, 4]),
    st.integers(0, 3),
)
GCM_FILES = st.builds(made_gcm, SALTS, st.integers(17, 40), st.lists(RECORDS, min_size=1, max_size=3))
DAMAGE = st.tuples(st.integers(0, 120), st.integers(0, 4), st.binary(max_size=4))


def damaged(data: bytes, damage: tuple[int, int, bytes] | None) -> bytes:
    return data if damage is None else data[: damage[0]] + damage[2] + data[damage[0] + damage[1] :]


def read_or_none(decrypt: Callable[[bytes], bytes], data: bytes) -> bytes | None:
    try:
        return decrypt(data)
    except Malformed:
        return None


@pytest.mark.fuzz
@given(
    st.binary(max_size=100) | st.binary(max_size=100).map(lambda data: b"Salted__" + data) | CBC_FILES,
    GCM_FILES | st.binary(max_size=100),
    st.none() | DAMAGE,
)
def test_fuzz_arbitrary_octets_are_malformed_or_decrypted(
    cbc: bytes, gcm: bytes, damage: tuple[int, int, bytes] | None
) -> None:
    cbc, gcm = damaged(cbc, damage), damaged(gcm, damage)
    assert opened_cbc(cbc) == read_or_none(lambda data: decrypt_cbc(data, "k", digest="md5"), cbc)
    assert opened_gcm(gcm) == read_or_none(lambda data: decrypt_gcm(data, b"k"), gcm)


@pytest.mark.fuzz
def test_fuzz_openssl_opens_and_refuses_what_we_do() -> None:
    draw = Random(1)
    for _ in range(min(EXAMPLES // 5, 2000)):
        blocks = draw.randbytes(16 * draw.randrange(4))
        data = bytearray(
            made_cbc(draw.randbytes(8), blocks, bytes([draw.randrange(1, 18)]) * draw.randrange(18))
        )
        if draw.random() < 0.3:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        if draw.random() < 0.2:
            del data[draw.randrange(len(data)) :]
        told = subprocess.run(
            [needs("openssl"), "enc", "-d", "-aes-256-cbc", "-md", "md5", "-k", "k"],
            input=data,
            capture_output=True,
            check=False,
        )
        theirs = None if told.returncode else told.stdout
        assert theirs == read_or_none(lambda each: decrypt_cbc(each, "k", digest="md5"), bytes(data)), (
            data.hex()
        )


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

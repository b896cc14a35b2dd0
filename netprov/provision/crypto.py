"""Encrypted profiles: AES-256-CBC as `openssl enc` writes it, and `aes128gcm` of RFC 8188; keys derived per phone.

Cisco's provisioning guide, "Provisioning Formats": a phone whose rule has `--key` decrypts the first; one that has
`IKM_HTTP_Encrypt_Content` decrypts bodies of that content coding. Compression comes before encryption. Salts are
arguments. PBKDF2, which no phone knows, is only recognised.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, urlsafe_b64decode
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from netprov.errors import Malformed
from netprov.provision.config import Digest, IkmEncoding
from netprov.provision.firmware import firmware_version

MAGIC = b"Salted__"
_MAGIC_BASE64 = b"U2FsdGVkX1"
_PBKDF2_ROUNDS = 10_000
SALT_SIZE = 8
RECORD_SALT_SIZE = 16
RECORD_SIZE = 4096
_BLOCK = 16
_TAG = 16


def encrypt_cbc(data: bytes, passphrase: str, *, salt: bytes, digest: Digest) -> bytes:
    """Encrypt as `openssl enc -aes-256-cbc -md DIGEST -pass pass:PASSPHRASE`; `salt` is 8 octets."""
    key, iv = _key_and_iv(passphrase, salt, digest)
    padding = _BLOCK - len(data) % _BLOCK
    encryptor = Cipher(AES256(key), CBC(iv)).encryptor()
    return MAGIC + salt + encryptor.update(data + bytes([padding]) * padding) + encryptor.finalize()


def decrypt_cbc(data: bytes, passphrase: str, *, digest: Digest) -> bytes:
    """Decrypt what `encrypt_cbc` or openssl made; raises `Malformed` for a wrong key or damage."""
    try:
        return _decrypt(data, *_key_and_iv(passphrase, data[8:16], digest))
    except _BadPadding:
        raise Malformed(f"wrong key, wrong digest (not {digest}) or damaged") from None


def unseal_cbc(data: bytes, passphrase: str, *, digest: Digest) -> tuple[bytes, bool]:
    """Decrypt what others sent; return it with its padding cut off and whether that was good, in the same time if not."""
    try:
        plain = _decrypt_blocks(data, *_key_and_iv(passphrase, data[8:16], digest))
    except Malformed:
        return data, False
    padding = plain[-1]
    good = 0
    for place in range(1, _BLOCK + 1):  # every octet is looked at, whatever the ones before are
        good += (place > padding) | (plain[-place] == padding)
    fine = (good == _BLOCK) & (padding > 0) & (padding <= _BLOCK)
    # Of bad padding one octet is cut off: what is left whole is not copied, which is measured in 5,000 pairs.
    return plain[: len(plain) - padding * fine - (1 - fine)], fine


class _BadPadding(Malformed):
    """The key is not the one, or the file is damaged."""


def _decrypt_blocks(data: bytes, key: bytes, iv: bytes) -> bytes:
    body = data[16:]
    if not data.startswith(MAGIC) or not body or len(body) % _BLOCK:
        raise Malformed("not a whole file of `openssl enc` with a salt")
    decryptor = Cipher(AES256(key), CBC(iv)).decryptor()
    return decryptor.update(body) + decryptor.finalize()


def _decrypt(data: bytes, key: bytes, iv: bytes) -> bytes:
    plain = _decrypt_blocks(data, key, iv)
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise _BadPadding("wrong key or damaged")
    return plain[:-padding]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file of `openssl enc` in clear, and how it was made."""

    plain: bytes
    digest: Digest
    pbkdf2: bool = False
    base64: bool = False


def open_cbc(data: bytes, passphrase: str, *, expected: Digest) -> Opened:
    """Decrypt what openssl made in whatever way, the expected one first; raises `Malformed`.

    Phones read one way alone: raw, with the digest of their firmware, without PBKDF2.
    """
    encoded = data.lstrip().startswith(_MAGIC_BASE64)
    if encoded:
        try:
            data = b64decode(b"".join(data.split()), validate=True)
        except ValueError:
            raise Malformed("base64 that breaks off, or is damaged") from None
    other: Digest = "md5" if expected == "sha256" else "sha256"
    fallback: Opened | None = None
    for digest, pbkdf2 in ((expected, False), (other, False), ("sha256", True)):
        try:
            derive = _pbkdf2 if pbkdf2 else _key_and_iv
            opened = Opened(_decrypt(data, *derive(passphrase, data[8:16], digest)), digest, pbkdf2, encoded)
        except Malformed:
            continue
        if _readable(opened.plain):
            return opened
        if (digest, pbkdf2) == (expected, False):
            fallback = opened
    if fallback is None:
        raise Malformed("wrong key, or damaged: neither sha256, md5 nor -pbkdf2 opens it")
    return fallback


def looks_like_cbc(data: bytes) -> bool:
    """Tell whether openssl made a file, in base64 or not."""
    return data.startswith(MAGIC) or data.lstrip().startswith(_MAGIC_BASE64)


def _readable(plain: bytes) -> bool:
    """Tell whether a text is a profile: one key in 256 gives some text, whatever it is."""
    return plain.lstrip()[:1] == b"<" or plain.startswith(b"\x1f\x8b")


def encrypt_gcm(
    data: bytes, ikm: bytes, *, salt: bytes, key_id: bytes = b"", record_size: int = RECORD_SIZE
) -> bytes:
    """Encrypt as content coding `aes128gcm` (RFC 8188 section 2); `salt` is 16 octets."""
    key, nonce = _record_keys(ikm, salt)
    cipher = AESGCM(key)
    room = record_size - _TAG - 1
    out = [salt, record_size.to_bytes(4, "big"), bytes([len(key_id)]), key_id]
    pieces = [data[at : at + room] for at in range(0, len(data), room)] or [b""]
    for sequence, piece in enumerate(pieces):
        delimiter = b"\x02" if sequence == len(pieces) - 1 else b"\x01"
        out.append(cipher.encrypt(_nonce(nonce, sequence), piece + delimiter, None))
    return b"".join(out)


def decrypt_gcm(data: bytes, ikm: bytes) -> bytes:
    """Decrypt `aes128gcm`; raises `Malformed` for a wrong key, damage or truncation (RFC 8188 sections 2 and 2.4)."""
    if len(data) < RECORD_SALT_SIZE + 5:
        raise Malformed("shorter than the header of aes128gcm")
    salt = data[:RECORD_SALT_SIZE]
    record_size = int.from_bytes(data[16:20], "big")
    body = data[21 + data[20] :]
    if record_size < _TAG + 2 or not body:
        raise Malformed("not a body of aes128gcm")
    key, nonce = _record_keys(ikm, salt)
    cipher = AESGCM(key)
    out: list[bytes] = []
    for sequence, at in enumerate(range(0, len(body), record_size)):
        try:
            record = cipher.decrypt(_nonce(nonce, sequence), body[at : at + record_size], None)
        except (InvalidTag, ValueError):
            raise Malformed("wrong key or damaged") from None
        plain = record.rstrip(b"\0")
        last = at + record_size >= len(body)
        if not plain or plain[-1] != (2 if last else 1):
            raise Malformed("cut off or put together wrongly")
        out.append(plain[:-1])
    return b"".join(out)


def decode_ikm(text: str, encoding: IkmEncoding) -> bytes:
    """Return the keying material that a text stands for; raises `Malformed`.

    Cisco does not say whether the phone takes the text as it is or as base64url; untested on a phone.
    """
    if encoding == "raw":
        return text.encode()
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Malformed("not base64url") from None


def derive_secret(site_secret: bytes, purpose: str, mac: str) -> str:
    """Return a phone's own secret as 64 hexadecimal digits (HKDF-SHA256, RFC 5869, with an empty salt)."""
    extracted = hmac.digest(bytes(32), site_secret, "sha256")
    return hmac.digest(extracted, f"netprov {purpose} {mac.lower()}".encode() + b"\x01", "sha256").hex()


def digest_of(firmware: str) -> Digest:
    """Return the digest that a firmware's key derivation uses.

    Cisco's guides name OpenSSL 0.9.7c (MD5) up to firmware 11.2 and 1.1.1d (SHA-256) from 11.3 on; a version that is
    not known is taken as a new one.
    """
    version = firmware_version(firmware)
    return "md5" if version and version < (11, 3) else "sha256"


def _key_and_iv(passphrase: str, salt: bytes, digest: Digest) -> tuple[bytes, bytes]:
    """Derive as EVP_BytesToKey with one round: each block hashes the one before, the passphrase and the salt."""
    secret = passphrase.encode() + salt
    derived = block = b""
    while len(derived) < 48:
        block = hashlib.new(digest, block + secret).digest()
        derived += block
    return derived[:32], derived[32:48]


def _pbkdf2(passphrase: str, salt: bytes, digest: Digest) -> tuple[bytes, bytes]:
    """Derive as `openssl enc -pbkdf2` does by default, which no phone knows."""
    derived = hashlib.pbkdf2_hmac(digest, passphrase.encode(), salt, _PBKDF2_ROUNDS, 48)
    return derived[:32], derived[32:]


def _record_keys(ikm: bytes, salt: bytes) -> tuple[bytes, bytes]:
    extracted = hmac.digest(salt, ikm, "sha256")
    key = hmac.digest(extracted, b"Content-Encoding: aes128gcm\0\x01", "sha256")[:16]
    nonce = hmac.digest(extracted, b"Content-Encoding: nonce\0\x01", "sha256")[:12]
    return key, nonce


def _nonce(base: bytes, sequence: int) -> bytes:
    return (int.from_bytes(base, "big") ^ sequence).to_bytes(12, "big")

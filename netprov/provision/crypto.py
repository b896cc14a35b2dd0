"""Encrypted profiles: AES-256-CBC as `openssl enc` writes it, and `aes128gcm` of RFC 8188; keys derived per phone.

Cisco's provisioning guide, "Provisioning Formats": a phone whose rule has `--key` decrypts the first; one that has
`IKM_HTTP_Encrypt_Content` decrypts bodies of that content coding. Compression comes before encryption. Salts are
arguments. Absent: PBKDF2, which no phone knows.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from netprov.errors import Malformed
from netprov.provision.config import Digest, IkmEncoding
from netprov.provision.firmware import firmware_version

MAGIC = b"Salted__"
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
    salt, body = data[8:16], data[16:]
    if not data.startswith(MAGIC) or not body or len(body) % _BLOCK:
        raise Malformed("not a file of `openssl enc` with a salt")
    key, iv = _key_and_iv(passphrase, salt, digest)
    decryptor = Cipher(AES256(key), CBC(iv)).decryptor()
    plain = decryptor.update(body) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise Malformed(f"wrong key, wrong digest (not {digest}) or damaged")
    return plain[:-padding]


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


def _record_keys(ikm: bytes, salt: bytes) -> tuple[bytes, bytes]:
    extracted = hmac.digest(salt, ikm, "sha256")
    key = hmac.digest(extracted, b"Content-Encoding: aes128gcm\0\x01", "sha256")[:16]
    nonce = hmac.digest(extracted, b"Content-Encoding: nonce\0\x01", "sha256")[:12]
    return key, nonce


def _nonce(base: bytes, sequence: int) -> bytes:
    return (int.from_bytes(base, "big") ^ sequence).to_bytes(12, "big")

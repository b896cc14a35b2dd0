"""The state of a server in one encrypted file: to back it up, and to give a second server the same CA and secrets.

    netprov-state 1 {"salt": …, "nonce": …, "log2_n": 16}
    AES-256-GCM of a zlib stream of {"made": …, "files": {name: base64}}

The key is scrypt's of a password (RFC 7914); the first line is authenticated with the rest. Absent: the inventory, and
what it names elsewhere.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from netprov.errors import PkiError, ServiceError
from netprov.pki.chain import decode
from netprov.pki.disk import PRIVATE, PUBLIC, Disk
from netprov.state import device, lease, serial
from netprov.state.acs import store as acs
from netprov.state.catalog import DEFAULT_FILE
from netprov.state.place import FORMER, PKI
from netprov.state.sqlite import snapshot

MAGIC = b"netprov-state 1 "
LOG2_N = 16
"""Cost of scrypt: 64 MiB and a quarter of a second, once."""
MOST = 1 << 30
"""Octets of a state that are read; more is none of ours."""

ROOT = "pki/root.pem"
_PKI = ("", "servers", "imported", "requested", "phones", "issued")
_PUBLIC = ("pki/ca.pem", "pki/crl.pem", "pki/issued/")
RECORDS = (lease.FILE, device.FILE, acs.FILE)
"""Databases, which go along if asked for."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Files by their names below the state directory, and when they were gathered (seconds since 1970)."""

    made: float
    files: Mapping[str, bytes]

    @property
    def with_records(self) -> bool:
        """Whether leases or device records are among them."""
        return any(FORMER.get(name, name) in RECORDS for name in self.files)


def gather(state: Path, *, records: bool, now: float) -> Archive:
    """Read what a second server, or this one after a loss, needs. Raises `ServiceError`."""
    files: dict[str, bytes] = {}
    try:
        for name in _names(state):
            files[name] = (state / name).read_bytes()
        for name in RECORDS if records else ():
            if (state / name).exists():
                files[name] = snapshot(state / name)
    except (OSError, sqlite3.Error) as error:
        raise ServiceError(
            f"the state in {state} cannot be read: {error}", "run it as root, or as the user that owns it"
        ) from error
    if ROOT not in files:
        raise ServiceError(
            f"there is no CA in {state}",
            "name the state directory with --state, or make one: `netprov cert init`",
        )
    return Archive(now, files)


def restore(archive: Archive, state: Path, *, replace: bool) -> tuple[str, ...]:
    """Write the files below a state directory, each replaced whole; return their names.

    The certificate store is held meanwhile: a running service issues nothing of half a state. Raises `ServiceError` if
    another CA is there, unless it is to be replaced.
    """
    with Disk(state / PKI).locked():
        return _restore(archive, state, replace=replace)


def _restore(archive: Archive, state: Path, *, replace: bool) -> tuple[str, ...]:
    disk = Disk(state)
    there = disk.read(ROOT)
    if there is not None and not replace and _root(there) != _root(archive.files.get(ROOT, b"")):
        raise ServiceError(
            f"{state} has another CA, which phones may trust already",
            "to give it up for the one in the file: --replace",
        )
    files = {FORMER.get(name, name): data for name, data in archive.files.items()}
    for name, data in files.items():
        if name in RECORDS:
            for leftover in ("-wal", "-shm"):
                disk.remove(name + leftover)
        disk.write(name, data, _mode(state / name, name))
    return tuple(files)


def encrypt(archive: Archive, password: str, *, log2_n: int = LOG2_N) -> bytes:
    """Return an archive as a file; `log2_n` is the cost of scrypt."""
    salt, nonce = os.urandom(16), os.urandom(12)
    head = {"salt": salt.hex(), "nonce": nonce.hex(), "log2_n": log2_n}
    line = MAGIC + json.dumps(head).encode() + b"\n"
    files = {name: b64encode(data).decode() for name, data in archive.files.items()}
    text = json.dumps({"made": archive.made, "files": files}).encode()
    return line + AESGCM(_key(password, salt, log2_n)).encrypt(nonce, zlib.compress(text), line)


def recognise(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the first line of an archive, its end, and what is encrypted. Raises `ServiceError` for any other file."""
    line, newline, body = data.partition(b"\n")
    if not line.startswith(MAGIC) or not newline:
        raise ServiceError(
            "this file is no state of netprov", "name the file that `netprov state export FILE` wrote"
        )
    return line, newline, body


def decrypt(data: bytes, password: str, *, most: int = MOST) -> Archive:
    """Read an archive of at most so many octets. Raises `ServiceError`, also for a wrong password."""
    line, newline, body = recognise(data)
    try:
        head = json.loads(line[len(MAGIC) :])
        salt, nonce, log2_n = bytes.fromhex(head["salt"]), bytes.fromhex(head["nonce"]), int(head["log2_n"])
        if not 10 <= log2_n <= 20:
            raise ValueError(log2_n)
        plain = AESGCM(_key(password, salt, log2_n)).decrypt(nonce, body, line + newline)
        inflate = zlib.decompressobj()
        held = json.loads(inflate.decompress(plain, most))
        files = {str(name): b64decode(text) for name, text in held["files"].items()}
        made = float(held["made"])
    except InvalidTag:
        raise ServiceError(
            "the password is wrong, or the file is damaged", "give the password it was made with"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise ServiceError("the file is damaged", "export it again") from error
    if strange := [name for name in files if not _is_ours(name)]:
        raise ServiceError(f"the file holds {strange[0]!r}, which is no state of netprov", "export it again")
    return Archive(made, files)


def _names(state: Path) -> Iterator[str]:
    for folder in _PKI:
        path = state / "pki" / folder
        if path.is_dir():
            for name in sorted(os.listdir(path)):
                if name.endswith(".pem") and not name.startswith("."):
                    yield "/".join(filter(None, ("pki", folder, name)))
    for name in (DEFAULT_FILE, serial.FILE):
        if (state / name).exists():
            yield name


def _is_ours(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    if name in {serial.FILE, *RECORDS}:
        return True
    if not folder:
        return name == DEFAULT_FILE or name in FORMER
    known = {f"pki/{each}".rstrip("/") for each in _PKI}
    return folder in known and file.endswith(".pem") and not file.startswith(".") and "\0" not in file


def _key(password: str, salt: bytes, log2_n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << log2_n, r=8, p=1).derive(password.encode())


def _root(pem: bytes) -> object:
    """Return what tells one CA from another: its certificate."""
    start = pem.find(b"-----BEGIN CERTIFICATE")
    try:
        return decode(pem[start:])[0].fingerprint if start >= 0 else None
    except PkiError:
        return pem


def _mode(path: Path, name: str) -> int:
    """Return who may read a restored file: whoever could read the one that it replaces."""
    if name.startswith(_PUBLIC):
        return PUBLIC
    return stat.S_IMODE(path.stat().st_mode) & 0o660 if path.exists() else PRIVATE

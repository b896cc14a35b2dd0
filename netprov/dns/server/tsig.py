"""Transaction signatures: who sent a message, unchanged, and when.

RFC 8945, with HMAC over SHA-256 or a longer hash; SHA-1 and MD5 are deliberately absent. Secrets never show.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.dns.iana.rcode import TsigRcode
from netprov.dns.iana.rrclass import RRClass
from netprov.dns.iana.rrtype import TSIG
from netprov.dns.message.name import parse_name, read_name
from netprov.errors import Malformed
from netprov.wire import Reader, Writer

ALGORITHMS: Mapping[bytes, str] = {
    parse_name("hmac-sha256"): "sha256",
    parse_name("hmac-sha384"): "sha384",
    parse_name("hmac-sha512"): "sha512",
}
"""Hashes by the names that TSIG gives to their HMACs (RFC 8945 6)."""

FUDGE = 300
"""Seconds by which clocks may differ (RFC 8945 10)."""

SHORTEST_SECRET = 16
"""Octets of a secret: half of what SHA-256 gives, the least that RFC 8945 10 calls strong."""

BARE_SIZE = 64
"""Octets of a TSIG record without MAC and key name, with room for the longest algorithm name known."""

_SECRET = re.compile(r'\bsecret[\s:]+"?([^\s";]+)')
_ALGORITHM = re.compile(r'\balgorithm[\s:]+"?([\w-]+)')


@dataclass(frozen=True, slots=True)
class Key:
    """A secret that two servers share; names are in wire form and lower case."""

    name: bytes
    algorithm: bytes
    secret: bytes = field(repr=False)

    def digest(self, data: bytes) -> bytes:
        """Return the HMAC of data."""
        return hmac.digest(self.secret, data, ALGORITHMS[self.algorithm])

    def overhead(self) -> int:
        """Return the octets that a signature adds to a message at most."""
        return len(self.name) + 10 + len(self.algorithm) + 16 + 64 + 6


@dataclass(frozen=True, slots=True)
class Signature:
    """The TSIG record of a message."""

    name: bytes
    algorithm: bytes
    time: int
    fudge: int
    mac: bytes
    original_id: int
    error: int
    other: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a signature is worth: whose it is, or the error to answer with."""

    signature: Signature
    key: Key | None
    error: int = 0


def parse_key(name: str, algorithm: str, text: str) -> Key:
    """Parse a secret: base64 alone, or inside what `tsig-keygen` and `keymgr -t` print. Raises ValueError without it."""
    written, said = _SECRET.search(text), _ALGORITHM.search(text)
    if said and said[1].lower() != algorithm:
        raise ValueError(f"key {name} is for {said[1]}, not for {algorithm}")
    try:
        secret = base64.b64decode(written[1] if written else text.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) < SHORTEST_SECRET:
        raise ValueError(f"the secret of key {name} is not base64 of {SHORTEST_SECRET} octets or more")
    return Key(parse_name(name).lower(), parse_name(algorithm), secret)


def decode(message: bytes, position: int) -> Signature:
    """Decode the TSIG record at a position. Raises `Malformed`."""
    name, after = read_name(message, position)
    reader = Reader(message, after)
    type_, class_, ttl, length = reader.u16(), reader.u16(), reader.u32(), reader.u16()
    if type_ != TSIG or class_ != RRClass.ANY or ttl:
        raise Malformed("not a TSIG record of class ANY and TTL 0 (RFC 8945 4.2)")
    with reader.restrict_to(length):
        algorithm, after = read_name(message, reader.position)
        reader.take(after - reader.position)
        time = reader.u16() << 32 | reader.u32()
        fudge = reader.u16()
        mac = reader.take(reader.u16())
        original_id, error = reader.u16(), reader.u16()
        other = reader.take(reader.u16())
    return Signature(name.lower(), algorithm.lower(), time, fudge, mac, original_id, error, other)


def verify(
    message: bytes, position: int, keys: Mapping[bytes, Key], now: float, *, request_mac: bytes = b""
) -> Verdict:
    """Judge a signed message whose TSIG record is at `position` (RFC 8945 5.2). Raises `Malformed`."""
    signature = decode(message, position)
    key = keys.get(signature.name)
    if key is None or key.algorithm != signature.algorithm:
        return Verdict(signature, None, TsigRcode.BADKEY)
    bare = unsigned(message, position, signature.original_id)
    expected = key.digest(_prefix(request_mac) + bare + _variables(signature))
    if len(signature.mac) != len(expected):
        short = len(signature.mac) < max(10, len(expected) // 2) or len(signature.mac) > len(expected)
        if short:
            raise Malformed("a MAC of impossible length (RFC 8945 5.2.2.1)")
        return Verdict(signature, key, TsigRcode.BADTRUNC)
    if not hmac.compare_digest(signature.mac, expected):
        return Verdict(signature, None, TsigRcode.BADSIG)
    if abs(int(now) - signature.time) > signature.fudge:
        return Verdict(signature, key, TsigRcode.BADTIME)
    return Verdict(signature, key)


def unsigned(message: bytes, position: int, original_id: int) -> bytes:
    """Return the message as it was before it was signed (RFC 8945 4.3.2)."""
    count = int.from_bytes(message[10:12], "big") - 1
    return original_id.to_bytes(2, "big") + message[2:10] + count.to_bytes(2, "big") + message[12:position]


def sign(
    message: bytes,
    key: Key,
    now: float,
    *,
    request_mac: bytes = b"",
    error: int = 0,
    request_time: int = 0,
    later: bool = False,
) -> tuple[bytes, bytes]:
    """Sign a message, and return it with its MAC, which the next one of a stream needs.

    `request_mac` is the request's MAC, or that of the message before in a stream, whose second and later messages
    cover the timers alone (RFC 8945 5.3.1). With BADTIME the request's time stands in for ours (5.2.3).
    """
    other = int(now).to_bytes(6, "big") if error == TsigRcode.BADTIME else b""
    time = request_time if error == TsigRcode.BADTIME else int(now)
    original_id = int.from_bytes(message[:2], "big")
    blank = Signature(key.name, key.algorithm, time, FUDGE, b"", original_id, error, other)
    covered = _timers(blank) if later else _variables(blank)
    mac = key.digest(_prefix(request_mac) + message + covered)
    return _append(message, blank, mac), mac


def refuse(message: bytes, verdict: Verdict, now: float) -> bytes:
    """Append an unsigned TSIG record that says what is wrong with the request's (RFC 8945 5.2.1, 5.2.2)."""
    theirs = verdict.signature
    original_id = int.from_bytes(message[:2], "big")
    blank = Signature(theirs.name, theirs.algorithm, int(now), FUDGE, b"", original_id, verdict.error, b"")
    return _append(message, blank, b"")


def _append(message: bytes, signature: Signature, mac: bytes) -> bytes:
    writer = Writer()
    writer.raw(signature.name)
    writer.u16(TSIG)
    writer.u16(RRClass.ANY)
    writer.u32(0)
    length = len(signature.algorithm) + 16 + len(mac) + len(signature.other)
    writer.u16(length)
    writer.raw(signature.algorithm + _timers(signature))
    writer.u16(len(mac))
    writer.raw(mac)
    writer.u16(signature.original_id)
    writer.u16(signature.error)
    writer.u16(len(signature.other))
    writer.raw(signature.other)
    count = int.from_bytes(message[10:12], "big") + 1
    return message[:10] + count.to_bytes(2, "big") + message[12:] + writer.getvalue()


def _prefix(mac: bytes) -> bytes:
    return len(mac).to_bytes(2, "big") + mac if mac else b""


def _timers(signature: Signature) -> bytes:
    return signature.time.to_bytes(6, "big") + signature.fudge.to_bytes(2, "big")


def _variables(signature: Signature) -> bytes:
    head = signature.name + RRClass.ANY.to_bytes(2, "big") + bytes(4) + signature.algorithm
    error, length = signature.error.to_bytes(2, "big"), len(signature.other).to_bytes(2, "big")
    return head + _timers(signature) + error + length + signature.other

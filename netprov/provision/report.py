"""What phones send back: status, delta and full reports (Report_Rule), and the bodies of `--post` resyncs.

Cisco's provisioning guide, "Profile Rule" and "Upload Configuration Options": raw XML by PUT or POST, encrypted with
the rule's key, or as aes128gcm. Nothing that a report says of its sender is believed: the path or the connection
tells whose it is. Encrypted reports have a key of their own: anybody could learn of a key by what is done with octets that
he sent, so none that protects a profile is tried here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element

from netprov.errors import Malformed
from netprov.provision.config import Policy
from netprov.provision.crypto import MAGIC, decode_ikm, decrypt_gcm, digest_of, unseal_cbc
from netprov.provision.profile import decompress
from netprov.xml import XmlLimits, parse_bounded

ReportKind = Literal["status", "delta", "full"]

MAX_FIELDS = 5000
LIMITS = XmlLimits(octets=512 << 10, elements=2 * MAX_FIELDS, depth=40)
"""Of a report in clear: a phone's whole configuration stays below 200 kB."""
MAX_POSTED_FIELDS = 100
"""Fields of a posted body: it has place for some dozen macros."""
MAX_DEPTH = 32
_NO_KEY = "0" * 64
"""Is tried where a phone has no key, so that this takes as long."""
_UNOPENED = "encrypted, and not with the key of this phone's reports (`netprov profile key PHONE --report`)"
_SECRET = ("password", "passwd", "pwd", "ikm", "key", "secret", "pin")


@dataclass(frozen=True, slots=True)
class Report:
    """A report's content, by element name, nested names joined with a slash; secrets are not among its fields."""

    kind: ReportKind
    fields: Mapping[str, str] = field(repr=False)


def parse_report(data: bytes, path: str) -> Report:
    """Parse a report; raises `Malformed`. Which kind it is, its path says, or its root element."""
    root = parse_bounded(decompress(data, LIMITS.octets), LIMITS)
    fields: dict[str, str] = {}
    for place, (name, value) in enumerate(_flatten(root, "", 0)):
        if place >= MAX_FIELDS:
            raise Malformed(f"more than {MAX_FIELDS} fields")
        if not is_secret(name):
            fields[name] = value
    return Report(_kind(path.lower(), str(root.tag).lower()), fields)


def parse_posted(text: str) -> Mapping[str, str]:
    """Return the fields of a posted body, `name=value` joined by `&`, `;` or line ends; other text has none.

    The operator makes the body (`GPP_A`, sent by `--post a`), so there is no other form to expect. The first `MAX_POSTED_FIELDS` fields
    count, and of those the ones that can be shown.
    """
    pairs = parse_qsl("&".join(re.split(r"[;\r\n]+", text)), keep_blank_values=True)
    return dict(usable_fields(pairs))


def usable_fields(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the posted fields that count."""
    return (
        (name, value) for name, value in islice(pairs, MAX_POSTED_FIELDS) if f"{name}{value}".isprintable()
    )


def is_secret(name: str) -> bool:
    """Say whether a parameter's name promises a secret, which is then not kept."""
    lower = name.lower()
    return any(word in lower for word in _SECRET)


def is_sealed(data: bytes, coding: str) -> bool:
    """Say whether a report is encrypted."""
    return coding == "aes128gcm" or data.startswith(MAGIC)


def open_report(
    data: bytes, coding: str, path: str, *, key: str | None, policy: Policy, firmware: str
) -> Report:
    """Decrypt and parse a report; raises `Malformed` with one and the same reason, after the same work, whatever is wrong."""
    unseal = _unseal_gcm if coding == "aes128gcm" else _unseal_cbc
    plain, good = unseal(data, key or _NO_KEY, policy, firmware)
    try:
        report = parse_report(plain, path)
    except Malformed:
        raise Malformed(_UNOPENED) from None
    if not good or key is None:
        raise Malformed(_UNOPENED)
    return report


def _unseal_cbc(data: bytes, key: str, policy: Policy, firmware: str) -> tuple[bytes, bool]:
    return unseal_cbc(data, key, digest=policy.digest or digest_of(firmware))


def _unseal_gcm(data: bytes, key: str, policy: Policy, _firmware: str) -> tuple[bytes, bool]:
    try:
        return decrypt_gcm(data, decode_ikm(key, policy.ikm)), True
    except Malformed:
        return data, False


def _kind(path: str, root: str) -> ReportKind:
    for kind in ("status", "delta"):
        if kind in path:
            return kind
    return "status" if "status" in root or root == "info" else "full"


def _flatten(parent: Element, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > MAX_DEPTH:
        raise Malformed("nested too deeply")
    for child in parent:
        name = f"{prefix}{child.tag}"
        if len(child):
            yield from _flatten(child, "" if child.tag == "flat-profile" else f"{name}/", depth + 1)
        else:
            yield name, (child.text or "").strip()

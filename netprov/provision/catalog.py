"""The one resolver behind all three servers: (protocol, path, who asks) to content, a redirect or a refusal.

Phones walk a ladder of paths and wait for nothing to time out: what is not here is refused at once, there is no
index page, and nobody is asked to authenticate who was not meant to be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from netprov.provision.asker import Asker, parse_mac
from netprov.provision.compose import Composer
from netprov.provision.config import ALIASES, CA_PATH, LADDER, Device, Provision
from netprov.provision.macro import device_macros, expand, patterns

_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_PROFILE_TYPE = "text/xml"
_LONGEST_PATH = 1024


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent: `kind` is profile, bootstrap or ca; `mac` is the phone that it is for, as far as is known."""

    kind: str
    body: bytes
    content_type: str
    mac: str = ""


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file of a static tree: which directory, and the path below it, already without `..`."""

    directory: str
    path: str
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Look elsewhere; TFTP cannot say that and refuses."""

    location: str
    status: int = 302
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status, 404 mostly, which is TFTP's error 1; `reason` is for people."""

    reason: str
    status: int = 404
    mac: str = ""


Answer = Content | TreeFile | Redirect | Refusal


class Catalog:
    """Answers for one plan; `ca` is the PEM of the CA that phones are to trust, "" for none."""

    def __init__(self, provision: Provision, ca: bytes = b"") -> None:
        self._provision = provision
        self._ca = ca
        self._composer = Composer(provision, has_ca=bool(ca))
        self._patterns = patterns((*LADDER, *ALIASES, *provision.paths))
        self._bases = tuple(base.lower() for base in sorted(provision.bases, key=len, reverse=True))
        self._redirects = {path.lower(): target for path, target in provision.redirects.items()}
        self._literals = frozenset(path.lower() for path in provision.literals)
        self._trees = tuple((prefix.rstrip("/") + "/", directory) for prefix, directory in provision.trees)

    def respond(self, path: str, asker: Asker) -> Answer:
        """Answer a request for `path`, which begins with a slash and is decoded already (`decode_path`)."""
        lower = path.lower()
        if lower == CA_PATH and self._ca:
            return Content("ca", self._ca, "application/x-pem-file", self._mac(asker))
        named = self._read(lower)
        if named is not None:
            return self._profile(named, asker)
        if (target := self._redirects.get(lower)) is not None:
            mac = self._mac(asker)
            return Redirect(self._expanded(target, mac, asker), mac=mac)
        for prefix, directory in self._trees:
            if path.startswith(prefix) and len(path) > len(prefix):
                return TreeFile(directory, path[len(prefix) :], self._mac(asker))
        if lower in self._literals:
            return self._profile({}, asker)
        return Refusal("no such file", mac=asker.certificate_mac)

    def _read(self, lower: str) -> Mapping[str, str] | None:
        """Return what a path of the ladder tells of the phone, None for another path."""
        for base in self._bases:
            if not lower.startswith(base + "/"):
                continue
            rest = lower[len(base) :]
            for pattern in self._patterns:
                if (found := pattern.match(rest)) is not None:
                    return found
        return None

    def _profile(self, named: Mapping[str, str], asker: Asker) -> Answer:
        path_mac = parse_mac(named.get("MA") or named.get("MAU") or named.get("MAC") or "")
        if asker.certificate_mac and path_mac and asker.certificate_mac != path_mac:
            return Refusal(
                f"the client certificate is of {asker.certificate_mac}", 403, asker.certificate_mac
            )
        mac = path_mac or self._mac(asker)
        device = self._provision.devices.get(mac)
        if device is not None:
            return Content("profile", self._composer.profile(device, asker), _PROFILE_TYPE, mac)
        if self._provision.unlisted is None:
            return Refusal("not a listed phone", mac=mac)
        return Content("bootstrap", self._composer.bootstrap(asker), _PROFILE_TYPE, mac)

    def _mac(self, asker: Asker) -> str:
        """Return the MAC address behind a request whose path does not name it, "" if it cannot be told.

        User-Agent is not asked: it is the operator's to set and anybody's to send.
        """
        return asker.certificate_mac or self._provision.addresses.get(asker.address, "") or asker.link_mac()

    def _expanded(self, target: str, mac: str, asker: Asker) -> str:
        device = self._provision.devices.get(mac) or Device(mac)
        if not mac:
            # The phone expands what is left: a live server redirects to /cp/conf/$MAU.xml like that.
            return target
        model = device.model or (asker.agent.model if asker.agent else "")
        macros = device_macros(
            mac, model=model, serial=device.serial, firmware=device.firmware, address=asker.address
        )
        return expand(target, {name: value for name, value in macros.items() if value})


def decode_path(raw: str) -> str | None:
    """Return the path of a URL, percent escapes decoded once (RFC 3986 section 2.4), or None as `tidy_path`."""
    path = raw.partition("?")[0].partition("#")[0]
    if "%" in path:
        path = unquote_to_bytes(path).decode("ascii", "replace")
    return tidy_path(path)


def tidy_path(name: str) -> str | None:
    """Return a file's name as a path from the root; None for one that no phone sends.

    `\\` counts as `/`, and repeated slashes as one; control characters, `.` and `..` segments, and what is not
    ASCII have no place in any name served here.
    """
    if len(name) > _LONGEST_PATH or not name.isascii() or _UNSAFE.search(name):
        return None
    path = "/" + name.replace("\\", "/").lstrip("/")
    while "//" in path:
        path = path.replace("//", "/")
    if any(part in {".", ".."} for part in path.split("/")):
        return None
    return path

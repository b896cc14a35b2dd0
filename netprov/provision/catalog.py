"""The one resolver behind all three servers: (protocol, path, who asks) to content, a redirect or a refusal.

Phones walk a ladder of paths and wait for nothing to time out: what is not here is refused at once, there is no
index page, and nobody is asked to authenticate who was not meant to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from netprov.mac import find_mac, read_mac
from netprov.provision.answer import (
    PROFILE_TYPE,
    Answer,
    Content,
    Lock,
    Redirect,
    Refusal,
    TreeFile,
    Unasked,
)
from netprov.provision.compose import Composer
from netprov.provision.config import ALIASES, CA_PATH, LADDER, Device, Provision, TlsVersion
from netprov.provision.gate.demand import key_refused, proof_of, unmet
from netprov.provision.gate.guard import Guard
from netprov.provision.gate.handout import HandOut, Proof, Wanted, locked_since
from netprov.provision.gate.probe import is_signed, probed
from netprov.provision.gate.tree import Owners
from netprov.provision.macro import PathPattern, device_macros, expand, patterns
from netprov.provision.requester import Requester
from netprov.provision.secret import SecretMissing, Secrets
from netprov.provision.source import RETRY_AFTER_S, SourceFailed, SourceWanted
from netprov.provision.template import RenderFailed, is_template

_POST = re.compile(r"\bpost\b")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_PATH = 1024
_KNOWN_PATHS = 50_000
_KEPT_OCTETS = 64 << 20
"""Octets of finished profiles that are kept: those of some thousand phones."""


class Catalog:
    """Answers for one plan; `ca` is the PEM of the CA that phones are to trust, "" for none.

    `handed` returns what is on record of a phone's key, None while it was never given.
    """

    def __init__(
        self,
        provision: Provision,
        *,
        entropy: Callable[[int], bytes],
        ca: bytes = b"",
        secrets: Secrets | None = None,
        handed: Callable[[str], HandOut | None] = lambda _mac: None,
    ) -> None:
        self._provision = provision
        self._handed = handed
        self._ca = ca
        self.secrets = secrets or Secrets()
        self._guard = Guard(self.secrets, entropy)
        self._composer = Composer(provision, has_ca=bool(ca), secrets=self.secrets)
        self._patterns = patterns((*LADDER, *ALIASES, *provision.paths))
        self._bases = tuple(base.lower() for base in sorted(provision.bases, key=len, reverse=True))
        self._redirects = tuple((PathPattern(path), *to) for path, to in provision.redirects.items())
        self._statuses = tuple((PathPattern(path), status) for path, status in provision.statuses)
        self._old = {
            mac: device.policy.oldest_tls
            for mac, device in provision.devices.items()
            if device.policy.oldest_tls is not None
        }
        self._made: dict[tuple[str, str, str, int], Content] = {}
        self._made_octets = 0
        self._posting: dict[str, bool] = {}
        self._known: dict[str, Mapping[str, str] | None] = {}
        self._literals = frozenset(path.lower() for path in provision.literals)
        self._owners = Owners(provision.devices.values())
        self._trees = tuple(_trees(provision))

    def respond(self, path: str, requester: Requester) -> Answer:
        """Answer a request for `path`, which begins with a slash and is decoded already (`decode_path`)."""
        lower = path.lower()
        named: Mapping[str, str] | None
        for pattern, status in self._statuses:
            if (named := pattern.match(lower)) is not None:
                return Refusal("as the inventory says", status, self._mac(named, requester))
        for pattern, target, status in self._redirects:
            if (named := pattern.match(lower)) is not None:
                mac = self._mac(named, requester)
                return Redirect(self._expanded(target, mac, requester), status, mac)
        if lower == CA_PATH:
            if not self._ca:
                return Refusal(
                    "there is no CA yet: `netprov cert init` or the first `netprov serve` makes it"
                )
            return Content("ca", self._ca, "application/x-pem-file", self._mac({}, requester))
        if (named := self._read(lower)) is not None:
            return self._profile(named, requester)
        if (file := self._file(path, requester)) is not None:
            return file
        if lower in self._literals:
            return self._profile({}, requester)
        return self._file(path, requester, root=True) or Refusal(
            "no such file", mac=requester.certificate_mac
        )

    def _file(self, path: str, requester: Requester, *, root: bool = False) -> TreeFile | Refusal | None:
        """Return the file that a path names in the trees, or in the one that is served at the root."""
        for prefix, directory, class_name, barred in self._trees:
            if (prefix == "/") == root and path.startswith(prefix) and len(path) > len(prefix):
                inside = path[len(prefix) :]
                refusal = self._withheld(inside, class_name, requester)
                return refusal or TreeFile(directory, inside, self._mac({}, requester), barred)
        return None

    def _withheld(self, inside: str, class_name: str, requester: Requester) -> Refusal | None:
        """Return why a file is not given to a sender: it is for another phone, or its tree for the phones of a class."""
        devices = self._provision.devices
        asks = devices.get(self._mac({}, requester))
        proven = asks is not None and self.is_proven(asks.mac, requester)
        if class_name and not (asks is not None and proven and asks.class_name == class_name):
            reason = f"these files are given to phones of class {class_name} alone"
            return Refusal(reason, 403, asks.mac if asks else "", why="demand-sender")
        owner = self._owners.of(inside) or (asks if class_name else None)
        if owner is None:
            return None
        proof = proof_of(owner, requester) if self.is_proven(owner.mac, requester) else None
        return unmet(owner, requester, proof)

    def plain(self, device: Device, requester: Requester) -> bytes:
        """Return a listed phone's own profile before it is encrypted; raises what `Composer.profile` raises."""
        return self._composer.profile(device, requester)

    def oldest_tls(self, address: str, link_mac: Callable[[], str]) -> TlsVersion | None:
        """Return the oldest TLS that the phone at an address may speak, None for the site's: asked before it has spoken."""
        if not self._old:
            return None
        return self._old.get(self._provision.addresses.get(address, "") or link_mac())

    def is_proven(self, mac: str, requester: Requester) -> bool:
        """Say whether a requester is that phone: by its certificate, else by an address that is its own or leased to it.

        A path proves nothing: it can name any phone, and so can the mark of a probe. An address does as far as the link does.
        """
        if requester.probe is not None:
            return requester.probe == "signed" and requester.link_mac() == mac
        if requester.certificate_mac:
            return requester.certificate_mac == mac
        fixed = self._provision.addresses.get(requester.address)
        return mac == (fixed if fixed is not None else requester.link_mac())

    def lock(self, device: Device) -> Lock | None:
        """Return the credentials that a phone has, None where it is asked for none."""
        return self._guard.lock(device)

    def who(self, path: str, requester: Requester) -> str:
        """Return the MAC address that a path of any kind, or the requester, is known by; "" if it cannot be told."""
        return requester.certificate_mac or find_mac(path.lower()) or self._mac({}, requester)

    def _read(self, lower: str) -> Mapping[str, str] | None:
        """Return what a path of the ladder tells of the phone, None for another path."""
        if lower in self._known:
            return self._known[lower]
        found = self._match(lower)
        if len(self._known) >= _KNOWN_PATHS:
            self._known.clear()  # strangers may ask for anything; the fleet's paths are soon back
        self._known[lower] = found
        return found

    def _match(self, lower: str) -> Mapping[str, str] | None:
        for base in self._bases:
            if not lower.startswith(base + "/"):
                continue
            rest = lower[len(base) :]
            for pattern in self._patterns:
                if (found := pattern.match(rest)) is not None:
                    return found
        return None

    def _profile(self, named: Mapping[str, str], requester: Requester) -> Answer:
        path_mac = _named_mac(named)
        if requester.certificate_mac and path_mac and requester.certificate_mac != path_mac:
            return Refusal(
                f"the client certificate is of {requester.certificate_mac}", 403, requester.certificate_mac
            )
        mac = self._mac(named, requester)
        device = self._provision.devices.get(mac)
        if device is not None:
            return self._listed(device, requester, own=bool(path_mac) or not device.policy.locks)
        if self._provision.unlisted is None:
            return Refusal("not a listed phone", mac=mac)
        return Content("bootstrap", self._composer.bootstrap(requester), PROFILE_TYPE, mac)

    def _listed(self, device: Device, requester: Requester, *, own: bool) -> Answer:
        """Answer for a listed phone: its `own` profile, or what leads there, as far as its class lets this sender have it."""
        proof = proof_of(device, requester) if self.is_proven(device.mac, requester) else None
        refusal = unmet(device, requester, proof)
        if own and refusal is None:
            return self._own(device, requester)
        secure = requester.scheme == "https"
        if refusal is None and secure:
            return self._introduction(device, requester, proof)
        leads = not secure and bool(self._provision.secure_url)
        if refusal is not None and not (leads and device.policy.sender == "certificate"):
            return refusal
        # What must not come by this road comes by HTTPS, and a factory phone has to be led there first.
        return Content(
            "bootstrap", self._composer.bootstrap(requester, locked=True), PROFILE_TYPE, device.mac
        )

    def _introduction(self, device: Device, requester: Requester, proof: Proof | None) -> Answer:
        """Return the bootstrap profile with a phone's key or password, if this sender is to have it."""
        policy, before = device.policy, self._handed(device.mac)
        refusal = key_refused(device, requester, proof)
        if refusal is not None or proof is None:
            return refusal or Refusal("its key", 403, device.mac, why="key-sender")
        if requester.probe is not None:
            return self._introduced(device, requester, None)
        wanted = Wanted(device.mac, requester.address, proof, policy.keys, policy.window)
        if before is not None and wanted.judge(before, requester.now) is None:
            return Refusal(locked_since(before, policy.keys), 403, device.mac, why="key-locked")
        return self._introduced(device, requester, wanted)

    def _introduced(self, device: Device, requester: Requester, key: Wanted | None) -> Content:
        body = self._composer.bootstrap(requester, self._guard.introduce(device), locked=True)
        return Content("bootstrap", body, PROFILE_TYPE, device.mac, key=key)

    def marked(self, requester: Requester, mark: str, path: str, now: float) -> Requester:
        """Return a requester whose request carries the mark of a probe: it asks in the name of the phone that is named there."""
        mac = probed(mark)
        if not mac:
            return requester
        signed = is_signed(mark, self.secrets.probe_key(mac), requester.scheme, path, now)
        return replace(requester, link_mac=lambda: mac, probe="signed" if signed else "claimed")

    def _own(self, device: Device, requester: Requester) -> Answer:
        """Return a phone's own profile, made once: this catalog is of one plan, its secrets and its CA.

        What came with a request, and what sources said, hold for this answer alone.
        """
        key = (device.mac, requester.scheme, requester.server, requester.port)
        if not requester.posted and self._knows_posts(device, requester):
            requester = replace(requester, posted=requester.posted_before(device.mac))
        passing = bool(requester.posted or requester.sourced)
        made = None if passing else self._made.get(key)
        if made is not None:
            return made
        try:
            plain = self._composer.profile(device, requester)
        except SourceWanted as wanted:
            return Unasked(wanted.source, device)
        except (SecretMissing, RenderFailed, SourceFailed) as error:
            return _refused(error, device)
        answer = self._guard.protect(plain, device, requester.scheme)
        if isinstance(answer, Content) and not passing:
            self._made_octets += len(answer.body)
            if self._made_octets > _KEPT_OCTETS:
                self._made.clear()
                self._made_octets = len(answer.body)
            self._made[key] = answer
        return answer

    def _knows_posts(self, device: Device, requester: Requester) -> bool:
        """Say whether a profile speaks of `post`, and goes to the phone itself: what it posted is for nobody else.

        It is the phone by its address or certificate, or by the password without which a locked profile does not leave.
        """
        speaks = self._posting.get(device.mac)
        if speaks is None:
            texts = (each.value for layer in device.layers for each in layer.values())
            speaks = any(is_template(text) and _POST.search(text or "") for text in (device.template, *texts))
            self._posting[device.mac] = speaks
        return speaks and (self.is_proven(device.mac, requester) or self.lock(device) is not None)

    def _mac(self, named: Mapping[str, str], requester: Requester) -> str:
        """Return the MAC address behind a request, "" if it cannot be told.

        User-Agent is not asked: it is the operator's to set and anybody's to send.
        """
        return (
            _named_mac(named)
            or requester.certificate_mac
            or self._provision.addresses.get(requester.address, "")
            or requester.link_mac()
        )

    def _expanded(self, target: str, mac: str, requester: Requester) -> str:
        device = self._provision.devices.get(mac) or Device(mac)
        if not mac:
            # The phone expands what is left: a live server redirects to /cp/conf/$MAU.xml like that.
            return target
        model = device.model or (requester.agent.model if requester.agent else "")
        macros = device_macros(
            mac, model=model, serial=device.serial, firmware=device.firmware, address=requester.address
        )
        return expand(target, {name: value for name, value in macros.items() if value})


def _refused(error: SecretMissing | RenderFailed | SourceFailed, device: Device) -> Refusal:
    """Refuse a profile that would have a hole; what a source lacks may be there soon."""
    match error:
        case SourceFailed():
            return Refusal(str(error), 503, device.mac, error.why, RETRY_AFTER_S)
        case RenderFailed() if error.fault.source:
            return Refusal(str(error), 503, device.mac, "source-answer", RETRY_AFTER_S)
        case _:
            return Refusal(str(error), 500, device.mac)


def _named_mac(named: Mapping[str, str]) -> str:
    return read_mac(named.get("MA") or named.get("MAU") or named.get("MAC") or "")


@lru_cache(maxsize=16384)
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


def _trees(provision: Provision) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yield the path of each static tree, the longest first, its directory, its class, and the directories of other classes."""
    classes = provision.tree_classes
    for prefix, directory in sorted(provision.trees, key=lambda tree: -len(tree[0])):
        own = classes.get(prefix, "")
        others = (each for path, each in provision.trees if classes.get(path, own) != own)
        barred = tuple(each for each in others if not f"{directory}/".startswith(f"{each.rstrip('/')}/"))
        yield prefix.rstrip("/") + "/", directory, own, barred

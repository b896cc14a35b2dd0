"""Protects a listed phone's own profile: compressed, encrypted, locked, as its class says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from netprov.errors import Malformed
from netprov.hostport import Scheme
from netprov.provision.answer import PROFILE_TYPE, Content, Lock, Refusal
from netprov.provision.auth import Account
from netprov.provision.config import Device
from netprov.provision.crypto import (
    RECORD_SALT_SIZE,
    SALT_SIZE,
    decode_ikm,
    digest_of,
    encrypt_cbc,
    encrypt_gcm,
)
from netprov.provision.macro import device_macros, expand
from netprov.provision.profile import compress
from netprov.provision.secret import Secrets

_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a phone must know before it can read its own profile: for its Profile_Rule, and its IKM parameter."""

    options: str = ""
    ikm: str = ""


class Guard:
    """Protects profiles with one set of secrets; `entropy` draws octets for salts."""

    def __init__(self, secrets: Secrets, entropy: Callable[[int], bytes]) -> None:
        self._secrets = secrets
        self._entropy = entropy

    def protect(self, plain: bytes, device: Device, scheme: Scheme) -> Content | Refusal:
        """Return what leaves this machine for a device."""
        policy = device.policy
        lock = self.lock(device)
        if policy.auth is not None and (lock is None or scheme == "tftp"):
            reason = "no password for this phone" if lock is None else "TFTP cannot ask for credentials"
            return Refusal(reason, 403, device.mac)
        body = compress(plain) if policy.compress else plain
        if policy.encryption == "none":
            return Content("profile", body, PROFILE_TYPE, device.mac, lock=lock)
        key = self._secrets.profile_key(device.mac)
        if key is None:
            return Refusal("no key for this phone's profile", 403, device.mac)
        if policy.encryption == "aes-256-cbc":
            digest = policy.digest or digest_of(device.firmware)
            body = encrypt_cbc(body, key, salt=self._entropy(SALT_SIZE), digest=digest)
            return Content("profile", body, _OCTETS, device.mac, lock=lock)
        if scheme == "tftp":
            return Refusal("aes128gcm needs HTTP, which can name the coding", 403, device.mac)
        try:
            ikm = decode_ikm(key, policy.ikm)
        except Malformed:
            return Refusal("this phone's key is not base64url", 403, device.mac)
        body = encrypt_gcm(body, ikm, salt=self._entropy(RECORD_SALT_SIZE))
        return Content("profile", body, PROFILE_TYPE, device.mac, "aes128gcm", lock)

    def introduce(self, device: Device) -> Introduction:
        """Return what to tell a device, over HTTPS only, of what its own profile needs."""
        options: list[str] = []
        key = (self._secrets.profile_key(device.mac) or "") if device.policy.encryption != "none" else ""
        if device.policy.encryption == "aes-256-cbc" and key:
            options.append(f'--key "{key}"')
        lock = self.lock(device)
        if lock is not None:
            options.append(f'--uid "{lock.account.user}" --pwd "{lock.account.password}"')
        ikm = key if device.policy.encryption == "aes128gcm" else ""
        return Introduction(f"[{' '.join(options)}] " if options else "", ikm)

    def lock(self, device: Device) -> Lock | None:
        """Return the credentials that a device is asked for, None for none."""
        policy = device.policy
        if policy.auth is None or (password := self._secrets.password(device.mac)) is None:
            return None
        macros = device_macros(device.mac, model=device.model, serial=device.serial)
        return Lock(policy.auth, Account(expand(policy.user, macros), password))

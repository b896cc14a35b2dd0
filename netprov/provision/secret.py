"""Secrets of profiles and accounts: kept outside the inventory, or derived for each phone from one of the site.

A secrets file has one secret a line, its name and its text: a MAC address names a phone's profile key, `site` the
secret that the keys of all others are derived from, `report:` with a MAC address the key of a phone's reports, any other
name one that templates ask for by `{{ secret("name") }}`. Lines that begin with `#` are comments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.errors import NetprovError, Problem
from netprov.mac import read_mac
from netprov.provision.crypto import derive_secret

SITE = "site"
_REPORT = "report:"


class SecretMissing(NetprovError):
    """A template asks for a secret that there is none of: the profile does not leave with a hole in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no secret {name!r}: the secrets file has no such line")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by name; never shown, never logged."""

    named: Mapping[str, str] = field(default_factory=dict, repr=False)

    def profile_key(self, mac: str) -> str | None:
        """Return the key of a phone's encrypted profile, None if there is neither its own nor the site's."""
        return self._of("profile", mac)

    def password(self, mac: str) -> str | None:
        """Return the password of a phone's account on the provisioning server."""
        return self.named.get(f"password:{mac}") or self._derived("password", mac)

    def report_key(self, mac: str) -> str | None:
        """Return the key of a phone's encrypted reports, which protects nothing else: what others send is tried with it.

        It is derived apart from the key of the profile, so that whoever learnt it knows nothing of that.
        """
        if own := self.named.get(f"{_REPORT}{mac}"):
            return own
        secret = self.named.get(SITE) or self.named.get(mac)
        return derive_secret(secret.encode(), "report", mac) if secret else None

    def probe_key(self, mac: str) -> str | None:
        """Return the key by which our own probes in a phone's name are told from anybody's."""
        secret = self.named.get(SITE) or self.named.get(mac)
        return derive_secret(secret.encode(), "probe", mac) if secret else None

    def get(self, name: str) -> str | None:
        """Return a named secret; a MAC address names the same one in every notation, `report:` the key of its reports."""
        if name.startswith(_REPORT) and (mac := read_mac(name.removeprefix(_REPORT))):
            return self.report_key(mac)
        return self.named.get(name) or self.named.get(read_mac(name))

    def demand(self, name: str) -> str:
        """Return a named secret; raises `SecretMissing`."""
        found = self.get(name)
        if not found:
            raise SecretMissing(name)
        return found

    def _of(self, purpose: str, mac: str) -> str | None:
        return self.named.get(mac) or self._derived(purpose, mac)

    def _derived(self, purpose: str, mac: str) -> str | None:
        site = self.named.get(SITE)
        return derive_secret(site.encode(), purpose, mac) if site else None


def parse_secrets(text: str) -> tuple[Secrets, tuple[Problem, ...]]:
    """Parse a secrets file; what is wrong with it is returned without any secret in it."""
    named: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, value = line.strip().partition(" ")
        value = value.strip()
        if not value:
            problems.append(Problem("secrets", f"line {number}: a name, a space and the secret are wanted"))
            continue
        kind, colon, whose = name.partition(":")
        if f"{kind}{colon}" == _REPORT and (mac := read_mac(whose)):
            name = f"{_REPORT}{mac}"
        name = read_mac(name) or name
        if name in named:
            problems.append(Problem("secrets", f"line {number}: the name is there already"))
        named[name] = value
    return Secrets(named), tuple(problems)

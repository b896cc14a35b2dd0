"""What the provisioning servers serve: the part of the plan that this folder is driven by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from netprov.provision.auth import AuthScheme
from netprov.provision.profile import Layer

Scheme = Literal["tftp", "http", "https"]
TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
Service = Literal["tftp", "http", "https", "syslog"]
Digest = Literal["md5", "sha256"]
IkmEncoding = Literal["raw", "b64url"]

DEFAULT_PORTS: Mapping[Scheme, int] = {"tftp": 69, "http": 80, "https": 443}
"""Ports that a URL need not name (guide, "Manually Provision a Phone from the Keypad")."""

CA_PATH = "/ca.pem"
"""Where phones get the CA's certificate, for Custom_CA_Rule."""

LADDER = ("/$PSN.xml", "/Cisco/$PN/$MA.cfg", "/Cisco/$MA.cfg")
"""Where phones look for their profile (guide, "DNS SRV"; Cisco's migration guide)."""

ALIASES = (
    *("/$PN.xml", "/$PSN.cfg", "/$PN.cfg", "/$MA.cfg", "/$MA.xml", "/$MAC.cfg", "/$MAC.xml"),
    *("/Cisco/$PN/$MA.xml", "/Cisco/$MA.xml", "/Cisco/$PSN/$MA.cfg", "/Cisco/$PSN/$MA.xml"),
)
"""Where administrators have put it, and phones have been told to look; case never matters."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket to serve on, if its address is on this machine; `name` is what the address is reached by."""

    scheme: Service
    address: str
    port: int
    name: str = ""

    @property
    def is_datagram(self) -> bool:
        """Whether it is UDP."""
        return self.scheme in {"tftp", "syslog"}

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'udp' if self.is_datagram else self.scheme} {host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a phone's own profile is protected; `digest` None goes by its firmware, `user` holds macros.

    `oldest_tls` is the oldest version of TLS that the phone may come with, None for the site's.
    """

    encryption: Literal["none", "aes-256-cbc", "aes128gcm"] = "none"
    digest: Digest | None = None
    compress: bool = False
    ikm: IkmEncoding = "raw"
    auth: AuthScheme | None = None
    user: str = "$MA"
    oldest_tls: TlsVersion | None = None
    auth_everywhere: bool = False


OPEN = Policy()


@dataclass(frozen=True, slots=True)
class Device:
    """A listed phone; `layers` are the site's, its class's, its profile's and its own parameters, in that order."""

    mac: str
    model: str = ""
    serial: str = ""
    firmware: str = ""
    name: str = ""
    class_name: str = ""
    profile: str = ""
    layers: tuple[Layer, ...] = ()
    template: str = ""
    policy: Policy = OPEN


@dataclass(frozen=True, slots=True)
class SecretsPlace:
    """Where the secrets file is: at most one of these; none is the state directory."""

    file: str = ""
    environment: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Provision:
    """Everything the catalog answers from.

    `addresses` are the fixed addresses of listed phones. `bases` are the directories below which the ladder starts,
    "" always among them. `literals` are paths that a class's options name as they are. `secure_url` is the HTTPS
    address that phones are led to, without a path, "" to leave them where they are; with `secure_srv` they are led
    to the domain by SRV instead, so that any target may be down. `unlisted` is what phones that
    are not in the inventory get, None for nothing. `statuses` are path patterns and what they are answered with;
    below `reports` phones put theirs; `syslog` are addresses to listen for messages on.
    """

    domain: str
    server_name: str = ""
    listeners: tuple[Listener, ...] = ()
    devices: Mapping[str, Device] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    unlisted: Layer | None = None
    secure_url: str = ""
    secure_srv: bool = False
    bases: tuple[str, ...] = ("",)
    paths: tuple[str, ...] = ()
    literals: frozenset[str] = frozenset()
    trees: tuple[tuple[str, str], ...] = ()
    redirects: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    statuses: tuple[tuple[str, int], ...] = ()
    reports: str = ""
    syslog: tuple[str, ...] = ()
    secrets: SecretsPlace = SecretsPlace()

"""What the provisioning servers serve: the part of the plan that this folder is driven by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from netprov.hostport import format_hostport
from netprov.provision.auth import AuthScheme
from netprov.provision.profile import Layer

TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
Service = Literal["tftp", "http", "https", "syslog"]
Digest = Literal["md5", "sha256"]
IkmEncoding = Literal["raw", "b64url"]
SenderDemand = Literal["anyone", "lease", "port", "certificate"]
KeyPolicy = Literal["once", "lease", "port", "certificate", "never"]

CA_PATH = "/ca.pem"
"""Where phones get the CA's certificate, for Custom_CA_Rule."""

FACTORY_PATH, MAC_PATH, SRV_MAC_PATH = "/$PSN.xml", "/Cisco/$PN/$MA.cfg", "/Cisco/$MA.cfg"
"""Where phones look for their profile: the factory's Profile_Rule, the second path by a DHCP option (Cisco's migration
guide), and the second by SRV, which has no $PN in it (guide, "Use DNS SRV for HTTP Provisioning")."""

LADDER = (FACTORY_PATH, MAC_PATH, SRV_MAC_PATH)
"""The three paths together, which this server answers on any port."""

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
        return f"{'udp' if self.is_datagram else self.scheme} {format_hostport(self.address, self.port)}"


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of switches, by what a relay agent says of them in option 82: patterns, () for any."""

    circuit_id: tuple[str, ...] = ()
    remote_id: tuple[str, ...] = ()

    @property
    def named(self) -> bool:
        """Whether any is named."""
        return bool(self.circuit_id or self.remote_id)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a phone's own profile is protected; `digest` None goes by its firmware, `user` holds macros.

    `oldest_tls` is the oldest version of TLS that the phone may come with, None for the site's. `sender` is who is given the
    profile, `hours` when: minutes of the day, from and to, None for any time. `keys` says who is given what opens it;
    `window` is how long, in seconds, the same sender may ask for that again under `once`.
    """

    encryption: Literal["none", "aes-256-cbc", "aes128gcm"] = "none"
    digest: Digest | None = None
    compress: bool = False
    ikm: IkmEncoding = "raw"
    auth: AuthScheme | None = None
    user: str = "$MA"
    oldest_tls: TlsVersion | None = None
    auth_everywhere: bool = False
    sender: SenderDemand = "anyone"
    ports: Ports = Ports()
    hours: tuple[int, int] | None = None
    keys: KeyPolicy = "once"
    window: int = 600

    @property
    def locks(self) -> bool:
        """Whether a phone fresh from the factory could not read its own profile."""
        return self.encryption != "none" or (self.auth is not None and not self.auth_everywhere)


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
class SqlQuery:
    """A query of a database for one row; `password` names the secret that the database's password is."""

    database: str
    query: str
    password: str = ""


@dataclass(frozen=True, slots=True)
class JsonUrl:
    """A JSON object at a URL; `headers` are fields and the names of the secrets that are their values, `ca` a file."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    ca: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is told of the phone in JSON on its standard input, and says a JSON object."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """One source; times in seconds.

    An answer serves for `fresh` without asking again, and for `stale` after that where the source fails.
    """

    name: str
    how: SqlQuery | JsonUrl | Program
    timeout: int = 3
    fresh: int = 60
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Provision:
    """Everything the catalog answers from.

    `addresses` are the fixed addresses of listed phones. `bases` are the directories below which the ladder starts,
    "" always among them. `literals` are paths that a class's options name as they are. `secure_url` is the HTTPS
    address that phones are led to, without a path, "" to leave them where they are; with `secure_srv` they are led
    to the domain by SRV instead, so that any target may be down. `unlisted` is what phones that
    are not in the inventory get, None for nothing. `statuses` are path patterns and what they are answered with;
    `tree_classes` are the classes to whose phones alone some of `trees` are given; below `reports` phones put theirs;
    `syslog` are addresses to listen for messages on; `workers` are the processes that answer HTTP and HTTPS;
    `sources` are asked for values of profiles, by their names.
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
    tree_classes: Mapping[str, str] = field(default_factory=dict)
    redirects: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    statuses: tuple[tuple[str, int], ...] = ()
    reports: str = ""
    syslog: tuple[str, ...] = ()
    secrets: SecretsPlace = SecretsPlace()
    workers: int = 1
    sources: Mapping[str, Source] = field(default_factory=dict)

"""What a DNS server is told: its zones, where it listens, how it answers, whom it trusts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal

from netprov.dns.server.rate import Limit
from netprov.dns.server.tsig import Key
from netprov.dns.zone.zone import Zone
from netprov.errors import Problem

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Secondary:
    """A server that follows this one; `key` names what it must sign with, b"" for no signature."""

    address: Address
    port: int = 53
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A TSIG key whose secret is kept outside the inventory: in one of a file, a variable, a systemd credential."""

    name: str
    algorithm: str
    file: str = ""
    environment: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class FailedZone:
    """A zone that cannot be loaded, and why: what is in it gets SERVFAIL, other zones are served."""

    origin: bytes
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """The plan's section for DNS. `networks` are the LAN's own; `zones` carry the serial they begin with.

    `keys` lack the `kept_keys` until the service has read their secrets.
    """

    zones: tuple[Zone, ...]
    listen: tuple[Address, ...]
    failed: tuple[FailedZone, ...] = ()
    port: int = 53
    networks: tuple[Network, ...] = ()
    lease_domains: Mapping[str, bytes] = field(default_factory=dict)
    """The domain that names of leases get, by the network's name."""
    ttl: int = 300
    keys: Mapping[bytes, Key] = field(default_factory=dict)
    kept_keys: tuple[KeptKey, ...] = ()
    secondaries: tuple[Secondary, ...] = ()
    forward: tuple[Address, ...] = ()
    blackhole: tuple[bytes, ...] = ()
    limit: Limit | None = None
    limit_lan: bool = False
    cookies: bool | Literal["required"] = True
    """Whether they are answered, or even asked of strangers."""
    workers: int = 1
    version: str | None = None
    identity: str | None = None

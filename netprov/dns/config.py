"""What a DNS server is told: its zones, where it listens, how it answers, whom it trusts."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from netprov.dns.answer import Manners
from netprov.dns.zone import Zone

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class DnsConfig:
    """The plan's section for DNS. `networks` are the LAN's own; `zones` carry the serial they begin with."""

    zones: tuple[Zone, ...]
    listen: tuple[Address, ...]
    port: int = 53
    networks: tuple[Network, ...] = ()
    manners: Manners = field(default_factory=Manners)

"""The metrics of the inventory: where a Prometheus server may ask."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from pydantic import Field

from netprov.inventory.model.scalar import Record


class Metrics(Record):
    """Where metrics are given, in Prometheus' text format."""

    address: IPv4Address | IPv6Address = Field(
        default=IPv4Address("127.0.0.1"),
        description="Local address to listen on. Metrics are not for phones: give one that they do not reach.",
    )
    port: int = Field(
        default=9745,
        ge=1,
        le=65529,
        description="TCP port. A process with one role listens on the next ports: +1 dns, +2 http, +3 tftp, +4 syslog, "
        "+5 acs, +6 dhcp.",
    )

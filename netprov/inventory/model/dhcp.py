"""How DHCP protects itself and the LAN: rates, hold times."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from netprov.inventory.model.scalar import Duration, Ipv4, Record


class Gateway(Record):
    """What this network's gateway tells TR-069 devices of itself (option 125, sub-options 4 to 6)."""

    oui: str = Field(
        pattern=r"^[0-9A-Fa-f]{6}$",
        description="Manufacturer's OUI, six hexadecimal digits.",
        examples=["00000C"],
    )
    serial: str = Field(min_length=1, max_length=64, description="Serial number.", examples=["GW0001"])
    product_class: str = Field(default="", max_length=64, description="Product class.", examples=["Gateway"])


class Partner(Record):
    """The other of two Kea servers that share the networks; `netprov export kea` writes a configuration for each."""

    address: Ipv4 = Field(description="Where the other server is.", examples=["10.20.0.2"])
    mode: Literal["hot-standby", "load-balancing"] = Field(
        default="hot-standby",
        description="Whether the other one waits, or both serve, each from half of every pool.",
    )
    port: int = Field(
        default=8001, ge=1, le=65535, description="TCP port at which the two talk to each other."
    )


class Dhcp(Record):
    """How DHCP serves."""

    client_rate: int = Field(
        default=20, ge=1, description="Messages of one client that are looked at, each second."
    )
    total_rate: int = Field(
        default=0,
        ge=0,
        description="Messages of all clients that are looked at, each second; 0 for no limit.",
    )
    offer_hold: Duration = Field(
        default=15, description="How long an offered address is kept for its client."
    )
    decline_hold: Duration = Field(
        default=3600, description="How long an address found in use by a stranger is not offered."
    )
    pin_neighbours: bool = Field(
        default=False,
        description="Whether each client's hardware address is entered into this machine's table of neighbours while its lease lasts, so that no other host takes its place by ARP. Needs CAP_NET_ADMIN.",
    )
    partner: Partner | None = Field(
        default=None,
        description="The second Kea server that exports are written for. netprov's own servers share one database instead.",
        examples=[{"address": "10.20.0.2"}],
    )

"""How DHCP protects itself and the LAN: rates, hold times."""

from __future__ import annotations

from pydantic import Field

from netprov.inventory.model.scalar import Duration, Record


class Gateway(Record):
    """What this network's gateway tells TR-069 devices of itself (option 125, sub-options 4 to 6)."""

    oui: str = Field(
        pattern=r"^[0-9A-Fa-f]{6}$",
        description="Manufacturer's OUI, six hexadecimal digits.",
        examples=["00000C"],
    )
    serial: str = Field(min_length=1, max_length=64, description="Serial number.", examples=["GW0001"])
    product_class: str = Field(default="", max_length=64, description="Product class.", examples=["Gateway"])


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

"""The names of the inventory: hosts, SRV records, further records and zones, and how DNS serves them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from netprov.inventory.model.scalar import AnyAddresses, Duration, Name, Names, Port, Priority, Record


def _host(value: Any) -> Any:
    """Let an operator write `pr1: 10.20.0.11` or a list of addresses for a host."""
    return value if isinstance(value, dict | Host) else {"addresses": value}


class Host(Record):
    """A machine with a name: an SRV target, a time server, anything phones must find."""

    addresses: AnyAddresses = Field(
        min_length=1, description="IPv4 and IPv6 addresses; one A or AAAA record each."
    )
    aliases: Names = Field(default=(), description="Further names, published as CNAME.")


HostField = Annotated[Host, BeforeValidator(_host)]


class SrvTarget(Record):
    """One SRV record of a provisioning service."""

    target: Name = Field(description="A name under `hosts:`, or an absolute name.", examples=["pr1"])
    port: Port = Field(description="TCP port of the server.", examples=[443])
    priority: Priority = Field(default=10, description="Lower is tried first.")
    weight: Priority = Field(
        default=0,
        description="Within a priority: Cisco's guide tries lower first; RFC 2782 gives larger a larger share.",
    )


class Srv(Record):
    """The two services that phones ask for."""

    https: tuple[SrvTarget, ...] | None = Field(
        default=None,
        description="Records of `_ciscoprov-https._tls`. Default, if neither service is given: this server, port 443.",
    )
    http: tuple[SrvTarget, ...] | None = Field(
        default=None,
        description="Records of `_ciscoprov-http._tcp`. Default, if neither service is given: this server, port 80, "
        "where a factory phone that cannot yet trust your CA gets it.",
    )
    order: Literal["cisco", "strict"] = Field(
        default="cisco",
        description="`cisco`: publish priorities and weights as written. `strict`: publish the same order as distinct "
        "priorities with weight 0, which every client reads alike.",
    )
    ttl: Duration = Field(default=300, description="TTL of the SRV records.", examples=["5m", 86400])


class ExtraRecord(Record):
    """A record of any type, for what no other section covers."""

    name: str = Field(
        description="Owner: relative to the domain, `@` for the domain itself, absolute with a dot."
    )
    type: str = Field(description="Record type: TXT, NAPTR, TYPE65280 …", examples=["TXT"])
    data: str = Field(description="The record's data as in a master file.", examples=['"v=spf1 -all"'])
    ttl: Duration | None = Field(default=None, description="Default: `dns.ttl`.")


class Dns(Record):
    """How DNS serves."""

    ttl: Duration = Field(default=300, description="TTL of records that do not say their own.")

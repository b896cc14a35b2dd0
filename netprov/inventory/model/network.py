"""The networks of the inventory: where DHCP serves, what it hands out, to whom."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from netprov.inventory.model.dhcp import Gateway
from netprov.inventory.model.scalar import (
    Addresses,
    AddressRange,
    Duration,
    Interface,
    Ipv4,
    Name,
    OneOrMany,
    Record,
    Subnet,
    Texts,
)

OptionValue = Any
"""What an option holds, in the shape that its code asks for; `netprov.dhcp.option.table` knows the shapes."""

Options = dict[int, OptionValue]


class Route(Record):
    """A classless static route (option 121)."""

    to: Subnet = Field(description="Destination network.", examples=["10.30.0.0/16"])
    via: Ipv4 = Field(description="Router on this network.", examples=["10.20.0.254"])


class Network(Record):
    """One IPv4 network with phones on it."""

    interface: Interface | None = Field(
        default=None,
        description="Local interface on this network; leave it out for a network reached only through a DHCP relay.",
        examples=["lan0", "lan0.120"],
    )
    link: str | None = Field(
        default=None,
        description="A name that networks of one link share behind a relay; networks of one interface are on one link. When "
        "one has no address left, clients get one of the next.",
        examples=["floor-1"],
    )
    classes: Texts = Field(
        default=(),
        description="Only clients of these classes get addresses here; they come here first. Default: every client.",
        examples=["mpp"],
    )
    subnet: Subnet = Field(description="The network and its prefix length.", examples=["10.20.0.0/24"])
    address: Ipv4 | None = Field(
        default=None,
        description="This server's address. Default: the first host address of the subnet; without `interface`, that of another network.",
        examples=["10.20.0.1"],
    )
    pool: Annotated[tuple[AddressRange, ...], OneOrMany()] | None = Field(
        default=None,
        description="Addresses for phones without a fixed one; [] for none. Default: the 101st to 200th address of "
        "the subnet, or its upper half if it is smaller.",
        examples=["10.20.0.100-10.20.0.199"],
    )
    router: Addresses | None = Field(
        default=None,
        description="Routers (option 3). Default: this server's address; [] for none.",
        examples=["10.20.0.254"],
    )
    dns: Addresses | None = Field(
        default=None, description="DNS servers (option 6). Default: this server.", examples=["10.20.0.1"]
    )
    ntp: Addresses | None = Field(
        default=None,
        description="Time servers (option 42). Default: none. Phones check certificates by this time.",
        examples=["10.20.0.1"],
    )
    domain: Name | None = Field(
        default=None, description="Option 15 on this network. Default: the inventory's domain."
    )
    lease: Duration = Field(default=3600, description="Lease time (option 51).", examples=["1h", "1d"])
    renew: Duration | None = Field(
        default=None,
        description="When a client renews (T1, option 58). Default: half of its lease.",
        examples=["20m"],
    )
    rebind: Duration | None = Field(
        default=None,
        description="When a client that got no answer asks any server (T2, option 59). Default: seven eighths.",
        examples=["50m"],
    )
    lease_min: Duration = Field(default=120, description="Shortest lease that a client's own wish can get.")
    lease_max: Duration | None = Field(
        default=None, description="Longest lease that a client's own wish can get. Default: `lease`."
    )
    clients: Literal["phones", "known", "all"] = Field(
        default="phones",
        description="Who is answered: `phones` (listed MACs, and vendor classes of Cisco phones or dslforum.org), "
        "`known` (listed MACs only) or `all`.",
    )
    reserved: Annotated[tuple[AddressRange, ...], OneOrMany()] = Field(
        default=(),
        description="Part of the pool that only listed phones without a fixed address may use.",
        examples=["10.20.0.190-10.20.0.199"],
    )
    kept: int | None = Field(
        default=None,
        ge=0,
        description="How many addresses of the pool are kept for listed phones, so that strangers cannot use it up. Default: one for "
        "each listed phone that may need one, those of `reserved:` included.",
        examples=[20],
    )
    per_port: int | None = Field(
        default=None,
        ge=0,
        description="How many addresses of the pool clients that are not listed may have behind one port of a switch, where option 82 "
        "names it; 0 for any number. Default: half of those that are not kept, 8 at the least.",
        examples=[4],
    )
    options: Options = Field(
        default={}, description="Further DHCP options for every client here, by number.", examples=[{2: 3600}]
    )
    routes: tuple[Route, ...] = Field(
        default=(), description="Static routes (option 121), sent beside the router."
    )
    other_servers: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="What to do beside another DHCP server on the link: `refuse` to offer anything there, or `allow` it.",
    )
    bootp: bool = Field(
        default=False, description="Answer BOOTP clients (no option 53) that have a fixed address."
    )
    authoritative: bool = Field(
        default=False,
        description="Answer NAK to clients that ask for an address of which nothing is known here (RFC 2131 4.3.2).",
    )
    conflict_check: bool = Field(
        default=True,
        description="Ask the network (ARP, or ping behind a relay) whether a pool address is in use before offering it.",
    )
    gateway: Gateway | None = Field(
        default=None,
        description="Identity of the gateway, for TR-069 devices that tell theirs in option 125.",
    )

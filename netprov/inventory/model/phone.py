"""The phones of the inventory, and the classes they fall into."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netprov.inventory.model.network import Options
from netprov.inventory.model.provision import Auth, Demand, Encryption, Keys, Values
from netprov.inventory.model.scalar import Ipv4, Mac, Name, OneOrMany, Record, Texts, TlsVersion

Method = Literal["srv", "dhcp", "acs", "manual"]
"""How a phone finds its profile: DNS SRV, a DHCP option, a TR-069 ACS, or not by discovery at all."""

Codes = Annotated[tuple[Annotated[int, Field(ge=1, le=254)], ...], OneOrMany()]


class Match(Record):
    """Which clients a class takes; every condition given must hold."""

    vendor_class: Texts = Field(
        default=(), description="Option 60 like one of these patterns (* and ?).", examples=["CP-*-3PCC*"]
    )
    vendor_class_contains: Texts = Field(
        default=(), description="Option 60 contains one of these.", examples=["dslforum.org"]
    )
    host_name: Texts = Field(
        default=(), description="Option 12, or 81, is like one of these.", examples=["SEP*"]
    )
    user_class: Texts = Field(
        default=(), description="Option 77 has one of these classes (RFC 3004).", examples=["staging"]
    )
    mac: Texts = Field(
        default=(), description="MAC address, or its first octets, is one of these.", examples=["00:12:34"]
    )
    circuit_id: Texts = Field(
        default=(),
        description="Relay circuit ID (option 82.1): text pattern, or hex as 0x….",
        examples=["ge-0/0/*"],
    )
    remote_id: Texts = Field(
        default=(),
        description="Relay remote ID (option 82.2): text pattern, or hex as 0x….",
        examples=["0x001122334455"],
    )
    network: Texts = Field(
        default=(), description="The client is on one of these networks.", examples=["voice"]
    )
    requests: Codes = Field(
        default=(), description="Option 55 lists one of these option numbers.", examples=[[66, 150]]
    )
    any: tuple[Match, ...] = Field(default=(), description="At least one of these must match.")
    all: tuple[Match, ...] = Field(default=(), description="All of these must match.")
    not_: Match | None = Field(default=None, alias="not", description="This must not match.")


class PhoneClass(Record):
    """A kind of client, and what it gets; the first class that matches wins, in the order written."""

    match: Match | None = Field(
        default=None,
        description="Which clients belong here. Left out: only phones that name the class.",
        examples=[{"vendor_class": "CP-*-3PCC*"}],
    )
    method: Method | None = Field(
        default=None, description="How these phones find their profile. Default: srv."
    )
    acs_url: str | None = Field(
        default=None,
        description="URL of the TR-069 ACS, sent in options 43 and 125 to clients of method acs.",
        examples=["https://pr1.example.com:7547/"],
    )
    provisioning_code: str | None = Field(
        default=None, description="TR-069 provisioning code, beside acs_url.", examples=["staging"]
    )
    options: Options = Field(
        default={},
        description="DHCP options by number.",
        examples=[{66: "10.20.0.1", 150: ["10.20.0.1"], 160: "https://pr1.example.com/$PSN.xml"}],
    )
    force: Codes = Field(
        default=(),
        description="Options sent even if the client does not ask for them (option 55).",
        examples=[[43, 125]],
    )
    profile: str | None = Field(default=None, description="A name under `profiles:`.", examples=["desk"])
    values: Values = Field(
        default={},
        description="Profile parameters for every phone of the class.",
        examples=[{"Proxy_1_": "example.com"}],
    )
    encryption: Encryption | None = Field(
        default=None, description="How profiles are encrypted. Default: the site's."
    )
    auth: Auth | None = Field(default=None, description="Credentials for profiles. Default: the site's.")
    demand: Demand | None = Field(
        default=None, description="What phones must show for their profile. Default: the site's."
    )
    keys: Keys | None = Field(
        default=None, description="Who is given keys and passwords of profiles. Default: the site's."
    )
    tls_min: TlsVersion | None = Field(
        default=None,
        description="Oldest TLS version that the HTTPS servers speak with listed phones of the class, by their address. "
        "Default: the site's (`certificates: {tls_min: …}`).",
        examples=["1.0"],
    )


class Phone(Record):
    """One phone, known by its MAC address."""

    mac: Mac = Field(description="MAC address, in any usual notation.", examples=["00:12:34:ab:45:de"])
    model: str | None = Field(
        default=None, description="Product name, as on the box.", examples=["CP-8851-3PCC"]
    )
    serial: str | None = Field(default=None, description="Serial number, for $SN.", examples=["FCH2048A1B2"])
    name: Name | None = Field(
        default=None, description="Host name: option 12 and an A record. Default: none.", examples=["lobby"]
    )
    class_: str | None = Field(
        default=None,
        alias="class",
        description="A name under `classes:`; default: by `match`.",
        examples=["mpp"],
    )
    network: str | None = Field(
        default=None, description="A name under `networks:`; default: any.", examples=["voice"]
    )
    address: Ipv4 | None = Field(
        default=None, description="Fixed address. Default: one of the pool.", examples=["10.20.0.50"]
    )
    profile: str | None = Field(
        default=None, description="A name under `profiles:`; default: its class's.", examples=["desk"]
    )
    method: Method | None = Field(default=None, description="Overrides its class's method.")
    options: Options = Field(
        default={}, description="DHCP options by number; override its class's.", examples=[{66: "10.20.0.1"}]
    )
    values: Values = Field(
        default={},
        description="Profile parameters of this phone alone.",
        examples=[{"Display_Name_1_": "4081001141"}],
    )
    firmware: str | None = Field(
        default=None, description="Firmware version it is known to run.", examples=["11.3.1"]
    )

"""The names of the inventory: hosts, SRV records, further records and zones, and how DNS serves them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from netprov.inventory.model.scalar import AnyAddresses, Duration, Name, Names, Port, Priority, Record, Texts


def _host(value: Any) -> Any:
    """Let an operator write `pr1: 10.20.0.11` or a list of addresses for a host."""
    return value if isinstance(value, dict | Host) else {"addresses": value}


class Host(Record):
    """A machine with a name: an SRV target, a time server, anything phones must find."""

    addresses: AnyAddresses = Field(
        min_length=1,
        description="IPv4 and IPv6 addresses; one A or AAAA record each.",
        examples=["10.20.0.11"],
    )
    aliases: Names = Field(default=(), description="Further names, published as CNAME.", examples=["prov"])


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
        examples=[[{"target": "pr1", "port": 443}]],
    )
    http: tuple[SrvTarget, ...] | None = Field(
        default=None,
        description="Records of `_ciscoprov-http._tcp`. Default, if neither service is given: this server, port 80, "
        "where a factory phone that cannot yet trust your CA gets it.",
        examples=[[{"target": "pr1", "port": 80}]],
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
        description="Owner, as in a master file: relative to the domain, `@` for the domain itself, absolute with a "
        "final dot. A name that ends in the domain is absolute too.",
        examples=["www", "@", "_sip._udp"],
    )
    type: str = Field(
        description="Record type: TXT, NAPTR …; an unknown one as TYPE65280, its data as `\\# length hexadecimal` "
        "(RFC 3597).",
        examples=["TXT"],
    )
    data: str = Field(
        description="The record's data as in a master file.",
        examples=['"v=spf1 -all"'],
    )
    ttl: Duration | None = Field(default=None, description="Default: `dns.ttl`.")


class Domain(Record):
    """A further domain (a tenant's), for networks that hand it out in option 15."""

    hosts: dict[Name, HostField] = Field(
        default={}, description="Hosts under this domain, by name.", examples=[{"pr1": "10.20.0.21"}]
    )
    srv: Srv | None = Field(
        default=None, description="Its provisioning services. Default: the same targets as the main domain's."
    )
    records: tuple[ExtraRecord, ...] = Field(default=(), description="Further DNS records under it.")


class ZoneFile(Record):
    """A whole zone, written by hand as a master file."""

    origin: str = Field(
        min_length=1,
        description="Name of the zone, any that DNS allows: `0/25.2.0.192.in-addr.arpa` (RFC 2317), `.` for the root, "
        "escapes as in master files.",
        examples=["example.org"],
    )
    file: str = Field(
        description="Its master file; relative to the inventory's directory.",
        examples=["zones/example.org.zone"],
    )


class TsigKey(Record):
    """A secret shared with a secondary (TSIG, RFC 8945), kept at one of these places."""

    algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"] = Field(
        default="hmac-sha256", description="How it signs."
    )
    file: str | None = Field(
        default=None,
        description="A file that holds the secret: in base64 alone, or as `tsig-keygen` or `keymgr -t` print a key. "
        "Relative to the inventory's directory.",
        examples=["/etc/netprov/transfer.key"],
    )
    environment: str | None = Field(
        default=None, description="An environment variable that holds the same.", examples=["NETPROV_TSIG"]
    )
    credential: str | None = Field(
        default=None,
        description="A systemd credential (LoadCredential=) that holds the same.",
        examples=["transfer.key"],
    )
    secret: str | None = Field(
        default=None,
        description="The secret itself in base64, of 16 octets or more: in a lab, for whoever reads the inventory has it.",
        examples=["6UbQ0r1O0aFSc1PFQeVxJ0xZ1mGfX4m0Kq5sYw3m2nE="],
        repr=False,
    )


class Secondary(Record):
    """Another name server (NSD, Knot, BIND) that follows this one: it is notified, and may transfer the zones."""

    address: IPv4Address | IPv6Address = Field(description="Where it is.", examples=["10.20.0.2"])
    port: Port = Field(default=53, description="Where it listens for NOTIFY.")
    key: str | None = Field(
        default=None,
        description="A name under `dns: {keys: …}` that it must sign with. Default: none.",
        examples=["transfer"],
    )
    name: Name | None = Field(
        default=None, description="Its host name, published as NS of every zone. Default: none, it is hidden."
    )


class RateLimit(Record):
    """How many UDP replies a source gets; what is over it is dropped, some of it sent to TCP instead."""

    rate: int = Field(default=100, ge=1, description="Replies a second for each source prefix.")
    slip: int = Field(
        default=2, ge=0, description="Every so many replies over the limit say `ask over TCP`; 0 for none."
    )
    lan: bool = Field(default=False, description="Limit the LAN's own networks too.")


class Dns(Record):
    """How DNS serves."""

    ttl: Duration = Field(default=300, description="TTL of records that do not say their own.")
    negative_ttl: Duration = Field(
        default=60, description="For how long clients may remember that a name or record does not exist."
    )
    serial: int = Field(
        default=1,
        ge=1,
        le=0xFFFFFFFF,
        description="Serial number that zones begin with; while serving it rises with every change by itself.",
    )
    listen: AnyAddresses | None = Field(
        default=None,
        description="Addresses to answer at. Default: this server's address on every network.",
        examples=[["10.20.0.1", "127.0.0.1"]],
    )
    port: Port = Field(default=53, description="Port to answer at. Phones ask at 53 alone.")
    include: Texts = Field(
        default=(),
        description="Master files whose records join the domain's zone; relative to the inventory's directory.",
        examples=["zones/extra.zone"],
    )
    keys: dict[Name, TsigKey] = Field(default={}, description="TSIG keys, by name.")
    secondaries: tuple[Secondary, ...] = Field(
        default=(), description="Servers that follow this one. Nobody else may transfer zones."
    )
    forward: AnyAddresses = Field(
        default=(),
        description="Resolvers that are asked, for clients on the LAN, what is not served here. Default: none, "
        "it is refused.",
        examples=["192.0.2.53"],
    )
    blackhole: Names = Field(
        default=(),
        description="Names that do not exist for the LAN, with all below them; on a closed LAN this spares phones the "
        "wait for Cisco's activation hosts.",
        examples=[["activate.cisco.com", "webapps.cisco.com", "activation.webex.com"]],
    )
    limit: RateLimit | None = Field(
        default=RateLimit(), description="Response rate limiting; `null` for none."
    )
    cookies: bool | Literal["required"] = Field(
        default=True,
        description="Answer DNS cookies (RFC 7873). `required`: over UDP, clients that are not on the LAN get an answer "
        "only with a good cookie (BADCOOKIE hands them one), and those that know no cookies are sent to TCP.",
    )
    strict: bool = Field(
        default=False,
        description="A zone under `zones:` that cannot be loaded stops everything. Default: that zone alone is not "
        "served (SERVFAIL), `check` calls it an error and the log says so; in a reload its last good version stays.",
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Processes that answer over UDP, sharing the port."
    )
    version: str | None = Field(
        default=None,
        description="What `version.bind` is answered. Default: it is refused.",
        examples=["none"],
    )
    identity: str | None = Field(
        default=None,
        description="What `id.server` and the NSID option say. Default: nothing.",
        examples=["ns1"],
    )

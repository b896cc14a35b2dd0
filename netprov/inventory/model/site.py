"""The server itself: its name, its state directory, its certificates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from netprov.inventory.model.scalar import (
    AnyAddresses,
    Duration,
    Name,
    Names,
    OneOrMany,
    Record,
    Texts,
    TlsVersion,
)


class Server(Record):
    """This machine."""

    name: Name = Field(
        default="netprov",
        description="Host name of this server under the domain: the SOA's and NS's, and the default SRV target.",
    )
    state: str = Field(
        default="/var/lib/netprov",
        description="Directory for leases, keys and device records.",
        examples=["./state"],
    )
    reload_limit: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="`netprov reload` refuses what more listed phones than this would see, unless --yes is said.",
        examples=[20],
    )
    user: str | None = Field(
        default=None,
        description="User that `netprov serve` becomes when root starts it, with the right to open its sockets and no other. "
        "Default: whom sudo was called by, if that user can read and write what is needed; `root` stays root.",
        examples=["netprov"],
    )


class Certificates(Record):
    """The local certificate authority, what it issues, and how TLS is served with it."""

    ca_name: str = Field(
        default="netprov staging CA",
        min_length=1,
        max_length=56,
        description="Common name of the local CA: what a phone shows under Custom CA Info.",
    )
    ca_key: Literal["rsa-2048", "rsa-4096", "ecdsa-p256"] = Field(
        default="rsa-2048", description="Key of the local CA. RSA is what every firmware can check."
    )
    ca_lifetime: Duration = Field(default=3650 * 86400, description="Lifetime of the CA's certificate.")
    intermediate: bool = Field(
        default=False,
        description="Issue from an intermediate CA, so that the root's key can be kept elsewhere.",
    )
    name_constraints: bool = Field(
        default=True,
        description="Let the CA certify only the names of this inventory: its key is then of no use against others.",
    )
    keys: Annotated[tuple[Literal["rsa-2048", "ecdsa-p256"], ...], OneOrMany()] = Field(
        default=("rsa-2048", "ecdsa-p256"),
        min_length=1,
        description="Kinds of keys a server has a chain for; the client's TLS chooses.",
    )
    lifetime: Duration = Field(default=397 * 86400, description="Lifetime of server certificates.")
    renew_before: Duration = Field(
        default=30 * 86400,
        description="Issue again this long before the end, or in the last third of the lifetime if that is shorter.",
    )
    backdate: Duration = Field(
        default=86400,
        description="Let certificates begin this long ago, for phones whose clocks are behind.",
    )
    names: Names = Field(
        default=(),
        description="Further names in every certificate, beside the domain, the SRV targets and this server's.",
        examples=[["provision"]],
    )
    addresses: Literal["none", "hosts"] | AnyAddresses = Field(
        default="none",
        description="IP addresses in every certificate: `none`, `hosts` for this server's and the targets', or a list. "
        "A phone that is given a bare address ends its tries with HTTPS to it.",
        examples=["hosts", ["10.20.0.1"]],
    )
    crl_url: str | None = Field(
        default=None,
        description="Where clients fetch the revocation list; written into every certificate.",
        examples=["http://netprov.example.com/crl.der"],
    )
    crl_lifetime: Duration = Field(default=30 * 86400, description="Lifetime of the revocation list.")
    client_certificates: Literal["off", "optional", "required"] = Field(
        default="off",
        description="Ask phones for their own certificate: not at all, or verify it if there is one, or insist.",
    )
    client_roots: Texts = Field(
        default=(),
        description="PEM files of CAs whose phone certificates are believed, beside the local CA: Cisco's, old and new.",
        examples=[["cisco-manufacturing.pem"]],
    )
    tls_min: TlsVersion = Field(
        default="1.2",
        description="Oldest TLS version served; below 1.2 also old ciphers and signatures, for old firmware only.",
    )

"""The server itself: its name, its state directory, its certificates."""

from __future__ import annotations

from pydantic import Field

from netprov.inventory.model.scalar import Duration, Name, Record


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


class Certificates(Record):
    """The local certificate authority and what it issues."""

    ca_name: str = Field(default="netprov staging CA", description="Common name of the local CA.")
    ca_lifetime: Duration = Field(default=3650 * 86400, description="Lifetime of the CA's certificate.")
    lifetime: Duration = Field(default=397 * 86400, description="Lifetime of server certificates.")

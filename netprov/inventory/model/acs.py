"""The TR-069 auto-configuration server (ACS) of the inventory."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from netprov.inventory.model.scalar import Duration, Record


class AcsCredentials(Record):
    """What a phone must say to the ACS; set the same on the phone, as ACS username and password."""

    username: str = Field(description="ACS username of the phones.", examples=["admin"])
    password: str | None = Field(
        default=None,
        description="ACS password of the phones. Default: the secret named `acs` of `provisioning: {secrets: …}`, a file "
        "that not everyone can read.",
        examples=["a long random text"],
    )
    scheme: Literal["digest", "basic"] = Field(
        default="digest",
        description="HTTP authentication: `digest`, or `basic` as well, which HTTPS must hide.",
    )


class AcsSettings(Record):
    """How the ACS serves; it runs where the host of a class's `acs_url` is this machine."""

    inform_interval: Duration = Field(
        default=3600,
        description="Time between two periodic Informs of a phone; a factory-fresh phone sends one every 20 seconds.",
        examples=["1h"],
    )
    unlisted: Literal["bootstrap", "record"] = Field(
        default="bootstrap",
        description="What a phone gets that is not under `phones:`: the `bootstrap` profile of its model, or nothing, "
        "only a `record` that it was there.",
    )
    credentials: AcsCredentials | None = Field(
        default=None, description="Ask phones for a password. Default: a staging LAN asks for none."
    )

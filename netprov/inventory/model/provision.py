"""The provisioning of the inventory: profiles and their values, static files, how the servers behave."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from netprov.inventory.model.scalar import Record, Texts


class Parameter(Record):
    """One parameter of a profile."""

    value: str | None = Field(
        default=None,
        description="Text, or a Jinja2 template of it; left out, the phone keeps what it has.",
        examples=["example.com", "{{ phone.name }}"],
    )
    ua: Literal["na", "ro", "rw"] | None = Field(
        default=None, description="What the phone's user may do with it: nothing, read, change."
    )


Values = dict[str, str | Parameter]
"""Parameters by their XML names; a text alone is the value."""


class Profile(Record):
    """A configuration profile, from which a phone's flat-profile is made."""

    values: Values = Field(
        default={},
        description="Parameters by their XML names.",
        examples=[{"Display_Name_1_": "4081001141", "Proxy_1_": "example.com"}],
    )
    template: str | None = Field(
        default=None,
        description="Jinja2 text of the whole XML, where {{ parameters }} stands for the merged values. Default: "
        "a flat-profile of these values.",
    )


class Provisioning(Record):
    """What the TFTP, HTTP and HTTPS servers give to phones."""

    values: Values = Field(default={}, description="Profile parameters of every phone of the site.")
    bootstrap: bool = Field(
        default=True,
        description="Answer phones that are not listed with a small profile that brings them to HTTPS.",
    )
    secure: bool = Field(
        default=True,
        description="Add Custom_CA_Rule and Profile_Rule (HTTPS) to profiles that leave over TFTP or HTTP, unless "
        "they set these themselves: a factory phone does not trust a private CA.",
    )
    paths: Texts = Field(
        default=(),
        description="Further paths under which phones find their profile, with macros.",
        examples=[["/cp/conf/$MAU.xml"]],
    )
    files: dict[str, str] = Field(
        default={},
        description="Directories that are served as they are, by the path they appear under.",
        examples=[{"/firmware": "/srv/firmware"}],
    )
    redirects: dict[str, str] = Field(
        default={},
        description="Paths that are answered with 302 to another address, macros and all.",
        examples=[{"/old.xml": "https://pr1.example.com/$PSN.xml"}],
    )

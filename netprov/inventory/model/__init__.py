"""The inventory's data model: what an operator may write, with defaults for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, PrivateAttr

from netprov.errors import Problem
from netprov.inventory.model.acs import AcsCredentials, AcsSettings
from netprov.inventory.model.dhcp import Dhcp, Gateway
from netprov.inventory.model.dns import Dns, Domain, ExtraRecord, Host, HostField, Srv, SrvTarget, ZoneFile
from netprov.inventory.model.lab import Cable, Lab, Outage
from netprov.inventory.model.metrics import Metrics
from netprov.inventory.model.network import Network, Options, Route
from netprov.inventory.model.phone import Match, Method, Phone, PhoneClass
from netprov.inventory.model.provision import (
    Auth,
    Demand,
    Encryption,
    Keys,
    Parameter,
    Profile,
    Provisioning,
    Redirection,
    Secrets,
)
from netprov.inventory.model.scalar import Name, Record, Texts
from netprov.inventory.model.site import Certificates, Server
from netprov.inventory.model.source import Source, SourceName, SourceProgram, SourceQuery, SourceUrl

__all__ = [
    "AcsCredentials",
    "AcsSettings",
    "Auth",
    "Cable",
    "Certificates",
    "Demand",
    "Dhcp",
    "Dns",
    "Domain",
    "Encryption",
    "ExtraRecord",
    "Gateway",
    "Host",
    "Inventory",
    "Keys",
    "Lab",
    "Match",
    "Method",
    "Metrics",
    "Network",
    "Options",
    "Outage",
    "Parameter",
    "Phone",
    "PhoneClass",
    "Profile",
    "Provisioning",
    "Redirection",
    "Route",
    "Secrets",
    "Server",
    "Source",
    "SourceProgram",
    "SourceQuery",
    "SourceUrl",
    "Srv",
    "SrvTarget",
    "ZoneFile",
]


class Inventory(Record):
    """One staging LAN."""

    version: Literal[1] = Field(default=1, description="Version of this format.")
    include: Texts = Field(
        default=(),
        description="Further files, relative to this one, whose sections are added; * and ? stand for any characters.",
        examples=[["phones.yaml", "sites/*.yaml"]],
    )
    domain: Name = Field(
        description="DNS domain of the LAN: option 15, the owner of the SRV records, the name every certificate carries.",
        examples=["example.com"],
    )
    networks: dict[str, Network] = Field(
        min_length=1,
        description="The networks, by a name of your own.",
        examples=[{"voice": {"interface": "lan0", "subnet": "10.20.0.0/24"}}],
    )
    server: Server = Field(default=Server(), description="This machine.")
    hosts: dict[Name, HostField] = Field(
        default={}, description="Hosts under the domain, by name.", examples=[{"pr1": "10.20.0.11"}]
    )
    srv: Srv = Field(default=Srv(), description="The provisioning services in DNS.")
    dhcp: Dhcp = Field(default=Dhcp(), description="How DHCP serves.")
    dns: Dns = Field(default=Dns(), description="How DNS serves.")
    acs: AcsSettings = Field(default=AcsSettings(), description="How the TR-069 ACS serves.")
    metrics: Metrics | None = Field(
        default=None, description="Where metrics are given. Default: nowhere; `{}` for the defaults."
    )
    records: tuple[ExtraRecord, ...] = Field(default=(), description="Further DNS records under the domain.")
    domains: dict[Name, Domain] = Field(
        default={},
        description="Further domains, by name. A domain that a network hands out needs no entry unless it differs.",
        examples=[{"tenant.example.net": {"hosts": {"pr1": "10.20.0.21"}}}],
    )
    zones: tuple[ZoneFile, ...] = Field(default=(), description="Whole further zones, from master files.")
    classes: dict[str, PhoneClass] = Field(
        default={},
        description="Kinds of clients, in the order they are tried.",
        examples=[{"mpp": {"match": {"vendor_class": "CP-*-3PCC*"}, "method": "srv"}}],
    )
    phones: tuple[Phone, ...] = Field(
        default=(),
        description="The phones that are known: a list, or `{csv: FILE}`.",
        examples=[[{"mac": "00:12:34:ab:45:de", "model": "CP-8851-3PCC"}]],
    )
    profiles: dict[str, Profile] = Field(
        default={},
        description="Configuration profiles, by name.",
        examples=[{"desk": {"values": {"Proxy_1_": "example.com"}}}],
    )
    provisioning: Provisioning = Field(
        default=Provisioning(), description="What the TFTP, HTTP and HTTPS servers give to phones."
    )
    sources: dict[SourceName, Source] = Field(
        default={},
        description="Where values of profiles come from that are kept elsewhere, by the name that templates call it: "
        "`{{ source.crm.extension }}`.",
        examples=[{"crm": {"program": {"command": ["/usr/local/bin/phone-values"]}}}],
    )
    certificates: Certificates = Field(
        default=Certificates(), description="The local CA and its certificates."
    )
    lab: Lab = Field(
        default=Lab(), description="The virtual LAN on which `netprov demo` tries this inventory."
    )

    _directory: str = PrivateAttr(default="")
    _texts: dict[str, str] = PrivateAttr(default_factory=dict)
    _unread: dict[str, Problem] = PrivateAttr(default_factory=dict)

    @property
    def directory(self) -> str:
        """The directory that relative file names start from."""
        return self._directory

    @property
    def texts(self) -> Mapping[str, str]:
        """The master files it names and those they include, by path; read by the loader, for a plan reads no files."""
        return self._texts

    @property
    def unread(self) -> Mapping[str, Problem]:
        """The master files of `zones:` that cannot be read, by path, and why."""
        return self._unread

    def with_texts(
        self, directory: str, texts: Mapping[str, str], unread: Mapping[str, Problem] | None = None
    ) -> Inventory:
        """Return the same inventory with its master files."""
        copy = self.model_copy()
        copy._directory, copy._texts = directory, dict(texts)  # noqa: SLF001 - of its own class
        copy._unread = dict(unread or {})  # noqa: SLF001
        return copy

"""What the DHCP server serves: networks, classes, phones, limits, all in octets; made by `netprov.plan.dhcp`.

Addresses are unsigned 32-bit integers, 0 for none; ranges include both ends; times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from netprov.dhcp.match import Condition

Method = Literal["srv", "dhcp", "acs", "manual"]
Origin = tuple["str | int", ...]
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One option to send, and the path in the inventory that it comes from."""

    code: int
    data: bytes
    origin: Origin


Settings = Mapping[int, Setting]


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a gateway tells TR-069 devices of itself (TR-069 Annex F: option 125, sub-options 4 to 6)."""

    oui: str
    serial: str
    product_class: str = ""

    def suboptions(self) -> Mapping[int, bytes]:
        """Return the sub-options of enterprise 3561."""
        found = {4: self.oui.encode(), 5: self.serial.encode(), 6: self.product_class.encode()}
        return {code: data for code, data in found.items() if data}


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """One network: its addresses, its times, its options, and whom it serves."""

    name: str
    prefix: int
    mask: int
    address: int
    """Option 54 here: this server's own address."""
    interface: str = ""
    """Local interface, "" for a network behind a relay."""
    link: str = ""
    """A name that the networks of one link share, "" where the interface says it."""
    classes: tuple[str, ...] = ()
    """The classes whose clients get addresses of the pool, () for all."""
    pool: Ranges = ()
    """Addresses for every client."""
    reserved: Ranges = ()
    """Addresses for listed phones only; no part of `pool`."""
    kept: int = 0
    """Addresses of `pool` that clients which are not listed do not get, those that listed phones hold included."""
    per_port: int = 0
    """Addresses of `pool` that clients which are not listed may hold behind one port (option 82); 0 for any number."""
    settings: Settings = field(default_factory=dict)
    lease: int = 3600
    t1: int = 0
    """Seconds until a client renews (option 58), 0 for half of its lease time."""
    t2: int = 0
    """Seconds until it asks any server (option 59), 0 for seven eighths."""
    lease_min: int = 120
    lease_max: int = 3600
    clients: Literal["phones", "known", "all"] = "phones"
    authoritative: bool = False
    bootp: bool = False
    probe: bool = True
    """Ask the network whether an address is in use before offering it (RFC 2131 2.2)."""
    others_allowed: bool = False
    """Serve beside another DHCP server."""
    gateway: Gateway | None = None

    def contains(self, address: int) -> bool:
        """Say whether an address is of this subnet."""
        return address & self.mask == self.prefix


@dataclass(frozen=True, slots=True)
class ClassConfig:
    """A kind of client, and what it gets."""

    name: str
    method: Method
    condition: Condition | None = None
    """None: only phones that name the class."""
    settings: Settings = field(default_factory=dict)
    force: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PhoneConfig:
    """A listed phone."""

    mac: bytes
    origin: Origin
    network: str = ""
    """The network it belongs to, "" for any."""
    address: int = 0
    """Its fixed address, 0 for one of the pool."""
    class_name: str = ""
    """Its class by name or by model; "" for none."""
    named: bool = False
    """The phone names its class, so requests are not matched."""
    method: Method | None = None
    """Its own method, which overrides its class's."""
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """How much the server takes on; every table behind these numbers is bounded."""

    client_rate: int = 20
    """Messages of one client each second."""
    total_rate: int = 0
    """Messages of all clients each second, 0 for as many as it can."""
    offer_hold: int = 15
    """Seconds that an offered address is kept for its client."""
    decline_hold: int = 3600
    """Seconds that an address which a probe found taken is not offered."""
    unseen_hold: int = 60
    """The same for one that a client declined, and no probe found taken; no time at all for its fixed address."""


@dataclass(frozen=True, slots=True)
class DhcpConfig:
    """Everything the server serves."""

    networks: tuple[NetworkConfig, ...] = ()
    classes: tuple[ClassConfig, ...] = ()
    """In the order they are tried."""
    phones: Mapping[bytes, PhoneConfig] = field(default_factory=dict)
    limits: ServerLimits = ServerLimits()
    pin_neighbours: bool = False
    """Whether leases are entered into the kernel's table of neighbours, for good."""

    def network(self, name: str) -> NetworkConfig | None:
        """Return the network of that name."""
        return next((network for network in self.networks if network.name == name), None)

    def class_named(self, name: str) -> ClassConfig | None:
        """Return the class of that name."""
        return next((each for each in self.classes if each.name == name), None)

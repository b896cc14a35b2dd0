"""What happens to a DHCP client: offers, leases, refusals (RFC 2131 section 4.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from netprov.dhcp.message import Message


@dataclass(frozen=True, slots=True)
class ClientLease:
    """What a server granted; `options` holds every option of its DHCPACK, times are in the caller's clock."""

    address: str
    server_id: str
    obtained: float
    """When the request was sent, from which the lease counts (RFC 2131 4.4.1)."""
    lease_time: int
    t1: float
    t2: float
    options: Mapping[int, bytes]
    ack: Message

    @property
    def expires(self) -> float:
        """When the address must no longer be used."""
        return self.obtained + self.lease_time


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """A server offered an address; the client asks it for that."""

    address: str
    server_id: str
    offer: Message
    event_kind: ClassVar[str] = "OfferReceived"


@dataclass(frozen=True, slots=True)
class Acquired:
    """The client is bound: configure the address, or `decline` it."""

    lease: ClientLease
    event_kind: ClassVar[str] = "Acquired"


@dataclass(frozen=True, slots=True)
class Renewed:
    """The lease was extended, by renewing or rebinding; its options may have changed."""

    lease: ClientLease
    event_kind: ClassVar[str] = "Renewed"


@dataclass(frozen=True, slots=True)
class Refused:
    """A server answered DHCPNAK; the address must no longer be used, the client starts anew."""

    server_id: str
    message: str
    event_kind: ClassVar[str] = "Refused"


@dataclass(frozen=True, slots=True)
class Lost:
    """The lease ran out without renewal; the address must no longer be used."""

    address: str
    event_kind: ClassVar[str] = "Lost"


@dataclass(frozen=True, slots=True)
class InformAnswered:
    """An answer to DHCPINFORM: options without an address."""

    server_id: str
    options: Mapping[int, bytes]
    ack: Message
    event_kind: ClassVar[str] = "InformAnswered"

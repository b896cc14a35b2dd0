"""A lease on an address, and what happens to leases: the facts that must outlive the server (RFC 2131 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, NamedTuple

from netprov.dhcp.message import dotted
from netprov.mac import format_mac


class LeaseState(IntEnum):
    """What an address is to its client; the numbers are kept on disk."""

    BOUND = 1
    RELEASED = 2
    EXPIRED = 3
    DECLINED = 4
    """Found in use by a stranger: not given to anyone until `expires`."""


class Lease(NamedTuple):
    """One address and its client; times are seconds of the lease clock.

    A named tuple, where other values are frozen dataclasses: it is made in a sixth of the time, at every DHCPACK.
    """

    address: int
    network: str
    key: bytes
    """Option 61, or hardware type and address: who holds it (RFC 2131 2.1)."""
    mac: bytes
    state: LeaseState
    started: float
    expires: float
    hostname: str = ""
    vendor_class: str = ""
    relay: bytes = b""
    """Option 82 as it came."""
    device: tuple[str, ...] = ()
    """OUI, serial, product class of a TR-069 device (Annex F: the gateway keeps them with the lease)."""

    def active(self, now: float) -> bool:
        """Say whether its client may use the address now."""
        return self.state is LeaseState.BOUND and self.expires > now


@dataclass(frozen=True, slots=True)
class Bound:
    """An address was granted or its lease extended (`renewed`)."""

    lease: Lease
    renewed: bool = False
    event_kind: ClassVar[str] = "Bound"

    def __str__(self) -> str:
        return f"{_who(self.lease)} {'keeps' if self.renewed else 'gets'} {_what(self.lease)}"


@dataclass(frozen=True, slots=True)
class Released:
    """A client gave its address back, or moved to another."""

    lease: Lease
    event_kind: ClassVar[str] = "Released"

    def __str__(self) -> str:
        return f"{_who(self.lease)} gives {_what(self.lease)} back"


@dataclass(frozen=True, slots=True)
class Declined:
    """A client, or a probe before an offer, found the address in use by a stranger."""

    lease: Lease
    found_by: str
    event_kind: ClassVar[str] = "Declined"

    def __str__(self) -> str:
        return f"{_what(self.lease)} is in use by a stranger, says a {self.found_by}"


@dataclass(frozen=True, slots=True)
class Expired:
    """A lease ran out, or the hold on a declined address ended."""

    lease: Lease
    event_kind: ClassVar[str] = "Expired"

    def __str__(self) -> str:
        return f"{_what(self.lease)} of {_who(self.lease)} has run out"


@dataclass(frozen=True, slots=True)
class Nak:
    """A client was refused the address that it wanted (RFC 2131 4.3.2)."""

    mac: bytes
    network: str
    reason: str
    event_kind: ClassVar[str] = "Nak"

    def __str__(self) -> str:
        return f"{format_mac(self.mac)} is refused (DHCPNAK) on {self.network}: {self.reason}"


@dataclass(frozen=True, slots=True)
class PoolUsedUp:
    """A network has no address left for a client that asks; told once in a while."""

    network: str
    mac: bytes
    kept: str = ""
    """Why there is none though some are free."""
    event_kind: ClassVar[str] = "PoolUsedUp"
    log_level: ClassVar[str] = "warning"

    def __str__(self) -> str:
        who = f"no address is left on network {self.network} for {format_mac(self.mac)}"
        if self.kept:
            return f"{who}, which is not listed: {self.kept}; list it, enlarge `pool:`, or set `kept:` and `per_port:` of the network"
        return f"{who}: enlarge its `pool:`, or shorten its `lease:`"


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Leases in force on addresses that a new plan gives to others or to nobody."""

    network: str
    addresses: tuple[str, ...]
    event_kind: ClassVar[str] = "Misplaced"
    log_level: ClassVar[str] = "warning"

    def __str__(self) -> str:
        shown = ", ".join(self.addresses[:5]) + (", …" if len(self.addresses) > 5 else "")
        return (
            f"{len(self.addresses)} leases on network {self.network} are on addresses that the plan gives to others or to "
            f"nobody: {shown}; each client is moved when it renews"
        )


def _who(lease: Lease) -> str:
    return f"{format_mac(lease.mac)} ({lease.hostname})" if lease.hostname else format_mac(lease.mac)


def _what(lease: Lease) -> str:
    return f"{dotted(lease.address)} on {lease.network}"


LeaseEvent = Bound | Released | Declined | Expired

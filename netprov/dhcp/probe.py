"""Offers and DECLINEs that wait until the network was asked whether their address is in use (RFC 2131 2.2, 4.4.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from netprov.dhcp.message import Type, dotted
from netprov.dhcp.reply import Incoming

WAIT = 0.25
"""Seconds to wait for the answer to a probe before the address counts as free."""

MOST = 256
"""Offers that may wait at once; beyond it addresses are offered unprobed, so that a flood delays nobody."""

TRIES = 4
"""Addresses probed for one DISCOVER before giving up."""

FREE_S = 15.0
"""Seconds that an address which nobody claimed is offered to the same client again unprobed: he may not have heard the offer, or
somebody may have asked in his name meanwhile, whose request was answered instead of his."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An address to ask the network about, before it is offered: by ARP on `interface`, by ping behind a relay."""

    address: str
    interface: str
    relayed: bool


@dataclass(frozen=True, slots=True)
class Parked:
    """An offer that waits, or a DECLINE; `tries` counts the addresses probed for it, this one included.

    `then` is the DISCOVER that came for a declined address while it is looked at.
    """

    incoming: Incoming
    deadline: float
    tries: int
    then: Incoming | None = None


class Probing:
    """The offers that wait, by address."""

    def __init__(self) -> None:
        self._parked: dict[int, Parked] = {}
        self._probes: list[Probe] = []
        self._free: dict[int, tuple[bytes, float]] = {}

    @property
    def full(self) -> bool:
        """Say whether no more offers may wait."""
        return len(self._parked) >= MOST

    def __contains__(self, address: int) -> bool:
        return address in self._parked

    def park(self, address: int, incoming: Incoming, now: float, tries: int) -> None:
        """Let an offer wait; a repeated DISCOVER takes the place of the one before, and its remaining time."""
        waiting = self._parked.get(address)
        self._parked[address] = Parked(incoming, waiting.deadline if waiting else now + WAIT, tries)
        if waiting is None:
            relayed = incoming.request.giaddr != 0
            self._probes.append(Probe(dotted(address), incoming.network.interface, relayed))

    def defer(self, address: int, incoming: Incoming) -> bool:
        """Let a DISCOVER wait if its address was declined and is looked at; say whether it is."""
        waiting = self._parked.get(address)
        if waiting is None or waiting.incoming.request.type != Type.DECLINE:
            return False
        self._parked[address] = replace(waiting, then=incoming)
        return True

    def note(self, address: int, key: bytes, now: float, *, free: bool) -> None:
        """Remember that nobody claimed an address which is offered to a client, or forget that."""
        self._free.pop(address, None)
        if free:
            while len(self._free) >= MOST * TRIES:
                del self._free[next(iter(self._free))]
            self._free[address] = key, now + FREE_S

    def is_free(self, address: int, key: bytes, now: float) -> bool:
        """Say whether an address was found free for this client a moment ago."""
        found = self._free.get(address)
        return found is not None and found[0] == key and now < found[1]

    def take(self, address: int) -> Parked | None:
        """Return and forget the offer of an address."""
        return self._parked.pop(address, None) if self._parked else None

    def due(self, now: float) -> list[int]:
        """Return the addresses that nobody has claimed in time."""
        return [address for address, parked in self._parked.items() if parked.deadline <= now]

    def next_due(self) -> float | None:
        """Return when the next wait ends."""
        return min((parked.deadline for parked in self._parked.values()), default=None)

    def waiting(self) -> list[Incoming]:
        """Return the requests that wait, in the order in which they are to be answered."""
        return [
            each
            for parked in self._parked.values()
            for each in (parked.incoming, parked.then)
            if each is not None
        ]

    def probes(self) -> list[Probe]:
        """Return and forget the probes to send."""
        probes, self._probes = self._probes, []
        return probes

"""Which addresses are phones', for when there is not room for everybody: those with a lease, those answered before.

Asked under a flood, so an answer costs no more than a look into a set: the leases are read again once a second.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Final

from netprov.errors import ServiceError
from netprov.state.lease import LeaseReader

_REMEMBERED: Final = 16384
"""Addresses that are remembered as those of phones."""
_FRESH_S: Final = 1.0


class KnownAddresses:
    """The addresses that come first; the lease file is the state directory's, whichever process writes it."""

    def __init__(self, state: Path, clock: Callable[[], float]) -> None:
        self._leases = LeaseReader(state)
        self._clock = clock
        self._answered: dict[str, None] = {}
        self._held: frozenset[int] = frozenset()
        self._read_at = -_FRESH_S

    def answered(self, address: str) -> None:
        """Remember that an address was given what only a phone asks for, and took it."""
        if address not in self._answered:
            while len(self._answered) >= _REMEMBERED:
                del self._answered[next(iter(self._answered))]
            self._answered[address] = None

    def __contains__(self, address: object) -> bool:
        """Say whether a phone has this address, as far as anything here knows."""
        if address in self._answered:
            return True
        try:
            number = int(IPv4Address(address))
        except (AddressValueError, ValueError):
            return False
        now = self._clock()
        if now - self._read_at >= _FRESH_S:
            self._read_at = now
            with suppress(ServiceError):
                self._held = self._leases.held()
        return number in self._held

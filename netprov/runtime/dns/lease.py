"""Follows the lease file for the names of leases, once a second, whichever process writes it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from netprov.dns.zone.lease_name import LeaseName
from netprov.state.clock import LeaseClock
from netprov.state.lease import LeaseReader


class LeaseNames:
    """The names of active leases, and when they change."""

    def __init__(self, directory: Path) -> None:
        self._reader = LeaseReader(directory)
        self._changes: int | None = None
        self._until = 0.0
        self._domains: Mapping[str, bytes] = {}

    def poll(self, domains: Mapping[str, bytes]) -> tuple[LeaseName, ...] | None:
        """Return the names now, or None if they are as they were; `domains` are those of the networks.

        Raises `ServiceError` if the lease file cannot be read.
        """
        changes = self._reader.changes()
        now = LeaseClock(self._reader.anchor()).now() if changes >= 0 else 0.0
        if changes == self._changes and domains == self._domains and now < self._until:
            return None
        named = self._reader.named(now)
        self._changes, self._domains = changes, domains
        self._until = min((lease.expires for lease in named), default=float("inf"))
        return tuple(
            LeaseName(lease.hostname, domains[lease.network], IPv4Address(lease.address))
            for lease in named
            if lease.network in domains
        )

    def forget(self) -> None:
        """Let the next poll return the names: those of the last one were not served."""
        self._changes = None

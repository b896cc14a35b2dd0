"""Holds this machine's table of neighbours to the leases, so that no other host takes a phone's place by ARP.

ARP is believed by everybody (RFC 826): whoever sends requests in the name of a phone's address has the server's answers go to
himself or nowhere. A permanent entry is not overwritten (arp(7)). It is marked with the protocol DHCP, by which those of a server
that was killed are found again. Only hosts on a link of this machine have entries; behind a relay the router has.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final

from netprov.dhcp.config import DhcpConfig
from netprov.dhcp.lease import Bound, Lease, LeaseEvent
from netprov.runtime.dhcp.trouble import PINS, Troubles
from netprov.runtime.net.rtnetlink import Interface

_HARDWARE: Final = 6
"""Octets of an Ethernet address; others have no entry."""


class Pins:
    """The permanent entries of leases; `troubles` are told what the kernel refuses."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._tables: dict[str, Interface] = {}
        self._links: Mapping[str, str] = {}
        self._pinned: dict[int, tuple[str, bytes]] = {}

    def follow(
        self, config: DhcpConfig, interfaces: Collection[str], leases: Iterable[Lease], now: float
    ) -> None:
        """Hold these leases and no others from now on, or none where the plan does not want it.

        What another process of ours left on these interfaces is taken over, or removed.
        """
        self._close()
        links = {each.name: each.interface for each in config.networks if each.interface in interfaces}
        self._links, self._pinned = links if config.pin_neighbours else {}, {}
        wanted = {each.address: place for each in leases if each.active(now) and (place := self._place(each))}
        try:
            for interface in set(links.values()):
                table = self._tables[interface] = Interface(interface)
                for address in table.pinned_neighbours():
                    if wanted.get(address, ("", b""))[0] != interface:
                        table.unpin_neighbour(address)
            for address, place in wanted.items():
                self._pin(address, place)
        except OSError as error:
            self._refused(error)

    def take(self, events: Iterable[LeaseEvent]) -> None:
        """Follow what happened to leases."""
        if not self._links:
            return
        try:
            for event in events:
                lease = event.lease
                if isinstance(event, Bound):
                    if place := self._place(lease):
                        self._pin(lease.address, place)
                elif lease.address in self._pinned:
                    self._unpin(lease.address)
        except OSError as error:
            self._refused(error)
        else:
            self._troubles.over(PINS)

    def stop(self) -> None:
        """Leave the table to the kernel again."""
        for address in list(self._pinned):
            with suppress(OSError):
                self._unpin(address)
        self._close()

    def _place(self, lease: Lease) -> tuple[str, bytes] | None:
        """Return the interface of a lease that has an entry, and its hardware address; None for another."""
        interface = self._links.get(lease.network)
        return (interface, lease.mac) if interface and len(lease.mac) == _HARDWARE else None

    def _pin(self, address: int, place: tuple[str, bytes]) -> None:
        if self._pinned.get(address) != place:
            interface, mac = place
            self._tables[interface].pin_neighbour(address, mac)
            self._pinned[address] = place

    def _unpin(self, address: int) -> None:
        interface, _ = self._pinned.pop(address)
        self._tables[interface].unpin_neighbour(address)

    def _refused(self, error: OSError) -> None:
        why = os.strerror(error.errno or 0)
        if self._links:
            needs = "`dhcp: {pin_neighbours: true}` needs CAP_NET_ADMIN"
            self._troubles.tell(PINS, f"the kernel takes no entries for its neighbours: {why}; {needs}")
        else:
            remedy = "ip neighbour flush proto dhcp nud permanent"
            self._troubles.tell(
                PINS, f"entries for neighbours that leases had are left: {why}; remove them: {remedy}"
            )

    def _close(self) -> None:
        for table in self._tables.values():
            table.close()
        self._tables = {}

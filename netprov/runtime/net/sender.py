"""Which MAC address is behind a sender's IP address: the kernel's neighbour table, else the DHCP server's leases.

A phone behind a relay or a router is nobody's neighbour here; but if this machine gave it its address, it knows it.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from netprov.errors import ServiceError
from netprov.mac import format_mac
from netprov.runtime.net.arp import neighbour
from netprov.state.lease import LeaseReader


class Senders:
    """Tells senders apart; the lease file is the state directory's, whichever process writes it."""

    def __init__(self, state: Path) -> None:
        self._leases = LeaseReader(state)

    def mac(self, address: str) -> str:
        """Return the MAC address, with colons, "" if nobody knows it."""
        return neighbour(address) or self.leased(address)

    def close(self) -> None:
        """Close the lease file."""
        self._leases.close()

    def leased(self, address: str) -> str:
        """Return the MAC address that an address is leased to, "" if it is to nobody."""
        try:
            mac = self._leases.holder(int(IPv4Address(address)))
        except (AddressValueError, ServiceError):
            return ""
        return format_mac(mac) if len(mac) == 6 else ""

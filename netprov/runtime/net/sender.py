"""Which MAC address is behind a sender's IP address: the kernel's neighbours, else the DHCP server's leases.

A phone behind a relay or a router is nobody's neighbour here; but if this machine gave it its address, it knows it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from netprov.dhcp.match import Client, Condition, matches
from netprov.dhcp.option.vendor import decode_tlv
from netprov.dhcp.relay import CIRCUIT_ID, REMOTE_ID
from netprov.errors import Malformed, ServiceError
from netprov.mac import format_mac
from netprov.provision.config import Ports
from netprov.runtime.net.arp import Neighbours
from netprov.runtime.net.posted import PostedBefore
from netprov.state.lease import LeaseReader


class Senders:
    """Tells senders apart; the lease file is the state directory's, whichever process writes it."""

    def __init__(self, state: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._neighbours = Neighbours(clock)
        self._leases = LeaseReader(state)
        self.posted = PostedBefore(state)

    def mac(self, address: str) -> str:
        """Return the MAC address, with colons, "" if nobody knows it."""
        return self._neighbours.mac(address) or self.leased(address)

    def close(self) -> None:
        """Close the lease file."""
        self._neighbours.close()
        self._leases.close()

    def at_port(self, address: str, ports: Ports) -> bool:
        """Say whether an address is leased to a client that asked for it at one of these ports (option 82)."""
        try:
            relay = decode_tlv(self._leases.relay(int(IPv4Address(address))))
        except (AddressValueError, ServiceError, Malformed):
            return False
        client = Client(b"", circuit_id=relay.get(CIRCUIT_ID, b""), remote_id=relay.get(REMOTE_ID, b""))
        return matches(Condition(circuit_id=ports.circuit_id, remote_id=ports.remote_id), client)

    def leased(self, address: str) -> str:
        """Return the MAC address that an address is leased to, "" if it is to nobody."""
        try:
            mac = self._leases.holder(int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big"))
        except (OSError, ServiceError):
            return ""
        return format_mac(mac) if len(mac) == 6 else ""


class Origin:
    """Where one request is from; who that is, is looked up when it is first asked, and is the same to the end of the request."""

    __slots__ = ("_address", "_found", "_senders")

    def __init__(self, senders: Senders, address: str) -> None:
        self._senders = senders
        self._address = address
        self._found: str | None = None

    def mac(self) -> str:
        """Return the MAC address, with colons, "" if nobody knows it."""
        if self._found is None:
            self._found = self._senders.mac(self._address)
        return self._found

    def at_port(self, ports: Ports) -> bool:
        """Say whether the address is leased to a client that asked for it at one of these ports (option 82)."""
        return self._senders.at_port(self._address, ports)


def minute_of_day(now: float) -> int:
    """Return the minute of the day at a time in seconds since 1970, by this machine's clock and zone."""
    return _minute(int(now))


@lru_cache(maxsize=4)
def _minute(second: int) -> int:
    local = time.localtime(second)
    return local.tm_hour * 60 + local.tm_min

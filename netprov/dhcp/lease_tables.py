"""The lease tables of all networks, and the leases of networks that are not in the plan at the moment.

A network may leave the plan and come back, and its leases are in force all the while (RFC 2131 2.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from netprov.dhcp.config import DhcpConfig, NetworkConfig
from netprov.dhcp.lease import Lease, Misplaced
from netprov.dhcp.leases import Leases
from netprov.dhcp.message import dotted


class LeaseTables:
    """Every lease on record, active or not, by network."""

    def __init__(self, config: DhcpConfig, leases: Iterable[Lease]) -> None:
        self._networks = config.networks
        self._strays: dict[int, Lease] = {}
        fixed = {phone.address: phone.mac for phone in config.phones.values() if phone.address}
        phones = frozenset(config.phones)
        self._tables = {each.name: Leases(each, fixed, config.limits, phones) for each in config.networks}
        self._load(leases)

    def __getitem__(self, network: NetworkConfig) -> Leases:
        return self._tables[network.name]

    def __iter__(self) -> Iterator[Lease]:
        for table in self._tables.values():
            yield from table
        yield from self._strays.values()

    def tables(self) -> Iterable[Leases]:
        """Return the table of each network of the plan."""
        return self._tables.values()

    def knows(self, key: bytes) -> bool:
        """Say whether a client has a lease or an offer."""
        return any(table.knows(key) for table in self._tables.values())

    def misplaced(self) -> Iterator[Misplaced]:
        """Tell of leases in force on addresses that the plan gives to others or to nobody."""
        for name, table in self._tables.items():
            if addresses := tuple(dotted(lease.address) for lease in table.misplaced()):
                yield Misplaced(name, addresses)

    def free(self, now: float) -> Mapping[str, int]:
        """Count the addresses of each network that may be offered to anybody."""
        return {name: table.free(now) for name, table in self._tables.items()}

    def expire(self, now: float) -> Iterator[Lease]:
        """End what has run out."""
        for table in self._tables.values():
            yield from table.expire(now)

    def next_expiry(self) -> float | None:
        """Return when the next lease may run out."""
        due = [when for table in self._tables.values() if (when := table.next_expiry()) is not None]
        return min(due, default=None)

    def release(self, address: int, now: float) -> Lease | None:
        """End the lease on an address; None if there is none in force."""
        for table in self._tables.values():
            lease = table.at(address)
            ended = table.release(address, lease.key, now) if lease is not None else None
            if ended is not None:
                return ended
        return None

    def _load(self, leases: Iterable[Lease]) -> None:
        found: dict[str, list[Lease]] = {name: [] for name in self._tables}
        for lease in leases:
            network = next((each for each in self._networks if each.contains(lease.address)), None)
            if network is None:
                self._strays[lease.address] = lease
            elif network.name == lease.network:
                found[network.name].append(lease)
            else:
                found[network.name].append(lease._replace(network=network.name))
        for name, each in found.items():
            self._tables[name].load(each)

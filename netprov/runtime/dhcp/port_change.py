"""Which interfaces and addresses DHCP serves at: what a plan wants, what of it is on this machine, what has to be opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netprov.dhcp.config import DhcpConfig
from netprov.dhcp.message import dotted
from netprov.errors import ServiceError
from netprov.runtime.address import index_of, is_here
from netprov.runtime.dhcp.other_server import Watch
from netprov.runtime.dhcp.port import Pair, Port, absent_address, absent_interface, close_pairs


@dataclass(frozen=True, slots=True)
class Place:
    """One of our addresses on an interface, "" for networks behind relay agents only."""

    interface: str
    address: str

    @property
    def here(self) -> bool:
        """Whether the interface is on this machine, its address aside."""
        return not self.interface or bool(index_of(self.interface))

    def __str__(self) -> str:
        return f"{self.address}%{self.interface}" if self.interface else self.address

    def error(self) -> ServiceError:
        """Return what is missing, with the remedy."""
        if self.here:
            return absent_address(self.interface, self.address)
        return absent_interface(self.interface)


@dataclass(slots=True)
class PortChange:
    """What is open for a change that is not made yet; `pairs` are for ports that go on."""

    ports: dict[str, Port] = field(default_factory=dict)
    replaced: list[Port] = field(default_factory=list)
    pairs: dict[str, Mapping[str, Pair]] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    watches: dict[str, Watch] = field(default_factory=dict)
    absent: frozenset[Place] = frozenset()
    present: frozenset[Place] = frozenset()
    fresh: list[Port | Watch] = field(default_factory=list)

    def abort(self) -> None:
        """Close what was opened."""
        for each in self.fresh:
            each.close()
        for pairs in self.pairs.values():
            close_pairs(pairs)


def prepare_ports(config: DhcpConfig, open_: Mapping[str, Port], watches: Mapping[str, Watch]) -> PortChange:
    """Open what a plan wants, is here and is not open yet. Raises `ServiceError`, everything as before.

    Ports that go on are extended, not opened a second time: the kernel would share datagrams out between the two.
    """
    places = _places(config)
    here = [place for place in places if place.here and is_here(place.address)]
    change = PortChange(present=frozenset(here), absent=frozenset(places) - frozenset(here))
    for place in here:
        change.addresses.setdefault(place.interface, []).append(place.address)
    try:
        for name, addresses in change.addresses.items():
            _prepare_port(change, config, open_.get(name), name, addresses)
            _prepare_watch(change, config, watches.get(name), name)
    except BaseException:
        change.abort()
        raise
    return change


def _prepare_port(
    change: PortChange, config: DhcpConfig, old: Port | None, name: str, addresses: list[str]
) -> None:
    probes = any(each.probe for each in config.networks)
    if old is not None and old.index == index_of(name) and old.probes == probes:
        change.ports[name] = old
        change.pairs[name] = old.open(addresses)
        return
    if old is not None:
        change.replaced.append(old)
    port = change.ports[name] = Port(name, addresses, probes=probes)
    change.fresh.append(port)


def _prepare_watch(change: PortChange, config: DhcpConfig, old: Watch | None, name: str) -> None:
    networks = [each for each in config.networks if each.interface == name]
    if not name or all(each.others_allowed for each in networks):
        return
    own = frozenset(each.address for each in config.networks)
    if old is not None and old.index == index_of(name):
        change.watches[name] = old
        return
    watch = change.watches[name] = Watch(name, own)
    change.fresh.append(watch)


def _places(config: DhcpConfig) -> list[Place]:
    """Return our addresses on the interfaces to open; on "" alone if every network is behind a relay."""
    found = [Place(each.interface, dotted(each.address)) for each in config.networks if each.interface]
    return found or [
        Place("", address) for address in dict.fromkeys(dotted(e.address) for e in config.networks)
    ]

"""What a virtual LAN is made of: networks, hosts, the ports that join them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_NETWORK = "lan"
DEFAULT_INTERFACE = "lan0"


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of a host, and the network it is plugged into.

    `loss` is in percent and `delay_ms` in milliseconds, each way. With `vlan`, the addresses are on the
    tagged interface `<interface>.<vlan>`.
    """

    network: str = DEFAULT_NETWORK
    interface: str = DEFAULT_INTERFACE
    addresses: tuple[str, ...] = ()
    mac: str | None = None
    vlan: int | None = None
    loss: float = 0
    delay_ms: float = 0

    @property
    def name(self) -> str:
        """Return the interface that carries the addresses."""
        return self.interface if self.vlan is None else f"{self.interface}.{self.vlan}"


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host to be: its name and its ports."""

    name: str
    ports: tuple[Port, ...] = (Port(),)


@dataclass(frozen=True, slots=True)
class Topology:
    """Networks (a switch each) and the hosts on them."""

    hosts: tuple[HostPlan, ...]
    networks: tuple[str, ...] = (DEFAULT_NETWORK,)


def single_lan(server: Sequence[str], clients: Sequence[str | None]) -> Topology:
    """Return one LAN: a host `server` with the addresses given, and `client0`, `client1`, … by MAC address."""
    hosts = [HostPlan("server", (Port(addresses=tuple(server)),))]
    hosts += [HostPlan(f"client{number}", (Port(mac=mac),)) for number, mac in enumerate(clients)]
    return Topology(tuple(hosts))

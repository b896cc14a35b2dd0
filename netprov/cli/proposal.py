"""A first inventory for this machine: what is proposed, and the commented text that says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from netprov.plan.site import default_pool
from netprov.runtime.dhcp.look import Heard
from netprov.runtime.net.interface import MachineInterface

Pool = tuple[tuple[IPv4Address, IPv4Address], ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the inventory of a machine says; `router` and `ntp` are None where phones are given none but the default."""

    domain: str
    interface: str
    address: IPv4Interface
    router: IPv4Address | None = None
    ntp: IPv4Address | None = None
    beside: tuple[str, ...] = ()
    """Other DHCP servers that answered on that link."""

    @property
    def pool(self) -> Pool:
        """Return the default pool, without the addresses that are this server's and the router's."""
        taken = {self.address.ip, *([self.router] if self.router else [])}
        return tuple(_without(default_pool(self.address.network), sorted(taken)))


def choose(
    interfaces: Sequence[MachineInterface], heard: Mapping[str, Heard]
) -> tuple[MachineInterface | None, str]:
    """Return the interface that phones are probably on, and why; None if it is anybody's guess.

    That is the only one by which this machine does not reach the world and on which no DHCP server answers; of several, the only one with an
    address.
    """
    apart = [each for each in interfaces if each.router is None]
    free = [each for each in apart if not heard.get(each.name, Heard()).servers]
    addressed = [each for each in free if each.addresses]
    for some in (free, addressed):
        if len(some) == 1:
            return some[0], "no DHCP server answers there, and no default route leaves there"
    return (
        None,
        "several would do" if free else "each has a default route or another DHCP server",
    )


def free_address(interfaces: Iterable[MachineInterface]) -> IPv4Interface:
    """Return an address for a server whose interface has none: the first of a /24 that this machine does not reach yet."""
    known = [address.network for each in interfaces for address in each.addresses]
    for second in range(20, 256):
        network = IPv4Network(f"10.{second}.0.0/24")
        if not any(network.overlaps(each) for each in known):
            return IPv4Interface((network.network_address + 1, 24))
    return IPv4Interface("192.168.20.1/24")


def inventory_text(proposal: Proposal, schema: str) -> str:
    """Return the inventory, with what can be added to it as comments."""
    pool = [f"{first}-{last}" for first, last in proposal.pool]
    lines = [
        f"# yaml-language-server: $schema={schema}",
        "# The inventory of this staging LAN, drafted by `netprov init`. Everything that is not written here has a default:",
        "# `netprov schema --markdown` tells every key, `netprov check` what is wrong or risky, `netprov plan` what a change changes.",
        "version: 1",
        "",
        "# DHCP option 15, the owner of the SRV records, and the name that every certificate carries.",
        f"domain: {proposal.domain}",
        "",
        "networks:",
        "  voice:",
        f"    interface: {proposal.interface}",
        f"    subnet: {proposal.address.network}",
        f"    address: {proposal.address.ip} # this server",
        f"    pool: {pool[0] if len(pool) == 1 else '[' + ', '.join(pool) + ']'}",
    ]
    if proposal.router:
        lines.append(f"    router: {proposal.router}")
    if proposal.ntp:
        lines.append(f"    ntp: {proposal.ntp} # phones check certificates by this time")
    else:
        lines += [
            "    # Phones check certificates by the time of an NTP server; netprov is none. Install chrony here, or name another.",
            f"    # ntp: {proposal.address.ip}",
        ]
    lines.append("    # Only phones are answered; `all` answers everybody, `known` only the phones below.")
    lines.append("    # clients: phones")
    if proposal.beside:
        lines += [
            f"    # Another DHCP server answers here: {', '.join(proposal.beside)}. Stop it; or, to serve beside it:",
            "    # other_servers: allow",
        ]
    lines += [
        "",
        "# Phones with an address, a profile or a name of their own. Others are served too, if they say that they are phones.",
        "# phones:",
        "#   - {mac: 00:12:34:ab:45:de, model: CP-8851-3PCC, profile: desk}",
        "",
        "# What phones are given: parameters of their configuration, by name.",
        "# profiles:",
        "#   desk: {values: {Display_Name_1_: Reception}}",
        "",
    ]
    return "\n".join(lines)


def _without(pool: Pool, taken: Iterable[IPv4Address]) -> Iterable[tuple[IPv4Address, IPv4Address]]:
    for first, last in pool:
        begin = first
        for each in taken:
            if begin <= each <= last:
                if begin < each:
                    yield begin, each - 1
                begin = each + 1
        if begin <= last:
            yield begin, last

"""Rules about pools and leases: inside their subnet, disjoint, large enough, with bounds that can hold."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import pairwise

from netprov.check.rule import Finding, View, rule
from netprov.errors import Path
from netprov.plan.site import SiteNetwork

SHORTEST_LEASE = 120
LONGEST_LEASE = 30 * 86400
"""Seconds. Below, phones renew all the time; above, a phone that moved keeps a stale address for a month."""

_Range = tuple[IPv4Address, IPv4Address]


def _pool_path(network: SiteNetwork, index: int) -> Path:
    base: Path = ("networks", network.name)
    return (*base, "pool", index) if network.declared.pool else (*base, "subnet")


def _ranges(view: View) -> Iterator[tuple[SiteNetwork, int, _Range]]:
    for network in view.site.networks:
        for index, each in enumerate(network.pool):
            yield network, index, each


@rule(
    "pool-outside-subnet",
    "error",
    why="A phone takes the address with the subnet's mask; from outside the subnet it reaches neither router nor servers.",
    remedy="move the pool into the subnet, or widen the subnet",
)
def pool_outside_subnet(view: View) -> Iterator[Finding]:
    for network, index, (low, high) in _ranges(view):
        if low not in network.subnet or high not in network.subnet:
            yield Finding(
                _pool_path(network, index),
                f"pool {low}-{high} is outside {network.subnet}",
                (("networks", network.name, "subnet"),),
            )


@rule(
    "pool-two-addresses",
    "warning",
    why="A list of two addresses is a pool of two addresses: the third phone gets none. First and last are joined by a hyphen.",
    remedy="write first-last",
)
def pool_two_addresses(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        ends = network.declared.pool or ()
        if len(ends) != 2 or any(low != high for low, high in network.pool):
            continue
        (first, _), (last, _) = network.pool
        if int(last) - int(first) > 1:
            message = f"the pool has two addresses, {first} and {last}, and none between them"
            yield Finding(
                ("networks", network.name, "pool"), message, remedy=f"write {first}-{last} for all between"
            )


@rule(
    "pool-overlap",
    "error",
    why="Two pools that share addresses give one address to two phones; both drop off the network by turns.",
    remedy="make the pools disjoint",
)
def pool_overlap(view: View) -> Iterator[Finding]:
    ordered = sorted(_ranges(view), key=lambda each: each[2])
    for (network, index, (low, high)), (other, other_index, (next_low, next_high)) in pairwise(ordered):
        if next_low <= high:
            yield Finding(
                _pool_path(other, other_index),
                f"pool {next_low}-{next_high} overlaps {low}-{high} of network {network.name}",
                (_pool_path(network, index),),
            )


@rule(
    "pool-reserved-address",
    "error",
    why="A host cannot use a network or broadcast address; the phone that gets it declines it or stays mute.",
    remedy="shorten the pool by that address",
)
def pool_reserved_address(view: View) -> Iterator[Finding]:
    for network, index, (low, high) in _ranges(view):
        if network.subnet.prefixlen > 30:
            continue
        for address, what in (
            (network.subnet.network_address, "network"),
            (network.subnet.broadcast_address, "broadcast"),
        ):
            if low <= address <= high:
                yield Finding(
                    _pool_path(network, index),
                    f"the pool contains {address}, the {what} address of {network.subnet}",
                )


@rule(
    "pool-contains-fixture",
    "warning",
    why=(
        "An address that a server or router has already is declined by the phone that is offered it, and boot takes "
        "as long as it takes to try the next."
    ),
    remedy="shorten the pool, or move the fixed machine out of it",
)
def pool_contains_fixture(view: View) -> Iterator[Finding]:
    taken: dict[IPv4Address, tuple[str, Path]] = {}
    for name, host in view.inventory.hosts.items():
        for address in host.addresses:
            if isinstance(address, IPv4Address):
                taken[address] = (f"host {name}", ("hosts", name))
    for network in view.site.networks:
        for field, addresses in (("router", network.router), ("dns", network.dns), ("ntp", network.ntp)):
            for address in addresses:
                taken.setdefault(address, (f"`{field}`", ("networks", network.name, field)))
        taken[network.address] = ("this server", ("networks", network.name, "address"))
    for network, index, (low, high) in _ranges(view):
        for address, (what, path) in taken.items():
            if low <= address <= high:
                yield Finding(
                    _pool_path(network, index), f"the pool contains {address}, which is {what}", (path,)
                )


@rule(
    "pool-too-small",
    "warning",
    why="The phone that comes when the pool is used up gets no answer, and boots without an address.",
    remedy="widen `pool:`, or give phones fixed addresses",
)
def pool_too_small(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        size = sum(int(high) - int(low) + 1 for low, high in network.pool)
        wanted = sum(1 for _ in view.phones_without_address(network.name))
        if wanted > size:
            yield Finding(
                _pool_path(network, 0),
                f"the pool has {size} addresses for {wanted} listed phones that have no fixed one",
            )


@rule(
    "pool-kept",
    "warning",
    why=(
        "Whoever invents MAC addresses of phones takes every address of the pool that is not kept for listed phones; those that "
        "come later get none. A client that is not listed is refused once only kept addresses are left."
    ),
    remedy="write more as `kept:`, widen `pool:`, or give phones fixed addresses",
)
def pool_kept(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        planned = view.plan.dhcp.network(network.name) if view.plan else None
        if planned is None or network.declared.kept is None:
            continue  # as many as there are listed phones, or as the pool has: `pool-too-small` says it
        kept = planned.kept + sum(high - low + 1 for low, high in planned.reserved)
        wanted = sum(1 for _ in view.phones_without_address(network.name))
        if kept < wanted:
            yield Finding(
                ("networks", network.name, "kept"),
                f"{kept} addresses are kept for {wanted} listed phones that have no fixed one",
            )


@rule(
    "lease-bounds",
    "error",
    why="No lease time satisfies these bounds.",
    remedy="order them: lease_min, lease, lease_max",
)
def lease_bounds(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        declared = network.declared
        longest = declared.lease if declared.lease_max is None else declared.lease_max
        path: Path = ("networks", network.name)
        written = declared.model_fields_set
        if declared.lease_min > declared.lease and "lease_min" in written:
            yield Finding(
                (*path, "lease_min"),
                f"lease_min {declared.lease_min} s is longer than lease {declared.lease} s",
                ((*path, "lease"),),
            )
        if longest < declared.lease:
            yield Finding(
                (*path, "lease_max"),
                f"lease_max {longest} s is shorter than lease {declared.lease} s",
                ((*path, "lease"),),
            )


@rule(
    "lease-renewal",
    "error",
    why="A client renews before it rebinds, and rebinds before its lease ends (RFC 2131 4.4.5); other times are not sent.",
    remedy="order them: renew, rebind, lease; or leave them out",
)
def lease_renewal(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        declared = network.declared
        named = (("renew", declared.renew), ("rebind", declared.rebind), ("lease", declared.lease))
        given = [(name, seconds) for name, seconds in named if seconds is not None]
        for (name, seconds), (later, limit) in pairwise(given):
            if not 0 < seconds < limit:
                yield Finding(
                    ("networks", network.name, name),
                    f"{name} {seconds} s does not come before {later} {limit} s",
                    (("networks", network.name, later),),
                )
                break


@rule(
    "lease-extreme",
    "warning",
    why="Very short leases make phones renew without end; very long ones keep addresses of phones that have left.",
    remedy="an hour to a day suits a staging LAN",
)
def lease_extreme(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        lease = network.declared.lease
        if lease < SHORTEST_LEASE:
            yield Finding(
                ("networks", network.name, "lease"),
                f"a lease of {lease} s is shorter than {SHORTEST_LEASE} s",
            )
        elif lease > LONGEST_LEASE:
            yield Finding(
                ("networks", network.name, "lease"),
                f"a lease of {lease // 86400} days is longer than 30 days",
            )


@rule(
    "reserved-outside-pool",
    "error",
    why="`reserved:` keeps part of the pool for listed phones; outside the pool there is nothing to keep.",
    remedy="widen `pool:` or move `reserved:` into it",
)
def reserved_outside_pool(view: View) -> Iterator[Finding]:
    for network in view.site.networks:
        for index, text in enumerate(network.declared.reserved):
            first, _, last = text.partition("-")
            low, high = IPv4Address(first), IPv4Address(last or first)
            if not any(start <= low and high <= end for start, end in network.pool):
                yield Finding(
                    ("networks", network.name, "reserved", index),
                    f"{low}-{high} is not inside the pool of network {network.name}",
                    (_pool_path(network, 0),),
                )

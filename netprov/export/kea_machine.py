"""What a kea-dhcp4.conf says of its machine: lease file, control socket, and the partner that it shares the networks with.

Kea ARM, "Supported Parameters for High Availability"; from Kea 3.0 on sockets, hooks and lease files are found in the directories
that Kea was built with, and are named without a path ("Things to be aware of when upgrading to Kea 3.0.0").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from netprov.dhcp.message import dotted
from netprov.hostport import format_origin
from netprov.inventory.model.dhcp import Partner

NAMES = ("server1", "server2")
"""What the two servers call each other; Kea's class of a server's clients is HA_ and its name."""

_HOOKS_OF_2 = "/usr/lib/x86_64-linux-gnu/kea/hooks/"
"""Where Debian 12 has them."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One server: its version, and which of two it is."""

    version: int
    address: str
    partner: Partner | None = None
    index: int = 0

    def settings(self) -> dict[str, Any]:
        """Return what stands at the head of the configuration."""
        old = self.version < 3
        leases = "/var/lib/kea/kea-leases4.csv" if old else "kea-leases4.csv"
        socket = {
            "socket-type": "unix",
            "socket-name": "/run/kea/kea4-ctrl-socket" if old else "kea4-ctrl-socket",
        }
        found: dict[str, Any] = {
            "lease-database": {"type": "memfile", "persist": True, "name": leases},
            **({"control-socket": socket} if old else {"control-sockets": [socket]}),
        }
        if self.partner is not None:
            found["multi-threading"] = {"enable-multi-threading": True}
            found["hooks-libraries"] = list(self._hooks(self.partner))
        return found

    def _hooks(self, partner: Partner) -> Iterator[dict[str, Any]]:
        folder = _HOOKS_OF_2 if self.version < 3 else ""
        second = "standby" if partner.mode == "hot-standby" else "secondary"
        peers = [
            {"name": name, "url": f"{format_origin('http', address, partner.port)}/", "role": role}
            for name, address, role in zip(
                NAMES, (self.address, str(partner.address)), ("primary", second), strict=True
            )
        ]
        relationship = {
            "this-server-name": NAMES[self.index],
            "mode": partner.mode,
            "multi-threading": {"enable-multi-threading": True, "http-dedicated-listener": True},
            "peers": peers,
        }
        yield {"library": f"{folder}libdhcp_lease_cmds.so"}
        yield {"library": f"{folder}libdhcp_ha.so", "parameters": {"high-availability": [relationship]}}


def halves(low: int, high: int) -> tuple[tuple[int, int], ...]:
    """Return a range as two, one for each of two servers that both serve; a single address is the first one's."""
    middle = (low + high) // 2
    return ((low, middle), (middle + 1, high)) if high > low else ((low, high),)


def shared_pools(
    network: str, pools: list[tuple[int, int, str]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return pools for two servers that both serve, and the classes that they are for, given the class of each pool, "" for all."""
    classes: dict[str, str] = {}
    found = []
    for low, high, class_ in pools:
        for name, (first, last) in zip(NAMES, halves(low, high), strict=False):
            wanted = f"HA_{name}"
            if class_:
                wanted = f"{network}/{name}/{class_.rpartition('/')[2]}"
                classes[wanted] = f"member('HA_{name}') and member('{class_}')"
            found.append({"pool": f"{dotted(first)}-{dotted(last)}", "client-class": wanted})
    return found, [{"name": name, "test": test} for name, test in classes.items()]

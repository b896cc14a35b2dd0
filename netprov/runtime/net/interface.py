"""The Ethernet interfaces of this machine, with their addresses, as the kernel lists them (rtnetlink(7)).

Ports of bridges and bonds are left out: what they carry comes up at their master.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from netprov.errors import ServiceError

_ETHERNET = 1
"""ARPHRD_ETHER of if_arp.h."""

_UP, _BROADCAST, _NO_ARP = 0x01, 0x02, 0x80
"""IFF_UP, IFF_BROADCAST and IFF_NOARP of if.h."""


@dataclass(frozen=True, slots=True)
class MachineInterface:
    """One interface; `router` is where its default route leads, None if it has none."""

    name: str
    addresses: tuple[IPv4Interface, ...] = ()
    up: bool = True
    router: IPv4Address | None = None


def machine_interfaces() -> list[MachineInterface]:
    """Return the interfaces of this network namespace, in the kernel's order. Raises `ServiceError`."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as route:
            addresses: dict[int, list[IPv4Interface]] = {}
            for each in route.get_addr(family=socket.AF_INET):
                local = IPv4Interface((each.get("IFA_LOCAL"), each["prefixlen"]))
                addresses.setdefault(each["index"], []).append(local)
            routers = {
                each.get("RTA_OIF"): IPv4Address(each.get("RTA_GATEWAY"))
                for each in route.get_routes(family=socket.AF_INET)
                if not each["dst_len"] and each.get("RTA_GATEWAY")
            }
            return [
                MachineInterface(
                    link.get("IFLA_IFNAME"),
                    tuple(addresses.get(link["index"], ())),
                    up=bool(link["flags"] & _UP),
                    router=routers.get(link["index"]),
                )
                for link in route.get_links()
                if link["ifi_type"] == _ETHERNET and not link.get("IFLA_MASTER")
                if link["flags"] & (_BROADCAST | _NO_ARP) == _BROADCAST
            ]
    except (NetlinkError, OSError) as error:
        raise ServiceError(
            f"the kernel does not list its interfaces: {error}", "name one: --interface, --address"
        ) from error

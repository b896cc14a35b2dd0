"""Network namespaces: make them, enter them, put links into them, end what runs in them.

A namespace here has no name under /run/netns: a descriptor and its processes hold it, so that the kernel
removes it with the last of them, even after kill -9. `nsenter --net=/proc/PID/fd/N` enters one for a look
(`Namespace.path` is that path). Entering moves the calling thread alone: a socket or process made inside
stays inside, and no fork hook is needed.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from typing import Any

from netprov.errors import LabError
from netprov.lab import kernel

_HERE = "/proc/thread-self/ns/net"
_FORWARDING = 3
"""State of a bridge port that passes frames (BR_STATE_FORWARDING)."""


class Namespace:
    """One network namespace, with its loopback up; `name` is for people."""

    def __init__(self, name: str) -> None:
        self.name = name
        home = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.unshare(kernel.CLONE_NEWNET)
            try:
                self.descriptor = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
            finally:
                kernel.setns(home, kernel.CLONE_NEWNET)
        except OSError as error:
            if error.errno in kernel.REFUSALS:
                raise kernel.forbidden("make a network namespace") from error
            raise LabError(f"cannot make namespace {name}: {error}") from error
        finally:
            os.close(home)
        self._identity = os.fstat(self.descriptor).st_ino
        with self.links() as links:
            links.up("lo")

    @property
    def path(self) -> str:
        """Return a path that `nsenter --net=` takes, as seen from outside a PID namespace too."""
        return f"/proc/{os.readlink('/proc/self')}/fd/{self.descriptor}"

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Hold the calling thread inside; do not await or yield to other work meanwhile."""
        home = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.setns(self.descriptor, kernel.CLONE_NEWNET)
            try:
                yield
            finally:
                kernel.setns(home, kernel.CLONE_NEWNET)
        finally:
            os.close(home)

    @contextlib.contextmanager
    def links(self) -> Iterator[Links]:
        """Give the links, addresses and routes inside to work on."""
        with contextlib.ExitStack() as stack:
            with self.entered():
                links = stack.enter_context(links_here(self.name))
            yield links

    def processes(self) -> list[int]:
        """Return the ids of the processes inside, wherever they came from."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    if os.stat(f"/proc/{entry}/ns/net").st_ino == self._identity:
                        found.append(int(entry))
        return found

    def close(self) -> None:
        """End every process inside and let the namespace go; harmless when done twice."""
        if self.descriptor < 0:
            return
        for process in self.processes():
            if process != os.getpid():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, signal.SIGKILL)
        os.close(self.descriptor)
        self.descriptor = -1


@contextlib.contextmanager
def links_here(name: str = "this namespace") -> Iterator[Links]:
    """Give the links of the namespace that the calling thread is in, also after it has left."""
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    route = IPRoute()
    try:
        yield Links(route)
    except NetlinkError as error:
        raise LabError(f"the kernel refused a link operation in {name}: {error}") from error
    finally:
        route.close()


_LOCAL_TABLE, _LOCAL_ROUTE, _HOST_SCOPE = 255, 2, 254
"""Of linux/rtnetlink.h: RT_TABLE_LOCAL, RTN_LOCAL, RT_SCOPE_HOST."""


class Links:
    """The links of one namespace, by interface name."""

    def __init__(self, route: Any) -> None:
        self._route = route

    def index(self, interface: str) -> int:
        """Return an interface's index."""
        found: Sequence[int] = self._route.link_lookup(ifname=interface)
        if not found:
            raise LabError(f"no interface {interface}")
        return found[0]

    def add_bridge(self, name: str) -> None:
        """Add a bridge that forwards at once, tagged frames too, and bring it up."""
        self._route.link("add", ifname=name, kind="bridge", br_stp_state=0, br_mcast_snooping=0)
        self.up(name)

    def add_cable(self, near: str, far: str, peer: Namespace, *, mac: str | None = None) -> None:
        """Add a veth pair: `near` here, `far` in the other namespace, with the MAC address given."""
        end: dict[str, Any] = {"ifname": far, "net_ns_fd": peer.descriptor}
        if mac:
            end["address"] = mac
        self._route.link("add", ifname=near, kind="veth", peer=end)
        self.up(near)

    def plug(self, interface: str, bridge: str) -> None:
        """Make an interface a port of a bridge."""
        self._route.link("set", index=self.index(interface), master=self.index(bridge))

    def forwards(self, interface: str) -> bool:
        """Say whether a bridge's port passes frames; one whose cable has just come up does not yet."""
        link = self._route.get_links(self.index(interface))[0]
        state = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_SLAVE_DATA", "IFLA_BRPORT_STATE")
        return bool(state == _FORWARDING)

    def up(self, interface: str) -> None:
        """Bring an interface up."""
        self._route.link("set", index=self.index(interface), state="up")

    def down(self, interface: str) -> None:
        """Take an interface down: the cable is pulled."""
        self._route.link("set", index=self.index(interface), state="down")

    def add_address(self, interface: str, address: str) -> None:
        """Add an address written with its prefix length, `10.20.0.1/24`; an IPv6 one is usable at once."""
        host, _, length = address.partition("/")
        if ":" in host:
            no_duplicate_detection = 0x02
            self._route.addr(
                "add",
                index=self.index(interface),
                address=host,
                prefixlen=int(length or 128),
                flags=no_duplicate_detection,
            )
        else:
            self._route.addr("add", index=self.index(interface), address=host, prefixlen=int(length or 32))

    def addresses(self, interface: str) -> list[str]:
        """Return the IPv4 addresses of an interface, each with its prefix length."""
        found = self._route.get_addr(index=self.index(interface), family=2)
        return [f"{each.get('address')}/{each['prefixlen']}" for each in found]

    def add_route(self, to: str, via: str) -> None:
        """Add a route: `default` or a network, through a router."""
        self._route.route("add", dst="0.0.0.0/0" if to == "default" else to, gateway=via)

    def add_local(self, address: str, interface: str) -> None:
        """Take an address for this host's own without giving it to an interface: ARP for it is answered."""
        self._local("replace", address, interface)

    def remove_local(self, address: str, interface: str) -> None:
        """Undo `add_local`."""
        self._local("del", address, interface)

    def _local(self, what: str, address: str, interface: str) -> None:
        route = {"dst": f"{address}/32", "oif": self.index(interface)}
        self._route.route(what, **route, table=_LOCAL_TABLE, type=_LOCAL_ROUTE, scope=_HOST_SCOPE)

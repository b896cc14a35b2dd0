"""A virtual LAN: hosts and switches as namespaces, made from a topology, gone when it is left.

A switch is a bridge in a namespace of its own: nothing is added to the machine's own network.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from netprov.lab.netns import Links, Namespace
from netprov.lab.process import Process, run, wait_until
from netprov.lab.topology import HostPlan, Topology
from netprov.lab.wire import Faults, without_offload

_BRIDGE = "br0"


class Host:
    """One machine of the LAN."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = plan
        self.name = plan.name
        self.namespace = Namespace(plan.name)
        self._processes: list[Process] = []

    @property
    def interface(self) -> str:
        """Return the name of its first interface."""
        return self.plan.ports[0].interface

    def run(
        self,
        command: Sequence[str],
        *,
        timeout: float = 30,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on this host to its end; raise LabError after `timeout` seconds or if it is missing."""
        return run(self.namespace, command, timeout=timeout, stdin=stdin, environment=environment)

    def spawn(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Process:
        """Start a program on this host; it ends with the LAN at the latest."""
        process = Process(self.namespace, command, environment=environment)
        self._processes.append(process)
        return process

    def entered(self) -> contextlib.AbstractContextManager[None]:
        """Hold the calling thread on this host: sockets made inside belong to it, also afterwards."""
        return self.namespace.entered()

    def links(self) -> contextlib.AbstractContextManager[Links]:
        """Give its links to work on: addresses, routes, loss, a pulled cable."""
        return self.namespace.links()

    def addresses(self, interface: str | None = None) -> list[str]:
        """Return the IPv4 addresses of its first (or another) interface, as `10.20.0.5/24`."""
        with self.links() as links:
            return links.addresses(interface or self.interface)

    def close(self) -> None:
        """End its processes, last started first, and let its namespace go."""
        while self._processes:
            self._processes.pop().stop()
        self.namespace.close()


class Lan:
    """Hosts on switches; a context manager that leaves nothing behind."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.switches: dict[str, Namespace] = {}
        self.hosts: dict[str, Host] = {}
        self._wires: list[Process] = []
        self._plugs: dict[str, list[str]] = {name: [] for name in topology.networks}
        try:
            for name in topology.networks:
                self.switches[name] = Namespace(f"switch-{name}")
                with self.switches[name].links() as links:
                    links.add_bridge(_BRIDGE)
            for plan in topology.hosts:
                self.hosts[plan.name] = Host(plan)
                self._connect(self.hosts[plan.name])
            self._settle()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def __iter__(self) -> Iterator[Host]:
        return iter(self.hosts.values())

    def close(self) -> None:
        """End every process, then remove hosts and switches; harmless when done twice."""
        for host in reversed(list(self.hosts.values())):
            host.close()
        for wire in self._wires:
            wire.stop()
        for switch in self.switches.values():
            switch.close()

    def _connect(self, host: Host) -> None:
        for number, port in enumerate(host.plan.ports):
            plug = f"{len(self.hosts)}.{number}"
            switch = self.switches[port.network]
            with switch.links() as links:
                links.add_cable(plug, port.interface, host.namespace, mac=port.mac)
                if port.faults is None:
                    links.plug(plug, _BRIDGE)
                    self._plugs[port.network].append(plug)
            if port.faults is not None:
                self._splice(port.network, plug, port.faults)
                with host.entered():
                    without_offload(port.interface)
        _configure(host)

    def _settle(self) -> None:
        """Wait until every switch passes what its hosts send: the kernel opens a port some time after its cable is up."""
        for name, switch in self.switches.items():
            with switch.links() as links:
                for plug in self._plugs[name]:
                    wait_until(partial(links.forwards, plug), what=f"port {plug} of switch {name}")

    def _splice(self, network: str, plug: str, faults: Faults) -> None:
        """Join a loose plug to the switch by a cable with faults."""
        switch = self.switches[network]
        with switch.links() as links:
            links.add_cable(f"{plug}a", f"{plug}b", switch)
            links.up(f"{plug}b")
            links.plug(f"{plug}a", _BRIDGE)
            self._plugs[network].append(f"{plug}a")
        with switch.entered():
            without_offload(_BRIDGE)
            without_offload(f"{plug}a")
        command = [sys.executable, "-m", "netprov.lab.wire", plug, f"{plug}b", *faults.arguments()]
        wire = Process(switch, command)
        self._wires.append(wire)
        wire.wait_for("ready")


def _configure(host: Host) -> None:
    with host.links() as links:
        for port in host.plan.ports:
            links.up(port.interface)
            for address in port.addresses:
                links.add_address(port.interface, address)
        for to, via in host.plan.routes:
            links.add_route(to, via)
    if host.plan.forwards:
        with host.entered():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

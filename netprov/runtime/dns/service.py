"""The DNS service: UDP and TCP at every address of the plan that is on this machine."""

from __future__ import annotations

import asyncio
import errno
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace

from netprov.dns.config import DnsConfig
from netprov.dns.server.answer import Responder
from netprov.dns.zone.journal import Journal, difference
from netprov.dns.zone.lease_name import LeaseName, with_leases
from netprov.dns.zone.zone import Zone
from netprov.errors import ServiceError
from netprov.hostport import format_hostport
from netprov.machine import Event
from netprov.plan import Plan
from netprov.runtime.dns.lease import LeaseNames
from netprov.runtime.dns.notify import NotifyPump
from netprov.runtime.dns.serving import ServingState, make
from netprov.runtime.dns.tcp import TcpServer
from netprov.runtime.dns.udp import UdpPump, open_udp
from netprov.runtime.dns.worker import Workers
from netprov.runtime.role import Notice, RoleContext, Sample
from netprov.state.serial import Serials
from netprov.state.tsig_key import load_keys

Place = tuple[str, int]
"""Where queries come in: address and port."""

LEASES_EVERY = 1.0
"""Seconds between looks at the lease file."""

_NOTHING = ServingState(Responder(()), lambda _: False)
"""What a socket answers with before it is given the plan's zones: nothing is read until then."""


class DnsService:
    """Authoritative DNS for the plan's zones."""

    name = "dns"

    def __init__(self, context: RoleContext) -> None:
        self._context = context
        self._serials: Serials | None = None
        self._secret = secrets.token_bytes(16)
        self._zones: dict[bytes, Zone] = {}
        self._journals: dict[bytes, Journal] = {}
        self._pumps: dict[Place, UdpPump] = {}
        self._tcp: dict[Place, TcpServer] = {}
        self._notify = NotifyPump(self._report)
        self._workers = Workers(self._report)
        self._processes = 0
        self._leases = LeaseNames(context.state)
        self._lease_names: tuple[LeaseName, ...] = ()
        self._config: DnsConfig | None = None
        self._publishing = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    async def start(self, plan: Plan) -> None:
        """Bind every address of the plan that is on this machine."""
        self._serials = Serials(self._context.state)
        self._processes = plan.dns.workers
        try:
            await self._serve(plan.dns)
        except BaseException:
            await self.stop()
            raise
        self._following = asyncio.create_task(self._follow_leases())

    async def reload(self, plan: Plan) -> None:
        """Swap to the plan's zones whole; sockets that are still wanted stay open, so no query is lost."""
        if plan.dns.workers != self._processes:
            self._report(
                Notice(f"{plan.dns.workers} workers are for the next start; {self._processes} go on")
            )
        await self._serve(plan.dns)

    async def stop(self) -> None:
        """Answer what has arrived, and close."""
        if self._following:
            self._following.cancel()
        self._notify.stop()
        self._workers.stop()
        for place in list(self._pumps):
            await self._close(place)

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return [f"udp+tcp {format_hostport(host, port)}" for host, port in self._pumps]

    def samples(self) -> Iterator[Sample]:
        """Say how much was asked."""
        for (host, port), pump in self._pumps.items():
            labels = (("address", format_hostport(host, port)),)
            yield Sample("dns_udp_queries", "Datagrams received.", pump.received, labels, total=True)
            for kind in ("AXFR", "IXFR"):
                sent = self._tcp[host, port].transfers[kind]
                yield Sample(
                    "dns_transfers", "Zones sent.", sent, (*labels, ("kind", kind.lower())), total=True
                )

    async def _serve(self, config: DnsConfig) -> None:
        config = load_keys(config)
        wanted = [(str(address), config.port) for address in config.listen]
        async with self._publishing:
            fresh = await self._bind(wanted)
            try:
                names = self._leases.poll(config.lease_domains)
                self._lease_names = self._lease_names if names is None else names
                await self._publish(config)
            except ServiceError:
                for place in fresh:
                    await self._close(place)
                raise
            for place in self._pumps.keys() - set(wanted):
                await self._close(place)
            for place in fresh:
                self._pumps[place].start()

    async def _publish(self, config: DnsConfig) -> None:
        """Answer from a configuration and the names of leases from now on; large zones are prepared in a thread."""
        assert self._serials
        zones = await asyncio.to_thread(with_leases, config.zones, self._lease_names, config.ttl)
        numbered = await asyncio.to_thread(self._serials.number, zones)
        changed = await asyncio.to_thread(self._record, numbered)
        served = replace(config, zones=numbered)
        serving = make(served, self._secret, self._journals)
        for place, pump in self._pumps.items():
            pump.swap(serving)
            self._tcp[place].swap(serving)
        if self._processes > 1:
            await self._workers.serve(self._processes - 1, list(self._pumps), served, self._secret)
        self._config = config
        self._notify.announce(changed, config, [host for host, _ in self._pumps])

    async def _follow_leases(self) -> None:
        """Let names appear and go with their leases."""
        while True:
            await asyncio.sleep(LEASES_EVERY)
            assert self._config
            try:
                names = self._leases.poll(self._config.lease_domains)
                if names is not None and names != self._lease_names:
                    async with self._publishing:
                        self._lease_names = names
                        await self._publish(self._config)
            except ServiceError as error:
                self._report(Notice(f"names of leases stay as they are: {error.message}", "warning"))

    async def _bind(self, wanted: Sequence[Place]) -> list[Place]:
        """Bind what is not bound yet and return it; on a failure nothing new stays bound."""
        fresh: list[Place] = []
        try:
            for place in wanted:
                if place not in self._pumps and await self._open(*place):
                    fresh.append(place)
            if not any(place in self._pumps for place in wanted):
                shown = ", ".join(format_hostport(*place) for place in wanted) or "none"
                message = f"no address of the plan is on this machine: {shown}"
                remedy = "give an interface one of them, or name others under `dns: {listen: …}`"
                raise ServiceError(message, remedy)
        except ServiceError:
            for place in fresh:
                await self._close(place)
            raise
        return fresh

    def _record(self, zones: Sequence[Zone]) -> list[Zone]:
        """Write what changed into the journals, and return the zones that secondaries must hear of."""
        changed = []
        for zone in zones:
            old = self._zones.get(zone.origin)
            if old is not None and old.serial != zone.serial:
                self._journals.setdefault(zone.origin, Journal()).append(difference(old, zone))
            if old is None or old.serial != zone.serial:
                changed.append(zone)
        self._zones = {zone.origin: zone for zone in zones}
        for origin in self._journals.keys() - self._zones.keys():
            del self._journals[origin]
        return changed

    async def _open(self, host: str, port: int) -> bool:
        """Bind one address for both transports; return False, with a notice, if it is not on this machine."""
        try:
            sock = open_udp(host, port, shared=self._processes > 1)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                self._report(Notice(f"{host} is not on this machine; its queries are another server's"))
                return False
            raise _cannot_bind("UDP", host, port, error) from error
        tcp = TcpServer(_NOTHING, self._report)
        try:
            await tcp.listen(host, port, shared=False)
        except OSError as error:
            sock.close()
            raise _cannot_bind("TCP", host, port, error) from error
        self._pumps[host, port] = UdpPump(sock, _NOTHING)
        self._tcp[host, port] = tcp
        return True

    async def _close(self, place: Place) -> None:
        self._pumps.pop(place).stop()
        await self._tcp.pop(place).close()

    def _report(self, event: Event) -> None:
        self._context.report(self.name, event)


def _cannot_bind(transport: str, host: str, port: int, error: OSError) -> ServiceError:
    shown = f"{transport} {format_hostport(host, port)}"
    match error.errno:
        case errno.EADDRINUSE:
            remedy = f"another DNS server has it: find it with `ss -lnp 'sport = :{port}'` and stop it"
        case errno.EACCES | errno.EPERM:
            remedy = (
                "ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or from netprov's systemd units"
            )
        case _:
            remedy = "check the address and the port"
    return ServiceError(f"cannot answer at {shown}: {error.strerror}", remedy)

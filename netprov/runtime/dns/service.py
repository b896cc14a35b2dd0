"""The DNS service: UDP and TCP at every address of the plan that is on this machine."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from netprov.dns.config import DnsConfig, FailedZone
from netprov.dns.iana.rrclass import RRClass
from netprov.dns.iana.rrtype import SOA
from netprov.dns.message.name import format_name
from netprov.dns.server.answer import Responder
from netprov.dns.zone.journal import Journal, difference
from netprov.dns.zone.lease_name import LeaseName, with_leases
from netprov.dns.zone.zone import Zone
from netprov.errors import ServiceError
from netprov.hostport import format_hostport
from netprov.machine import Event
from netprov.plan import Plan
from netprov.runtime.address import is_here
from netprov.runtime.dns.forward import ask_tcp, ask_udp
from netprov.runtime.dns.lease import LeaseNames
from netprov.runtime.dns.notify import NotifyPump
from netprov.runtime.dns.serving import ServingState, make
from netprov.runtime.dns.tcp import TcpServer
from netprov.runtime.dns.udp import UdpPump, enlarge, open_udp
from netprov.runtime.dns.worker import Workers
from netprov.runtime.handover import Place, release
from netprov.runtime.refusal import bind_refused
from netprov.runtime.role import Notice, Prepared, RoleContext, Sample, reload
from netprov.runtime.self_check import Probe
from netprov.runtime.task import keep
from netprov.state.serial import Serials
from netprov.state.tsig_key import load_keys

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
        self._wanted: set[Place] = set()
        self._absent: list[Place] = []
        self._pumps: dict[Place, UdpPump] = {}
        self._tcp: dict[Place, TcpServer] = {}
        self._notify = NotifyPump(self._report)
        self._workers = Workers(self._report)
        self._processes = 0
        self._leases = LeaseNames(context.state)
        self._lease_names: tuple[LeaseName, ...] = ()
        self._config: DnsConfig | None = None
        self._edition: _Edition
        self._publishing = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    async def start(self, plan: Plan) -> None:
        """Bind every address of the plan that is on this machine."""
        self._serials = Serials(self._context.state)
        self._processes = plan.dns.workers
        try:
            await reload(self, plan)
        except BaseException:
            await self.stop()
            raise
        self._following = keep("following the leases", self._follow_leases, self._report)

    def release(self, plan: Plan | None) -> Sequence[Place]:
        """Let other roles bind the TCP ports that a plan takes from this one."""
        held = [(place, sock) for place, tcp in self._tcp.items() for sock in tcp.sockets()]
        return release(held, None if plan is None else _wanted(plan.dns))

    async def prepare(self, plan: Plan) -> Prepared:
        """Bind what is new and number the zones; sockets that are still wanted stay open, so no query is lost."""
        config, notices = self._with_last_good(load_keys(plan.dns))
        await self._publishing.acquire()
        try:
            binding = await self._bind(_wanted(config))
            try:
                names = self._leases.poll(config.lease_domains)
                edition = None
                if names is not None or config != self._config:
                    edition = await self._number(config, self._lease_names if names is None else names)
            except BaseException:
                self._leases.forget()
                await binding.abort()
                raise
        except BaseException:
            self._publishing.release()
            raise

        async def commit() -> None:
            try:
                await self._take(binding)
                if edition or binding.fresh:
                    await self._publish(edition or self._edition)
            finally:
                self._publishing.release()
            for notice in notices:
                self._report(notice)
            for place in binding.fresh:
                self._pumps[place].start()
                await self._tcp[place].listen()
            if config.workers != self._processes:
                text = f"{config.workers} workers are for the next start; {self._processes} go on"
                self._report(Notice(text))

        async def abort() -> None:
            try:
                self._forget()
                await binding.abort()
            finally:
                self._publishing.release()

        return Prepared(commit, abort)

    def _with_last_good(self, config: DnsConfig) -> tuple[DnsConfig, list[Notice]]:
        """Put the last good version of a zone in the place of one that cannot be loaded, and say so of each."""
        kept: list[FailedZone] = []
        failed: list[FailedZone] = []
        notices: list[Notice] = []
        for zone in config.failed:
            held = self._zones.get(zone.origin)
            (kept if held else failed).append(zone)
            outcome = "its last good version stays" if held else "what is in it gets SERVFAIL"
            reason = zone.problems[0]
            where = f"{reason.place}: " if reason.place else ""
            text = f"zone {format_name(zone.origin)} cannot be loaded, {outcome}: {where}{reason.message}"
            notices.append(Notice(text, "error"))
        zones = (*config.zones, *(self._zones[zone.origin] for zone in kept))
        return replace(config, zones=zones, failed=tuple(failed)), notices

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

    def waiting(self) -> Sequence[str]:
        """Return the planned addresses that are not on this machine."""
        return tuple(host for host, _ in self._absent)

    def probes(self) -> Sequence[Probe]:
        """Return what serves: each address by both transports, and every worker."""
        zones = self._config.zones if self._config else ()
        query = _soa_query(zones[0].origin if zones else b"\0")
        found = self._workers.probes()
        for (host, port), pump in self._pumps.items():
            tcp, where = self._tcp[host, port], format_hostport(host, port)
            by_udp = partial(_asked, ask_udp, query, host, port)
            by_tcp = partial(_asked, ask_tcp, query, host, port)
            found.append(Probe(f"dns udp {where}", by_udp, partial(getattr, pump, "received"), host))
            found.append(Probe(f"dns tcp {where}", by_tcp, partial(getattr, tcp, "received"), host))
        return found

    def samples(self) -> Iterator[Sample]:
        """Say how much was asked."""
        for (host, port), pump in self._pumps.items():
            labels = (("address", format_hostport(host, port)),)
            yield Sample("dns_udp_queries", "Datagrams received.", pump.received, labels, total=True)
            yield Sample(
                "dns_udp_shed", "Datagrams of sources that asked too much.", pump.shed, labels, total=True
            )
            yield Sample(
                "dns_udp_held_back",
                "Answers to hosts whose hardware address is not known, dropped for want of room.",
                pump.held_back,
                labels,
                total=True,
            )
            for kind in ("AXFR", "IXFR"):
                sent = self._tcp[host, port].transfers[kind]
                yield Sample(
                    "dns_transfers", "Zones sent.", sent, (*labels, ("kind", kind.lower())), total=True
                )

    async def _number(self, config: DnsConfig, names: tuple[LeaseName, ...]) -> _Edition:
        """Complete the zones with the names of leases and give them serials; large ones are prepared in a thread."""
        assert self._serials
        zones = await asyncio.to_thread(with_leases, config.zones, names, config.ttl)
        return _Edition(config, await asyncio.to_thread(self._serials.stage, zones), names)

    def _forget(self) -> None:
        """Let an edition that is numbered not be served, and the names in it be found again."""
        assert self._serials
        self._serials.discard()
        self._leases.forget()

    async def _publish(self, edition: _Edition) -> None:
        """Answer from an edition of the zones from now on."""
        assert self._serials
        try:
            await asyncio.to_thread(self._serials.publish)
        except ServiceError as error:
            self._report(Notice(str(error), "error"))
        changed = await asyncio.to_thread(self._record, edition.zones)
        served = replace(edition.config, zones=edition.zones)
        serving = make(served, self._secret, self._journals)
        for place, pump in self._pumps.items():
            pump.swap(serving)
            self._tcp[place].swap(serving)
        self._edition = edition
        self._config, self._lease_names = edition.config, edition.names
        if self._processes > 1:
            try:
                await self._workers.serve(self._processes - 1, list(self._pumps), served, self._secret)
            except ServiceError as error:
                self._report(Notice(f"this process answers alone: {error}", "error"))
        self._notify.announce(changed, edition.config, [host for host, _ in self._pumps])

    async def _follow_leases(self) -> None:
        """Let names appear and go with their leases."""
        while True:
            await asyncio.sleep(LEASES_EVERY)
            assert self._config
            try:
                names = self._leases.poll(self._config.lease_domains)
                if names is not None and names != self._lease_names:
                    async with self._publishing:
                        await self._publish(await self._number(self._config, names))
            except ServiceError as error:
                self._leases.forget()
                self._report(Notice(f"names of leases stay as they are: {error.message}", "warning"))

    async def _bind(self, wanted: Sequence[Place]) -> _Binding:
        """Bind what is here and not bound yet; on a failure nothing new stays bound."""
        binding = _Binding(tuple(wanted))
        try:
            for place in wanted:
                if not is_here(place[0]):
                    binding.absent.append(place)
                elif place not in self._pumps:
                    binding.fresh[place] = await self._open(*place)
            known = {host for host, _ in self._wanted}  # one that went away is waited for, whatever its port
            named = self._config is not None and any(host not in known for host, _ in wanted)
            if named and len(binding.absent) == len(wanted):
                raise _none_here(wanted)
        except BaseException:
            await binding.abort()
            raise
        return binding

    async def _take(self, binding: _Binding) -> None:
        """Close what is not wanted or not here any more; what was bound is ours."""
        for place in self._pumps.keys() - (set(binding.wanted) - set(binding.absent)):
            await self._close(place)
        for place, (pump, tcp) in binding.fresh.items():
            self._pumps[place], self._tcp[place] = pump, tcp
            if place in self._absent:
                self._report(Notice(f"{format_hostport(*place)} has come, and is served"))
        for place in set(binding.absent) - set(self._absent):
            self._report(
                Notice(f"{place[0]} is not on this machine: its queries are another server's, or wait")
            )
        if len(binding.absent) == len(binding.wanted) and binding.absent != self._absent:
            self._report(Notice(f"waits: {_none_here(binding.wanted)}", "warning"))
        self._wanted, self._absent = set(binding.wanted), binding.absent

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

    async def _open(self, host: str, port: int) -> tuple[UdpPump, TcpServer]:
        """Bind one address for both transports, where the service manager has not."""
        shown = f"dns {format_hostport(host, port)}"
        given = self._context.inherited(True, host, port)
        try:
            sock = given or open_udp(host, port, shared=self._processes > 1)
        except OSError as error:
            raise bind_refused(shown, "udp", port, error) from error
        if given is not None:
            enlarge(given)
        tcp = TcpServer(_NOTHING, self._report)
        try:
            if (given := self._context.inherited(False, host, port)) is not None:
                await tcp.take(given)
            else:
                await tcp.bind(host, port, shared=self._context.handover.covers((host, port)))
        except OSError as error:
            sock.close()
            raise bind_refused(shown, "tcp", port, error) from error
        return UdpPump(sock, _NOTHING), tcp

    async def _close(self, place: Place) -> None:
        self._pumps.pop(place).stop()
        await self._tcp.pop(place).close()

    def _report(self, event: Event) -> None:
        self._context.report(self.name, event)


@dataclass(frozen=True, slots=True)
class _Edition:
    """Zones under the serials that they are served with, and the names of leases in them."""

    config: DnsConfig
    zones: tuple[Zone, ...]
    names: tuple[LeaseName, ...]


@dataclass(frozen=True, slots=True)
class _Binding:
    """What is bound for a change that is not made yet."""

    wanted: tuple[Place, ...]
    fresh: dict[Place, tuple[UdpPump, TcpServer]] = field(default_factory=dict)
    absent: list[Place] = field(default_factory=list)

    async def abort(self) -> None:
        """Close what was bound."""
        for pump, tcp in self.fresh.values():
            pump.sock.close()
            await tcp.close()


def _wanted(config: DnsConfig) -> list[Place]:
    return [(str(address), config.port) for address in config.listen]


async def _asked(
    ask: Callable[[bytes, str, int], Awaitable[bytes]], query: bytes, host: str, port: int
) -> None:
    """Ask our own socket, from a port that nobody foresees; any reply will do."""
    await ask(secrets.token_bytes(2) + query, host, port)


def _soa_query(apex: bytes) -> bytes:
    """Return a query for a zone's SOA record behind its ID (RFC 1035 section 4.1), without loading a library for it."""
    one_question = bytes((0, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    return one_question + apex.lower() + SOA.to_bytes(2, "big") + RRClass.IN.to_bytes(2, "big")


def _none_here(wanted: Sequence[Place]) -> ServiceError:
    shown = ", ".join(format_hostport(*place) for place in wanted) or "none"
    return ServiceError(
        f"no address of the plan is on this machine: {shown}",
        f"give an interface {' or '.join(host for host, _ in wanted) or 'one'}, or name others under `dns: {{listen: …}}`",
    )

"""The DNS service: UDP and TCP at every address of the plan that is on this machine."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Sequence
from dataclasses import replace

from netprov.dns.answer import Responder
from netprov.dns.config import DnsConfig
from netprov.dns.journal import Journal, difference
from netprov.dns.zone import Zone
from netprov.errors import ServiceError
from netprov.machine import Event
from netprov.plan import Plan
from netprov.runtime.dns_mind import Mind, make
from netprov.runtime.dns_notify import NotifyPump
from netprov.runtime.dns_serial import Serials
from netprov.runtime.dns_tcp import TcpServer
from netprov.runtime.dns_udp import UdpPump, open_udp
from netprov.runtime.service import Notice, Surroundings

Place = tuple[str, int]
"""Where queries come in: address and port."""

_NOTHING = Mind(Responder(()), lambda _: False)
"""What a socket answers with before it is given the plan's zones: nothing is read until then."""


class DnsService:
    """Authoritative DNS for the plan's zones."""

    name = "dns"

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._serials: Serials | None = None
        self._secret = secrets.token_bytes(16)
        self._zones: dict[bytes, Zone] = {}
        self._journals: dict[bytes, Journal] = {}
        self._pumps: dict[Place, UdpPump] = {}
        self._tcp: dict[Place, TcpServer] = {}
        self._notify = NotifyPump(self._report)

    async def start(self, plan: Plan) -> None:
        """Bind every address of the plan that is on this machine."""
        self._serials = Serials(self._surroundings.state)
        try:
            await self._serve(plan.dns)
        except BaseException:
            await self.stop()
            raise

    async def reload(self, plan: Plan) -> None:
        """Swap to the plan's zones whole; sockets that are still wanted stay open, so no query is lost."""
        await self._serve(plan.dns)

    async def stop(self) -> None:
        """Answer what has arrived, and close."""
        self._notify.stop()
        for place in list(self._pumps):
            await self._close(place)

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return [f"udp+tcp {_shown(host, port)}" for host, port in self._pumps]

    async def _serve(self, config: DnsConfig) -> None:
        assert self._serials
        wanted = [(str(address), config.port) for address in config.listen]
        fresh = await self._bind(wanted)
        config = replace(config, zones=self._serials.number(config.zones))
        changed = self._record(config)
        mind = make(config, self._secret, self._journals)
        for place in self._pumps.keys() - set(wanted):
            await self._close(place)
        for place, pump in self._pumps.items():
            pump.swap(mind)
            self._tcp[place].swap(mind)
            if place in fresh:
                pump.start()
        self._notify.announce(changed, config, [host for host, _ in self._pumps])

    async def _bind(self, wanted: Sequence[Place]) -> list[Place]:
        """Bind what is not bound yet and return it; on a failure nothing new stays bound."""
        fresh: list[Place] = []
        try:
            for place in wanted:
                if place not in self._pumps and await self._open(*place):
                    fresh.append(place)
            if not any(place in self._pumps for place in wanted):
                shown = ", ".join(_shown(*place) for place in wanted) or "none"
                message = f"no address of the plan is on this machine: {shown}"
                remedy = "give an interface one of them, or name others under `dns: {listen: …}`"
                raise ServiceError(message, remedy)
        except ServiceError:
            for place in fresh:
                await self._close(place)
            raise
        return fresh

    def _record(self, config: DnsConfig) -> list[Zone]:
        """Write what changed into the journals, and return the zones that secondaries must hear of."""
        changed = []
        for zone in config.zones:
            old = self._zones.get(zone.origin)
            if old is not None and old.serial != zone.serial:
                self._journals.setdefault(zone.origin, Journal()).append(difference(old, zone))
            if old is None or old.serial != zone.serial:
                changed.append(zone)
        self._zones = {zone.origin: zone for zone in config.zones}
        for origin in self._journals.keys() - self._zones.keys():
            del self._journals[origin]
        return changed

    async def _open(self, host: str, port: int) -> bool:
        """Bind one address for both transports; return False, with a notice, if it is not on this machine."""
        try:
            sock = open_udp(host, port, shared=False)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                self._report(Notice(f"{host} is not on this machine; its queries are another server's"))
                return False
            raise _cannot_bind("UDP", host, port, error) from error
        tcp = TcpServer(_NOTHING)
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
        self._surroundings.report(self.name, event)


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _cannot_bind(transport: str, host: str, port: int, error: OSError) -> ServiceError:
    shown = f"{transport} {_shown(host, port)}"
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

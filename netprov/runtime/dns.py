"""The DNS service: UDP and TCP at every address of the plan that is on this machine."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address

from netprov.dns.answer import Responder
from netprov.dns.config import DnsConfig
from netprov.errors import ServiceError
from netprov.plan import Plan
from netprov.runtime.dns_serial import Serials
from netprov.runtime.dns_tcp import TcpServer
from netprov.runtime.dns_udp import UdpPump, open_udp
from netprov.runtime.service import Notice, Surroundings

Address = IPv4Address | IPv6Address


class DnsService:
    """Authoritative DNS for the plan's zones."""

    name = "dns"

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._serials: Serials | None = None
        self._pumps: dict[tuple[str, int], UdpPump] = {}
        self._tcp: dict[tuple[str, int], TcpServer] = {}

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
        for place in list(self._pumps):
            await self._close(place)

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return [f"udp+tcp {_shown(host, port)}" for host, port in self._pumps]

    async def _serve(self, config: DnsConfig) -> None:
        assert self._serials
        respond = Responder(self._serials.number(config.zones), config.manners).respond
        is_local = local_test(config)
        wanted = [(str(address), config.port) for address in config.listen]
        fresh: list[tuple[str, int]] = []
        try:
            for place in wanted:
                if place not in self._pumps and await self._open(*place):
                    fresh.append(place)
            if not any(place in self._pumps for place in wanted):
                shown = ", ".join(_shown(*place) for place in wanted) or "none"
                message = f"no address of the plan is on this machine: {shown}"
                raise ServiceError(
                    message, "give an interface one of them, or name others under dns: listen:"
                )
        except ServiceError:
            for place in fresh:
                await self._close(place)
            raise
        for place in self._pumps.keys() - set(wanted):
            await self._close(place)
        for place, pump in self._pumps.items():
            pump.swap(respond, is_local)
            self._tcp[place].swap(respond, is_local)
            if place in fresh:
                pump.start()

    async def _open(self, host: str, port: int) -> bool:
        """Bind one address for both transports; return False, with a notice, if it is not on this machine."""
        try:
            sock = open_udp(host, port, shared=False)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                self._report(Notice(f"{host} is not on this machine; its queries are another server's"))
                return False
            raise _cannot_bind("UDP", host, port, error) from error
        tcp = TcpServer(lambda *_: None, lambda _: False)
        try:
            await tcp.listen(host, port, shared=False)
        except OSError as error:
            sock.close()
            raise _cannot_bind("TCP", host, port, error) from error
        self._pumps[host, port] = UdpPump(sock, lambda *_: None, lambda _: False)
        self._tcp[host, port] = tcp
        return True

    async def _close(self, place: tuple[str, int]) -> None:
        self._pumps.pop(place).stop()
        await self._tcp.pop(place).close()

    def _report(self, notice: Notice) -> None:
        self._surroundings.report(self.name, notice)


def local_test(config: DnsConfig) -> Callable[[bytes], bool]:
    """Return the test whether a packed source address is one of the LAN's own, or of this machine itself."""
    ranges = [
        (network.max_prefixlen // 8, int(network.network_address), int(network.broadcast_address))
        for network in config.networks
    ]
    ranges += [(4, 0x7F000000, 0x7FFFFFFF), (16, 1, 1)]

    def is_local(packed: bytes) -> bool:
        size, address = len(packed), int.from_bytes(packed, "big")
        return any(size == length and low <= address <= high for length, low, high in ranges)

    return is_local


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

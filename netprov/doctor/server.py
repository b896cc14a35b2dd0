"""What each server of one inventory says for itself: its CA, the chains it presents, its zones, the same phones' profiles.

Nothing is shown to a server that it could use elsewhere: requests are not signed, and any certificate is taken, for
whose it is shall be compared. Absent: what a sender has to prove, and profiles behind a password.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import islice

from netprov.dns import stub
from netprov.dns.iana.rrtype import NS, SOA, SRV, A
from netprov.dns.message.name import format_host
from netprov.dns.service import SERVICES
from netprov.doctor.client import DoctorClient
from netprov.doctor.web import SYSTEM_CHOICE, Web
from netprov.emulator.failure import Timeouts
from netprov.emulator.fetch import ask_tcp
from netprov.errors import Malformed, Path, PkiError, Problem
from netprov.hostport import PORTS, Scheme
from netprov.phone.action import Failed, Fetch, Response
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.url import Url
from netprov.pki.chain import Certificate, decode
from netprov.plan import Plan, Site
from netprov.provision.config import CA_PATH, SRV_MAC_PATH, Listener

ROADS: tuple[Scheme, ...] = ("http", "https", "tftp")
"""How files are asked for, in order of preference."""

File = tuple[str, Scheme]
"""A profile: the MAC address of its phone, and the road by which it came."""

MOST_RECORDS = 256
"""Record sets that every name server is asked for."""

Question = tuple[str, int]
"""A name, and the type of its records."""


@dataclass(frozen=True, slots=True)
class Server:
    """An address at which the inventory has servers; `dns_port` is None without DNS, `path` is where it is written."""

    address: str
    listeners: tuple[Listener, ...]
    dns_port: int | None
    path: Path


@dataclass(frozen=True, slots=True)
class Answers:
    """What one server says; what it does not answer is absent. `files` are profiles."""

    server: Server
    ca: tuple[Certificate, ...] = ()
    chains: tuple[tuple[Certificate, ...], ...] = ()
    serials: Mapping[str, int] = field(default_factory=dict)
    records: Mapping[Question, frozenset[str]] = field(default_factory=dict)
    files: Mapping[File, Response] = field(default_factory=dict)

    @property
    def heard(self) -> bool:
        """Whether it answers anything."""
        return bool(self.ca or self.chains or self.serials or self.files)


def servers_of(plan: Plan) -> tuple[Server, ...]:
    """Return every IPv4 address at which the inventory has a provisioning server or a DNS server."""
    names = dict(_name_servers(plan))
    web: dict[str, list[Listener]] = {}
    for each in plan.provision.listeners:
        if each.scheme in ROADS and _is_ipv4(each.address):
            web.setdefault(each.address, []).append(each)
    return tuple(
        Server(address, tuple(web.get(address, ())), names.get(address), _path(plan.site, address))
        for address in dict.fromkeys((*web, *names))
    )


def compared_roads(servers: Sequence[Server]) -> tuple[Scheme, ...]:
    """Return by which roads profiles are asked for: one that all servers have, else each that several have.

    What a phone is given depends on the road: over HTTP it is led to HTTPS first.
    """
    held = [{each.scheme for each in server.listeners} for server in servers if server.listeners]
    common = next((road for road in ROADS if all(road in each for each in held)), None)
    if common is not None:
        return (common,)
    return tuple(road for road in ROADS if sum(road in each for each in held) > 1)


class Hearing:
    """Hears one server after another; `roads` are the ways by which profiles are asked for."""

    def __init__(
        self,
        plan: Plan,
        web: Web,
        clients: Sequence[DoctorClient],
        timeouts: Timeouts,
        roads: Sequence[Scheme],
    ) -> None:
        self._plan = plan
        self._web = web
        self._clients = clients
        self._timeouts = timeouts
        self._roads = roads
        self._questions = [*islice(dict.fromkeys(_questions(plan)), MOST_RECORDS)]

    async def hear(self, server: Server) -> Answers:
        """Return what a server says."""
        serials, records = await self._zones(server)
        chains = [
            chain
            for each in server.listeners
            if each.scheme == "https"
            and not isinstance(
                chain := await self._web.chain(each.address, each.port, self._plan.provision.domain), Problem
            )
            and chain
        ]
        return Answers(
            server, await self._ca(server), tuple(chains), serials, records, await self._files(server)
        )

    async def _ca(self, server: Server) -> tuple[Certificate, ...]:
        for road in ROADS:
            found = _certificates(await self._file(server, road, CA_PATH, "netprov doctor"))
            if found:
                return found
        return ()

    async def _files(self, server: Server) -> dict[File, Response]:
        files: dict[File, Response] = {}
        for road in self._roads:
            for client in self._clients:
                handset = Handset(client.identity, lambda _: 0)
                agent = handset.agent
                answer = await self._file(server, road, handset.expand(SRV_MAC_PATH), agent)
                if not isinstance(answer, Response):
                    break  # it is not there: no more is waited for
                files[client.identity.mac, road] = answer
        return files

    async def _file(self, server: Server, road: Scheme, path: str, agent: str) -> Response | Failed | None:
        """Ask for a file, at the usual port if there is one of several; None where the server has no such road."""
        there = [each.port for each in server.listeners if each.scheme == road]
        if not there:
            return None
        port = min(there, key=lambda each: each != PORTS[road])
        verify = self._plan.provision.domain if road == "https" else ""
        url = Url(road, server.address, port, path)
        return await self._web.ask(Fetch(url, server.address, verify=verify, headers={"User-Agent": agent}))

    async def _zones(self, server: Server) -> tuple[dict[str, int], dict[Question, frozenset[str]]]:
        serials: dict[str, int] = {}
        records: dict[Question, frozenset[str]] = {}
        for zone in self._plan.dns.zones:
            name = format_host(zone.origin)
            reply = await self._resolve(server, name, SOA)
            if reply is None:
                break
            for each in reply.records:
                if isinstance(each.data, stub.Soa):
                    serials[name] = each.data.serial
        for name, type_ in self._questions if serials else ():
            reply = await self._resolve(server, name, type_)
            if reply is not None:
                records[name, type_] = frozenset(str(each.data) for each in reply.records)
        return serials, records

    async def _resolve(self, server: Server, name: str, type_: int) -> stub.Reply | None:
        """Ask by TCP, which no rate limit delays."""
        if server.dns_port is None:
            return None
        query = stub.build_query(name, type_, id_=random.getrandbits(16), recurse=False)
        try:
            return await ask_tcp(
                query, server.address, SYSTEM_CHOICE, self._timeouts.dns, port=server.dns_port
            )
        except (OSError, TimeoutError, Malformed):
            return None


def _name_servers(plan: Plan) -> Iterator[tuple[str, int]]:
    """Yield the name servers of our zones: those of NS records, secondaries, and the addresses that DNS listens on."""
    for zone in plan.dns.zones:
        rrset = zone.rrset(zone.origin, NS)
        for data in rrset.rdatas if rrset else ():
            host = plan.site.host(format_host(data))
            for address in host.addresses if host else ():
                if address.version == 4:
                    yield str(address), plan.dns.port
    for address in plan.dns.listen:
        if address.version == 4 and not address.is_unspecified:
            yield str(address), plan.dns.port
    for secondary in plan.dns.secondaries:
        if secondary.address.version == 4:
            yield str(secondary.address), secondary.port


def _questions(plan: Plan) -> Iterator[Question]:
    """Yield what is asked of every name server: where phones are led first, then what else the zones hold."""
    site = plan.site
    for owner in SERVICES.values():
        yield f"{owner}.{site.domain}", SRV
    for target in dict.fromkeys(each.target for each in site.targets):
        yield target, A
    for zone in plan.dns.zones:
        for name, rrset in zone.rrsets():
            if rrset.type != SOA:
                yield format_host(name), rrset.type


def _path(site: Site, address: str) -> Path:
    """Return where the inventory names an address."""
    for name, host in site.inventory.hosts.items():
        if address in map(str, host.addresses):
            return ("hosts", name)
    for network in site.networks:
        if str(network.address) == address:
            return ("networks", network.name)
    return ("dns",)


def _certificates(answer: Response | Failed | None) -> tuple[Certificate, ...]:
    if not isinstance(answer, Response) or answer.status != 200:
        return ()
    try:
        return decode(answer.body)
    except PkiError:
        return ()


def _is_ipv4(address: str) -> bool:
    try:
        return ip_address(address).version == 4
    except ValueError:
        return False

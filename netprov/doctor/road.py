"""From a lease to a profile, every turning of it tried: SRV targets, rungs of DHCP options, the ACS.

What goes wrong is an error until something else on the road gives the phone its profile; then it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from netprov.dns.order import in_order
from netprov.dns.service import SERVICES
from netprov.doctor.client import DoctorClient
from netprov.doctor.web import Clock, Web
from netprov.errors import Malformed, Problem, Reason
from netprov.hostport import Scheme
from netprov.phone.action import Failed, Found, Lease, SrvRecord, Trouble
from netprov.phone.handset.memory import Handset
from netprov.phone.rule.ladder import SRV_PATHS, ladder
from netprov.phone.rule.url import Url, is_address, parse_url
from netprov.phone.source import Source, read_options
from netprov.plan import Plan
from netprov.plan.domain import domain_targets, domains
from netprov.plan.site import SiteTarget
from netprov.provision.config import FACTORY_PATH, MAC_PATH

ORDINARY = frozenset(
    {"doctor-path", "doctor-profile", "doctor-locked", "doctor-redirect", "doctor-server-error"}
)
"""What a phone meets on the lower rungs of every ladder, and is no fault if a later rung has its profile."""

Arrived = tuple[str, list[Problem]]
"""Where the profile came from ("" if from nowhere), and what was met on the way."""

DNS_DOMAIN = Reason(
    "doctor-dns-domain",
    "error",
    "The phone asks the DNS server of option 6 for the domain of option 15 first; a server that does not know the domain has no SRV records of it either.",
    "load the domain's zone there, or hand out this server's address as option 6",
)
DNS_SILENT = Reason(
    "doctor-dns-silent",
    "error",
    "Every step after DHCP begins with a question to DNS.",
    "start `netprov serve dns`, or look for a firewall on port 53",
)
SRV_MISSING = Reason(
    "doctor-srv-missing",
    "error",
    "The inventory has targets of this service, and DNS does not say so.",
    "reload the DNS server; other DNS servers need the records of `netprov render`",
)
SRV_DIFFERENT = Reason(
    "doctor-srv-different",
    "warning",
    "Phones follow the records that DNS has, not the inventory.",
    "reload the DNS server, or correct the inventory",
)
TARGET_ADDRESS = Reason(
    "doctor-target-address",
    "error",
    "A name without an address is a server that no phone reaches.",
    "give it one under `hosts:`, and reload the DNS server",
)
NO_SOURCE = Reason(
    "doctor-no-source",
    "error",
    "What the phone's method needs is in no option that DHCP gives it.",
    "give the class options, or another method",
)
ACS_URL = Reason(
    "doctor-acs-url",
    "error",
    "The phone cannot read the URL of its ACS.",
    "correct `acs_url`",
)


_ANSWERED = frozenset({Trouble.NXDOMAIN, Trouble.NODATA, Trouble.DNS_REFUSED})
"""What a DNS server says that is there, of a name without an address: a refusal is of a name that is not its own."""


class Road:
    """The road of one patient, with what it shares with others remembered by `web`."""

    def __init__(self, plan: Plan, web: Web, client: DoctorClient, lease: Lease, clock: Clock) -> None:
        self._plan = plan
        self._web = web
        self._patient = client
        self._lease = lease
        self._clock = clock
        self._handset = Handset(client.identity, lambda _: 0, lease=lease)
        self._agent = self._handset.agent

    async def walk(self) -> Arrived:
        """Go the way of the patient's method."""
        match self._patient.expected.method:
            case "srv":
                return await self._by_srv()
            case "dhcp":
                return await self._by_option()
            case "acs":
                return await self._by_acs()
            case _:
                return "", []

    async def _by_srv(self) -> Arrived:
        domain = self._lease.domain
        trouble = await self._domain(domain)
        if trouble is not None:
            return "", [trouble]
        met: list[Problem] = []
        arrived = ""
        for service in SERVICES:
            url, found = await self._service(service, domain)
            # What kept the phone from a service matters only if no earlier one had its profile, and no later has.
            met += as_warnings(found) if arrived else found
            arrived = arrived or url
        return arrived, as_warnings(met) if arrived else met

    async def _domain(self, domain: str) -> Problem | None:
        """Ask for the domain itself, as the guide says a phone does first; no addresses are fine, silence is not."""
        answer = await self._web.resolve(domain, "A", self._lease.dns)
        if isinstance(answer, Found) or answer.trouble is Trouble.NODATA:
            return None
        servers = ", ".join(self._lease.dns)
        if answer.trouble in (Trouble.NXDOMAIN, Trouble.DNS_REFUSED, Trouble.DNS_FAILED):
            return DNS_DOMAIN.problem(
                f"DNS server {servers} (option 6) does not know {domain}: {answer.trouble}",
                path=("domain",),
            )
        return DNS_SILENT.problem(
            f"DNS server {servers} (option 6) does not answer: {answer}",
        )

    async def _service(self, service: Scheme, domain: str) -> Arrived:
        owner = f"{SERVICES[service]}.{domain}"
        wanted = self._promised(service, domain)
        answer = await self._web.resolve(owner, "SRV", self._lease.dns)
        if isinstance(answer, Failed) or not answer.records:
            if not wanted:
                return "", []
            why = answer if isinstance(answer, Failed) else Trouble.NODATA
            remedy = "reload the DNS server; other DNS servers need the records of `netprov render`"
            missing = SRV_MISSING.problem(f"{owner} has no SRV record: {why}", remedy, path=wanted[0].origin)
            return "", [missing]
        met = [] if wanted is None else self._unlike(owner, answer.records, wanted)
        arrived = ""
        for record in in_order(answer.records, "cisco", lambda _: 0):
            url, found = await self._target(service, record, domain)
            arrived = arrived or url
            met += found
        return arrived, as_warnings(met) if arrived else met

    def _promised(self, service: Scheme, domain: str) -> list[SiteTarget] | None:
        """Return the targets that the inventory has under a domain, None for a domain that is none of its own."""
        if domain.lower() not in map(str.lower, domains(self._plan.site)):
            return None
        return [each for each in domain_targets(self._plan.site, domain) if each.service == service]

    def _unlike(
        self, owner: str, records: Iterable[SrvRecord], targets: Sequence[SiteTarget]
    ) -> list[Problem]:
        said = {(r.priority, r.weight, r.port, r.target.rstrip(".").lower()) for r in records}
        written = {(t.priority, t.weight, t.port, t.target.lower()) for t in targets}
        if said == written:
            return []
        extra = (
            ", ".join(f"{p} {w} {port} {target}" for p, w, port, target in sorted(said - written))
            or "nothing"
        )
        lack = (
            ", ".join(f"{p} {w} {port} {target}" for p, w, port, target in sorted(written - said))
            or "nothing"
        )
        return [
            SRV_DIFFERENT.problem(
                f"{owner} is not as the inventory says: DNS has besides {extra}, and lacks {lack}",
                path=targets[0].origin if targets else ("srv",),
                severity="warning",
            )
        ]

    async def _target(self, service: Scheme, record: SrvRecord, domain: str) -> Arrived:
        if record.target in ("", "."):
            return "", []
        urls = [Url(service, record.target, record.port, self._handset.expand(path)) for path in SRV_PATHS]
        return await self._server(urls, verify=domain)

    async def _server(self, urls: list[Url], *, verify: str) -> Arrived:
        """Try the paths of one server at each of its addresses; every path is asked for, the first that works counts."""
        at, problem = await self._addresses(urls[0].host)
        if problem is not None:
            return "", [problem]
        arrived = ""
        met: list[Problem] = []
        for address in at:
            found = []
            if urls[0].scheme == "https":
                found = await self._web.look(address, urls[0].port, verify, self._clock)
            if any(each.severity == "error" for each in found):
                met += found
                continue
            met += found
            url, missing = await self._paths(urls, address, verify)
            arrived = arrived or url
            met += missing
        return arrived, as_warnings(met) if arrived else met

    async def _paths(self, urls: list[Url], address: str, verify: str) -> Arrived:
        arrived = ""
        met = []
        for url in urls:
            name = verify if url.scheme == "https" else ""
            problem = await self._web.fetch(url, address, verify=name, agent=self._agent)
            if problem is None:
                arrived = arrived or str(url)
                continue
            met.append(problem)
            if problem.rule not in ORDINARY:
                break
        if arrived and not self._patient.listed:
            return arrived, []
        return arrived, met

    async def _addresses(self, host: str) -> tuple[tuple[str, ...], Problem | None]:
        if is_address(host):
            return (host,), None
        answer = await self._web.resolve(host, "A", self._lease.dns)
        if isinstance(answer, Found) and answer.addresses:
            return answer.addresses, None
        why = answer if isinstance(answer, Failed) else Trouble.NODATA
        if isinstance(answer, Failed) and answer.trouble not in _ANSWERED:
            servers = ", ".join(self._lease.dns)
            return (), DNS_SILENT.problem(f"DNS server {servers} (option 6) has no answer for {host}: {why}")
        return (), TARGET_ADDRESS.problem(f"{host} has no address: {why}", path=("hosts",))

    async def _by_option(self) -> Arrived:
        first, second = self._handset.expand(FACTORY_PATH), self._handset.expand(MAC_PATH)
        values = [
            self._handset.expand(value)
            for source in read_options(self._lease.options)
            if isinstance(source, Source)
            for value in source.values
        ]
        met: list[Problem] = []
        for url in ladder(values, first, second):
            arrived, found = await self._server([url], verify=url.host)
            if arrived:
                lasting = [each for each in met if each.rule not in ORDINARY]
                return arrived, as_warnings([*lasting, *found])
            met += found
        if not met:
            nothing = "none of the options 66, 160, 159, 150, 60, 43, 125 names a provisioning server"
            met = [NO_SOURCE.problem(nothing)]
        return "", met

    async def _by_acs(self) -> Arrived:
        for source in read_options(self._lease.options):
            if not isinstance(source, Source) or not source.acs_url:
                continue
            try:
                url = parse_url(source.acs_url)
            except Malformed as error:
                return "", [ACS_URL.problem(f"option {source.option}: {error}")]
            return await self._acs(url)
        nothing = "neither option 43 nor option 125 names an ACS"
        return "", [NO_SOURCE.problem(nothing, "give the class an `acs_url`")]

    async def _acs(self, url: Url) -> Arrived:
        at, problem = await self._addresses(url.host)
        if problem is not None:
            return "", [problem]
        met: list[Problem] = []
        arrived = ""
        for address in at:
            found = []
            if url.scheme == "https":
                found = await self._web.look(address, url.port, url.host, self._clock)
                # One certificate serves every name, and its common name is the domain.
                found = [each for each in found if each.rule != "cert-common-name"]
            if not any(each.severity == "error" for each in found):
                verify = url.host if url.scheme == "https" else ""
                silent = await self._web.answers(url, address, verify=verify)
                found = [*found, *([silent] if silent else [])]
                arrived = arrived or ("" if silent else str(url))
            met += found
        return arrived, as_warnings(met) if arrived else met


def as_warnings(found: Iterable[Problem]) -> list[Problem]:
    """Return findings of which none stops the phone."""
    return [replace(each, severity="warning") if each.severity == "error" else each for each in found]

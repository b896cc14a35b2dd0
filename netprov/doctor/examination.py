"""`netprov doctor`: asks the running services as a phone would, and compares what they say with the inventory.

For every patient: DHCP without taking a lease, time, DNS, then by its method the servers, their certificates and every
path. The first error is what would stop the phone; what it would get over is a warning.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from netprov.doctor import clock as doctor_time
from netprov.doctor.client import DoctorClient
from netprov.doctor.dhcp import LINGER_S, Discoverer, Offer, compare
from netprov.doctor.road import Road, as_warnings
from netprov.doctor.trip import walk
from netprov.doctor.web import CLOCK, REDIRECTED, Clock, Web
from netprov.emulator.failure import COMPRESSED, Timeouts
from netprov.errors import Problem, Reason
from netprov.explain.engine import Story
from netprov.phone.action import Lease, addresses
from netprov.pki.chain import Certificate
from netprov.pki.verify import date
from netprov.plan import Plan
from netprov.provision.secret import Secrets

WALKED = frozenset({"srv", "dhcp"})
"""Methods whose roads are walked: on that of an ACS it would learn of a device, and what was set by hand is not known."""

AT_ONCE = 32
"""Patients examined at the same time."""

NTP_SERVERS = 42

TIME_SILENT = Reason(
    "doctor-time-silent",
    "warning",
    "A phone that has lost the time cannot check certificates.",
    "start an NTP server there, or name another under `ntp:`",
)
TIME_OFF = Reason(
    "doctor-time-off",
    "warning",
    "Phones judge certificates by the time that they are told.",
    "set the clock of whichever is wrong",
)
OTHER_SERVER = Reason(
    "doctor-other-server",
    "error",
    "A phone takes the offer that comes first, whoever makes it.",
    "switch it off, or keep it from this network",
)
NO_OFFER = Reason(
    "doctor-no-offer",
    "error",
    "A phone without an address can ask nobody for anything.",
    "start `netprov serve dhcp`, see its log for this address, and look for a free address in the pool",
)
NOT_SERVED = Reason(
    "doctor-not-served",
    "error",
    "The inventory's DHCP server answers listed phones and phones of a class, as `clients:` says.",
    "list its vendor class, or set `clients: all` on the network",
)

KEY_WITHHELD = Reason(
    "doctor-key-withheld",
    "info",
    "Keys and passwords of profiles are given to the phone itself, and not again: its road cannot be walked to the end from here.",
    "nothing, if it is meant so; `netprov explain records` tells what the phone was given",
)

NEW_PHONE = Reason(
    "doctor-new-phone",
    "warning",
    "A phone from the factory trusts no CA but Cisco's: it is the first profile, by HTTP or TFTP, that makes it trust yours.",
    "let it have a first profile by HTTP or TFTP that sets Custom_CA_Rule (`secure: true` does), and see that `/ca.pem` is served",
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found for one patient, in the order a phone would meet it; `url` is where its profile came from."""

    client: DoctorClient
    found: tuple[Problem, ...]
    url: str = ""

    @property
    def cause(self) -> Problem | None:
        """The first thing that would stop the phone, None if nothing would."""
        return next((each for each in self.found if each.severity == "error"), None)


class Doctor:
    """Examines patients; `interfaces` says where each network is reached, networks without one are not asked for DHCP.

    `linger`: seconds that each network is listened to for further DHCP servers after its first offer.
    """

    def __init__(
        self,
        plan: Plan,
        interfaces: Mapping[str, str],
        anchors: Sequence[Certificate],
        *,
        timeouts: Timeouts = COMPRESSED,
        linger: float = LINGER_S,
        secrets: Secrets | None = None,
    ) -> None:
        self._secrets = secrets
        self._plan = plan
        self._interfaces = interfaces
        self._timeouts = timeouts
        self._linger = linger
        self._anchors = anchors
        self._web: Web
        self._discoverers: dict[str, Discoverer] = {}
        self._surveyed: set[str] = set()
        self._clocks: dict[tuple[str, ...], asyncio.Task[tuple[Clock, list[Problem]]]] = {}
        self._new: set[tuple[str, str, str]] = set()

    async def examine(
        self, clients: Sequence[DoctorClient], tell: Callable[[Diagnosis], None] | None = None
    ) -> list[Diagnosis]:
        """Examine every patient; `tell` hears of each when it is done. Raises `ServiceError` if this machine cannot ask."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(client: DoctorClient) -> Diagnosis:
            async with limit:
                diagnosis = await self._examine(client)
            if tell is not None:
                tell(diagnosis)
            return diagnosis

        async with AsyncExitStack() as stack:
            self._web = Web(self._timeouts, self._anchors, self._secrets)
            stack.push_async_callback(self._web.close)
            for interface in set(self._interfaces.values()):
                self._discoverers[interface] = await stack.enter_async_context(Discoverer(interface))
            # The first alone: what it asks is then known for the rest.
            first = [await one(client) for client in clients[:1]]
            return first + list(await asyncio.gather(*(one(client) for client in clients[1:])))

    async def _examine(self, client: DoctorClient) -> Diagnosis:
        if not client.expected.served:
            return Diagnosis(client, (_not_served(client),))
        lease, found = await self._lease(client)
        if lease is None or any(each.severity == "error" for each in found):
            return Diagnosis(client, tuple(found))
        clock, about_time = await self._clock(addresses(lease.options.get(NTP_SERVERS, b"")))
        road = Road(self._plan, self._web, client, lease, clock)
        url, met = await road.walk()
        if client.expected.method in WALKED:
            story = await walk(self._web, client.identity, lease, self._anchors)
            if self._is_withheld(client, story):
                where = (
                    f"this server keeps the key of {client.identity.mac} for the phone itself: {story.detail}"
                )
                met = [*as_warnings(met), KEY_WITHHELD.problem(where)]
            else:
                url, met = _judged(story, url, met)
                if story.provisioned and story.url.startswith("https:"):
                    met = [*met, *await self._as_new(client, lease)]
        return Diagnosis(client, (*found, *about_time, *met), url)

    async def _as_new(self, client: DoctorClient, lease: Lease) -> list[Problem]:
        """Return what stops a phone as it comes from the factory, where one that trusts the CA is provisioned.

        It is asked once for all that are treated alike.
        """
        alike = client.network, client.expected.class_name, client.expected.method
        if alike in self._new:
            return []
        self._new.add(alike)
        story = await walk(self._web, client.identity, lease, ())
        if story.provisioned or story.problem is None or self._is_withheld(client, story):
            return []
        return [
            NEW_PHONE.problem(f"a new phone, which does not trust the CA yet, is stopped: {story.detail}")
        ]

    def _is_withheld(self, client: DoctorClient, story: Story) -> bool:
        """Tell whether a road ends where a server of ours gives a key to the phone alone."""
        device = self._plan.provision.devices.get(client.identity.mac)
        own = {each.address for each in self._plan.provision.listeners}
        forbidden = story.cause is not None and story.cause.id == "forbidden" and story.server in own
        return forbidden and device is not None and device.policy.locks

    async def _lease(self, client: DoctorClient) -> tuple[Lease | None, list[Problem]]:
        expected = client.expected
        interface = self._interfaces.get(client.network)
        if interface is None:
            promised = {each.code: each.data for each in expected.options}
            return Lease("", "", promised), []
        linger = 0.0 if client.network in self._surveyed else self._linger
        self._surveyed.add(client.network)
        offers = await self._discoverers[interface].ask(client.identity, linger=linger)
        if not offers:
            return None, [_no_offer(client, interface)]
        own = {str(network.address) for network in self._plan.site.networks}
        found = _strangers(offers, own)
        found += compare(expected, offers[0])
        return offers[0].as_lease(), found

    async def _clock(self, servers: tuple[str, ...]) -> tuple[Clock, list[Problem]]:
        if servers not in self._clocks:
            self._clocks[servers] = asyncio.create_task(_time(servers))
        return await self._clocks[servers]


def _judged(story: Story, arrived: str, met: Sequence[Problem]) -> tuple[str, list[Problem]]:
    """Return where the profile came from, and what was met, by the outcome of the phone's own road.

    `arrived` and `met` are of the look at every turning. A clock that is wrong stops a phone whose time is not ours.
    """
    if story.provisioned:
        stops = {CLOCK.id} if not arrived else set()
        kept = [
            replace(each, severity="warning") if each.severity == "error" and each.rule not in stops else each
            for each in met
        ]
        return ("" if any(each.rule in stops for each in met) else story.url), kept
    cause = story.problem
    first = next((each for each in met if each.severity == "error" or each.rule == REDIRECTED.id), None)
    if cause is None or (not arrived and first is not None and first.rule != REDIRECTED.id):
        return "", list(met)
    return "", [cause, *story.notes, *met]


async def _time(servers: tuple[str, ...]) -> tuple[Clock, list[Problem]]:
    found: list[Problem] = []
    for server in servers:
        told = await doctor_time.ask(server)
        here = time.time()
        if told is None or not told.synchronised:
            how = "does not answer" if told is None else "does not know the time itself (unsynchronised)"
            found.append(
                TIME_SILENT.problem(
                    f"time server {server} (option 42) {how}: phones that lost the time cannot check certificates",
                    severity="warning",
                )
            )
            continue
        if abs(told.time - here) > doctor_time.FAR_OFF:
            found.append(
                TIME_OFF.problem(
                    f"time server {server} (option 42) says {date(told.time)}; here it is {date(here)}",
                    severity="warning",
                )
            )
        return Clock(here, told.time, server), found
    now = time.time()
    return Clock(now, now), found


def _strangers(offers: Sequence[Offer], own: set[str]) -> list[Problem]:
    found = []
    for place, offer in enumerate(offers):
        if offer.server in own:
            continue
        first = place == 0
        found.append(
            OTHER_SERVER.problem(
                f"DHCP server {offer.server}, which is not of this inventory, offers {offer.address}"
                + (", and was the first" if first else "; a phone takes the offer that comes first"),
                severity="error" if first else "warning",
            )
        )
    return found


def _no_offer(client: DoctorClient, interface: str) -> Problem:
    return NO_OFFER.problem(
        f"no DHCP server offers an address on {interface} to {client.identity.mac} ({client.identity.option_60})",
        path=("networks", client.network),
    )


def _not_served(client: DoctorClient) -> Problem:
    return NOT_SERVED.problem(
        f"the inventory does not let DHCP serve this phone on network {client.network}",
        path=("networks", client.network),
    )

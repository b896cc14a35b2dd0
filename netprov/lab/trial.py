"""An inventory tried on a virtual LAN: its server, its routers, its phones, and what is to go wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from netprov.lab.fleet import Member, boot_all
from netprov.lab.lan import Lan
from netprov.lab.process import Process
from netprov.lab.residence import Tenant, live_all
from netprov.lab.server import start_server
from netprov.lab.topology import SERVER, PhonePlan, Topology, relays, staging_lan
from netprov.lab.wire import Faults
from netprov.phone.action import Step
from netprov.phone.boot import Outcome
from netprov.phone.handset.identity import Identity, model_named
from netprov.pki.store import Store
from netprov.plan.phone import identity_of
from netprov.plan.site import Site, SitePhone

GUESTS = 2
"""How many phones boot for an inventory that lists none and asks for none."""

_GUEST_MAC = "00:12:34:00:{:02x}:{:02x}"


@dataclass(frozen=True, slots=True)
class Booting:
    """One phone to boot: its name in the lab, its network (None for the first), and what it is, in words.

    `fresh` is a phone that knows no CA but those of its factory.
    """

    name: str
    identity: Identity
    network: str | None
    kind: str
    fresh: bool = False


def phones_of(site: Site) -> tuple[Booting, ...]:
    """Return the phones to boot: every listed one, and those that the inventory's lab adds."""
    lab = site.inventory.lab
    listed = [
        Booting(f"phone{number}", identity_of(phone), phone.network, _kind(phone), phone.method == "dhcp")
        for number, phone in enumerate(site.phones, 1)
    ]
    count = lab.phones if lab.phones or listed else GUESTS
    guests = [
        Booting(
            f"guest{number}",
            Identity(_GUEST_MAC.format(number >> 8, number & 255), model_named(lab.model)),
            lab.network,
            "not listed",
        )
        for number in range(1, count + 1)
    ]
    return (*listed, *guests)


class Trial:
    """The LAN of an inventory with its server running; a context manager that leaves nothing behind."""

    def __init__(self, site: Site, inventory: Path, state: Path) -> None:
        self._site = site
        self._inventory = inventory
        self._state = state
        self._stack = ExitStack()
        self.phones = phones_of(site)
        with self._stack:
            self.lan = self._stack.enter_context(Lan(self._topology()))
            for host, *arguments in relays(site):
                relay = self.lan[host].spawn([sys.executable, "-m", "netprov.lab.relay", *arguments])
                relay.wait_for("ready")
            self.server = self._serve()
            self._stack = self._stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def expected(self) -> int:
        """How many phones are to be provisioned."""
        wanted = self._site.inventory.lab.expect
        return len(self.phones) if wanted is None else wanted

    def boot(self, *, timeout: float) -> Iterator[tuple[Booting, Step | Outcome]]:
        """Boot every phone at once; yield as `boot_all` does.

        A phone of method dhcp is as the factory left it: its first profile brings the CA. The others meet a
        certificate first, so their owner has installed the LAN's CA in them. Where the server is to crash, phones
        are power-cycled until they have a profile or the time is up.
        """
        ca_file = self._ca_file
        roots = (ca_file.read_text(),) if ca_file.exists() else ()
        by_name = {phone.name: phone for phone in self.phones}
        members = [
            Member(
                self.lan[phone.name],
                phone.identity if phone.fresh else replace(phone.identity, custom_roots=roots),
                stubborn=self._site.inventory.lab.outage is not None,
            )
            for phone in self.phones
        ]
        for member, news in boot_all(members, timeout=timeout, meanwhile=self._outage()):
            yield by_name[member.host.name], news

    def live(self, words: Sequence[str], consoles: Path) -> Iterator[tuple[str, str | int]]:
        """Switch every phone on again and let it live, with these words of `netprov phone`; yield as `live_all` does."""
        yield from live_all([self._tenant(phone, words, consoles) for phone in self.phones])

    def _tenant(self, phone: Booting, words: Sequence[str], consoles: Path) -> Tenant:
        identity = phone.identity
        trusted = () if phone.fresh or not self._ca_file.exists() else ("--ca", str(self._ca_file))
        own = (identity.mac, "-f", str(self._inventory), "--model", identity.model.name, *trusted)
        return Tenant(
            phone.name, self.lan[phone.name], (*own, "--console", str(consoles / phone.name), *words)
        )

    @property
    def _ca_file(self) -> Path:
        return Store(self._state / "pki").ca_file

    def _topology(self) -> Topology:
        lab = self._site.inventory.lab
        cable = lab.cable
        faults = None
        if cable:
            faults = Faults(cable.loss, cable.duplicate, cable.delay, cable.jitter, cable.seed)
        places = [PhonePlan(phone.name, phone.identity.mac, phone.network) for phone in self.phones]
        return staging_lan(self._site, places, faults=faults, down=lab.down)

    def _serve(self) -> Process:
        return start_server(self.lan[SERVER], self._inventory, self._state)

    def _outage(self) -> Iterator[float]:
        """Kill the server and start it again when the inventory's lab says so; yields how long to wait first."""
        outage = self._site.inventory.lab.outage
        if outage:
            yield outage.after / 1000
            self.server.kill()
            yield outage.lasts / 1000
            self.server = self._serve()


def _kind(phone: SitePhone) -> str:
    return (
        f"class {phone.class_name}, method {phone.method}" if phone.class_name else f"method {phone.method}"
    )

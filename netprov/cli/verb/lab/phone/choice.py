"""What somebody chose on the command line of `netprov phone`, and the phones, lease and behaviour that follow."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from netprov.cli.site import find, open_plan
from netprov.cli.stay import refuse_without_stay
from netprov.dhcp.option import table as dhcp_options
from netprov.dns.order import SrvOrder
from netprov.emulator.failure import COMPRESSED, REALISTIC, Timeouts
from netprov.errors import InventoryError
from netprov.explain.who import names_of
from netprov.mac import format_mac
from netprov.phone.action import Lease
from netprov.phone.handset.identity import Identity, model_named
from netprov.phone.handset.memory import Behaviour, Cloud
from netprov.phone.handset.settings import DEFAULTS
from netprov.plan.phone import DEFAULT_MODEL, find_phone, identity_of
from netprov.provision.config import IkmEncoding

_FIRST_MAC = 0x02_00_5E_00_00_00
"""Where the MAC addresses of made-up phones begin: locally administered."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The options, by the names that click gives them."""

    file: str | None
    interface: str | None
    every: bool
    count: int | None
    at_once: int
    model: str | None
    firmware: str | None
    tr069: bool
    ca: tuple[str, ...]
    factory_ca: tuple[str, ...]
    srv_order: SrvOrder
    ikm: IkmEncoding
    fall_through: bool
    domain: str | None
    servers: tuple[str, ...]
    given: tuple[str, ...]
    redirector: str
    activation: str
    devices: str
    code: str
    rule: str
    assigned: tuple[str, ...]
    stay: bool
    speed: float
    lasts: int | None
    console: Path | None
    keep: Path | None
    own: str | None
    realistic: bool
    step: bool
    as_json: bool

    def refuse_what_has_no_effect(self) -> None:
        """Raise click's `UsageError` for an option that the others leave without effect."""
        refuse_without_stay(
            stay=self.stay, speed=self.speed, lasts=self.lasts, console=self.console, keep=self.keep
        )
        if self.stay and self.count:
            raise click.UsageError("--count boots made-up phones once: leave --stay out, or name phones")
        if self.stay and self.step:
            raise click.UsageError("--step is for a phone that boots once: leave --stay out")

    @property
    def behaviour(self) -> Behaviour:
        """Where the guide leaves a choice, and what a person at the phone does."""
        return Behaviour(
            srv_order=self.srv_order,
            fall_through=self.fall_through,
            cloud=Cloud(self.redirector, self.activation, self.devices),
            activation_code=self.code,
            profile_rule=self.rule,
            ikm=self.ikm,
        )

    @property
    def timeouts(self) -> Timeouts:
        """How long the phones wait for answers."""
        return REALISTIC if self.realistic else COMPRESSED

    def identities(self, phones: tuple[str, ...]) -> list[Identity]:
        """Return who boots: listed phones by MAC address or name, and strangers by MAC address."""
        site = open_plan(self.file).plan.site if self.every or self.file or _has_inventory() else None
        names = names_of(site)
        listed = [phone.declared.mac for phone in site.phones] if self.every and site else []
        found = []
        for text in [*listed, *phones]:
            mac = names.find(text)
            known = find_phone(site, mac) if site else None
            found.append(self._changed(identity_of(known) if known else _stranger(mac)))
        if not found:
            raise click.UsageError("name a phone by its MAC address, or say --all")
        return found

    def fleet(self, count: int) -> Iterator[Identity]:
        """Yield made-up phones, with locally administered MAC addresses in a row."""
        model = self._changed(_stranger(""))
        for number in range(count):
            yield replace(model, mac=format_mac((_FIRST_MAC + number).to_bytes(6, "big")))

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """What was set on the phones before they were plugged in."""
        found = []
        for text in self.assigned:
            name, separator, value = text.partition("=")
            if not separator or name not in DEFAULTS:
                near = difflib.get_close_matches(name, DEFAULTS, 1)
                hint = f"did you mean {near[0]}?" if near else "the emulated phone acts on none of that name"
                raise click.UsageError(
                    f"--set {text}: write a parameter, =, and its value: Proxy_Mode=Manual; {hint}"
                )
            found.append((name, value))
        return tuple(found)

    def _changed(self, identity: Identity) -> Identity:
        """Return a phone as the options want it."""
        return replace(
            identity,
            model=model_named(self.model) if self.model else identity.model,
            firmware=self.firmware or identity.firmware,
            tr069=self.tr069 or identity.tr069,
            custom_roots=tuple(Path(name).read_text() for name in self.ca),
            factory_roots=tuple(Path(name).read_text() for name in self.factory_ca),
            parameters=self.parameters,
        )

    def lease(self) -> Lease:
        """Return what DHCP would have said, from the command line."""
        options: dict[int, bytes] = {}
        if self.domain:
            options[dhcp_options.DOMAIN] = self.domain.encode("ascii", "replace")
        texts = [(dhcp_options.DNS, ",".join(self.servers))] if self.servers else []
        for text in self.given:
            code, separator, value = text.partition("=")
            if not separator or not code.isdigit():
                raise click.UsageError(f"--option {text}: write a number, =, and a value: 66=10.20.0.1")
            texts.append((int(code), value))
        for number, value in texts:
            listed = number in {dhcp_options.DNS, dhcp_options.TFTP_ADDRESSES}
            try:
                options[number] = dhcp_options.encode(number, value.split(",") if listed else value)
            except ValueError as error:
                raise click.UsageError(str(error)) from error
        if not options:
            raise click.UsageError(
                "say where: --interface IF, or without DHCP --domain and --dns, or --option"
            )
        return Lease(self.own or "0.0.0.0", "command line", options)


def _stranger(mac: str) -> Identity:
    return Identity(mac, model_named(DEFAULT_MODEL))


def _has_inventory() -> bool:
    try:
        find(None)
    except InventoryError:
        return False
    return True

"""`netprov phone`: boot emulated phones on an interface, and show what each asked and got."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import click

from netprov.cli.site import find, inventory_option, open_plan
from netprov.dhcp.option import table as dhcp_options
from netprov.emulator.dhcp import DhcpLink
from netprov.emulator.failure import COMPRESSED, REALISTIC, Timeouts
from netprov.emulator.fleet import Tally, boot_fleet
from netprov.emulator.phone import FixedLease, Link, Trip, boot
from netprov.errors import InventoryError
from netprov.explain.timeline import as_data, tell
from netprov.explain.who import names_of
from netprov.mac import format_mac
from netprov.phone.action import Lease, Step
from netprov.phone.handset.identity import Identity, model_named
from netprov.phone.handset.memory import Behaviour, Cloud
from netprov.plan.phone import DEFAULT_MODEL, find_phone, identity_of

_FIRST_MAC = 0x02_00_5E_00_00_00
"""Where the MAC addresses of made-up phones begin: locally administered."""


@click.command()
@click.argument("phones", nargs=-1, metavar="[MAC|NAME]...")
@inventory_option
@click.option("-i", "--interface", metavar="IF", help="Where the phones are plugged in.")
@click.option("--all", "every", is_flag=True, help="Boot every phone of the inventory.")
@click.option(
    "--count", type=click.IntRange(1, 1_000_000), metavar="N", help="Boot N made-up phones; a summary only."
)
@click.option("--at-once", type=click.IntRange(1, 5000), default=100, show_default=True, help="With --count.")
@click.option(
    "--model", metavar="NAME", help=f"Model of phones not in the inventory. Default: {DEFAULT_MODEL}."
)
@click.option(
    "--firmware", metavar="VERSION", help="Firmware they run. Default: as the inventory says, or 11.3.1."
)
@click.option(
    "--tr069", is_flag=True, help="TR-069 is switched on; the inventory's phones of method acs have it."
)
@click.option(
    "--ca", "ca", metavar="FILE", multiple=True, help="A CA that the phones were staged to trust, PEM."
)
@click.option("--factory-ca", metavar="FILE", multiple=True, help="A CA built into their firmware, PEM.")
@click.option(
    "--srv-order", type=click.Choice(["cisco", "rfc2782"]), default="cisco", help="How weights are read."
)
@click.option(
    "--ikm", type=click.Choice(["raw", "b64url"]), default="raw", help="What IKM_HTTP_Encrypt_Content holds."
)
@click.option("--fall-through", is_flag=True, help="Go on to SRV when what DHCP named gave no profile.")
@click.option("--domain", help="No DHCP: take this for option 15, and the system's addresses.")
@click.option("--dns", "servers", multiple=True, metavar="IP", help="No DHCP: a DNS server.")
@click.option(
    "--option", "given", multiple=True, metavar="N=VALUE", help="No DHCP: an option it would have given."
)
@click.option(
    "--redirector", default="", metavar="HOST[:PORT]", help="Stand-in for remote customization (EDOS)."
)
@click.option("--activation", default="", metavar="HOST[:PORT]", help="Stand-in for activation codes (GDS).")
@click.option("--code", default="", help="Activation code typed on the phone.")
@click.option("--realistic", is_flag=True, help="Wait and retry as long as a phone does.")
@click.option("--step", is_flag=True, help="Wait for Enter after each step.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the timeline.")
def command(phones: tuple[str, ...], **given: Any) -> int:
    """Boot emulated phones and say what each asked, what it got, and where it stopped.

    A phone on the LAN of an inventory, by its MAC address; it trusts no private CA unless told to:

    \b
        netprov phone -f config/staging.yaml 00:12:34:ab:45:de --interface lan0
        netprov phone 00:12:34:ab:45:de -i lan0 --ca state/ca.pem

    A phone that no inventory knows, on any network; and one that asks named servers without DHCP:

    \b
        netprov phone 00:de:ad:be:ef:01 --model 7841 -i eth1
        netprov phone 00:de:ad:be:ef:01 --domain example.com --dns 10.20.0.1
        netprov phone 00:de:ad:be:ef:01 --option 66=10.20.0.1

    A fleet, to see what servers bear:

    \b
        netprov phone -i lan0 --count 1000 --at-once 64

    Exit code 0: every phone was provisioned; 1: one was not.
    """
    behaviour = Behaviour(
        srv_order=given["srv_order"],
        fall_through=given["fall_through"],
        cloud=Cloud(given["redirector"], given["activation"]),
        activation_code=given["code"],
        ikm=given["ikm"],
    )
    timeouts = REALISTIC if given["realistic"] else COMPRESSED
    if given["count"]:
        return _fleet(given, behaviour, timeouts)
    identities = _identities(phones, given)
    trips = asyncio.run(_boot(identities, given, behaviour, timeouts))
    if given["as_json"]:
        click.echo(json.dumps([_data(trip) for trip in trips], indent=2))
    return 0 if all(trip.outcome.provisioned for trip in trips) else 1


def _fleet(given: dict[str, Any], behaviour: Behaviour, timeouts: Timeouts) -> int:
    """Boot made-up phones, many at once; locally administered MAC addresses in a row."""
    interface = given["interface"]
    if interface is None:
        raise click.UsageError("--count needs --interface")
    model = Identity("", model_named(DEFAULT_MODEL))
    fleet = (
        _changed(
            replace(model, mac=format_mac((_FIRST_MAC + number).to_bytes(6, "big"))), given, _roots(given)
        )
        for number in range(given["count"])
    )

    async def run() -> Tally:
        async with DhcpLink(interface, draw=random.getrandbits, timeouts=timeouts.dhcp, many=True) as link:
            return await boot_fleet(
                fleet, link, at_once=given["at_once"], timeouts=timeouts, behaviour=behaviour
            )

    tally = asyncio.run(run())
    data = {
        "phones": tally.phones,
        "provisioned": tally.provisioned,
        "seconds": round(tally.seconds, 3),
        "cpu_milliseconds_a_phone": round(tally.cpu / max(1, tally.phones) * 1000, 3),
        "median_boot_milliseconds": round(median(tally.times) * 1000, 1),
        "failures": dict(tally.reasons.most_common(20)),
    }
    if given["as_json"]:
        click.echo(json.dumps(data, indent=2))
    else:
        for name, value in data.items():
            click.echo(f"{name.replace('_', ' '):26} {value}")
    return 0 if tally.provisioned == tally.phones else 1


async def _boot(
    identities: Sequence[Identity], given: dict[str, Any], behaviour: Behaviour, timeouts: Timeouts
) -> list[Trip]:
    if given["interface"] is None:
        return await _each(identities, FixedLease(_lease(given)), given, behaviour, timeouts)
    async with DhcpLink(given["interface"], draw=random.getrandbits, timeouts=timeouts.dhcp) as link:
        return await _each(identities, link, given, behaviour, timeouts)


async def _each(
    identities: Sequence[Identity],
    link: Link,
    given: dict[str, Any],
    behaviour: Behaviour,
    timeouts: Timeouts,
) -> list[Trip]:
    """Boot one phone after the other, each with its timeline as it happens."""
    trips = []
    for identity in identities:
        show = None if given["as_json"] else _Timeline(identity, pause=given["step"])
        trip = await boot(identity, link, timeouts=timeouts, behaviour=behaviour, observe=show)
        trips.append(trip)
        if show:
            show.end(trip)
    return trips


class _Timeline:
    """Prints each step when it is done."""

    def __init__(self, identity: Identity, *, pause: bool) -> None:
        self._pause = pause
        self._began: float | None = None
        click.secho(f"{identity.mac}  {identity.model.name}  {identity.software}", bold=True)

    def __call__(self, step: Step) -> None:
        self._began = step.started if self._began is None else self._began
        told = tell(step)
        at = (step.started - self._began) * 1000
        took = f"{step.seconds * 1000:8.1f} ms" if told.answered else " " * 11
        mark = "·" if told.kind in {"phone", "wait"} else ("+" if told.fine else "!")
        click.secho(f"{at:9.1f} {took} {mark} {told.kind:5} {told.asked}", fg=None if told.fine else "red")
        if told.answered:
            click.secho(f"{'':30}{told.answered}", dim=told.fine, fg=None if told.fine else "red")
        if self._pause:
            click.pause("")

    def end(self, trip: Trip) -> None:
        outcome, took = trip.outcome, f"{trip.seconds * 1000:.0f} ms"
        if outcome.provisioned:
            click.secho(f"provisioned by {outcome.method} from {outcome.url} in {took}", fg="green")
        else:
            click.secho(f"not provisioned after {took}: {outcome.reason}", fg="red")
        click.echo(f"customization state: {outcome.customization}\n")


def _data(trip: Trip) -> dict[str, object]:
    outcome = trip.outcome
    return {
        "mac": trip.identity.mac,
        "model": trip.identity.model.name,
        "firmware": trip.handset.software,
        "provisioned": outcome.provisioned,
        "method": outcome.method,
        "url": outcome.url,
        "reason": outcome.reason,
        "customization": str(outcome.customization),
        "milliseconds": round(trip.seconds * 1000, 3),
        "steps": [as_data(step) for step in trip.steps],
    }


def _identities(phones: tuple[str, ...], given: dict[str, Any]) -> list[Identity]:
    """Return who boots: listed phones by MAC address or name, and strangers by MAC address."""
    site = None
    if given["every"] or given["file"] or _has_inventory():
        site = open_plan(given["file"]).plan.site
    roots, names = _roots(given), names_of(site)
    found = []
    listed = [phone.declared.mac for phone in site.phones] if given["every"] and site else []
    for text in [*listed, *phones]:
        mac = names.find(text)
        known = find_phone(site, mac) if site else None
        identity = identity_of(known) if known else Identity(mac, model_named(DEFAULT_MODEL))
        found.append(_changed(identity, given, roots))
    if not found:
        raise click.UsageError("name a phone by its MAC address, or say --all")
    return found


def _roots(given: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        "custom_roots": tuple(Path(name).read_text() for name in given["ca"]),
        "factory_roots": tuple(Path(name).read_text() for name in given["factory_ca"]),
    }


def _changed(identity: Identity, given: dict[str, Any], roots: dict[str, tuple[str, ...]]) -> Identity:
    changes: dict[str, Any] = dict(roots)
    if given["model"]:
        changes["model"] = model_named(given["model"])
    if given["firmware"]:
        changes["firmware"] = given["firmware"]
    if given["tr069"]:
        changes["tr069"] = True
    return replace(identity, **changes)


def _has_inventory() -> bool:
    try:
        find(None)
    except InventoryError:
        return False
    return True


def _lease(given: dict[str, Any]) -> Lease:
    """Return what DHCP would have said, from the command line."""
    options: dict[int, bytes] = {}
    if given["domain"]:
        options[15] = given["domain"].encode("ascii", "replace")
    texts = [("6", ",".join(given["servers"]))] if given["servers"] else []
    for text in given["given"]:
        code, separator, value = text.partition("=")
        if not separator or not code.isdigit():
            raise click.UsageError(f"--option {text}: write a number, =, and a value: 66=10.20.0.1")
        texts.append((code, value))
    for code, value in texts:
        number = int(code)
        try:
            options[number] = dhcp_options.encode(
                number,
                value.split(",") if number in {dhcp_options.DNS, dhcp_options.TFTP_ADDRESSES} else value,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    if not options:
        raise click.UsageError("say where: --interface IF, or without DHCP --domain and --dns, or --option")
    return Lease("0.0.0.0", "command line", options)

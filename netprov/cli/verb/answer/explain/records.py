"""`netprov explain records`: what phones did, by the records of the running servers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from netprov.cli.say import say
from netprov.cli.site import find, inventory_option, open_plan
from netprov.cli.verb.answer.explain.story import as_story, show
from netprov.dhcp.lease import Lease as DhcpLease
from netprov.dhcp.option.vendor import ACS_MARK
from netprov.errors import InventoryError
from netprov.explain.engine import Story, explain, explain_rest, explain_unasked
from netprov.explain.profile import read_answers
from netprov.explain.promise import PlanWorld
from netprov.explain.promise_tls import PlannedTls
from netprov.explain.record import Heard, sent, steps_of
from netprov.explain.verdict import is_management
from netprov.explain.who import find_all, names_of
from netprov.mac import format_mac
from netprov.phone.action import Lease, Step
from netprov.phone.boot import boot
from netprov.phone.handset.identity import MODELS, Identity, model_named
from netprov.phone.handset.memory import Handset
from netprov.phone.walk import walk
from netprov.plan import Plan
from netprov.plan.offer import Offers
from netprov.plan.phone import DEFAULT_MODEL, find_phone, identity_of
from netprov.state.clock import LeaseClock
from netprov.state.device import load_devices, load_history
from netprov.state.lease import LeaseReader


@click.command("records")
@click.argument("phones", metavar="[MAC|NAME]...", nargs=-1)
@inventory_option
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("--road", is_flag=True, help="Show every step too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    phones: tuple[str, ...], *, file: str | None, state: str | None, road: bool, as_json: bool
) -> int:
    """Say what phones did, by what the servers of this inventory noted of them: DHCP, TFTP, HTTP and the ACS.

    \b
    Examples:
      netprov explain records                            every phone on record or in the inventory
      netprov explain records 00:12:34:ab:45:de --road

    Exit code 1: a phone has no profile.
    """
    plan = _plan(file, needed=state is None)
    folder = Path(state or (plan.site.inventory.server.state if plan else ""))
    leases, now = _leases(folder)
    offers = Offers(plan.dhcp) if plan else None
    tls = PlannedTls(plan, folder, time.time()) if plan else None
    found, fine = [], True
    names = names_of(plan.site if plan else None, folder)
    asked = find_all(names, phones) or _everyone(folder, plan)
    if not asked and not as_json:
        say(_nobody(folder, plan))
    for mac in asked:
        lease = leases.get(mac)
        heard = Heard(mac, load_history(folder, mac), lease, _state(lease, now), plan, offers, tls)
        steps = steps_of(heard)
        if not steps:
            fine = False
            if not as_json:
                say(f"{mac}: no server has heard of it; name the inventory, to begin at its DHCP")
            continue
        story = _story(steps, heard, folder)
        fine &= story.provisioned
        if as_json:
            found.append(as_story({"mac": mac, "name": names.named(mac)}, steps, story))
        else:
            show(f"{mac}  {names.named(mac)}".rstrip(), steps, story, road=road)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    return 0 if fine else 1


def _nobody(folder: Path, plan: Plan | None) -> str:
    listed = (
        "and the inventory lists none" if plan else "and no inventory is named (-f FILE) that may list some"
    )
    return (
        f"no phone is on record in {folder}, {listed}\n"
        "    plug one in while `netprov serve` runs, or name one by its MAC address to see how far it would come"
    )


def _plan(file: str | None, *, needed: bool) -> Plan | None:
    """Return the plan; None where the state directory is named and there is no inventory to be found."""
    try:
        find(file)
    except InventoryError:
        if needed:
            raise
        return None
    return open_plan(file).plan


def _everyone(folder: Path, plan: Plan | None) -> list[str]:
    listed = [phone.declared.mac for phone in plan.site.phones] if plan else []
    return list(dict.fromkeys([each.mac for each in load_devices(folder)] + listed))


def _leases(folder: Path) -> tuple[Mapping[str, DhcpLease], float]:
    """Return the newest lease of each client, and the time by the lease clock."""
    reader = LeaseReader(folder)
    anchor = reader.anchor()
    leases = sorted(reader.leases(), key=lambda each: each.expires)
    return {format_mac(each.mac): each for each in leases}, LeaseClock(
        anchor
    ).now() if anchor else time.time()


def _state(lease: DhcpLease | None, now: float) -> str:
    if lease is None:
        return ""
    if lease.active(now):
        return f"{lease.expires - now:.0f} s left"
    return "expired" if lease.state.name == "BOUND" else lease.state.name.lower()


def _story(steps: list[Step], heard: Heard, folder: Path) -> Story:
    """Explain the steps; where a phone of ours asked for nothing, ask the inventory what it should do."""
    story = explain(steps)
    if heard.plan is None or not isinstance(steps[0].result, Lease):
        return story
    own = {str(network.address) for network in heard.plan.site.networks}
    if not any(each.cause or each.profile or is_management(each.step) for each in read_answers(steps)):
        return (
            story
            if heard.lease is None
            else explain_unasked(steps, _promised(heard, heard.plan, folder), own)
        )
    if story.provisioned:
        promised = _promised(heard, heard.plan, folder, trusting=True)
        return explain_rest(story, promised, own=bool({"profile", "file"} & set(sent(heard))))
    return story


def _promised(heard: Heard, plan: Plan, folder: Path, *, trusting: bool = False) -> Story:
    """Return what the inventory says that the phone should do; `trusting` where it has shown that it knows our CA."""
    world = PlanWorld(plan, folder)
    identity = _identity(heard, plan)
    handset = Handset(replace(identity, custom_roots=(world.ca,)) if trusting else identity, lambda _below: 0)
    outcome, promised = walk(handset, boot(handset), world)
    return explain(promised, outcome)


def _identity(heard: Heard, plan: Plan) -> Identity:
    """Return who a phone is by its entry, or by what it told DHCP."""
    known = find_phone(plan.site, heard.mac)
    if known is not None:
        return identity_of(known)
    vendor_class = heard.lease.vendor_class if heard.lease else ""
    name = next((name for name in MODELS if name in vendor_class), DEFAULT_MODEL)
    return Identity(heard.mac, model_named(name), vendor_class=vendor_class, tr069=ACS_MARK in vendor_class)

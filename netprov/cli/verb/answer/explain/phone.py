"""`netprov explain phone`: what a phone will do on the LAN of an inventory, and what it will get."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from netprov.cli.site import Opened, inventory_option, open_plan
from netprov.cli.verb.answer.explain.story import as_story, show
from netprov.explain.engine import explain
from netprov.explain.promise import PlanWorld
from netprov.explain.timeline import SHOWN
from netprov.explain.who import find_all, names_of
from netprov.phone.action import Lease, Step
from netprov.phone.boot import boot
from netprov.phone.handset.identity import Identity, model_named
from netprov.phone.handset.memory import Behaviour, Handset
from netprov.phone.walk import walk
from netprov.plan.phone import DEFAULT_MODEL, find_phone, identity_of


@click.command("phone")
@click.argument("phones", metavar="[MAC|NAME]...", nargs=-1)
@inventory_option
@click.option(
    "--model", metavar="NAME", help=f"Model of a phone that is not listed. Default: {DEFAULT_MODEL}."
)
@click.option("--trusting", is_flag=True, help="Phones were staged to trust the inventory's CA.")
@click.option(
    "--srv-order", type=click.Choice(["cisco", "rfc2782"]), default="cisco", help="How weights are read."
)
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("--road", is_flag=True, help="Show every step too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(
    phones: tuple[str, ...],
    *,
    file: str | None,
    model: str | None,
    trusting: bool,
    srv_order: str,
    state: str | None,
    road: bool,
    as_json: bool,
) -> int:
    """Say what phones will do on the LAN of the inventory, every service running as planned; nothing is sent.

    \b
    Examples:
      netprov explain phone                              every listed phone, fresh from the box
      netprov explain phone 00:12:34:ab:45:de --road
      netprov explain phone 00:de:ad:be:ef:01 --model CP-7841-3PCC --trusting

    Exit code 1: a phone would not be provisioned.
    """
    opened = open_plan(file)
    plan = opened.plan
    folder = Path(state or plan.site.inventory.server.state)
    names = names_of(plan.site, folder)
    wanted = find_all(names, phones) or [each.declared.mac for each in plan.site.phones]
    if not wanted:
        raise click.UsageError("the inventory lists no phone: name any MAC address")
    found, fine = [], True
    for mac in wanted:
        known = find_phone(plan.site, mac)
        identity = identity_of(known) if known else Identity(mac, model_named(model or DEFAULT_MODEL))
        world = PlanWorld(plan, folder)
        identity = replace(identity, custom_roots=(world.ca,) if trusting else ())
        device = plan.provision.devices.get(identity.mac)
        behaviour = Behaviour(
            srv_order="cisco" if srv_order == "cisco" else "rfc2782",
            ikm=device.policy.ikm if device else "raw",
        )
        handset = Handset(identity, lambda _below: 0, behaviour)
        outcome, steps = walk(handset, boot(handset), world)
        steps = [_located(step, world, opened) for step in steps]
        story = explain(steps, outcome)
        fine &= story.provisioned
        if as_json:
            found.append(
                as_story({"mac": mac, "name": names.named(mac), "model": identity.model.name}, steps, story)
            )
        else:
            show(
                "  ".join(filter(None, (mac, names.named(mac), identity.model.name))), steps, story, road=road
            )
    if as_json:
        click.echo(json.dumps(found, indent=2))
    return 0 if fine else 1


def _located(step: Step, world: PlanWorld, opened: Opened) -> Step:
    """Say of a lease which line of the inventory each option comes from."""
    if not isinstance(step.result, Lease):
        return step
    told = [
        f"option {each.code} at {opened.document.place(each.origin)}"
        for each in world.given
        if each.code in SHOWN
    ]
    return replace(step, evidence="; ".join(told))

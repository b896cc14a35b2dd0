"""`netprov explain records`: what phones did, by the records of the running servers."""

from __future__ import annotations

import json
from pathlib import Path

import click

from netprov.cli.explain_story import as_story, show
from netprov.cli.site import inventory_option, open_plan
from netprov.phone.explain import explain
from netprov.provision.asker import parse_mac
from netprov.runtime.phone_record import steps_of
from netprov.runtime.records import load_devices, load_history


@click.command("records")
@click.argument("macs", metavar="[MAC]...", nargs=-1)
@inventory_option
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("--road", is_flag=True, help="Show every step too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(macs: tuple[str, ...], *, file: str | None, state: str | None, road: bool, as_json: bool) -> int:
    """Say what phones did, by what the servers of this inventory noted of them.

    \b
    Examples:
      netprov explain records                            every phone on record
      netprov explain records 00:12:34:ab:45:de --road

    Exit code 1: a phone has no profile.
    """
    folder = Path(state or open_plan(file).plan.site.inventory.server.state)
    wanted = [parse_mac(mac) or mac for mac in macs] or [each.mac for each in load_devices(folder)]
    found, fine = [], True
    for mac in wanted:
        steps = steps_of(mac, load_history(folder, mac))
        if not steps:
            fine = False
            if not as_json:
                click.echo(f"{mac}: no server has heard of it; was it given an address? `netprov leases`")
            continue
        story = explain(steps)
        fine &= story.provisioned
        if as_json:
            found.append(as_story({"mac": mac}, steps, story))
        else:
            show(mac, steps, story, road=road)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    return 0 if fine else 1

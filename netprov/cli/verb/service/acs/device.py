"""`netprov acs list` and `show`: the devices of the ACS, and what they reported."""

from __future__ import annotations

import json
from typing import Any

import click

from netprov.cli.say import say
from netprov.cli.table import print_table
from netprov.cli.verb.service.acs.choice import Choice, choice_options, chosen, known, place_options
from netprov.cli.verb.service.acs.told import when
from netprov.text import visible


@click.command("list")
@choice_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_devices(*, as_json: bool, **said: Any) -> int:
    """List the devices that the ACS knows, and the phones that it waits for.

    With --not-current the exit code is 1 if there are any.
    """
    choice = Choice(**said)
    devices = chosen(choice, known(choice.directory))
    if as_json:
        click.echo(json.dumps(devices, indent=2))
    else:
        rows = [
            (
                each["name"] or each["mac"] or each["key"],
                each["class"] or "-",
                each["model"] or "-",
                each["firmware"] or "-",
                when(each["informed_at"]) or "never",
                str(each["waiting"]),
                each["behind"] or "-",
            )
            for each in devices
        ]
        heads = ("phone", "class", "model", "firmware", "informed", "asked", "not current because")
        print_table(heads, rows, empty="no device")
    return int(choice.not_current and bool(devices))


@click.command("show")
@click.argument("device")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(device: str, *, as_json: bool, **said: Any) -> int:
    """Show what the ACS knows of DEVICE: its record, and each value that it reported last, with the time."""
    from netprov.runtime.control.client import ask

    choice = Choice(devices=(device,), **said)
    directory = choice.directory
    [found] = chosen(choice, known(directory))
    values = [
        value for said in ask(directory, "acs.values", {"device": found["key"]}) for value in said["values"]
    ]
    if as_json:
        click.echo(json.dumps({**found, "values": values}, indent=2))
        return 0
    for name, value in found.items():
        shown = when(value) if name == "informed_at" else visible(str(value))
        say(f"{name:<12} {shown or '-'}")
    say()
    rows = [
        (each["name"], each["value"], each["type"].removeprefix("xsd:"), when(each["at"])) for each in values
    ]
    print_table(
        ("parameter", "value", "type", "reported"), rows, empty="it has reported nothing that is kept"
    )
    return 0


for option in place_options():
    show = option(show)

COMMANDS = (list_devices, show)

"""`netprov acs history` and `cancel`: what was asked of devices, and what came of it."""

from __future__ import annotations

import json
from typing import Any

import click

from netprov.cli.say import say
from netprov.cli.table import print_table
from netprov.cli.verb.service.acs.choice import Choice, chosen, known, place_options
from netprov.cli.verb.service.acs.told import HEADS, answer_lines, row
from netprov.cwmp.transaction import NUMBERS, number_of


@click.command("history")
@click.argument("asked", required=False, metavar="[t-NUMBER]")
@click.option("-d", "--device", metavar="DEVICE", help="Of this device alone.")
@click.option(
    "-n", "--lines", type=click.IntRange(1), default=50, show_default=True, help="The newest so many."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def history(asked: str | None, device: str | None, lines: int, *, as_json: bool, **said: Any) -> int:
    """Show what was asked of devices: who, what, when, and what came of it; with a number, the answer too."""
    from netprov.runtime.control.client import ask

    number = _number(asked) if asked else 0
    choice = Choice(devices=(device,) if device else (), **said)
    directory = choice.directory
    key = chosen(choice, known(directory))[0]["key"] if device else ""
    arguments = {"device": key, "first": number, "last": number, "limit": lines}
    found = list(ask(directory, "acs.history", arguments))
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return 0 if found or not asked else 1
    if device and not key:
        found = []
    print_table(HEADS, [row(each) for each in found], empty="nothing was asked")
    if asked:
        for line in (line for each in found for line in answer_lines(each)):
            say(f"  {line}")
    return 0 if found or not asked else 1


@click.command("cancel")
@click.argument("asked", nargs=-1, required=True, metavar="t-NUMBER...")
def cancel(asked: tuple[str, ...], **said: Any) -> int:
    """Cancel what waits to be sent to a device; what was sent already cannot be called back."""
    from netprov.runtime.control.client import ask

    directory = Choice(**said).directory
    failed = False
    for number in map(_number, asked):
        for done in ask(directory, "acs.cancel", {"first": number, "last": number}):
            failed = failed or bool(done["error"])
            say(done["error"] or f"{NUMBERS}{number} is cancelled", err=bool(done["error"]))
    return int(failed)


def _number(text: str) -> int:
    number = number_of(text)
    if number is None:
        raise click.UsageError(f"{text} is not the number of a transaction: `{NUMBERS}17`, say")
    return number


for option in place_options():
    history, cancel = option(history), option(cancel)

COMMANDS = (history, cancel)

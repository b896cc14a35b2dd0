"""`netprov phones add`: phones into the inventory, as a bar-code scanner types them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO

import click

from netprov.cli.say import say
from netprov.cli.site import inventory_option
from netprov.cli.verb.service.phones.desk import Desk
from netprov.cli.verb.service.phones.roll import class_of, conclude, open_roll
from netprov.convert.label import KINDS, LONGEST, WORDS, Kind, Labels, Outcome, Unread, model_of


@click.command(
    "add", epilog="Exit code: 0 every phone was added, 1 one was not or `check` finds an error now."
)
@inventory_option
@click.option("--class", "class_name", metavar="NAME", help="The class of every phone. Default: by `match`.")
@click.option("--model", metavar="NAME", help="The model of every phone: then it is not scanned.")
@click.option("--items", metavar="LIST", help=f"What is scanned of each phone. Default: {','.join(KINDS)}.")
@click.option("--csv", metavar="FILE", help="The CSV file, where the inventory names more than one.")
@click.option(
    "--create", is_flag=True, help="Make the CSV file, and name it in the inventory, if there is none."
)
@click.option("--reload", "wanted_reload", is_flag=True, help="At the end let running services take them.")
@click.option("--yes", is_flag=True, help="Reload also if more phones than `reload_limit` would see it.")
@click.option("--state", metavar="DIR", help="The services' state directory, for --reload.")
@click.option("--quiet", "-q", is_flag=True, help="No beep, and no word of phones that were added.")
@click.option("--json", "as_json", is_flag=True, help="For programs: an object a line.")
def command(
    *,
    file: str | None,
    class_name: str | None,
    model: str | None,
    items: str | None,
    csv: str | None,
    state: str | None,
    create: bool,
    wanted_reload: bool,
    yes: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Add phones to the inventory's CSV file as a bar-code scanner types them, until Ctrl-D.

    Scan of each phone MAC address, serial number and model, in any order: a bar code a line, or a phone a line. A phone is in the
    file as soon as it is told; an empty line ends one that lacks something. Those that are listed already are told, and not added.

    \b
    Examples:
      netprov phones add --create                    the first time: makes phones.csv
      netprov phones add --class mpp --reload        and let running services take them
      netprov phones add --model 8851 --items mac < list.txt
    """
    wanted = _wanted(items, model)
    roll = open_roll(file, csv, create=create)
    fixed = class_of(roll, class_name) | ({"model": model_of(model) or model} if model else {})
    desk = Desk(roll, fixed, quiet=quiet, as_json=as_json)
    try:
        _work(desk, sys.stdin.buffer, Labels(wanted))
    except KeyboardInterrupt:
        desk.summary()
        say(f"interrupted: what was told as added is in {roll.sheet}", err=True)
        return 130
    desk.summary()
    ended = conclude(roll, wanted_reload=wanted_reload, yes=yes, state=state, as_json=as_json, quiet=quiet)
    return ended or int(desk.refused > 0)


def _wanted(items: str | None, model: str | None) -> frozenset[Kind]:
    """Return what is scanned of each phone. Raises `UsageError`."""
    if items is None:
        return frozenset(KINDS) - ({"model"} if model else set())
    named = [each.strip().lower() for each in items.split(",")]
    unknown = [each for each in named if each not in KINDS]
    if unknown:
        raise click.UsageError(f"--items {items}: {unknown[0]!r} is none of {', '.join(KINDS)}")
    if "mac" not in named:
        raise click.UsageError(f"--items {items}: a phone is known by its mac")
    return frozenset(kind for kind in KINDS if kind in named)


def _work(desk: Desk, source: BinaryIO, labels: Labels) -> None:
    """Take what is scanned until its end. Raises `ServiceError` if the file cannot be written any more."""
    kinds = ", ".join(WORDS[kind] for kind in KINDS if kind in labels.wanted)
    if sys.stdin.isatty():
        desk.greet(f"Scan of each phone: {kinds}. An empty line ends a phone, Ctrl-D the session.")
    for line in _lines(source):
        _tell(desk, labels.receive(line))
        if labels.missing and sys.stdin.isatty():
            desk.greet(f"        then {', '.join(labels.missing)}")
    _tell(desk, labels.end())


def _tell(desk: Desk, outcomes: list[Outcome]) -> None:
    for each in outcomes:
        if isinstance(each, Unread):
            desk.refuse(each.reason, each.remedy)
            continue
        turned = "its bar codes came in another order than those of the phone before" if each.turned else ""
        desk.add({"mac": each.mac, "model": each.model, "serial": each.serial}, turned)


def _lines(source: BinaryIO) -> Iterator[str]:
    """Yield lines as text; of one without end only as much as tells that it is too long."""
    while line := source.readline(4 * LONGEST + 4):
        whole = line.endswith(b"\n") or len(line) < 4 * LONGEST + 4
        while not whole:
            rest = source.readline(1 << 16)
            whole = not rest or rest.endswith(b"\n")
        yield line.decode("utf-8", "replace").rstrip("\r\n")

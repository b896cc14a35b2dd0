"""`netprov phones add`: phones into the inventory, as a bar-code scanner types them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import click

from netprov.cli.say import say
from netprov.cli.site import inventory_option
from netprov.cli.verb.service.phones.roll import Roll, Taken, class_of, conclude, open_roll
from netprov.convert.label import KINDS, LONGEST, WORDS, Kind, Label, Labels, Outcome, Unread, model_of
from netprov.errors import InventoryError

BEEPS: Mapping[str, int] = {"added": 1, "known": 2, "refused": 3}
"""How often a terminal beeps by what came of a phone, for who looks at the boxes and not at the screen."""
_COLOURS: Mapping[str, str] = {"added": "green", "known": "yellow", "refused": "red"}


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
    desk = _Desk(roll, fixed, quiet=quiet, as_json=as_json)
    try:
        desk.work(sys.stdin.buffer, Labels(wanted))
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


class _Desk:
    """Where phones are scanned: each is added, told, and heard."""

    def __init__(self, roll: Roll, fixed: dict[str, str], *, quiet: bool, as_json: bool) -> None:
        self.refused = 0
        self._roll = roll
        self._fixed = fixed
        self._quiet = quiet
        self._json = as_json

    def work(self, source: BinaryIO, labels: Labels) -> None:
        """Take what is scanned until its end. Raises `ServiceError` if the file cannot be written any more."""
        if sys.stdin.isatty() and not self._quiet and not self._json:
            kinds = [WORDS[kind] for kind in KINDS if kind in labels.wanted]
            say(f"Scan of each phone: {', '.join(kinds)}. An empty line ends a phone, Ctrl-D the session.")
        for line in _lines(source):
            self._tell(labels.receive(line))
        self._tell(labels.end())

    def summary(self) -> None:
        """Say how many were added, and how many things were not taken."""
        if self._json or (self._quiet and not self.refused):
            return
        count = len(self._roll.added)
        told = f"{count} {'phone is' if count == 1 else 'phones are'} added to {self._roll.sheet}"
        say(told + (f", {self.refused} not taken" if self.refused else ""))

    def _tell(self, outcomes: list[Outcome]) -> None:
        for each in outcomes:
            if isinstance(each, Unread):
                self._refuse(each.reason, each.remedy)
            else:
                self._add(each)

    def _add(self, label: Label) -> None:
        scanned = {"mac": label.mac, "model": label.model, "serial": label.serial}
        phone = {key: each for key, each in scanned.items() if each} | self._fixed
        try:
            taken = self._roll.add(phone)
        except InventoryError as error:
            for problem in error.problems:
                self._refuse(f"{label.mac}: {problem.message}", problem.remedy, phone)
            return
        if taken.known_by:
            self._known(taken)
            return
        turned = "its bar codes came in another order than those of the phone before" if label.turned else ""
        self._say("added", " ".join(phone.values()), phone, turned, place=taken)

    def _known(self, taken: Taken) -> None:
        self.refused += 1
        mac, place = taken.phone["mac"], taken.place
        reason = f"{mac} is listed already, at {place}"
        remedy = ""
        if taken.other:
            reason = f"{mac}: its serial number {taken.phone['serial']} is that of {taken.other}, at {place}"
            remedy = "scan both phones again, and correct the line that is wrong"
        self._say("known", reason, taken.phone, remedy, place=taken)

    def _refuse(self, reason: str, remedy: str, phone: Mapping[str, str] | None = None) -> None:
        self.refused += 1
        self._say("refused", reason, phone or {}, remedy)

    def _say(
        self, result: str, text: str, phone: Mapping[str, str], hint: str, place: Taken | None = None
    ) -> None:
        if self._json:
            where = {"file": place.place.file, "line": place.place.line} if place else {}
            reason = "" if result == "added" else text
            data = {"result": result, **dict.fromkeys((*KINDS, "class"), ""), **phone, **where}
            print(json.dumps({**data, "reason": reason, "remedy": hint}), flush=True)
            return
        if self._quiet and result == "added" and not hint:
            return
        colour = None if os.environ.get("NO_COLOR") else _COLOURS[result]
        say(f"{result:<7} {text}", fg=colour)
        if hint:
            say(f"        {hint}")
        if sys.stdout.isatty() and not self._quiet:
            print("\a" * BEEPS[result], end="", flush=True)


def _lines(source: BinaryIO) -> Iterator[str]:
    """Yield lines as text; of one without end only as much as tells that it is too long."""
    while line := source.readline(4 * LONGEST + 4):
        whole = line.endswith(b"\n") or len(line) < 4 * LONGEST + 4
        while not whole:
            rest = source.readline(1 << 16)
            whole = not rest or rest.endswith(b"\n")
        yield line.decode("utf-8", "replace").rstrip("\r\n")

"""The phones of an inventory while some are taken in: who is listed, who is added, what `check` finds then."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import click

from netprov.cli import findings
from netprov.cli.judge import judge
from netprov.cli.say import say
from netprov.cli.site import find
from netprov.cli.verb.service import reload
from netprov.errors import Place, Problem
from netprov.inventory.annex import USUAL, sheet_among, sheets_of, with_sheet
from netprov.inventory.enrol import Known, add_phone, make_sheet, replace_file
from netprov.inventory.load import load


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one phone: where it is listed, and by which of its values it was known before, "" if it is new."""

    phone: Mapping[str, str]
    place: Place
    known_by: str = ""
    other: str = ""
    """The MAC address of the phone that is known by it, where that is another one."""


@dataclass(slots=True)
class Roll:
    """An inventory, the CSV file that phones are added to, and who is listed anywhere in it."""

    name: str
    sheet: Path
    classes: frozenset[str]
    listed: dict[str, dict[str, tuple[str, Place]]]
    """By key (mac, serial) and value: whose it is, and where that stands."""
    before: frozenset[tuple[str, str]]
    """What `check` found before the first phone was added."""
    added: list[str] = field(default_factory=list)

    def add(self, phone: Mapping[str, str]) -> Taken:
        """Add a phone to the file, unless it is listed. Raises `InventoryError` and `ServiceError`."""
        for key, values in self.listed.items():
            if found := values.get(phone.get(key, "")):
                mac, place = found
                return Taken(phone, place, key, mac if mac != phone["mac"] else "")
        found_there = add_phone(self.sheet, phone)
        if isinstance(found_there, Known):  # by somebody else, since this session began
            other = found_there.mac if found_there.mac != phone["mac"] else ""
            return Taken(phone, found_there.place, found_there.key, other)
        for key, values in self.listed.items():
            if phone.get(key):
                values[phone[key]] = phone["mac"], found_there
        self.added.append(phone["mac"])
        return Taken(phone, found_there)

    def findings(self) -> list[Problem]:
        """Return the errors and warnings that `check` finds now and did not find before."""
        return [
            each
            for each in judge(self.name)[0]
            if each.severity != "info" and (each.rule, each.message) not in self.before
        ]


def open_roll(file: str | None, csv: str | None, *, create: bool) -> Roll:
    """Read an inventory, and make the CSV file if there is none yet. Raises `InventoryError` and `ServiceError`."""
    name = find(file)
    sheets = sheets_of(name)
    if not sheets and create:
        sheet = csv or str(Path(name).with_name(USUAL))
        _create(name, sheet)
    else:
        sheet = sheet_among(sheets, csv, name)
        make_sheet(Path(sheet), Path(name))
    document = load(name)
    listed: dict[str, dict[str, tuple[str, Place]]] = {"mac": {}, "serial": {}}
    for number, phone in enumerate(document.inventory.phones):
        place = document.place(("phones", number))
        listed["mac"][phone.mac] = phone.mac, place
        if phone.serial:
            listed["serial"].setdefault(phone.serial.upper(), (phone.mac, place))
    before = frozenset((each.rule, each.message) for each in judge(name)[0])
    return Roll(name, Path(sheet), frozenset(document.inventory.classes), listed, before)


def _create(name: str, sheet: str) -> None:
    """Make a CSV file, and name it in the inventory: last, so that it is there when the inventory says so."""
    files = with_sheet(name, sheet)
    make_sheet(Path(sheet), Path(name))
    for each, text in files.items():
        replace_file(Path(each), text, Path(name))
    say(f"{sheet} is made, and {name} names it", err=True)


def class_of(roll: Roll, wanted: str | None) -> dict[str, str]:
    """Return the cells that every phone gets for a class, {} for none. Raises `UsageError` for one that there is not."""
    if wanted is None:
        return {}
    if wanted not in roll.classes:
        there = ", ".join(sorted(roll.classes)) or "none; phones fall into classes by `match`"
        raise click.UsageError(f"there is no class {wanted}: {there}")
    return {"class": wanted}


def conclude(
    roll: Roll, *, wanted_reload: bool, yes: bool, state: str | None, as_json: bool, quiet: bool = False
) -> int:
    """Tell what `check` finds with the phones that were added, reload if asked, and return the exit code."""
    with ExitStack() as stack:
        if as_json:
            stack.enter_context(redirect_stdout(sys.stderr))  # what is printed for people is no object
        if not roll.added:
            return 0
        found = roll.findings()
        for line in findings.text(found):
            click.echo(line)
        if not quiet:
            say(
                f"{roll.name}: {findings.counted(found)} that was not there before"
                if found
                else f"{roll.name}: nothing new is wrong"
            )
        wrong = any(each.severity == "error" for each in found)
        if wanted_reload and wrong:
            say("not reloaded: mend it, then `netprov reload`", err=True)
        elif wanted_reload:
            context = click.get_current_context()
            return int(context.invoke(reload.command, roles=(), file=roll.name, state=state, yes=yes) or 0)
        elif not quiet:
            say("`netprov plan` says what they get, `netprov reload` gives it to running services")
        return int(wrong)

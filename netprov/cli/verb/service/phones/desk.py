"""Where phones are taken in, one after the other: each is added, told, and heard."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from netprov.cli.say import say
from netprov.cli.verb.service.phones.roll import Roll, Taken
from netprov.errors import InventoryError

BEEPS: Mapping[str, int] = {"added": 1, "known": 2, "refused": 3}
"""How often a terminal beeps by what came of a phone, for who looks at the boxes and not at the screen."""
_COLOURS: Mapping[str, str] = {"added": "green", "known": "yellow", "refused": "red"}
_CELLS = ("mac", "serial", "model", "class")


class Desk:
    """One session: `fixed` are cells that every phone gets, `refused` counts what was not taken."""

    def __init__(self, roll: Roll, fixed: Mapping[str, str], *, quiet: bool, as_json: bool) -> None:
        self.refused = 0
        self._roll = roll
        self._fixed = fixed
        self._quiet = quiet
        self._json = as_json

    def greet(self, text: str) -> None:
        """Say what is to be done, to people."""
        if not self._quiet and not self._json:
            say(text)

    def add(self, cells: Mapping[str, str], hint: str = "") -> None:
        """Add a phone, and tell what came of it. Raises `ServiceError` if the file cannot be written."""
        phone = {**{key: each for key, each in cells.items() if each}, **self._fixed}
        try:
            taken = self._roll.add(phone)
        except InventoryError as error:
            for problem in error.problems:
                self.refuse(f"{phone['mac']}: {problem.message}", problem.remedy, phone)
            return
        if taken.known_by:
            self._known(taken)
            return
        self._tell("added", " ".join(phone.values()), phone, hint, place=taken)

    def refuse(self, reason: str, remedy: str, phone: Mapping[str, str] | None = None) -> None:
        """Tell that something was not taken, and what to do."""
        self.refused += 1
        self._tell("refused", reason, phone or {}, remedy)

    def summary(self) -> None:
        """Say how many were added, and how many were not taken."""
        if self._json or (self._quiet and not self.refused):
            return
        count = len(self._roll.added)
        told = f"{count} {'phone is' if count == 1 else 'phones are'} added to {self._roll.sheet}"
        say(told + (f", {self.refused} not taken" if self.refused else ""))

    def _known(self, taken: Taken) -> None:
        self.refused += 1
        mac, place = taken.phone["mac"], taken.place
        reason, remedy = f"{mac} is listed already, at {place}", ""
        if taken.other:
            reason = f"{mac}: its serial number {taken.phone['serial']} is that of {taken.other}, at {place}"
            remedy = "scan both phones again, and correct the line that is wrong"
        self._tell("known", reason, taken.phone, remedy, place=taken)

    def _tell(
        self, result: str, text: str, phone: Mapping[str, str], hint: str, place: Taken | None = None
    ) -> None:
        if self._json:
            where = {"file": place.place.file, "line": place.place.line} if place else {}
            reason = "" if result == "added" else text
            data = {"result": result, **dict.fromkeys(_CELLS, ""), **phone, **where}
            print(json.dumps({**data, "reason": reason, "remedy": hint}), flush=True)
            return
        if self._quiet and result == "added" and not hint:
            return
        say(f"{result:<7} {text}", fg=_COLOURS[result])
        if hint:
            say(f"        {hint}")
        if sys.stdout.isatty() and not self._quiet:
            print("\a" * BEEPS[result], end="", flush=True)

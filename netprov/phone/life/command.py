"""The phone's console: what is pressed, typed and looked at, a line each.

rule [--srv] https://example.com/$PSN.xml
resync
status
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netprov.errors import Malformed
from netprov.phone.life.input import (
    CallEnded,
    CallPlaced,
    CodeEntered,
    ConnectionRequested,
    Input,
    LeaseAsked,
    LinkChanged,
    ParameterSet,
    PowerCycled,
    ReportAsked,
    ResetToFactory,
    ResyncAsked,
    RuleEntered,
    UpgradeAsked,
)
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.screen import Lines, parameters, screen, status


@dataclass(frozen=True, slots=True)
class Look:
    """Something of the phone to be shown."""

    show: Callable[[LivingPhone], Lines]


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the console: what it takes ("" for nothing, in brackets what may be left out) and what it is for."""

    takes: str
    help: str
    make: Callable[[str], Input | Look]


def _set(text: str) -> ParameterSet:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise Malformed(f"set {text}: write set NAME=VALUE")
    return ParameterSet(name.strip(), value.strip())


COMMANDS: Mapping[str, Command] = {
    "screen": Command("", "what its screen shows", lambda _: Look(screen)),
    "status": Command("", "its page Status > Phone Status > Provisioning", lambda _: Look(status)),
    "parameters": Command(
        "[NAME]",
        "its parameters, or those whose names begin so",
        lambda text: Look(lambda phone: parameters(phone, text)),
    ),
    "rule": Command("RULE", "enter a profile rule: Settings > Device administration", RuleEntered),
    "code": Command("CODE", "type an activation code", CodeEntered),
    "set": Command("NAME=VALUE", "set a parameter on its web page", _set),
    "resync": Command("[URL]", "press Resync; or by a URL", lambda text: ResyncAsked(text, pressed=True)),
    "upgrade": Command("[URL]", "upgrade by Upgrade_Rule, or to a load", UpgradeAsked),
    "report": Command("", "ask for the reports of Report_Rule", lambda _: ReportAsked()),
    "connect": Command("", "a connection request of the ACS", lambda _: ConnectionRequested()),
    "call": Command("", "place a call", lambda _: CallPlaced()),
    "hang-up": Command("", "end a call", lambda _: CallEnded()),
    "lease": Command("", "ask DHCP again", lambda _: LeaseAsked()),
    "link": Command("", "pull the cable and plug it in again", lambda _: LinkChanged()),
    "power-cycle": Command("", "take the power away and give it back", lambda _: PowerCycled()),
    "factory-reset": Command("", "forget everything and start", lambda _: ResetToFactory()),
}
"""Every word, in the order that help lists them."""


def parse_command(line: str) -> Input | Look:
    """Read one line of the console. Raises `Malformed` with what could be meant."""
    word, _, rest = line.strip().partition(" ")
    command = COMMANDS.get(word)
    if command is None:
        near = difflib.get_close_matches(word, COMMANDS, 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
        raise Malformed(f"{word}: no such command; {meant}")
    text = rest.strip()
    if text and not command.takes:
        raise Malformed(f"{word} takes nothing more")
    if not text and command.takes and not command.takes.startswith("["):
        raise Malformed(f"{word}: write {word} {command.takes}")
    return command.make(text)

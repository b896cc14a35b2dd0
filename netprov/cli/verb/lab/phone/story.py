"""What emulated phones did, as it happens: a line a step, for people or for programs."""

from __future__ import annotations

import json

import click

from netprov.cli.say import say
from netprov.emulator.failure import Timeouts
from netprov.emulator.phone import Trip
from netprov.explain.timeline import as_data, tell
from netprov.phone.action import Action, AskDhcp, Fetch, Resolve, Say, Step, Wait
from netprov.phone.handset.identity import Identity
from netprov.phone.life.machine import LivingPhone
from netprov.phone.life.screen import clock
from netprov.text import visible


class Timeline:
    """Prints each step of a boot when it is done."""

    def __init__(self, identity: Identity, *, pause: bool) -> None:
        self._pause = pause
        self._began: float | None = None
        say(f"{identity.mac}  {identity.model.name}  {identity.software}", bold=True)

    def __call__(self, step: Step) -> None:
        self._began = step.started if self._began is None else self._began
        took = f"{step.seconds * 1000:8.1f} ms"
        _print(step, f"{(step.started - self._began) * 1000:9.1f}", took)
        if self._pause:
            click.pause("")

    def end(self, trip: Trip) -> None:
        """Print how the boot ended."""
        outcome, took = trip.outcome, f"{trip.seconds * 1000:.0f} ms"
        if outcome.provisioned:
            say(f"provisioned by {outcome.method} from {visible(outcome.url)} in {took}", fg="green")
        else:
            say(f"not provisioned after {took}: {visible(outcome.reason)}", fg="red")
        say(f"customization state: {outcome.customization}\n")


class Diary:
    """Prints each step of a life with the phone's own day and time."""

    def __init__(self, identity: Identity, *, as_json: bool, many: bool) -> None:
        self._mac = identity.mac
        self._json = as_json
        self._who = f"{identity.mac} " if many else ""
        if not as_json:
            say(f"{identity.mac}  {identity.model.name}  {identity.software}", bold=True)

    def __call__(self, step: Step) -> None:
        if self._json:
            click.echo(json.dumps({"mac": self._mac, "at": round(step.started, 3), **as_data(step)}))
        else:
            _print(step, f"{self._who}{clock(step.started)}", f"{step.seconds:8.1f} s")

    def end(self, life: LivingPhone) -> None:
        """Print what the life came to."""
        data = life_data(life)
        if self._json:
            click.echo(json.dumps(data))
            return
        said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in data.items() if name != "mac")
        say(f"{self._mac}: {said}", fg="green" if life.current else "red")


def still_waiting(action: Action, timeouts: Timeouts, interface: str | None) -> str:
    """Return what a phone waits for that has no answer yet, and for how long it will."""
    match action:
        case AskDhcp():
            return f"no DHCP server has answered on {interface} yet; the phone asks for {timeouts.dhcp:g} s in all"
        case Resolve(name, _, servers):
            return f"no answer yet for {visible(name)} from DNS {', '.join(servers)}"
        case Fetch(url, address):
            return f"no answer yet from {visible(url.host)} ({visible(address)}); the phone waits {timeouts.answer:g} s at most"
        case Wait(seconds, why):
            return f"the phone lets {seconds:g} s pass: {why}"
        case Say():
            return ""


def _print(step: Step, at: str, took: str) -> None:
    told = tell(step)
    mark = "·" if told.kind in {"phone", "wait"} else ("+" if told.fine else "!")
    shown = took if told.answered or told.kind == "wait" else " " * len(took)
    say(f"{at} {shown} {mark} {told.kind:5} {visible(told.asked)}", fg=None if told.fine else "red")
    if told.answered:
        say(
            f"{' ' * (len(at) + len(took) + 10)}{visible(told.answered)}",
            dim=told.fine,
            fg=None if told.fine else "red",
        )


def trip_data(trip: Trip) -> dict[str, object]:
    """Return a boot for programs."""
    outcome = trip.outcome
    return {
        "mac": trip.identity.mac,
        "model": trip.identity.model.name,
        "firmware": trip.handset.software,
        "provisioned": outcome.provisioned,
        "method": outcome.method,
        "url": outcome.url,
        "reason": outcome.reason,
        "customization": str(outcome.customization),
        "milliseconds": round(trip.seconds * 1000, 3),
        "steps": [as_data(step) for step in trip.steps],
    }


def life_data(life: LivingPhone) -> dict[str, object]:
    """Return what a life came to, for programs."""
    handset = life.handset
    return {
        "mac": handset.identity.mac,
        "firmware": handset.software,
        "resyncs": life.tally.resyncs,
        "failures": life.tally.failures,
        "failures_in_a_row": life.tally.row,
        "customization": str(handset.customization),
        "seconds": round(life.seconds, 3),
    }

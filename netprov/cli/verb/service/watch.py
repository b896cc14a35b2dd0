"""`netprov watch`: what happens, as it happens."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import click

from netprov.cli.follow import Follower
from netprov.cli.say import say
from netprov.cli.scene import Row, Scene, line_of
from netprov.cli.site import inventory_option, open_plan, state_option
from netprov.cli.table import stamp
from netprov.errors import InventoryError, ServiceError
from netprov.state.device import load_devices

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
"""Another screen without a cursor, and back (xterm's control sequences)."""
DRAW_S = 1.0
"""Seconds after which the screen is drawn anew though nothing has happened: its clock goes on."""


@click.command
@inventory_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object a line.")
def command(file: str | None, state: str | None, *, as_json: bool) -> int:
    """Watch what happens, as it happens: each phone and where it stands, and what the services tell.

    On a terminal it is a screen that renews itself; elsewhere a line an event. Ctrl-C ends it. Services that end are told, and
    watched again when they are back. What DNS answers is not told, only what it refuses: a resolver asks too often.

    \b
    Examples:
      netprov watch
      netprov watch | grep 00:12:34:ab:45:de
      netprov watch --json > evening.jsonl
    """
    scene, directory = _scene(file, state)
    follower = Follower(directory)
    with suppress(KeyboardInterrupt):
        if as_json or not sys.stdout.isatty():
            _print(follower, as_json=as_json)
        else:
            with _screen():
                _draw(follower, scene)
    return 0


def _scene(file: str | None, state: str | None) -> tuple[Scene, Path]:
    """Return what is known before anything happens, and the state directory; with --state, the inventory may be wrong."""
    try:
        plan = open_plan(file).plan
    except InventoryError:
        if state is None:
            raise
        scene, directory = Scene(state), Path(state)
    else:
        names = {mac: device.name for mac, device in plan.provision.devices.items()}
        scene = Scene(plan.site.domain, names)
        directory = Path(state or plan.site.inventory.server.state)
    with suppress(ServiceError):  # they are history: what happens now is told all the same
        for each in reversed(load_devices(directory)):
            name = scene.names.get(each.mac, "")
            scene.rows[each.mac] = Row(
                each.mac, name, each.address, each.model, each.standing or "asked", each.since
            )
    return scene, directory


def _print(follower: Follower, *, as_json: bool) -> None:
    """Print each event on its own line, until nobody reads them any more."""
    for told in follower.events():
        if told is None:
            continue
        if as_json:
            click.echo(json.dumps(asdict(told) | {"time": stamp(told.time)}))
        else:
            say(line_of(told).replace("\n", " "))


def _draw(follower: Follower, scene: Scene) -> None:
    drawn = 0.0
    changed = True
    for told in follower.events():
        if told is not None:
            scene.take(told)
            changed = True
        elif changed or time.monotonic() > drawn + DRAW_S:
            width, height = shutil.get_terminal_size()
            lines = scene.lines(sorted(follower.up), width=width - 1, height=height, now=time.time())
            sys.stdout.write("\x1b[H" + "\n".join(f"{line}\x1b[K" for line in lines) + "\x1b[J")
            sys.stdout.flush()
            drawn, changed = time.monotonic(), False


@contextmanager
def _screen() -> Iterator[None]:
    """Have the terminal's other screen, and give it back however this ends."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    sys.stdout.write(_ENTER)
    try:
        yield
    finally:
        with suppress(OSError):  # the terminal may be gone
            sys.stdout.write(_LEAVE)
            sys.stdout.flush()

"""`netprov demo`: serve an inventory on a virtual LAN and watch its phones provision themselves."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

import netprov
from netprov.cli.say import say
from netprov.cli.site import open_plan, packaged
from netprov.cli.stay import refuse_without_stay, stay_options
from netprov.cli.timeline import Line, new_console, print_summary, print_timeline, seconds_of
from netprov.errors import LabError
from netprov.phone.action import Step
from netprov.plan import Plan

if TYPE_CHECKING:
    from netprov.lab.trial import Trial

EXAMPLE = "staging.yaml"
PATIENCE_S = 40.0
"""How long phones may take to boot, in seconds."""


@click.command
@click.option("-f", "--file", metavar="FILE", help="The inventory. Default: the example config/staging.yaml.")
@click.option("--keep", is_flag=True, help="Keep the LAN until Ctrl-C, and say how to look around in it.")
@stay_options
def command(file: str | None, keep: bool, stay: bool, speed: float, lasts: int | None) -> int:
    """Watch phones provision themselves on a virtual LAN.

    Makes a LAN of network namespaces, runs `netprov serve` on its server, boots an emulated factory-fresh phone
    for every phone of the inventory, and prints what each asked and what came back. Needs root, or a kernel that
    lets users make namespaces; nothing of the LAN is left afterwards, and nothing outside of it is touched.
    Exits 0 only when every phone was provisioned.

    \b
    Examples:
      netprov demo                    the staging LAN of Cisco's guide
      netprov demo -f site.yaml       your own inventory, before it meets a wire
      netprov demo --keep             look around afterwards with dig, curl, tcpdump
      netprov demo --stay             let the phones live on, and say where their consoles are
      netprov demo --stay --speed 600 --for 1d      a day of every phone in some minutes
    """
    refuse_without_stay(stay=stay, speed=speed, lasts=lasts)
    lives = _words(speed, lasts) if stay else None
    path = (Path(file) if file else example(EXAMPLE)).resolve()
    opened = open_plan(str(path))
    from netprov.lab.enclosure import run_enclosed

    def work(scratch: Path) -> int:
        return show(opened.plan, path, scratch, keep=keep, lives=lives)

    return run_enclosed(
        work,
        visible=[
            *map(Path, opened.document.files),
            Path(netprov.__file__),
            Path(sys.prefix),
            Path(sys.base_prefix),
        ],
    )


def example(name: str) -> Path:
    """Return an example inventory: packaged with netprov, or in the repository that it runs from."""
    if found := packaged(name):
        return found
    raise LabError(f"the example {name} is not installed; name an inventory with -f FILE")


def show(
    plan: Plan, inventory: Path, scratch: Path, *, keep: bool, lives: Sequence[str] | None = None
) -> int:
    """Do it all, inside the enclosure; return the exit code. `lives`: how phones live on, in words of `netprov phone`."""
    from netprov.lab.trial import Trial

    console = new_console()
    began = time.monotonic()
    with ExitStack() as stack:
        with console.status("Making keys, certificates and zones, starting the services …"):
            trial = stack.enter_context(Trial(plan.site, inventory, scratch / "state"))
        took = time.monotonic() - began
        click.echo(_served(trial.server.output))
        click.echo(f"\nThe LAN and its server took {took:.1f} s; {len(trial.phones)} phones power up.\n")
        provisioned = boot(console, trial)
        expected = "" if trial.expected == len(trial.phones) else f" ({trial.expected} expected)"
        took = time.monotonic() - began
        count = f"{provisioned} of {len(trial.phones)} phones provisioned{expected}"
        click.echo(f"\n{count}, {took:.1f} s in all.")
        fine = True if lives is None else live(trial, lives, scratch)
        if keep:
            explore(trial)
    return 0 if provisioned == trial.expected and fine else 1


def boot(console: Console, trial: Trial) -> int:
    """Boot the phones, print what each of them does, then how all ended; return how many were provisioned."""
    steps: dict[str, list[Step]] = {phone.name: [] for phone in trial.phones}
    lines = []
    for phone, news in trial.boot(timeout=PATIENCE_S):
        told = steps[phone.name]
        if isinstance(news, Step):
            told.append(news)
            continue
        identity = phone.identity
        print_timeline(
            console, f"{phone.name}  {identity.mac}  {identity.model.name}  ({phone.kind})", told, news
        )
        lines.append(Line(f"{phone.name} {identity.mac}", news.method, news, seconds_of(told)))
    print_summary(console, lines)
    return sum(line.outcome.provisioned for line in lines)


def live(trial: Trial, words: Sequence[str], scratch: Path) -> bool:
    """Let the phones live on, and print what each does; tell whether the last resync of every one was fine."""
    consoles = scratch / "consoles"
    consoles.mkdir()
    click.echo("\nThe phones are switched on again and live until Ctrl-C, or as long as --for says.")
    enter = _enter()
    click.echo(f"Their keys, from another terminal: {enter} netprov handset {consoles}/NAME status\n")
    codes = {}
    try:
        for name, news in trial.live(words, consoles):
            if isinstance(news, int):
                codes[name] = news
            else:
                say(f"{name:8} {news}")
    except KeyboardInterrupt:
        click.echo("\nSwitched off.")
    return not any(codes.values())


def _words(speed: float, lasts: int | None) -> tuple[str, ...]:
    return ("--speed", f"{speed:g}", *(() if lasts is None else ("--for", f"{lasts}s")))


def _enter() -> str:
    """Return the command that enters the enclosure."""
    process = os.readlink("/proc/self")
    mapped = Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]
    return f"nsenter -t {process} {'-U --preserve-credentials ' if mapped else ''}-m"


def explore(trial: Trial) -> None:
    """Say how to enter each host, and wait for Ctrl-C."""
    enter = _enter()
    who = "" if " -U " in enter else ", as root"
    click.echo(f"\nThe LAN stays until Ctrl-C. From another terminal{who}:")
    for host in trial.lan:
        click.echo(f"  {enter} --net={host.namespace.path}    # {host.name}")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


def _served(output: str) -> str:
    """Return what the server says it serves, without its log lines."""
    return "\n".join(line for line in output.splitlines() if line.startswith(("netprov serves", "  ")))

"""`netprov drain`: let running services take nothing new in, and end when what is under way is over."""

from __future__ import annotations

import click

from netprov.cli.progress import progress
from netprov.cli.say import say
from netprov.cli.site import inventory_option, known_roles, state_of, state_option
from netprov.runtime.control.client import ask_each
from netprov.runtime.process import DRAIN
from netprov.runtime.roles import ROLES

WITHIN_S = 60.0
"""Seconds for what is under way."""


@click.command(no_args_is_help=False)
@click.argument("roles", nargs=-1, metavar="[ROLE]...")
@inventory_option
@state_option
@click.option(
    "--within",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=WITHIN_S,
    show_default=True,
    help="What is under way longer than that is broken off.",
)
def command(roles: tuple[str, ...], file: str | None, state: str | None, *, within: float) -> int:
    """Let running services finish: nothing new is taken in, downloads and sessions under way go on to their end.

    DHCP ends first, so that no phone is given an address whose servers are about to go. A process whose last role has ended ends
    too; systemd does not start it again. Exit code 1: something had to be broken off.

    \b
    Examples:
      netprov drain                   before this machine is switched off
      netprov drain tftp http         these roles only
    """
    known_roles(roles)
    directory = state_of(file, state)
    broken_off: dict[str, int] = {}
    ended: set[str] = set()
    arguments = {"roles": list(roles), "seconds": within}
    with progress("waits for what is under way") as shown:
        for process, answer in ask_each(directory, roles, DRAIN, arguments):
            counts = answer["under_way"]
            ended |= {role for role in process if not roles or role in roles}
            if answer["over"]:
                broken_off |= counts
            elif counts:
                shown.text = "under way: " + ", ".join(f"{role} {count}" for role, count in counts.items())
    for role in ROLES:
        if role in ended:
            say(f"{role} has ended{f': {broken_off[role]} broken off' if role in broken_off else ''}")
    return int(bool(broken_off))

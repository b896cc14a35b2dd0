"""`netprov log`: the log levels of running services, each role for itself."""

from __future__ import annotations

import json

import click

from netprov.cli.site import inventory_option, known_roles, state_of, state_option
from netprov.cli.table import print_table
from netprov.cli.word import nearest
from netprov.runtime.control.client import ask_each
from netprov.runtime.log import LEVELS
from netprov.runtime.process import LEVEL
from netprov.runtime.roles import ROLES


@click.command(no_args_is_help=False)
@click.argument("words", nargs=-1, metavar=f"[{'|'.join(LEVELS)}] [ROLE]...")
@inventory_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(words: tuple[str, ...], file: str | None, state: str | None, *, as_json: bool) -> int:
    """Show and set from which level on running services log, until they end or are told otherwise.

    Without ROLEs, all are meant. `debug` has the everyday events too: each datagram that was dropped, and why.

    \b
    Examples:
      netprov log                     each role and its level
      netprov log debug dhcp          everything that DHCP does
      netprov log info                as it was
    """
    level, roles = (words[0], words[1:]) if words and words[0] in LEVELS else ("", words)
    if not level and roles and roles[0] not in ROLES:
        raise click.UsageError(f"{roles[0]} is no role and no level; {nearest(roles[0], [*ROLES, *LEVELS])}")
    known_roles(roles)
    rows = [
        (role, now)
        for _, answer in ask_each(state_of(file, state), roles, LEVEL, {"level": level, "roles": list(roles)})
        for role, now in answer["levels"].items()
    ]
    if as_json:
        click.echo(json.dumps([{"role": role, "level": now} for role, now in rows], indent=2))
    else:
        print_table(("role", "level"), rows)
    return 0

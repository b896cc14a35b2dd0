"""`netprov reload`: let running services take the inventory as it is now, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from netprov.cli.say import say
from netprov.cli.site import inventory_option, known_roles, state_option
from netprov.errors import InventoryError

if TYPE_CHECKING:
    # Loaded when it is asked for more than `--help`.
    from netprov.diff import Change
    from netprov.plan import Plan


@click.command(no_args_is_help=False)
@click.argument("roles", nargs=-1, metavar="[ROLE]...")
@inventory_option
@state_option
@click.option(
    "--yes", is_flag=True, help="Also if more phones than `server: {reload_limit: …}` would see it."
)
def command(roles: tuple[str, ...], file: str | None, state: str | None, *, yes: bool) -> int:
    """Let running services load the inventory again: all of them take it, or none does.

    Every process of the state directory makes ready for the new inventory: it binds what is new, loads certificates and
    secrets. If all can, all take it over, without losing a request, and what changed is printed. If one cannot, none
    takes it, and the reason is printed; the exit code is 1 then. With ROLEs, only their processes are asked.
    `netprov plan` says beforehand what would change for whom.

    \b
    Examples:
      netprov reload                        every service of the inventory's state directory
      netprov reload dns http               these only
      systemctl reload netprov-dns          the same as `netprov reload`
    """
    known_roles(roles)
    from netprov.diff.told import told
    from netprov.runtime.control.reload import reload

    seen: list[Change] = []

    def judge(old: Plan, new: Plan) -> tuple[str, ...]:
        from netprov.diff import changes

        seen[:] = changes(old, new)
        return () if yes else refusal(seen, old, new)

    outcome = reload(Path(state or _declared_state(file)), roles, judge)
    for shown, colour, bold in told(seen):
        say(shown, fg=colour, bold=bold, err=not outcome.done)
    if outcome.done:
        for line in outcome.lines or ("nothing has changed",):
            say(line)
        return 0
    say("refused, everything serves as before:", err=True)
    for line in outcome.lines:
        say(line, err=True)
    return 1


def refusal(seen: Sequence[Change], old: Plan, new: Plan) -> tuple[str, ...]:
    """Return why a change is not to be made without a word more: it is of more phones than either inventory lets be."""
    limits = [plan.site.inventory.server.reload_limit for plan in (old, new)]
    limit = min((each for each in limits if each is not None), default=None)
    phones = len({each.mac for each in seen if each.mac})
    if limit is None or phones <= limit:
        return ()
    text = f"{phones} listed phones would see something else, and `server: {{reload_limit: {limit}}}` says to ask"
    return (f"{text}: look at it with `netprov plan`, then `netprov reload --yes`",)


def _declared_state(file: str | None) -> str:
    """Return the state directory that the inventory names; it is read for that only where no --state is given."""
    from netprov.cli.site import open_document

    try:
        return open_document(file).inventory.server.state
    except InventoryError as error:
        # What the services would say: they read the same file.
        say(f"refused, everything serves as before:\n{error}", err=True)
        raise click.exceptions.Exit(1) from error

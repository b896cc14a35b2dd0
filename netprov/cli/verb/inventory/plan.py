"""`netprov plan`: what would change for whom if this inventory were loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from netprov.cli.against import RUNNING, plan_against
from netprov.cli.progress import progress
from netprov.cli.say import say
from netprov.cli.site import inventory_option, open_plan
from netprov.diff import Change, changes
from netprov.diff.told import told


@click.command()
@inventory_option
@click.option(
    "--against",
    default=RUNNING,
    show_default=True,
    metavar="WHAT",
    help="What to compare with: `running`, what the services serve; `git` or `git:REVISION`, as it was committed; or another FILE.",
)
@click.option("--state", metavar="DIR", help="The services' state directory. Default: the inventory's.")
@click.option("--all", "everything", is_flag=True, help="Show every change and everybody it is for.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything would change, as `git diff` does.")
@click.option("--json", "as_json", is_flag=True, help="For programs: every change by itself.")
def command(
    file: str | None, against: str, state: str | None, *, everything: bool, exit_code: bool, as_json: bool
) -> int:
    """Say what would change for phones and other clients if the inventory were loaded; nothing is changed.

    Both inventories are asked the same: what each listed phone, a client of each class and a stranger would be offered,
    every name, every parameter of every profile, certificates, sockets. What differs is told, likes together.

    \b
    Examples:
      netprov plan                            against what the services serve now
      netprov plan --against git              against what was committed last
      netprov plan -f new.yaml --against old.yaml
      netprov plan --exit-code --json         for a check before a merge

    `netprov reload` then makes the change. Secrets are not shown; a changed secret is not seen.
    """
    opened = open_plan(file)
    folder = Path(state or opened.plan.site.inventory.server.state)
    what, old = plan_against(against, file, folder)
    with progress("compares what each phone would see"):
        found = changes(old, opened.plan)
    if as_json:
        print(json.dumps([{**asdict(each), "sign": each.sign} for each in found], indent=2))
    else:
        for text, colour, bold in told(found, everything=everything, hint="; --all shows them"):
            say(text, fg=colour, bold=bold)
        say(f"{_total(found)}, compared with {what}")
    return 1 if exit_code and found else 0


def _total(found: Sequence[Change]) -> str:
    if not found:
        return "Nothing would change"
    phones = len({each.mac for each in found if each.mac})
    other = sum(not each.mac for each in found)
    return (
        f"{phones or 'No'} listed phone{'s' * (phones != 1)} would see something else, "
        f"and {other or 'no'} other thing{'s' * (other != 1)} would be different"
    )

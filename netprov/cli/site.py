"""Which inventory a verb reads, and the plan that follows from it: shared by the verbs.

Use `@inventory_option` on a command and call `open_plan(file)`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from netprov.cli.progress import progress
from netprov.cli.word import nearest
from netprov.errors import InventoryError, Place, Problem
from netprov.runtime.roles import ROLES

if TYPE_CHECKING:
    # Loaded when an inventory is: `--help` and what is told by --state read none.
    from netprov.inventory.load import Document
    from netprov.plan import Plan

ENVIRONMENT = "NETPROV_FILE"
DEFAULTS = ("netprov.yaml", "/etc/netprov/netprov.yaml")
"""Where an inventory is looked for when none is named, in this order."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An inventory with its places, and the plan derived from it."""

    document: Document
    plan: Plan


def inventory_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `-f/--file` to a verb; it passes `file`, None if not given."""
    option = click.option(
        "-f",
        "--file",
        "file",
        metavar="FILE",
        help=f"The inventory. Default: ${ENVIRONMENT}, else {DEFAULTS[0]} here, else {DEFAULTS[1]}.",
    )
    return option(command)


def state_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--state` to a verb that asks running services; it passes `state`, None if not given."""
    text = "The services' state directory. Default: the inventory's."
    return click.option("--state", metavar="DIR", help=text)(command)


def known_roles(roles: Sequence[str]) -> None:
    """Refuse a role that there is not. Raises `UsageError`."""
    for each in roles:
        if each not in ROLES:
            raise click.UsageError(f"there is no role {each}; {nearest(each, ROLES)}")


def find(file: str | None, usual: Sequence[str] = DEFAULTS) -> str:
    """Return the name of the inventory file to read; one of the `usual` where none is named.

    Raises `InventoryError` if there is none.
    """
    named = file or os.environ.get(ENVIRONMENT)
    if named:
        return named
    for name in usual:
        if Path(name).exists():
            return name
    problem = Problem(
        "no-inventory",
        f"there is no inventory: neither {' in this directory nor '.join(usual)}",
        f"name one with -f FILE or ${ENVIRONMENT}; two lines are enough: `domain: example.com` and "
        "`networks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}`",
        place=Place(str(Path.cwd())),
    )
    raise InventoryError([problem])


def packaged(name: str) -> Path | None:
    """Return a file of config/ as installed with netprov, or in the repository that it runs from; None if it is not there."""
    import netprov

    package = Path(netprov.__file__).parent
    for folder in (package / "examples", package.parent / "config"):
        if (folder / name).is_file():
            return folder / name
    return None


def open_document(file: str | None) -> Document:
    """Load the inventory that a verb was given. Raises `InventoryError`."""
    from netprov.inventory.load import load

    name = find(file)
    with progress(f"reads {name}"):
        return load(name)


def open_plan(file: str | None) -> Opened:
    """Load the inventory that a verb was given and derive its plan. Raises `InventoryError`, every problem located."""
    document = open_document(file)
    return Opened(document, plan_of(document))


def state_of(file: str | None, state: str | None) -> Path:
    """Return the state directory that is named, else the inventory's. Raises `InventoryError`."""
    return Path(state or open_document(file).inventory.server.state)


def plan_of(document: Document) -> Plan:
    """Derive the plan of a loaded inventory. Raises `InventoryError`, every problem located."""
    from netprov.plan import derive

    try:
        with progress("derives what is served"):
            return derive(document.inventory)
    except InventoryError as error:
        raise InventoryError(map(document.locate, error.problems)) from error

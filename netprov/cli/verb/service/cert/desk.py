"""What every `netprov cert` subcommand works on: the plan, the store, the time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from netprov.cli.site import inventory_option, open_plan
from netprov.cli.table import print_table
from netprov.errors import PkiError
from netprov.pki.request import PkiPlan
from netprov.pki.store import Issued, Store
from netprov.pki.verify import date
from netprov.plan import Plan
from netprov.runtime.web.tls import certificate_store


@dataclass(frozen=True, slots=True)
class Desk:
    """The plan, the state directory and the store in it, the time in seconds since 1970."""

    plan: Plan
    state: Path
    store: Store
    now: float

    @property
    def pki(self) -> PkiPlan:
        """The certificates that the inventory asks for."""
        return self.plan.pki

    def absolute(self, host: str) -> str:
        """Return a host's absolute name, whichever way it was typed."""
        return host if "." in host else f"{host}.{self.plan.site.domain}"


def desk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `open_desk` takes."""
    state = click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
    return inventory_option(state(command))


def open_desk(file: str | None, state: str | None) -> Desk:
    """Load the inventory, and open the store in its state directory."""
    plan = open_plan(file).plan
    directory = Path(state or plan.site.inventory.server.state)
    return Desk(plan, directory, certificate_store(directory), time.time())


def report(done: Sequence[Issued], *, otherwise: str = "") -> None:
    """Say what was issued and why."""
    rows = [(each.role, each.name, each.kind, date(each.certificate.not_after), each.reason) for each in done]
    print_table(("ISSUED", "FOR", "KEY", "UNTIL", "BECAUSE"), rows, empty=otherwise)


def read(name: str) -> bytes:
    """Return the content of a file that the operator named. Raises `PkiError`."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise PkiError(f"cannot read {name}: {error.strerror}") from error


def password(file: str | None, variable: str = "NETPROV_PASSWORD") -> bytes:
    """Return a password from a file or the environment, never from the command line; empty if there is none."""
    if file:
        return read(file).rstrip(b"\r\n")
    return os.environ.get(variable, "").encode()


def write_private(name: str, data: bytes) -> None:
    """Write a file that holds a key, readable by its owner alone from its first octet on. Raises `PkiError`."""
    try:
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o600)
            file.write(data)
    except OSError as error:
        raise PkiError(f"cannot write {name}: {error.strerror}") from error

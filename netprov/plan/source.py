"""The sources of profiles' values: what the inventory says of them, as those who ask them want it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netprov.errors import Problem
from netprov.inventory.model import Inventory
from netprov.inventory.model import Source as Declared
from netprov.provision.config import JsonUrl, Program, Source, SqlQuery


def sources(inventory: Inventory) -> Mapping[str, Source]:
    """Return the sources by name, without those that `problems` finds fault with."""
    found = {}
    for name, declared in inventory.sources.items():
        if (how := _how(declared)) is not None:
            found[name] = Source(name, how, declared.timeout, declared.fresh, declared.stale)
    return found


def problems(inventory: Inventory) -> Iterator[Problem]:
    """Find sources that cannot be asked."""
    for name, declared in inventory.sources.items():
        given = [each for each in (declared.sql, declared.http, declared.program) if each is not None]
        if len(given) != 1:
            message = f"source {name} is more than one of `sql`, `http` and `program`"
            yield Problem(
                "source-kind",
                message if given else f"source {name} does not say where it is",
                "write one of them: `sql:`, `http:` or `program: {command: [/usr/local/bin/phone-values]}`",
                path=("sources", name),
            )
        elif declared.program and not "".join(declared.program.command[:1]).startswith("/"):
            yield Problem(
                "source-command",
                f"the program of source {name} is not named from the root",
                "write where it is, each argument by itself: `command: [/usr/local/bin/phone-values, --json]`",
                path=("sources", name, "program", "command"),
            )


def _how(declared: Declared) -> SqlQuery | JsonUrl | Program | None:
    if declared.sql:
        return SqlQuery(declared.sql.database, declared.sql.query, declared.sql.password)
    if declared.http:
        return JsonUrl(declared.http.url, tuple(declared.http.headers.items()), declared.http.ca or "")
    return Program(declared.program.command) if declared.program else None

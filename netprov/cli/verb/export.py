"""`netprov export`: configurations of other servers from the inventory."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import netprov
from netprov.cli.site import Opened, inventory_option, open_plan
from netprov.compare.report import as_text
from netprov.export.kea import FILE as KEA
from netprov.export.kea import export_kea
from netprov.export.name_server import SERVERS, export_zones
from netprov.export.written import Export

ENGINES = ("kea", *SERVERS)


@click.command()
@click.argument("engine", type=click.Choice([*ENGINES, "all"]))
@inventory_option
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Directory to write to.",
)
@click.option(
    "--for",
    "version",
    type=click.Choice(["2", "3"]),
    default="2",
    help="Major version of Kea. Default: Debian 12's.",
)
@click.option(
    "--prove", is_flag=True, help="Run Kea with what was written beside netprov, and compare what they say."
)
def command(engine: str, file: str | None, out: Path, version: str, prove: bool) -> int:
    """Write another server's configuration from the inventory.

    \b
      netprov export kea -f site.yaml --out build          build/kea/kea-dhcp4.conf
      netprov export kea -f site.yaml --out build --for 3  with the names that Kea 3 has
      netprov export all -f site.yaml --out build --prove  Kea, NSD, Knot and BIND; Kea is tried

    What the other server cannot be told is listed with its line. The same inventory gives the same files.
    """
    if prove and engine not in {"kea", "all"}:
        raise click.UsageError("--prove is for kea")
    opened = open_plan(file)
    exports = {
        each: _export(each, opened, int(version)) for each in (ENGINES if engine == "all" else (engine,))
    }
    for name, export in exports.items():
        for path, text in export.files.items():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            click.echo(str(target))
        for each in export.left:
            click.echo(f"{opened.document.place(each.path)}: {name}: {each.text}: {each.reason}", err=True)
    return _prove(opened, exports["kea"]) if prove else 0


def _export(engine: str, opened: Opened, version: int) -> Export:
    if engine == "kea":
        return export_kea(opened.plan, opened.document.place, version)
    return export_zones(opened.plan, engine)


def _prove(opened: Opened, export: Export) -> int:
    """Compare netprov with Kea."""
    from netprov.cli.side import prove_export
    from netprov.lab.enclosure import run_enclosed

    def work(scratch: Path) -> int:
        verdict = prove_export(opened, "kea", export.files[KEA], export.left, scratch)
        for line in as_text(verdict):
            click.echo(line, err=True)
        return 1 if verdict.unexplained else 0

    visible = [
        *map(Path, opened.document.files),
        Path(netprov.__file__),
        Path(sys.prefix),
        Path(sys.base_prefix),
    ]
    return run_enclosed(work, visible=[each.resolve() for each in visible])

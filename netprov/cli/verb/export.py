"""`netprov export`: configurations of other servers from the inventory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

import netprov
from netprov.cli.site import Opened, inventory_option, open_plan
from netprov.compare.report import as_text
from netprov.export.dhcpd import FILE as DHCPD
from netprov.export.dhcpd import export_dhcpd
from netprov.export.dnsmasq import FILE as DNSMASQ
from netprov.export.dnsmasq import export_dnsmasq
from netprov.export.kea import FILE as KEA
from netprov.export.kea import export_kea
from netprov.export.name_server import SERVERS, export_zones
from netprov.export.written import Export, Placed
from netprov.plan import Plan

DHCP: Mapping[str, Callable[[Plan, Placed], Export]] = {
    "kea": export_kea,
    "dhcpd": export_dhcpd,
    "dnsmasq": export_dnsmasq,
}
"""What writes each DHCP server's configuration."""

FILES: Mapping[str, str] = {"kea": KEA, "dhcpd": DHCPD, "dnsmasq": DNSMASQ}
ENGINES = (*DHCP, *SERVERS)


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
    "--prove",
    is_flag=True,
    help="Run the DHCP servers with what was written beside netprov, and compare what they say.",
)
def command(engine: str, file: str | None, out: Path, version: str, prove: bool) -> int:
    """Write another server's configuration from the inventory.

    \b
      netprov export kea -f site.yaml --out build          build/kea/kea-dhcp4.conf
      netprov export kea -f site.yaml --out build --for 3  with the names that Kea 3 has
      netprov export dhcpd -f site.yaml --out build --prove    ISC dhcpd, tried beside netprov
      netprov export all -f site.yaml --out build          all of them

    What the other server cannot be told is listed with its line. The same inventory gives the same files.
    """
    if prove and engine not in {*DHCP, "all"}:
        raise click.UsageError(f"--prove is for {', '.join(DHCP)}")
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
    if not prove:
        return 0
    return _prove(opened, {each: exports[each] for each in DHCP if each in exports})


def _export(engine: str, opened: Opened, version: int) -> Export:
    if engine == "kea":
        return export_kea(opened.plan, opened.document.place, version)
    if engine in DHCP:
        return DHCP[engine](opened.plan, opened.document.place)
    return export_zones(opened.plan, engine)


def _prove(opened: Opened, exports: Mapping[str, Export]) -> int:
    """Compare netprov with each server that has what was exported to it."""
    from netprov.cli.side import prove_export
    from netprov.lab.enclosure import run_enclosed

    def work(scratch: Path) -> int:
        code = 0
        for engine, export in exports.items():
            verdict = prove_export(opened, engine, export.files[FILES[engine]], export.left, scratch / engine)
            for line in as_text(verdict):
                click.echo(f"{engine}: {line}", err=True)
            code = code or int(bool(verdict.unexplained))
        return code

    visible = [
        *map(Path, opened.document.files),
        Path(netprov.__file__),
        Path(sys.prefix),
        Path(sys.base_prefix),
    ]
    return run_enclosed(work, visible=[each.resolve() for each in visible])

"""`netprov export`: configurations of other servers from the inventory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import click

import netprov
from netprov.cli.site import Opened, inventory_option, open_plan
from netprov.compare.report import as_text
from netprov.errors import PkiError
from netprov.export.dhcpd import FILE as DHCPD
from netprov.export.dhcpd import export_dhcpd
from netprov.export.dnsmasq import FILE as DNSMASQ
from netprov.export.dnsmasq import export_dnsmasq
from netprov.export.kea import FILE as KEA
from netprov.export.kea import export_kea
from netprov.export.name_server import SERVERS, export_zones
from netprov.export.nginx import Certificates, export_nginx
from netprov.export.tree import export_tftp
from netprov.export.written import Export, Placed
from netprov.plan import Plan
from netprov.runtime.web.tls import certificate_store
from netprov.state.catalog import peek_catalog

DHCP: Mapping[str, Callable[[Plan, Placed], Export]] = {
    "kea": export_kea,
    "dhcpd": export_dhcpd,
    "dnsmasq": export_dnsmasq,
}
"""What writes each DHCP server's configuration."""

FILES: Mapping[str, str] = {"kea": KEA, "dhcpd": DHCPD, "dnsmasq": DNSMASQ}
FILES_BY = ("nginx", "tftp")
"""What the tree of profiles is written for: it depends on the state directory, for its CA and secrets."""

ENGINES = (*DHCP, *SERVERS, *FILES_BY)


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
    help="Run the other servers with what was written beside netprov, and compare what they say.",
)
@click.option(
    "--state", metavar="DIR", help="Directory with the CA and the secrets. Default: the inventory's."
)
def command(engine: str, file: str | None, *, out: Path, version: str, prove: bool, state: str | None) -> int:
    """Write another server's configuration from the inventory.

    \b
      netprov export kea -f site.yaml --out build          build/kea/kea-dhcp4.conf
      netprov export kea -f site.yaml --out build --for 3  with the names that Kea 3 has
      netprov export dhcpd -f site.yaml --out build --prove    ISC dhcpd, tried beside netprov
      netprov export nginx -f site.yaml --out build        nginx.conf, and what each phone gets as files
      netprov export tftp -f site.yaml --out build         the same for a TFTP server
      netprov export all -f site.yaml --out build          all of them

    What the other server cannot be told is listed with its line. The same inventory gives the same files.
    """
    opened = open_plan(file)
    place = Path(state or opened.plan.site.inventory.server.state)
    exports = {
        each: _export(each, opened, int(version), place)
        for each in (ENGINES if engine == "all" else (engine,))
    }
    for name, export in exports.items():
        for path, text in export.files.items():
            target = out / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            click.echo(str(target))
        for path, octets in export.octets.items():
            _keep(out / path, octets)
        if export.octets:
            click.echo(f"{len(export.octets)} files for phones below {out / name}")
        for each in export.left:
            click.echo(f"{opened.document.place(each.path)}: {name}: {each.text}: {each.reason}", err=True)
    if not prove:
        return 0
    return _prove(opened, exports)


def _keep(path: Path, octets: bytes) -> None:
    """Write a file that may hold secrets: for its owner and group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o640)
    path.write_bytes(octets)


def _export(engine: str, opened: Opened, version: int, state: Path) -> Export:
    if engine in FILES_BY:
        return export_files(engine, opened, state)
    if engine == "kea":
        return export_kea(opened.plan, opened.document.place, version)
    if engine in DHCP:
        return DHCP[engine](opened.plan, opened.document.place)
    return export_zones(opened.plan, engine)


def export_files(engine: str, opened: Opened, state: Path) -> Export:
    """Return what phones get as files, with the CA and the secrets of a state directory, as far as they are there."""
    plan = opened.plan
    catalog = peek_catalog(plan.provision, state)
    if engine == "tftp":
        return export_tftp(plan.provision, catalog)
    store = certificate_store(state)
    chains: tuple[str, ...] = ()
    with suppress(PkiError):
        chains = tuple(str(each.absolute()) for each in store.chain_files(plan.pki.servers[0].host))
    ca, crl = (str(each.absolute()) if each.exists() else "" for each in (store.ca_file, store.crl_file))
    export = export_nginx(plan, opened.document.place, catalog, Certificates(chains, ca, crl))
    if not chains:
        export.leave(
            ("certificates",),
            "certificates",
            f"there are none in {state}: `netprov cert issue`, or --state DIR",
        )
    return export


def _prove(opened: Opened, exports: Mapping[str, Export]) -> int:
    """Compare netprov with each server that has what was exported to it."""
    from netprov.cli.proof import Prover
    from netprov.lab.enclosure import run_enclosed

    def work(scratch: Path) -> int:
        code = 0
        for engine, export in exports.items():
            prover = Prover(opened, scratch / engine)
            if engine in DHCP:
                verdict = prover.dhcp(engine, export.files[FILES[engine]], export.left)
            elif engine in SERVERS:
                verdict = prover.names(engine, export)
            else:
                verdict = prover.paths(engine, export_files)
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

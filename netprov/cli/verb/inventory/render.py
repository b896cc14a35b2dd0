"""`netprov render`: write what would be served, as files that people and other tools can read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from ipaddress import IPv4Address
from pathlib import Path

import click

from netprov.cli.progress import progress
from netprov.cli.site import inventory_option, open_plan
from netprov.dns.message.name import format_host
from netprov.dns.zone.master import format_zone
from netprov.errors import InventoryError, ServiceError
from netprov.mac import bare_mac, parse_mac
from netprov.plan import Plan
from netprov.plan.offer import Offers, Preview
from netprov.provision.catalog import Catalog
from netprov.provision.requester import Requester
from netprov.provision.source import SourceWanted

NOTE = "Written by `netprov render` from the inventory: change that, not this file."

Files = Iterator[tuple[str, str]]
"""Each file's name below the output directory, and its text."""


def zones(plan: Plan) -> Files:
    """Yield every zone as a master file."""
    for zone in plan.dns.zones:
        name = format_host(zone.origin).replace("/", "_")
        yield f"zones/{'root' if name == '.' else name}.zone", format_zone(zone, comment=NOTE)


def options(plan: Plan) -> Files:
    """Yield for each listed phone the DHCP options that it would get, decoded, in the order of the reply."""
    offers = Offers(plan.dhcp)
    for phone in plan.site.phones:
        declared = phone.declared
        found = offers.preview(parse_mac(declared.mac), vendor_class=declared.model or "")
        yield f"options/{bare_mac(declared.mac)}.txt", _reply(found, declared.mac, declared.model)


def _reply(reply: Preview, mac: str, model: str | None) -> str:
    where = str(IPv4Address(reply.address)) if reply.address else "from the pool"
    lines = [
        f"# {NOTE}",
        f"# {mac} {model or 'of unknown model'}: class {reply.class_name or 'none'}, method {reply.method}",
        f"# network {reply.network}, address {where}",
    ]
    lines += [f"{each.code:<3} {each.name}: {each.text}" for each in reply.options]
    lines += [f"# withheld {each.setting.code}: {each.reason}" for each in reply.withheld]
    return "\n".join(lines) + "\n"


def profiles(plan: Plan) -> Files:
    """Yield every listed phone's profile as it gets it over HTTPS, without secrets and before it is encrypted.

    One with values of a source is left out, and told: nobody asks a source here.
    """
    catalog = Catalog(plan.provision, entropy=os.urandom)
    requester = Requester("https", "")
    for device in plan.provision.devices.values():
        name = f"profiles/Cisco/{bare_mac(device.mac)}.cfg"
        try:
            yield name, catalog.plain(device, requester).decode("ascii")
        except SourceWanted as wanted:
            text = f"netprov: {name} is left out: {wanted}; `netprov profile render {device.mac}` asks it"
            click.echo(text, err=True)


PARTS: Mapping[str, Callable[[Plan], Files]] = {"zones": zones, "options": options, "profiles": profiles}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@inventory_option
@click.option(
    "-o",
    "--output",
    default=".",
    show_default=True,
    metavar="DIR",
    help="Where to write; `-` prints to the terminal instead.",
)
def command(parts: tuple[str, ...], file: str | None, output: str) -> None:
    """Write what the inventory comes to: every part, or only the PARTS named.

    \b
    zones     zones/ORIGIN.zone, master files: what DNS serves
    options   options/MAC.txt, the DHCP options that each listed phone gets, decoded
    profiles  profiles/Cisco/MAC.cfg, what each listed phone loads: in the clear, secrets left out

    \b
    Examples:
      netprov render -f site.yaml -o out         out/zones/example.com.zone and others
      netprov render -f site.yaml zones -o -     on the terminal
      named-checkzone example.com out/zones/example.com.zone

    The same inventory gives the same files, octet for octet, so they can be kept under version control and
    compared. A zone under `zones:` that cannot be loaded is left out and told at the end, with exit code 1. The serial number of a zone is `dns: {serial: …}`; while serving it rises with every change.
    """
    opened = open_plan(file)
    plan = opened.plan
    # What goes to a terminal shows by itself that something is done.
    with nullcontext() if sys.stdout.isatty() else progress("renders"):
        for part in parts or PARTS:
            for name, text in PARTS[part](plan):
                if output == "-":
                    click.echo(f"==> {name} <==\n{text}")
                else:
                    _write(Path(output) / name, text)
    broken = [problem for zone in plan.dns.failed for problem in zone.problems]
    if broken and "zones" in (parts or PARTS):
        raise InventoryError(map(opened.document.locate, broken))


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise ServiceError(
            f"cannot write {path}: {error.strerror}", "name another directory with -o"
        ) from error
    click.echo(path)

"""`netprov import`: a draft of an inventory from another server's configuration or a list of phones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from netprov.inventory.convert.dhcpd import read_dhcpd
from netprov.inventory.convert.dnsmasq import read_dnsmasq
from netprov.inventory.convert.draft import Draft, format_draft
from netprov.inventory.convert.kea import read_kea
from netprov.inventory.convert.listing import read_ansible, read_csv
from netprov.inventory.yaml.source import read

FORMATS: Mapping[str, Callable[[str, str], Draft]] = {
    "dnsmasq": read_dnsmasq,
    "dhcpd": read_dhcpd,
    "kea": read_kea,
    "csv": read_csv,
    "ansible": read_ansible,
}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--from", "form", type=click.Choice(list(FORMATS)), help="What the file is. Default: found out."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to a file that is not there yet."
)
def command(file: Path, form: str | None, output: Path | None) -> int:
    """Write a draft of an inventory from the configuration of another server, or from a list of phones.

    \b
      netprov import /etc/dnsmasq.conf > netprov.yaml
      netprov import /etc/dhcp/dhcpd.conf -o netprov.yaml
      netprov import /etc/kea/kea-dhcp4.conf
      netprov import phones.csv --from csv
      netprov import hosts.ini --from ansible

    What could not be carried over is listed, with its line, on the terminal and at the end of the draft. Look through
    the draft with `netprov check`.
    """
    text = read(file, str(file))
    draft = FORMATS[form or guess(file.name, text)](text, str(file))
    draft.complete()
    written = format_draft(draft)
    if output is None:
        click.echo(written, nl=False)
    else:
        try:
            with output.open("x") as opened:
                opened.write(written)
        except FileExistsError:
            raise click.UsageError(f"{output} is there already; name another file") from None
    for each in draft.leftovers:
        click.echo(str(each), err=True)
    counts = f"{len(draft.networks)} networks, {len(draft.classes)} classes, {len(draft.phones)} phones"
    click.echo(f"{file}: {counts}; {len(draft.leftovers)} settings not carried over", err=True)
    return 0


def guess(name: str, text: str) -> str:
    """Return the format of a file by its name and text."""
    if re.search(r'"Dhcp4"\s*:', text):
        return "kea"
    if name.endswith(".csv"):
        return "csv"
    if re.search(r"^\s*subnet\s+[\d.]+\s+netmask|^\s*hardware\s+ethernet", text, re.MULTILINE):
        return "dhcpd"
    if re.search(r"^\s*(dhcp-(range|host|option)|srv-host|host-record|interface)=", text, re.MULTILINE):
        return "dnsmasq"
    if re.search(r"^\s*\[[\w:.-]+\]\s*$|^\s*hosts:\s*$", text, re.MULTILINE):
        return "ansible"
    return "csv"

"""`netprov import`: a draft of an inventory from another server's configuration or a list of phones."""

from __future__ import annotations

from pathlib import Path

import click

from netprov.convert.draft import Draft, format_draft
from netprov.convert.form import FORMATS, guess, is_inventory
from netprov.inventory.yaml.source import read


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
    draft = _draft(file, text, form)
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


def _draft(file: Path, text: str, form: str | None) -> Draft:
    """Read a file; refuse one in which nothing of its format is found."""
    if form is None and is_inventory(text):
        raise click.UsageError(
            f"{file} is an inventory of netprov already: look through it with `netprov check`"
        )
    form = form or guess(file.name, text)
    if not form:
        raise click.UsageError(
            f"{file} is none of {', '.join(FORMATS)}: name its format with --from, if it is one of them"
        )
    draft = FORMATS[form](text, str(file))
    draft.complete()
    if not (draft.networks or draft.hosts or draft.classes or draft.phones or draft.srv or draft.records):
        first = f" ({draft.leftovers[0]})" if draft.leftovers else ""
        raise click.UsageError(f"{file} holds nothing that an inventory could, read as {form}{first}")
    return draft

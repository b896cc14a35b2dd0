"""`netprov import`: a draft of an inventory from another server's configuration or a list of phones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

import netprov
from netprov.cli.progress import progress
from netprov.compare.report import as_text
from netprov.convert.draft import Draft, format_draft
from netprov.convert.form import FORMATS, guess, is_inventory, refuse_hostile
from netprov.convert.seen import read_seen
from netprov.dhcp.message import CLIENT_PORT, SERVER_PORT, Message, decode
from netprov.errors import Malformed
from netprov.explain.capture.frame import GZIP_MAGIC, MAGIC, NG_MAGIC
from netprov.inventory.yaml.source import read

if TYPE_CHECKING:
    from netprov.cli.side import Side

CAPTURE = "capture"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--from", "form", type=click.Choice([*FORMATS, CAPTURE]), help="What the file is. Default: found out."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to a file that is not there yet."
)
@click.option(
    "--prove",
    is_flag=True,
    help="Run the source's own server and netprov with the draft, and compare what they say.",
)
def command(file: Path, form: str | None, output: Path | None, prove: bool) -> int:
    """Write a draft of an inventory from the configuration of another server, or from a list of phones.

    \b
      netprov import /etc/dnsmasq.conf > netprov.yaml
      netprov import /etc/dhcp/dhcpd.conf -o netprov.yaml
      netprov import /etc/kea/kea-dhcp4.conf
      netprov import phones.csv --from csv
      netprov import hosts.ini --from ansible
      netprov import /etc/bind/named.conf        its zones, from their master files
      netprov import db.example.com              one master file
      netprov import cfg.xml                     a phone's profile
      netprov import lan.pcap                    what a LAN's servers hand out today
      netprov import /etc/dnsmasq.conf --prove -o netprov.yaml

    What could not be carried over is listed, with its line, on the terminal and at the end of the draft. Look through
    the draft with `netprov check`. With --prove, dnsmasq, dhcpd or Kea (which must be installed) runs the source and netprov
    the draft, each on a virtual LAN; the same clients ask both, and what differs is listed; exits 1 if something does
    that nothing explains.
    """
    captured = form == CAPTURE or (form is None and _is_capture(file))
    text = "" if captured else read(file, str(file))
    with progress(f"reads {file}"):
        form, draft = (CAPTURE, _seen(file)) if captured else _draft(file, text, form)
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
    if not prove:
        return 0
    from netprov.cli.side import Side, can_run

    if not can_run(form):
        raise click.UsageError(f"no server runs {form}: --prove is for the configurations of servers")
    return _prove(Side(str(file), form, text, draft))


def _prove(side: Side) -> int:
    """Compare the source's own server with the draft."""
    from netprov.cli.side import prove_draft
    from netprov.lab.enclosure import run_enclosed

    def work(scratch: Path) -> int:
        verdict = prove_draft(side, scratch)
        for line in as_text(verdict):
            click.echo(line, err=True)
        return 1 if verdict.unexplained else 0

    return run_enclosed(work, visible=[Path(netprov.__file__), Path(sys.prefix), Path(sys.base_prefix)])


def _is_capture(file: Path) -> bool:
    with file.open("rb") as opened:
        begin = opened.read(4)
    return begin in MAGIC or begin == NG_MAGIC or begin.startswith(GZIP_MAGIC)


def _seen(file: Path) -> Draft:
    """Read a capture: what the LAN's servers hand out."""
    from netprov.explain.capture.packet import read_packets

    def messages() -> Iterator[tuple[int, Message]]:
        for packet in read_packets(str(file)):
            if packet.kind == "udp" and {packet.sport, packet.dport} <= {SERVER_PORT, CLIENT_PORT}:
                with suppress(Malformed):
                    yield packet.number, decode(packet.payload)

    draft = read_seen(messages(), str(file))
    draft.complete()
    if draft.empty:
        raise click.UsageError(
            f"{file} holds no answer of a DHCP server: capture 'udp port 67 or 68' while phones boot"
        )
    return draft


def _draft(file: Path, text: str, form: str | None) -> tuple[str, Draft]:
    """Read a file; refuse one in which nothing of its format is found."""
    refuse_hostile(text, str(file))
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
    if draft.empty:
        first = f" ({draft.leftovers[0]})" if draft.leftovers else ""
        raise click.UsageError(f"{file} holds nothing that an inventory could, read as {form}{first}")
    return form, draft

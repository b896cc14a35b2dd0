"""`netprov explain capture`: what the phones in a packet capture did, and why one of them has no profile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from netprov.cli.say import say
from netprov.cli.site import find, inventory_option, open_plan
from netprov.cli.verb.answer.explain.story import as_story, show
from netprov.errors import InventoryError
from netprov.explain.capture.reading import Sighting, read_capture
from netprov.explain.engine import explain
from netprov.explain.who import Names, find_all, names_of
from netprov.mac import read_mac
from netprov.plan import Site


@click.command("capture")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.argument("phones", metavar="[MAC|NAME]...", nargs=-1)
@inventory_option
@click.option("--road", is_flag=True, help="Show every step too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(path: str, phones: tuple[str, ...], *, file: str | None, road: bool, as_json: bool) -> int:
    """Say what each phone in FILE, written by tcpdump or Wireshark, did and where it stopped.

    \b
    Examples:
      tcpdump -i lan0 -w phones.pcap 'ip or arp'     while the phones start, on the server or a mirror port
      netprov explain capture phones.pcap
      netprov explain capture phones.pcapng 00:12:34:ab:45:de --road

    Exit code 1: a phone has no profile.
    """
    site = _site(file)
    names = names_of(site, Path(site.inventory.server.state)) if site else names_of()
    reading = read_capture(path, _known(site, phones))
    read = reading.phones
    wanted = set(find_all(_seen(names, read), phones))
    sightings = [each for each in read if not wanted or each.mac in wanted]
    stories = [(each, explain(each.steps)) for each in sightings]
    if as_json:
        click.echo(
            json.dumps(
                [
                    as_story(
                        {"mac": each.mac, "name": names.named(each.mac), "address": each.address},
                        each.steps,
                        story,
                    )
                    for each, story in stories
                ],
                indent=2,
            )
        )
    elif not stories:
        say("no phone in this capture: none asked DHCP, and none asked for a provisioning service")
    else:
        for each, story in stories:
            who = f"{each.mac}  {names.named(each.mac)}".rstrip()
            title = f"{who}  {each.vendor_class or 'unknown model'}  {each.address}"
            show(title.rstrip(), each.steps, story, road=road)
            if each.shed:
                say(f"  {each.shed} of its packets were too many to be looked at")
    if reading.others and not as_json:
        say(
            f"{reading.others_text} more clients are in this capture: these are the most telling, name others by MAC address"
        )
    return 0 if all(story.provisioned for _, story in stories) else 1


def _site(file: str | None) -> Site | None:
    """Return the site of the inventory, which knows what phones are called; without one only MAC addresses are known."""
    try:
        find(file)
    except InventoryError:
        return None
    return open_plan(file).plan.site


def _known(site: Site | None, phones: Sequence[str]) -> frozenset[str]:
    """Return the MAC addresses that are phones whatever they ask: those of the inventory, and those asked about."""
    listed = (each.declared.mac for each in site.phones) if site else ()
    return frozenset(filter(None, [*listed, *map(read_mac, phones)]))


def _seen(names: Names, read: Sequence[Sighting]) -> Names:
    """Add the addresses that phones have in the capture itself; they are what its reader sees."""
    return Names(names.by_name | {each.address: each.mac for each in read if each.address})

"""`netprov explain capture`: what the phones in a packet capture did, and why one of them has no profile."""

from __future__ import annotations

import json

import click

from netprov.cli.verb.explain.story import as_story, show
from netprov.explain.capture.reading import read_capture
from netprov.explain.engine import explain
from netprov.mac import read_mac


@click.command("capture")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.argument("macs", metavar="[MAC]...", nargs=-1)
@click.option("--road", is_flag=True, help="Show every step too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(path: str, macs: tuple[str, ...], *, road: bool, as_json: bool) -> int:
    """Say what each phone in FILE, written by tcpdump or Wireshark, did and where it stopped.

    \b
    Examples:
      tcpdump -i lan0 -w phones.pcap 'ip or arp'     while the phones start, on the server or a mirror port
      netprov explain capture phones.pcap
      netprov explain capture phones.pcapng 00:12:34:ab:45:de --road

    Exit code 1: a phone has no profile.
    """
    wanted = {_address(mac) for mac in macs}
    sightings = [each for each in read_capture(path) if not wanted or each.mac in wanted]
    stories = [(each, explain(each.steps)) for each in sightings]
    if as_json:
        click.echo(
            json.dumps(
                [
                    as_story({"mac": each.mac, "address": each.address}, each.steps, story)
                    for each, story in stories
                ],
                indent=2,
            )
        )
    elif not stories:
        click.echo("no phone in this capture: none asked DHCP, and none asked for a provisioning service")
    else:
        for each, story in stories:
            title = f"{each.mac}  {each.vendor_class or 'unknown model'}  {each.address}"
            show(title.rstrip(), each.steps, story, road=road)
    return 0 if all(story.provisioned for _, story in stories) else 1


def _address(text: str) -> str:
    if not (mac := read_mac(text)):
        raise click.UsageError(f"{text} is not a MAC address: write 00:12:34:ab:45:de")
    return mac

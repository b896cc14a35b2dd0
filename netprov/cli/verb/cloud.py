"""`netprov cloud`: the cloud side of onboarding, stood in for in a lab."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

import click

from netprov.mac import parse_mac
from netprov.phone.cloud import CODE, CloudSite


@click.command
@click.option(
    "--listen", default="0.0.0.0:443", show_default=True, metavar="ADDRESS:PORT", help="Where to serve."
)
@click.option("--cert", required=True, metavar="FILE", help="Chain and key in PEM, for lab names alone.")
@click.option(
    "--provider", multiple=True, metavar="WHO=RULE", help="Profile rule of a MAC address or of a model."
)
@click.option("--code", multiple=True, metavar="CODE=RULE", help="Profile rule behind an activation code.")
def command(*, listen: str, cert: str, provider: tuple[str, ...], code: tuple[str, ...]) -> None:
    """Stand in for remote customization (RC, EDOS) and activation codes (GDS) in a lab, until Ctrl-C.

    \b
        netprov cloud --listen 10.20.0.9:443 --cert rc.pem \\
            --provider 00:12:34:ab:45:de=https://pr1.example.com/$MA.xml --code '#12345=https://pr1.example.com/$MA.xml'
        netprov phone 00:12:34:ab:45:de -i lan0 --ca ca.pem --redirector rc.example.com --activation rc.example.com

    The names are your lab's, never Cisco's. A phone without a provider gets 404: customization state Unavailable.
    """
    address, separator, port = listen.rpartition(":")
    if not separator or not port.isdigit():
        raise click.UsageError(f"--listen {listen}: write ADDRESS:PORT")
    providers = {parse_mac(who).hex() or who: rule for who, rule in _pairs("provider", provider)}
    codes = dict(_pairs("code", code))
    for each in codes:
        if not re.match(CODE, each):
            raise click.UsageError(f"--code {each}: 16 digits, or # and 3 to 16 digits")
    asyncio.run(_serve(CloudSite(providers, codes), address, int(port), Path(cert)))


def _pairs(option: str, texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, separator, rule = text.partition("=")
        if not separator or not rule:
            raise click.UsageError(f"--{option} {text}: write {option.upper()}=RULE")
        yield name, rule


async def _serve(site: CloudSite, address: str, port: int, cert: Path) -> None:
    from netprov.emulator.cloud import server_context, start_cloud

    runner = await start_cloud(site, address, port, server_context(cert), click.echo)
    click.echo(f"standing in on {address}:{port}: {len(site.providers)} providers, {len(site.codes)} codes")
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()

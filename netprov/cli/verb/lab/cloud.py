"""`netprov cloud`: the cloud side of onboarding, stood in for in a lab."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from netprov.cli.table import print_table
from netprov.mac import parse_mac
from netprov.phone.cloud import CloudSite
from netprov.phone.onboarding import SERVICES, CloudService, code_fault


@click.command
@click.option(
    "--listen", default="0.0.0.0:443", show_default=True, metavar="ADDRESS:PORT", help="Where to serve."
)
@click.option("--cert", metavar="FILE", help="Chain and key in PEM, for lab names alone.")
@click.option(
    "--provider", multiple=True, metavar="WHO=RULE", help="Profile rule of a MAC address or of a model."
)
@click.option("--code", multiple=True, metavar="CODE=RULE", help="Profile rule behind an activation code.")
@click.option(
    "--device", multiple=True, metavar="MAC=RULE", help="Profile rule of a phone that is onboarded by MAC."
)
@click.option(
    "--allow-list",
    is_flag=True,
    help="Print which of Cisco's names a firewall must let phones reach, and why.",
)
@click.option(
    "--firmware", metavar="VERSION", help="With --allow-list: only what phones with this firmware ask."
)
@click.option("--json", "as_json", is_flag=True, help="With --allow-list: for programs.")
def command(
    *,
    listen: str,
    cert: str | None,
    provider: tuple[str, ...],
    code: tuple[str, ...],
    device: tuple[str, ...],
    allow_list: bool,
    firmware: str | None,
    as_json: bool,
) -> None:
    """Stand in for remote customization (RC, EDOS), activation codes (GDS) and devices by MAC in a lab, until Ctrl-C.

    \b
        netprov cloud --listen 10.20.0.9:443 --cert rc.pem \\
            --provider 00:12:34:ab:45:de=https://pr1.example.com/$MA.xml --code '#12345=https://pr1.example.com/$MA.xml'
        netprov phone 00:12:34:ab:45:de -i lan0 --ca ca.pem --redirector rc.example.com --activation rc.example.com

    The names are your lab's, never Cisco's. A phone without a provider gets 404: customization state Unavailable.
    What a firewall in front of real phones must let through:

    \b
        netprov cloud --allow-list
    """
    if allow_list:
        _print_allowed(firmware, as_json=as_json)
        return
    if not cert:
        raise click.UsageError(
            "--cert FILE: the stand-ins are asked over HTTPS, with a certificate of your lab"
        )
    address, separator, port = listen.rpartition(":")
    if not separator or not port.isdigit():
        raise click.UsageError(f"--listen {listen}: write ADDRESS:PORT")
    providers = {parse_mac(who).hex() or who: rule for who, rule in _pairs("provider", provider)}
    codes = dict(_pairs("code", code))
    for each in codes:
        if fault := code_fault(each, "", ""):
            raise click.UsageError(f"--code {each}: {fault}")
    devices = {parse_mac(who).hex(): rule for who, rule in _pairs("device", device)}
    asyncio.run(_serve(CloudSite(providers, codes, devices), address, int(port), Path(cert)))


def _print_allowed(firmware: str | None, *, as_json: bool) -> None:
    """Print the names that phones ask in the cloud."""
    asked = [each for each in SERVICES if firmware is None or each.asked_by(firmware)]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in asked], indent=2))
        return
    rows = [(each.name, f"tcp {each.port}", _firmware(each), each.purpose) for each in asked]
    print_table(("name", "port", "firmware", "for"), rows)


def _firmware(service: CloudService) -> str:
    if service.before:
        return f"before {service.before}"
    return f"from {service.since}" if service.since else "all"


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

"""`netprov explain dhcp`: what DHCP would answer a client, and which line of the inventory says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from netprov.cli.say import say
from netprov.cli.site import Opened, inventory_option, open_plan
from netprov.cli.table import print_table
from netprov.dhcp.config import DhcpConfig, Origin
from netprov.dhcp.match import Held, judge
from netprov.dhcp.message import dotted
from netprov.explain.who import names_of
from netprov.mac import format_mac, parse_mac
from netprov.plan.offer import Offers, Preview


@click.command("dhcp")
@click.argument("phone", metavar="PHONE")
@inventory_option
@click.option("--vendor-class", metavar="TEXT", help="Its option 60. Default: the model of its entry.")
@click.option("--network", metavar="NAME", help="Where it is. Default: its entry's network, else the first.")
@click.option(
    "--asks", metavar="CODES", help="Its option 55, as 1,3,6,15,66. Default: it asks for everything."
)
@click.option("--host-name", metavar="NAME", default="", help="Its option 12. Default: it sends none.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(
    phone: str,
    *,
    file: str | None,
    vendor_class: str | None,
    network: str | None,
    asks: str | None,
    host_name: str,
    as_json: bool,
) -> int:
    """Say what a client, by its MAC address or name, gets from DHCP, why, and where in the inventory each option is from.

    \b
    Examples:
      netprov explain dhcp 00:12:34:ab:45:de
      netprov explain dhcp 001234ab45de --asks 1,3,6,15,66,150
      netprov explain dhcp 02:00:00:00:00:01 --vendor-class 'CP-8851-3PCC dslforum.org'

    Exit code 1: the client would not be answered.
    """
    opened = open_plan(file)
    site = opened.plan.site
    address = parse_mac(names_of(site, Path(site.inventory.server.state)).find(phone))
    config = opened.plan.dhcp
    if network is not None and config.network(network) is None:
        raise click.UsageError(f"no network {network}: {', '.join(each.name for each in config.networks)}")
    found = Offers(config).preview(
        address,
        vendor_class=_model(opened, address) if vendor_class is None else vendor_class,
        network=network or "",
        asks=_codes(asks),
        hostname=host_name,
    )
    if as_json:
        click.echo(json.dumps(_data(opened, found), indent=2))
    else:
        _print(opened, found)
    return 0 if found.served else 1


def _model(opened: Opened, mac: bytes) -> str:
    phones = opened.plan.site.phones
    text = format_mac(mac)
    return next((each.declared.model or "" for each in phones if each.declared.mac == text), "")


def _codes(asks: str | None) -> bytes | None:
    if asks is None:
        return None
    try:
        return bytes(int(part) for part in asks.split(","))
    except ValueError:
        raise click.UsageError(f"--asks {asks}: write option numbers from 1 to 254, as 1,3,6,15") from None


def _print(opened: Opened, found: Preview) -> None:
    client = found.client
    click.echo(f"client   {format_mac(client.mac or b'')}, vendor class {client.vendor_class!r}")
    say(f"phone    {_place(opened, found.phone.origin) if found.phone else 'not listed'}")
    say(f"network  {found.network}, {_place(opened, ('networks', found.network))}")
    for line in _class_lines(opened, opened.plan.dhcp, found):
        say(line)
    say(f"method   {found.method}")
    if not found.served:
        say(f"answer   none: {found.reason}")
        if found.phone is None and not found.client.vendor_class:
            say("         a phone says what it is in option 60: --vendor-class CP-8851-3PCC asks as one")
        return
    say(f"address  {dotted(found.address) if found.address else 'one of the pool'}\n")
    rows = [
        (str(each.code), each.name, each.text, each.data.hex(), _place(opened, each.origin))
        for each in found.options
    ]
    print_table(("code", "option", "value", "octets", "from"), rows)
    for withheld in found.withheld:
        setting = withheld.setting
        say(f"\nnot sent: option {setting.code}, {_place(opened, setting.origin)}: {withheld.reason}")


def _class_lines(opened: Opened, config: DhcpConfig, found: Preview) -> Iterator[str]:
    """Tell class by class, in the order they are tried, why it took the client or did not."""
    phone = found.phone
    if phone is not None and phone.named:
        yield f"class    {found.class_name}, named by its entry"
        return
    for each in config.classes:
        where = _place(opened, ("classes", each.name))
        if each.condition is None:
            yield f"class    {each.name}: only for phones that name it, {where}"
            continue
        verdicts = "; ".join(
            f"{verdict.text}: {'yes' if verdict.held is Held.YES else 'no'}"
            for verdict in judge(each.condition, found.client)
        )
        mark = "matched" if each.name == found.class_name else "no match"
        yield f"class    {each.name}: {mark}, {where} ({verdicts})"
        if each.name == found.class_name:
            return
    if found.class_name:
        yield f"class    {found.class_name}, by the model of its entry"
    else:
        yield "class    none"


def _place(opened: Opened, origin: Origin) -> str:
    return str(opened.document.place(origin))


def _data(opened: Opened, found: Preview) -> dict[str, Any]:
    return {
        "mac": format_mac(found.client.mac or b""),
        "served": found.served,
        "network": found.network,
        "class": found.class_name or None,
        "method": found.method,
        "address": dotted(found.address) if found.address else None,
        "options": [
            {
                "code": each.code,
                "name": each.name,
                "value": each.text,
                "octets": each.data.hex(),
                "from": _place(opened, each.origin),
            }
            for each in found.options
        ],
        "withheld": [
            {"code": each.setting.code, "from": _place(opened, each.setting.origin), "reason": each.reason}
            for each in found.withheld
        ],
    }

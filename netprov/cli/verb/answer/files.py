"""`netprov files`: every file a phone will ask for, over what, and what it gets."""

from __future__ import annotations

import json
from pathlib import Path

import click

from netprov.cli.site import inventory_option, open_plan
from netprov.cli.table import print_table
from netprov.explain.who import names_of
from netprov.hostport import Scheme
from netprov.plan import Plan
from netprov.provision.answer import Answer, Content, Redirect, Refusal, TreeFile, Unasked
from netprov.provision.catalog import Catalog
from netprov.provision.config import CA_PATH, LADDER, Device, Listener
from netprov.provision.macro import device_macros, expand
from netprov.provision.requester import Requester
from netprov.state.catalog import peek_catalog


@click.command()
@click.argument("phone")
@inventory_option
@click.option(
    "--model", default="CP-8851-3PCC", show_default=True, help="Model of a phone that is not listed."
)
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(phone: str, file: str | None, model: str, state: str | None, *, as_json: bool) -> None:
    """List what PHONE, a MAC address or a name, will ask for, and what it gets.

    \b
    Examples:
      netprov files 00:12:34:ab:45:de
      netprov files desk1 -f site.yaml
      netprov files 00:de:ad:00:be:ef --model CP-7841-3PCC     a phone that is not in the inventory

    The rows are in the order in which a phone tries them: over each of the servers, from its ladder.
    """
    plan = open_plan(file).plan
    folder = Path(state or plan.site.inventory.server.state)
    mac = names_of(plan.site, folder).find(phone)
    device = plan.provision.devices.get(mac) or Device(mac, model)
    catalog = peek_catalog(plan.provision, folder)
    rows = [row for listener in plan.provision.listeners for row in _rows(plan, catalog, device, listener)]
    if as_json:
        print(
            json.dumps([dict(zip(("url", "status", "answer"), row, strict=True)) for row in rows], indent=2)
        )
        return
    print_table(("asks for", "status", "gets"), rows)


def address_of(plan: Plan, device: Device) -> str:
    """Return a phone's fixed address, or one that is nobody's."""
    for address, mac in plan.provision.addresses.items():
        if mac == device.mac:
            return address
    return "0.0.0.0"


def _rows(plan: Plan, catalog: Catalog, device: Device, listener: Listener) -> list[tuple[str, str, str]]:
    scheme: Scheme = listener.scheme  # type: ignore[assignment]
    requester = Requester(
        scheme, address_of(plan, device), listener.address, listener.port, link_mac=lambda: device.mac
    )
    macros = device_macros(device.mac, model=device.model, serial=device.serial, firmware=device.firmware)
    rows = []
    for template in ("/", *LADDER, *plan.provision.paths, CA_PATH):
        path = expand(template, macros)
        status, what = _describe(catalog.respond(path, requester), scheme)
        rows.append((f"{requester.base_url()}{path}", status, what))
    return rows


def _describe(answer: Answer, scheme: Scheme) -> tuple[str, str]:
    match answer:
        case Content(kind=kind, body=body, coding=coding, lock=lock):
            notes = [f"{kind}, {len(body)} octets"]
            notes += ["encrypted"] if coding or body.startswith(b"Salted__") else []
            notes += [f"{lock.scheme} credentials of {lock.account.user}"] if lock else []
            return "200" if scheme != "tftp" else "DATA", ", ".join(notes)
        case TreeFile(directory=directory, path=path):
            return "200" if scheme != "tftp" else "DATA", f"{directory}/{path}, if it is there"
        case Redirect(location=location, status=status):
            return (str(status), location) if scheme != "tftp" else ("ERROR 1", "TFTP cannot redirect")
        case Unasked(reason=reason):
            return "?", f"profile: {reason}"
        case Refusal(status=status, reason=reason):
            if scheme != "tftp":
                return str(status), reason
            return f"ERROR {2 if status == 403 else 1 if status == 404 else 0}", reason

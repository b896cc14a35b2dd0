"""`netprov leases`: list, show, release and export what DHCP has granted."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import click

from netprov.cli.say import UNKNOWN, say
from netprov.cli.site import inventory_option, open_plan, state_of
from netprov.cli.table import print_table, stamp
from netprov.cli.word import Words
from netprov.dhcp.lease import Lease
from netprov.dhcp.lease_file import format_csv, format_isc, format_kea
from netprov.dhcp.message import dotted
from netprov.dhcp.option import table as code
from netprov.errors import InventoryError, ServiceError
from netprov.explain.who import names_of
from netprov.mac import format_mac
from netprov.phone.rule.url import is_address
from netprov.runtime.control.client import NobodyThereError, ask
from netprov.runtime.operation import RELEASE
from netprov.state.clock import LeaseClock
from netprov.state.lease import LeaseReader
from netprov.text import visible


@dataclass(frozen=True, slots=True)
class Ledger:
    """The leases on record, and how lease time reads as wall time."""

    reader: LeaseReader
    leases: tuple[Lease, ...]
    now: float
    to_wall: float

    def state(self, lease: Lease) -> str:
        """Return a lease's state; one that ran out while no server ran is expired."""
        if lease.state.name == "BOUND" and not lease.active(self.now):
            return "expired"
        return lease.state.name.lower()


def state_option(command: Any) -> Any:
    """Add `--state`."""
    text = "Directory that the server keeps its leases in. Default: the inventory's."
    return click.option("--state", metavar="DIR", help=text)(command)


@click.group(cls=Words)
def command() -> None:
    """List, show, release and export leases.

    \b
    Examples:
      netprov leases list
      netprov leases list --all --json
      netprov leases show 10.20.0.100
      netprov leases release 10.20.0.100
      netprov leases export --format kea > kea-leases4.csv
    """


@command.command("list")
@inventory_option
@state_option
@click.option("--all", "every", is_flag=True, help="Also released, expired and declined ones.")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", help="How.")
@click.option("--json", "form", flag_value="json", help="For programs: the same as --format json.")
def list_leases(*, file: str | None, state: str | None, every: bool, form: str) -> int:
    """List the leases that are in force."""
    ledger = open_ledger(file, state)
    leases = [each for each in ledger.leases if every or each.active(ledger.now)]
    match form:
        case "json":
            click.echo(json.dumps([_data(ledger, each) for each in leases], indent=2))
        case "csv":
            click.echo(format_csv(leases, to_wall=ledger.to_wall), nl=False)
        case _:
            rows = [
                (
                    dotted(each.address),
                    format_mac(each.mac),
                    each.hostname or "-",
                    each.network,
                    ledger.state(each),
                    _left(each.expires - ledger.now),
                    each.vendor_class or "-",
                )
                for each in leases
            ]
            print_table(
                ("address", "mac", "hostname", "network", "state", "left", "vendor class"),
                rows,
                empty="no lease",
            )
    return 0


@command.command("show")
@click.argument("which", metavar="ADDRESS|MAC|NAME")
@inventory_option
@state_option
def show(which: str, *, file: str | None, state: str | None) -> int:
    """Show everything known of a lease, found by address, MAC or host name."""
    mac = _who(which, file, state)
    ledger = open_ledger(file, state)
    found = [each for each in ledger.leases if which == dotted(each.address) or mac == format_mac(each.mac)]
    for lease in found:
        for name, value in _data(ledger, lease).items():
            say(f"{name:<13} {visible(str(value)) if value not in ('', None) else '-'}")
        say()
    if not found:
        say(f"no lease of {which}")
    return 0 if found else UNKNOWN


@command.command("release")
@click.argument("address")
@inventory_option
@state_option
def release(address: str, *, file: str | None, state: str | None) -> int:
    """End the lease on ADDRESS, as if its client had given it back.

    The running server does it at once; without one it is done when the server starts. The client is not told, and may go on
    until it renews. Exit code 4: there is no lease on it.
    """
    ledger = open_ledger(file, state)
    try:
        number = int(IPv4Address(address))
    except ValueError:
        raise click.UsageError(f"{address} is not an IPv4 address") from None
    if not any(each.address == number and each.active(ledger.now) for each in ledger.leases):
        say(f"there is no lease on {address}")
        return UNKNOWN
    try:
        (answer,) = ask(state_of(file, state), RELEASE, {"address": number})
    except NobodyThereError:
        ledger.reader.wish_release(number)
        say(f"no server is running: {address} will be released when one starts")
        return 0
    say(f"released {address}" if answer["released"] else f"there is no lease on {address}")
    return 0 if answer["released"] else UNKNOWN


@command.command("export")
@inventory_option
@state_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "isc", "kea"]),
    default="csv",
    help="csv, json, isc or kea.",
)
def export(*, file: str | None, state: str | None, form: str) -> int:
    """Write every lease to standard output: CSV, JSON, ISC dhcpd's or Kea's lease file."""
    ledger = open_ledger(file, state)
    match form:
        case "json":
            click.echo(json.dumps([_data(ledger, each) for each in ledger.leases], indent=2))
        case "isc":
            click.echo(format_isc(ledger.leases, to_wall=ledger.to_wall), nl=False)
        case "kea":
            click.echo(format_kea(ledger.leases, _networks(file, ledger), to_wall=ledger.to_wall), nl=False)
        case _:
            click.echo(format_csv(ledger.leases, to_wall=ledger.to_wall), nl=False)
    return 0


def open_ledger(file: str | None, state: str | None) -> Ledger:
    """Read the leases in the state directory of an inventory, or the one named."""
    directory = state_of(file, state)
    reader = LeaseReader(directory)
    if reader.changes() < 0:
        remedy = (
            "`netprov serve` makes it when it first serves DHCP; if it has, name its state directory with --state DIR, or its "
            "inventory with -f FILE"
        )
        raise ServiceError(f"there is no lease file in {directory}", remedy)
    now = LeaseClock(reader.anchor()).now()
    return Ledger(reader, reader.leases(), now, time.time() - now)


def _networks(file: str | None, ledger: Ledger) -> Sequence[str]:
    """Return the names of the networks in the order of the inventory, or of the leases if there is none."""
    try:
        return [each.name for each in open_plan(file).plan.dhcp.networks]
    except InventoryError:
        return list(dict.fromkeys(each.network for each in ledger.leases))


def _who(which: str, file: str | None, state: str | None) -> str:
    """Return the MAC address of whoever is meant, "" for an address. Raises `InventoryError` for nobody."""
    if is_address(which):
        return ""
    site = None
    with suppress(InventoryError):
        site = open_plan(file).plan.site
    return names_of(site, Path(state or (site.inventory.server.state if site else ""))).find(which)


def _left(seconds: float) -> str:
    if seconds <= 0:
        return "-"
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _data(ledger: Ledger, lease: Lease) -> dict[str, Any]:
    return {
        "address": dotted(lease.address),
        "mac": format_mac(lease.mac),
        "client": lease.key.hex(),
        "hostname": lease.hostname,
        "network": lease.network,
        "state": ledger.state(lease),
        "started": stamp(lease.started + ledger.to_wall),
        "expires": stamp(lease.expires + ledger.to_wall),
        "vendor_class": lease.vendor_class,
        "relay": code.show(code.RELAY_INFO, lease.relay) if lease.relay else "",
        "device": " ".join(lease.device),
    }

"""`netprov phones`: what the servers know of each phone: what it asked, what it got, where it stands."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from netprov.cli.say import UNKNOWN, say
from netprov.cli.site import inventory_option, open_plan
from netprov.cli.table import print_table, stamp, when
from netprov.cli.verb.service.phones import add, adopt
from netprov.cli.word import Words
from netprov.explain.who import find_all, names_of
from netprov.plan import Plan
from netprov.state.device import DeviceRecord, load_devices, load_history, load_reports
from netprov.state.handout import given
from netprov.state.handout import unlock as unlock_key
from netprov.text import visible


@click.group(cls=Words)
def command() -> None:
    """Show what the servers know of each phone; take phones into the inventory.

    \b
    Examples:
      netprov phones list                 one line a phone: where it stands, since when
      netprov phones list --waiting       listed phones that have not got their profile
      netprov phones show desk1           everything it asked, was answered and reported
      netprov phones unlock desk1         let the key of its profile be given once more
      netprov phones add --create         take phones in, as a bar-code scanner types them
      netprov phones adopt                who was seen on the LAN and is not listed; take them in
    """


command.add_command(add.command)
command.add_command(adopt.command)


@command.command("list")
@inventory_option
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option(
    "--waiting", is_flag=True, help="Only phones without their own profile yet; exit code 1 if any."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(file: str | None, state: str | None, *, waiting: bool, as_json: bool) -> int:
    """List every phone on record, and those of the inventory that were never heard of."""
    plan = open_plan(file).plan
    records = list(load_devices(_state(plan, state)))
    heard = {record.mac for record in records}
    records += [
        DeviceRecord(device.mac, "", device.model, device.firmware, "never heard of", 0, 0, 0, 0, 0)
        for device in plan.provision.devices.values()
        if device.mac not in heard
    ]
    if waiting:
        records = [each for each in records if not each.profiles and each.mac in plan.provision.devices]
    if as_json:
        print(json.dumps([_data(plan, record) for record in records], indent=2))
    else:
        print_table(
            _HEADS,
            [_row(plan, record) for record in records],
            empty="no phone is waiting" if waiting else "no phone has been heard of",
        )
    return 1 if waiting and records else 0


@command.command()
@click.argument("phones", metavar="PHONE...", nargs=-1, required=True)
@inventory_option
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
def unlock(phones: tuple[str, ...], file: str | None, state: str | None) -> int:
    """Let the key of each PHONE's profile be given once more, after a factory reset, say.

    First see in `netprov phones show PHONE` who was given it: if that was not the phone, change the key instead.
    """
    plan = open_plan(file).plan
    directory = _state(plan, state)
    missed = False
    for mac in find_all(names_of(plan.site, directory), phones):
        if unlock_key(directory, mac):
            say(f"{mac}: its key may be given once more")
        else:
            missed = True
            say(f"{mac}: its key was never given: nothing is locked", err=True)
    return int(missed)


@command.command()
@click.argument("phone")
@inventory_option
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("-n", "--lines", default=50, show_default=True, help="Newest lines of its history.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(phone: str, file: str | None, state: str | None, lines: int, *, as_json: bool) -> int:
    """Show what PHONE, a MAC address or a name, asked, was answered and reported."""
    plan = open_plan(file).plan
    directory = _state(plan, state)
    mac = names_of(plan.site, directory).find(phone)
    record = next((each for each in load_devices(directory) if each.mac == mac), None)
    if record is None:
        say(f"nothing was heard of {phone}", err=True)
        return UNKNOWN
    history = load_history(directory, mac, lines)
    reports = load_reports(directory, mac)
    key = given(directory).get(mac)
    if as_json:
        data = _data(plan, record) | {
            "history": [dataclasses.asdict(line) | {"time": stamp(line.time)} for line in history],
            "key": dataclasses.asdict(key) | {"time": stamp(key.time)} if key else None,
            "reports": {
                kind: {"time": stamp(reported), "fields": dict(fields)} for kind, reported, fields in reports
            },
        }
        print(json.dumps(data, indent=2))
        return 0
    for head, value in zip(_HEADS, _row(plan, record), strict=True):
        if value:
            say(f"{head:<9} {visible(value)}")
    if key is not None:
        opened = ", and may be once more" if key.opened else ""
        say(f"{'key':<9} given to {key.address} at {when(key.time)}, known by its {key.proof}{opened}")
    say()
    print_table(("when", "service", "what"), [(when(each.time), each.service, each.text) for each in history])
    for kind, reported, fields in reports:
        say(f"\n{visible(kind)} report of {when(reported)}:")
        print_table(("parameter", "value"), list(fields.items()), empty="  nothing")
    return 0


_HEADS = ("mac", "name", "address", "model", "firmware", "stands", "since")


def _row(plan: Plan, record: DeviceRecord) -> tuple[str, ...]:
    device = plan.provision.devices.get(record.mac)
    return (
        record.mac,
        device.name if device else "",
        record.address,
        record.model or (device.model if device else ""),
        record.firmware or (device.firmware if device else ""),
        record.standing or "asked",
        when(record.since),
    )


def _data(plan: Plan, record: DeviceRecord) -> dict[str, Any]:
    mac, name, address, model, firmware, stands, _ = _row(plan, record)
    return {
        "mac": mac,
        "name": name,
        "address": address,
        "model": model,
        "firmware": firmware,
        "stands": stands,
        "since": stamp(record.since),
        "first": stamp(record.first),
        "last": stamp(record.last),
        "profiles": record.profiles,
        "refusals": record.refusals,
    }


def _state(plan: Plan, state: str | None) -> Path:
    return Path(state or plan.site.inventory.server.state)

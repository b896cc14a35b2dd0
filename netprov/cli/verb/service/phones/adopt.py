"""`netprov phones adopt`: who was seen on the LAN and is not listed, and how such a phone comes into the inventory."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from netprov.cli.say import say
from netprov.cli.site import inventory_option, open_plan
from netprov.cli.table import print_table, stamp, when
from netprov.cli.verb.service.phones.desk import Desk
from netprov.cli.verb.service.phones.roll import class_of, conclude, open_roll
from netprov.convert.label import model_of
from netprov.dhcp.match import Client, Condition, matches
from netprov.dhcp.option import table as code
from netprov.dhcp.option.vendor import decode_tlv
from netprov.dhcp.relay import CIRCUIT_ID, REMOTE_ID
from netprov.errors import Malformed
from netprov.explain.stranger import Stranger, load_strangers
from netprov.explain.who import find_all, names_of
from netprov.phone.handset.identity import MODELS


@click.command("adopt", epilog="Exit code: 0 fine, 1 one was not taken or `check` finds an error now.")
@click.argument("phones", metavar="[PHONE]...", nargs=-1)
@inventory_option
@click.option("--all", "every", is_flag=True, help="Take every stranger.")
@click.option("--model", metavar="PATTERN", help="Take those that claim to be such a model: 'CP-88*'.")
@click.option("--port", metavar="PATTERN", help="Take those at such a circuit or remote ID of option 82.")
@click.option("--class", "class_name", metavar="NAME", help="The class of each. Default: by `match`.")
@click.option("--csv", metavar="FILE", help="The CSV file, where the inventory names more than one.")
@click.option(
    "--create", is_flag=True, help="Make the CSV file, and name it in the inventory, if there is none."
)
@click.option("--reload", "wanted_reload", is_flag=True, help="At the end let running services take them.")
@click.option("--yes", is_flag=True, help="Take more than one unasked; reload whatever `reload_limit` says.")
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option(
    "--json", "as_json", is_flag=True, help="For programs: the list, or an object a line for what was taken."
)
def command(
    *,
    phones: tuple[str, ...],
    file: str | None,
    every: bool,
    model: str | None,
    port: str | None,
    class_name: str | None,
    csv: str | None,
    create: bool,
    wanted_reload: bool,
    yes: bool,
    state: str | None,
    as_json: bool,
) -> int:
    """List who was seen on the LAN and is in no inventory, or take some of them into its CSV file.

    A PHONE is named by MAC address, address or host name. What a stranger says of itself, its model and vendor class, is its claim:
    anybody can send it. Where it is plugged in (option 82) is the switch's word.

    \b
    Examples:
      netprov phones adopt                                  who is there
      netprov phones adopt 00:12:34:ab:45:de --reload       take this one, and give it its profile
      netprov phones adopt --port 'ge-0/0/*' --class mpp    all of one switch, after a question
    """
    opened = open_plan(file).plan
    directory = Path(state or opened.site.inventory.server.state)
    listed = frozenset(each.mac for each in opened.site.inventory.phones)
    strangers = load_strangers(directory, listed)
    if not (phones or every or model or port):
        if as_json:
            print(json.dumps([_data(each) for each in strangers], indent=2))
        else:
            print_table(_HEADS, [_row(each) for each in strangers], empty="nobody was seen who is not listed")
        return 0
    named = find_all(names_of(opened.site, directory), phones)
    chosen = [
        each
        for each in strangers
        if each.mac in named or _is_meant(each, every=every, model=model, port=port)
    ]
    macs = [each.mac for each in chosen] + [mac for mac in named if mac not in {each.mac for each in chosen}]
    if not macs:
        say("no stranger is meant by that: `netprov phones adopt` lists them", err=True)
        return 1
    if len(macs) > 1 and not yes:
        _ask(chosen, len(macs))
    roll = open_roll(file, csv, create=create)
    desk = Desk(roll, class_of(roll, class_name), quiet=False, as_json=as_json)
    by_mac = {each.mac: each for each in chosen}
    for mac in macs:
        if mac in by_mac or mac in listed:
            claimed = claimed_model(by_mac[mac]) if mac in by_mac else ""
            desk.add({"mac": mac, "model": claimed}, "its model is what it claims" if claimed else "")
        else:
            desk.refuse(
                f"{mac} was never seen here", "list it by its label: netprov phones add", {"mac": mac}
            )
    desk.summary()
    ended = conclude(roll, wanted_reload=wanted_reload, yes=yes, state=state, as_json=as_json)
    return ended or int(desk.refused > 0)


def claimed_model(stranger: Stranger) -> str:
    """Return the model that a stranger claims to be, "" where it claims none that there is."""
    for claim in (stranger.model, *stranger.vendor_class.split()[:1]):
        if (model := model_of(claim)) in MODELS:
            return model
    return ""


def _is_meant(stranger: Stranger, *, every: bool, model: str | None, port: str | None) -> bool:
    """Say whether a stranger is chosen by its kind; all that is asked for must hold."""
    if not (every or model or port):
        return False
    if model and not fnmatchcase(claimed_model(stranger) or stranger.model, model):
        return False
    if not port:
        return True
    try:
        found = decode_tlv(stranger.relay)
        wanted = Condition(any=(Condition(circuit_id=(port,)), Condition(remote_id=(port,))))
        circuit_id, remote_id = found.get(CIRCUIT_ID, b""), found.get(REMOTE_ID, b"")
        return matches(wanted, Client(None, circuit_id=circuit_id, remote_id=remote_id))
    except Malformed:
        return False
    except ValueError:
        raise click.UsageError(f"--port {port}: write octets as 0x and pairs of hexadecimal digits") from None


def _ask(chosen: Sequence[Stranger], count: int) -> None:
    """Let more than one be taken only by who has seen them. Raises `UsageError` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{count} phones are meant: say --yes, or name one")
    print_table(_HEADS, [_row(each) for each in chosen])
    click.confirm(f"Take these {count} into the inventory?", abort=True)


_HEADS = ("phone", "address", "claims", "vendor class", "port", "first seen", "last seen", "events")


def _row(stranger: Stranger) -> tuple[str, ...]:
    return (
        stranger.mac,
        stranger.address,
        stranger.model or claimed_model(stranger),
        stranger.vendor_class,
        _port(stranger),
        when(stranger.first),
        when(stranger.last),
        str(stranger.events),
    )


def _data(stranger: Stranger) -> dict[str, Any]:
    return {
        "mac": stranger.mac,
        "address": stranger.address,
        "claims": stranger.model or claimed_model(stranger),
        "vendor_class": stranger.vendor_class,
        "hostname": stranger.host_name,
        "port": _port(stranger),
        "first": stamp(stranger.first),
        "last": stamp(stranger.last),
        "events": stranger.events,
    }


def _port(stranger: Stranger) -> str:
    return code.show(code.RELAY_INFO, stranger.relay) if stranger.relay else ""

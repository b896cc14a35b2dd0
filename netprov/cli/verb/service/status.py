"""`netprov status`: one screen of what runs here, how full pools are, how long certificates last, and where phones stand."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

from netprov.cli.say import say
from netprov.cli.site import inventory_option, open_plan
from netprov.cli.table import print_table, stamp, when
from netprov.errors import PkiError, ServiceError
from netprov.pki.verify import date
from netprov.plan import Plan
from netprov.runtime.control.client import NobodyThereError, ask_each, statuses
from netprov.runtime.operation import Fields
from netprov.runtime.process import ABOUT
from netprov.runtime.roles import ROLES
from netprov.runtime.web.tls import certificate_store
from netprov.state.clock import LeaseClock
from netprov.state.device import DeviceRecord, load_devices
from netprov.state.lease import LeaseReader

SHOWN = 5
"""Phones that wait, and refusals, that one screen has room for; `--json` has all."""


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role of this machine; `process` is None if none plays it with this state directory."""

    role: str
    process: int | None
    serves: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A network's pool: how many addresses, and how many of them are leased."""

    network: str
    addresses: int
    leased: int


@dataclass(frozen=True, slots=True)
class ChainRow:
    """What a host presents, and until when; `problem` is why there is nothing that it can present."""

    host: str
    key: str = ""
    until: str = ""
    days: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LoadedRow:
    """Since when a process serves its inventory, in seconds since 1970, and who had it loaded: a user, or its `start`."""

    roles: tuple[str, ...]
    loaded: float
    by: str


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A listed phone that has asked, and has not got its profile; `first` is when it was first heard of."""

    mac: str
    name: str
    stands: str
    first: float


@dataclass(frozen=True, slots=True)
class Status:
    """All of it; `phones` is how many stand where, listed ones that were never heard of included.

    Pools that are used most come first, and phones that wait longest; of the refusals the newest.
    """

    roles: tuple[RoleRow, ...]
    inventory: tuple[LoadedRow, ...]
    pools: tuple[PoolRow, ...]
    certificates: tuple[ChainRow, ...]
    phones: dict[str, int]
    waiting: tuple[WaitingRow, ...]
    refusals: tuple[Fields, ...]


@click.command
@inventory_option
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(*, file: str | None, state: str | None, as_json: bool) -> int:
    """Show on one screen what runs here: roles, pools, certificates, phones, what was refused of late.

    Roles are asked at their control sockets; the rest is read in the state directory. Exit code 1: a role waits for an address or
    interface, or none runs. `netprov watch` shows what happens, as it happens.

    \b
      netprov status
      netprov status --json
    """
    plan = open_plan(file).plan
    directory = Path(state or plan.site.inventory.server.state)
    roles = tuple(_roles(directory))
    loaded, refusals = _told(directory)
    records = load_devices(directory)
    status = Status(
        roles,
        loaded,
        tuple(_pools(plan, directory)),
        tuple(_chains(plan, directory, time.time())),
        _phones(plan, records),
        _waiting(plan, records),
        refusals,
    )
    if as_json:
        click.echo(json.dumps(_data(status), indent=2))
    else:
        _print(status)
    running = [each for each in status.roles if each.process is not None]
    return int(not running or any(each.waits for each in running))


def _roles(state: Path) -> list[RoleRow]:
    """Ask every process; a role that none plays is told as that."""
    try:
        replies = statuses(state)
    except ServiceError:
        if not state.is_dir():
            raise
        replies = ()
    found = {
        role.name: RoleRow(role.name, reply.process, role.listening, role.waiting)
        for reply in replies
        for role in reply.roles
    }
    return [found.get(role, RoleRow(role, None)) for role in ROLES]


def _told(state: Path) -> tuple[tuple[LoadedRow, ...], tuple[Fields, ...]]:
    """Return what the processes say of their inventory, and of what they refused, the newest first."""
    loaded, refusals = [], []
    try:
        for roles, about in ask_each(state, (), ABOUT):
            loaded.append(LoadedRow(roles, about["inventory"]["loaded"], about["inventory"]["by"]))
            refusals += about["refusals"]
    except NobodyThereError:
        return (), ()
    return tuple(loaded), tuple(sorted(refusals, key=itemgetter("time"), reverse=True))


def _pools(plan: Plan, state: Path) -> list[PoolRow]:
    reader = LeaseReader(state)
    active = []
    if reader.changes() >= 0:
        now = LeaseClock(reader.anchor()).now()
        active = [lease.address for lease in reader.leases() if lease.active(now)]
    rows = [
        PoolRow(
            network.name,
            sum(last - first + 1 for first, last in network.pool),
            sum(any(first <= address <= last for first, last in network.pool) for address in active),
        )
        for network in plan.dhcp.networks
    ]
    return sorted(rows, key=lambda row: row.leased / max(1, row.addresses), reverse=True)


def _chains(plan: Plan, state: Path, now: float) -> list[ChainRow]:
    store = certificate_store(state)
    rows = []
    for request in plan.pki.servers:
        try:
            leaves = [bundle.leaf for bundle in store.chains(request.host)]
        except PkiError as error:
            rows.append(ChainRow(request.host, problem=error.message))
            continue
        for leaf in leaves:
            until = date(leaf.not_after).partition(" ")[0]
            rows.append(ChainRow(request.host, leaf.key, until, int((leaf.not_after - now) // 86400)))
    return rows


def _phones(plan: Plan, records: Sequence[DeviceRecord]) -> dict[str, int]:
    silent = set(plan.provision.devices) - {record.mac for record in records}
    return dict(
        Counter([*(record.standing or "asked" for record in records), *["never heard of"] * len(silent)])
    )


def _waiting(plan: Plan, records: Sequence[DeviceRecord]) -> tuple[WaitingRow, ...]:
    listed = plan.provision.devices
    return tuple(
        WaitingRow(each.mac, listed[each.mac].name, each.standing or "asked", each.first)
        for each in sorted(records, key=lambda record: record.first)
        if each.mac in listed and not each.profiles
    )


def _data(status: Status) -> dict[str, Any]:
    return asdict(status) | {
        "inventory": [asdict(each) | {"loaded": stamp(each.loaded)} for each in status.inventory],
        "waiting": [asdict(each) | {"first": stamp(each.first)} for each in status.waiting],
        "refusals": [{**each, "time": stamp(each["time"])} for each in status.refusals],
    }


def _print(status: Status) -> None:
    print_table(
        ("role", "process", "serves", "waits for"),
        [
            (
                each.role,
                str(each.process or "-"),
                ", ".join(each.serves) or ("nothing" if each.process else "not running"),
                ", ".join(each.waits),
            )
            for each in status.roles
        ],
    )
    if status.inventory:
        say()
        print_table(
            ("inventory of", "loaded", "by"),
            [(" ".join(each.roles), when(each.loaded), each.by) for each in status.inventory],
        )
    say()
    print_table(
        ("pool", "addresses", "leased", "use"),
        [
            (
                each.network,
                str(each.addresses),
                str(each.leased),
                f"{100 * each.leased // max(1, each.addresses)} %",
            )
            for each in status.pools
        ],
        empty="no network has a pool",
    )
    say()
    print_table(
        ("certificate", "key", "until", "left"),
        [
            (
                each.host,
                each.key,
                each.until,
                each.problem or (f"{each.days} d" if each.days >= 0 else "expired"),
            )
            for each in status.certificates
        ],
        empty="the inventory asks for no certificate",
    )
    say()
    print_table(
        ("phones", "stand"),
        [(str(count), standing) for standing, count in sorted(status.phones.items())],
        empty="no phone is listed or was heard of",
    )
    if status.waiting:
        say()
        print_table(
            ("waits longest", "name", "stands", "since"),
            [(each.mac, each.name, each.stands, when(each.first)) for each in status.waiting[:SHOWN]],
        )
    if status.refusals:
        say()
        print_table(
            ("refused", "service", "what"),
            [(when(each["time"]), each["service"], each["text"]) for each in status.refusals[:SHOWN]],
        )

"""Carries out what an operator asks of devices: shows the plan, asks, queues it with the ACS, and waits if that is wanted."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from netprov.cli.say import say
from netprov.cli.table import print_table
from netprov.cli.verb.service.acs.choice import Choice, chosen, known
from netprov.cli.verb.service.acs.load import foreign, load_of
from netprov.cli.verb.service.acs.told import HEADS, answer_lines, name_of, row, summary
from netprov.cwmp import codec, rpc
from netprov.cwmp.transaction import NUMBERS
from netprov.errors import BadValue
from netprov.inventory.model.scalar import seconds_of
from netprov.runtime.control.client import ask
from netprov.runtime.operation import Fields
from netprov.state.acs.transaction_record import without_secrets


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked, of which devices, and how."""

    call: rpc.Rpc
    choice: Choice
    expires: str
    now: bool
    wait: bool
    yes: bool
    as_json: bool
    untyped: tuple[str, ...] = ()
    window: tuple[int, ...] = ()
    at_once: int = 0


def carry_out(order: Order) -> int:
    """Ask it of the devices. Raises `ServiceError`."""
    if not order.choice.narrows:
        raise click.UsageError(
            "of which devices? -d DEVICE, --class, --model, --firmware, --not-current or --all"
        )
    lasts = _seconds(order.expires)
    directory = order.choice.directory
    found = chosen(order.choice, known(directory))
    devices = [each for each in found if each["key"]]
    if not devices:
        never = f": {len(found)} of those meant have never Informed" if found else ""
        say(f"there is no such device{never}", err=True)
        return 1
    if others := foreign(order.call, devices):
        _refuse(order.call, others, len(devices))
        return 1
    if len(devices) > 1 and not _agreed(order, devices):
        return 1
    arguments = {
        "call": codec.encode(rpc.Message(order.call)).decode(),
        "devices": [each["key"] for each in devices],
        "untyped": list(order.untyped),
        "lasts": lasts,
        "at_once": order.at_once,
        "window": list(order.window),
    }
    [queued] = ask(directory, "acs.queue", arguments)
    first, last = queued["first"], queued["last"]
    if not order.wait:
        _tell_queued(order, first, last)
    unheard = _ask_now(order, directory, devices) if order.now else 0
    return _wait(order, directory, first, last) if order.wait else int(bool(unheard))


def _refuse(call: rpc.Rpc, others: Sequence[Fields], of_all: int) -> None:
    """Say of which devices a firmware is not."""
    load = load_of(call) if isinstance(call, rpc.Download) else ""
    first = ", ".join(f"{each['mac'] or each['key']} {each['model']}" for each in others[:5])
    more = ", …" if len(others) > 5 else ""
    say(
        f"{load} is for other models than {len(others)} of {of_all}: {first}{more}; nothing is asked of any device: narrow them by --model",
        err=True,
    )


def _ask_now(order: Order, directory: Path, devices: list[Fields]) -> int:
    """Ask the devices for sessions; tell of each that does not open one, and return how many those are."""
    unheard = 0
    for each in ask(directory, "acs.connect", {"devices": [device["key"] for device in devices]}):
        if each["error"]:
            unheard += 1
            # JSON goes to standard output alone: what becomes of the call is in its history.
            say(
                f"{each['mac'] or each['device']} was not asked now: {each['error']}; the call waits for its next session",
                err=order.as_json,
            )
    return unheard


def read_window(text: str | None) -> tuple[int, ...]:
    """Return the minutes of the day that a window begins and ends at, nothing for none."""
    if text is None:
        return ()
    matched = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)
    if matched is None:
        raise click.UsageError(f"{text!r} is no window of time: 22:00-05:00, say")
    begin, begin_minute, end, end_minute = map(int, matched.groups())
    return begin * 60 + begin_minute, end * 60 + end_minute


def _seconds(text: str) -> int:
    try:
        return seconds_of(text)
    except BadValue as error:
        raise click.UsageError(str(error)) from None


def _agreed(order: Order, devices: list[Fields]) -> bool:
    """Show the plan, and return whether it is to be done."""
    what = f"{rpc.method_of(order.call)} {summary(asdict(without_secrets(order.call)))}".rstrip()
    models = Counter(
        (each["class"] or "-", each["model"] or "-", each["firmware"] or "-") for each in devices
    )
    if not order.as_json:
        say(f"{what}: {len(devices)} devices")
        rows = [(*which, str(count)) for which, count in sorted(models.items())]
        print_table(("class", "model", "firmware", "devices"), rows)
    if order.yes:
        return True
    if order.as_json:
        raise click.UsageError(f"{len(devices)} devices are meant: say --yes to ask it of all of them")
    return click.confirm("Ask it of all of them?", default=False)


def _tell_queued(order: Order, first: int, last: int) -> None:
    if order.as_json:
        click.echo(json.dumps({"first": first, "last": last}))
        return
    names = f"{NUMBERS}{first}" if first == last else f"{NUMBERS}{first} to {NUMBERS}{last}"
    say(
        f"{names}: queued, for the next session of each device; `netprov acs history {NUMBERS}{first}` tells what came of it"
    )


def _wait(order: Order, directory: Path, first: int, last: int) -> int:
    """Tell each as it ends; return 1 if not all is done."""
    ended = []
    for each in _ended(directory, first, last):
        ended.append(each)
        if order.as_json:
            continue
        note = f": {each['note']}" if each["note"] else ""
        of_all = f" ({len(ended)} of {last - first + 1})" if last > first else ""
        say(
            f"{name_of(each)} {each['mac'] or each['device']} {each['method']}: {each['state']}{note}{of_all}"
        )
        for line in answer_lines(each):
            say(f"  {line}")
    if order.as_json:
        click.echo(json.dumps(ended, indent=2))
    failed = [each for each in ended if each["state"] != "done"]
    if failed and last > first and not order.as_json:
        say(f"\nnot done on {len(failed)} of {last - first + 1}:")
        print_table(HEADS, [row(each) for each in failed])
    return int(bool(failed))


def _ended(directory: Path, first: int, last: int) -> Iterator[Fields]:
    return (each for each in ask(directory, "acs.wait", {"first": first, "last": last}) if each)

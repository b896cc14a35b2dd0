"""`netprov phone`: boot emulated phones on an interface, and show what each asked and got."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import click

from netprov.cli.ending import run_until_told
from netprov.cli.say import say
from netprov.cli.site import inventory_option
from netprov.cli.stay import stay_options
from netprov.cli.verb.lab.phone.choice import Choice
from netprov.cli.verb.lab.phone.resident import Resident
from netprov.cli.verb.lab.phone.story import Diary, Timeline, still_waiting, trip_data
from netprov.emulator.console import consoles
from netprov.emulator.dhcp import DhcpLink
from netprov.emulator.fleet import Tally, boot_fleet
from netprov.emulator.phone import FixedLease, Link, Trip, Waiting, World, boot
from netprov.emulator.stay import Pace, Stay
from netprov.phone.handset.identity import Identity
from netprov.phone.life.input import LinkChanged
from netprov.phone.life.machine import LivingPhone
from netprov.plan.phone import DEFAULT_MODEL


@click.command()
@click.argument("phones", nargs=-1, metavar="[MAC|NAME]...")
@inventory_option
@click.option("-i", "--interface", metavar="IF", help="Where the phones are plugged in.")
@click.option("--all", "every", is_flag=True, help="Boot every phone of the inventory.")
@click.option(
    "--count", type=click.IntRange(1, 1_000_000), metavar="N", help="Boot N made-up phones; a summary only."
)
@click.option("--at-once", type=click.IntRange(1, 5000), default=100, show_default=True, help="With --count.")
@click.option(
    "--model", metavar="NAME", help=f"Model of phones not in the inventory. Default: {DEFAULT_MODEL}."
)
@click.option(
    "--firmware", metavar="VERSION", help="Firmware they run. Default: as the inventory says, or 11.3.1."
)
@click.option(
    "--tr069", is_flag=True, help="TR-069 is switched on; the inventory's phones of method acs have it."
)
@click.option(
    "--ca", "ca", metavar="FILE", multiple=True, help="A CA that the phones were staged to trust, PEM."
)
@click.option("--factory-ca", metavar="FILE", multiple=True, help="A CA built into their firmware, PEM.")
@click.option(
    "--srv-order", type=click.Choice(["cisco", "rfc2782"]), default="cisco", help="How weights are read."
)
@click.option(
    "--ikm", type=click.Choice(["raw", "b64url"]), default="raw", help="What IKM_HTTP_Encrypt_Content holds."
)
@click.option("--fall-through", is_flag=True, help="Go on to SRV when what DHCP named gave no profile.")
@click.option("--domain", help="No DHCP: take this for option 15, and the system's addresses.")
@click.option("--dns", "servers", multiple=True, metavar="IP", help="No DHCP: a DNS server.")
@click.option(
    "--option", "given", multiple=True, metavar="N=VALUE", help="No DHCP: an option it would have given."
)
@click.option("--address", "own", metavar="IP", help="No DHCP: the phone's own address.")
@click.option(
    "--redirector", default="", metavar="HOST[:PORT]", help="Stand-in for remote customization (EDOS)."
)
@click.option("--activation", default="", metavar="HOST[:PORT]", help="Stand-in for activation codes (GDS).")
@click.option("--devices", default="", metavar="HOST[:PORT]", help="Stand-in for onboarding by MAC (EDOS).")
@click.option("--code", default="", help="Activation code typed on the phone.")
@click.option("--rule", default="", help="Profile rule entered on the phone, with Resync pressed after it.")
@click.option(
    "--set",
    "assigned",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter that was set before: Proxy_Mode=Manual, Proxy_Host=10.20.0.2.",
)
@stay_options
@click.option(
    "--console",
    type=click.Path(path_type=Path),
    metavar="SOCKET",
    help="With --stay: where `netprov handset` finds the phones.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="With --stay: keep what the phones have written down, for the next run.",
)
@click.option("--realistic", is_flag=True, help="Wait and retry as long as a phone does.")
@click.option("--step", is_flag=True, help="Wait for Enter after each step.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the timeline.")
def command(phones: tuple[str, ...], **given: Any) -> int:
    """Boot emulated phones and say what each asked, what it got, and where it stopped.

    A phone on the LAN of an inventory, by its MAC address; it trusts no private CA unless told to:

    \b
        netprov phone -f config/staging.yaml 00:12:34:ab:45:de --interface lan0
        netprov phone 00:12:34:ab:45:de -i lan0 --ca state/ca.pem

    A phone that no inventory knows, on any network; and one that asks named servers without DHCP:

    \b
        netprov phone 00:de:ad:be:ef:01 --model 7841 -i eth1
        netprov phone 00:de:ad:be:ef:01 --domain example.com --dns 10.20.0.1
        netprov phone 00:de:ad:be:ef:01 --option 66=10.20.0.1

    A fleet, to see what servers bear:

    \b
        netprov phone -i lan0 --count 1000 --at-once 64

    Phones that live on, in real time until Ctrl-C; a week of one in about ten minutes:

    \b
        netprov phone --all -i lan0 --stay
        netprov phone desk1 -i lan0 --stay --speed 1000 --for 7d

    One whose keys can be pressed (see `netprov handset --help`), and which remembers its life the next time:

    \b
        netprov phone desk1 -i lan0 --stay --console desk1.sock --keep flash/

    Exit code 0: every phone was provisioned; 1: one was not, or with --stay its last resync failed.
    """
    choice = Choice(**given)
    choice.refuse_what_has_no_effect()
    if choice.count:
        return _fleet(choice, choice.count)
    identities = choice.identities(phones)
    if choice.stay:
        lives = run_until_told(_live(identities, choice))
        return 0 if all(life.current for life in lives) else 1
    trips = run_until_told(_boot(identities, choice))
    if choice.as_json:
        click.echo(json.dumps([trip_data(trip) for trip in trips], indent=2))
    return 0 if all(trip.outcome.provisioned for trip in trips) else 1


def _fleet(choice: Choice, count: int) -> int:
    """Boot made-up phones, many at once, and print what they came to."""
    interface, timeouts = choice.interface, choice.timeouts
    if interface is None:
        raise click.UsageError("--count needs --interface")

    async def run() -> Tally:
        async with DhcpLink(interface, draw=random.getrandbits, timeouts=timeouts.dhcp, many=True) as link:
            return await boot_fleet(
                choice.fleet(count),
                link,
                at_once=choice.at_once,
                timeouts=timeouts,
                behaviour=choice.behaviour,
            )

    tally = run_until_told(run())
    data = {
        "phones": tally.phones,
        "provisioned": tally.provisioned,
        "seconds": round(tally.seconds, 3),
        "cpu_milliseconds_a_phone": round(tally.cpu / max(1, tally.phones) * 1000, 3),
        "median_boot_milliseconds": round(median(tally.times) * 1000, 1),
        "failures": dict(tally.reasons.most_common(20)),
    }
    if choice.as_json:
        click.echo(json.dumps(data, indent=2))
    else:
        for name, value in data.items():
            say(f"{name.replace('_', ' '):26} {value}")
    return 0 if tally.provisioned == tally.phones else 1


async def _boot(identities: Sequence[Identity], choice: Choice) -> list[Trip]:
    if choice.interface is None:
        return await _each(identities, FixedLease(choice.lease()), choice)
    async with DhcpLink(choice.interface, draw=random.getrandbits, timeouts=choice.timeouts.dhcp) as link:
        return await _each(identities, link, choice)


async def _each(identities: Sequence[Identity], link: Link, choice: Choice) -> list[Trip]:
    """Boot one phone after the other, each with its timeline as it happens."""
    trips = []
    for identity in identities:
        show = None if choice.as_json else Timeline(identity, pause=choice.step)
        trip = await boot(
            identity,
            link,
            timeouts=choice.timeouts,
            behaviour=choice.behaviour,
            observe=show,
            waiting=_waiting(choice),
        )
        trips.append(trip)
        if show:
            show.end(trip)
    return trips


def _waiting(choice: Choice) -> Waiting:
    """Return who says on standard error what a phone waits for: a server that is not there is silent for long."""
    return Waiting(
        lambda action: say(
            f"… {still_waiting(action, choice.timeouts, choice.interface)}", err=True, dim=True
        )
    )


async def _live(identities: Sequence[Identity], choice: Choice) -> list[LivingPhone]:
    """Let every phone live beside the others, until they have lived long enough or somebody presses Ctrl-C."""
    now = time.localtime()
    time_of_day = now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec
    residents = [Resident(identity, choice, time_of_day) for identity in identities]
    if choice.interface is None:
        await _together(residents, FixedLease(choice.lease()), choice)
    else:
        draw, many = random.getrandbits, len(residents) > 1
        async with DhcpLink(choice.interface, draw=draw, timeouts=choice.timeouts.dhcp, many=many) as link:
            await _together(residents, link, choice)
    return [each.phone for each in residents]


def _plugged_in(stays: Iterable[Stay]) -> None:
    """Let phones notice that their link is back: they ask DHCP again, for it may be another network."""
    for each in stays:
        each.happen(LinkChanged())


async def _together(residents: Sequence[Resident], link: Link, choice: Choice) -> None:
    waiting = _waiting(choice) if len(residents) == 1 else None
    pace = Pace(choice.speed, choice.lasts)
    diaries = [
        Diary(each.phone.handset.identity, as_json=choice.as_json, many=len(residents) > 1)
        for each in residents
    ]
    async with AsyncExitStack() as stack:
        stays = {}
        for each, diary in zip(residents, diaries, strict=True):
            stack.callback(diary.end, each.phone)
            stack.callback(each.keep)
            world = World(each.phone.handset, link, choice.timeouts, waiting)
            stack.push_async_callback(world.close)
            stay = Stay(each.phone, world, replace(pace), each.observed(diary))
            stays[each.phone.handset.identity.mac] = stay
            from netprov.emulator.doors import Doors  # aiohttp: only for phones that stay

            doors = Doors(stay, lambda text: say(text, err=True, fg="red"))
            stack.push_async_callback(doors.close)
            stay.at_rest = doors.follow
        if isinstance(link, DhcpLink):
            link.returned = lambda: _plugged_in(stays.values())
        if choice.console is not None:
            await stack.enter_async_context(consoles(choice.console, stays))
        await asyncio.gather(*(each.run() for each in stays.values()))

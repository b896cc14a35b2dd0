"""`netprov doctor`: ask the running services as a phone would, and say what would stop each."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from netprov.cli import findings
from netprov.cli.say import say
from netprov.cli.site import Opened, inventory_option, open_plan
from netprov.cli.table import print_table
from netprov.doctor.agreement import Agreement, compare_servers
from netprov.doctor.client import DoctorClient, of_classes, of_phone, of_phones
from netprov.doctor.dhcp import LINGER_S
from netprov.doctor.examination import Diagnosis, Doctor
from netprov.emulator.failure import COMPRESSED, REALISTIC
from netprov.errors import InventoryError, PkiError, Problem, ServiceError
from netprov.explain.who import UNKNOWN_PHONE, find_all, names_of
from netprov.phone.rule.url import is_address
from netprov.pki.chain import Certificate, decode
from netprov.plan import Plan
from netprov.plan.offer import Offers
from netprov.plan.phone import find_phone
from netprov.provision.config import CA_PATH
from netprov.provision.secret import Secrets
from netprov.runtime.web.tls import certificate_store
from netprov.state.catalog import load_secrets, peek_secrets

MOST_HEALTHY = 30
"""Rows of phones that nothing stops; the others are counted."""


@click.command()
@click.argument("phones", nargs=-1, metavar="[MAC|NAME]...")
@inventory_option
@click.option(
    "-i", "--interface", metavar="IF", help="Where the phones' network is. Default: the inventory's."
)
@click.option(
    "--no-dhcp", is_flag=True, help="Leave DHCP out, and take what the inventory says for its answer."
)
@click.option(
    "--ca", metavar="FILE", help="The CA that phones trust, PEM. Default: the one in the state directory."
)
@click.option("--state", metavar="DIR", help="State directory. Default: the inventory's.")
@click.option("--classes", "only_classes", is_flag=True, help="Only a typical phone of each class.")
@click.option(
    "--linger",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=LINGER_S,
    show_default=True,
    help="Wait so long for further DHCP servers after the first offer; dnsmasq needs 3 or more for its ping.",
)
@click.option("--realistic", is_flag=True, help="Be as patient as a phone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    phones: tuple[str, ...],
    *,
    file: str | None,
    interface: str | None,
    no_dhcp: bool,
    ca: str | None,
    state: str | None,
    only_classes: bool,
    linger: float,
    realistic: bool,
    as_json: bool,
) -> int:
    """Ask the running services as phones would, and say the first thing that would stop each class and phone.

    \b
    It asks for DHCP (no lease is taken), the time, SRV and A records, connects to every target, looks at its
    certificate, fetches every path, reaches the ACS, and compares all that with the inventory. Where the inventory has
    several servers, their CA, chains, zones, keys and profiles are compared, unless phones are named.
    Examples:
      netprov doctor -f site.yaml                     on the server itself, every class and phone
      netprov doctor -f site.yaml -i eth0 --ca ca.pem from another machine on the phones' network
      netprov doctor 00:12:34:ab:45:de                one phone
      netprov doctor --no-dhcp --json                 DHCP is another's business
    Exit code 1 if a phone would be stopped, or could not be taken over by another server.
    """
    opened = open_plan(file)
    plan = opened.plan
    clients = _patients(plan, phones, _networks(plan, interface), only_classes=only_classes)
    if not clients:
        say(
            "Nobody to ask for: the inventory lists no phone, and no phone of the catalogue fits its classes."
        )
        return 0
    interfaces = {} if no_dhcp else _interfaces(plan, clients, interface)
    anchors = _anchors(plan, ca, Path(state or plan.site.inventory.server.state))
    timeouts = REALISTIC if realistic else COMPRESSED
    directory = Path(state or plan.site.inventory.server.state)
    secrets = _secrets(plan, directory)
    doctor = Doctor(plan, interfaces, anchors, timeouts=timeouts, linger=linger, secrets=secrets)

    async def ask() -> tuple[list[Diagnosis], Agreement]:
        diagnoses = await doctor.examine(clients)
        if phones:
            return diagnoses, Agreement((), ())
        return diagnoses, await compare_servers(plan, clients, anchors, _kept(plan, directory), timeouts)

    diagnoses, agreement = asyncio.run(ask())
    located = [replace(each, found=_located(opened, each.found)) for each in diagnoses]
    agreement = replace(agreement, found=_located(opened, agreement.found))
    if as_json:
        compared = [_compared(agreement)] if len(agreement.servers) > 1 or agreement.found else []
        print(json.dumps([*map(_as_data, located), *compared], indent=2))
    else:
        _print(located)
        _print_agreement(agreement)
    return int(any(each.cause for each in located) or agreement.cause is not None)


def _networks(plan: Plan, interface: str | None) -> list[str]:
    """Return the networks that are looked at: that of an interface of the inventory, else all of them."""
    there = [each.name for each in plan.dhcp.networks if each.interface == interface]
    return there or [each.name for each in plan.dhcp.networks]


def _patients(
    plan: Plan, phones: Sequence[str], networks: Sequence[str], *, only_classes: bool
) -> list[DoctorClient]:
    if not phones:
        return [*of_classes(plan, networks), *([] if only_classes else of_phones(plan, networks))]
    found, offers = [], Offers(plan.dhcp)
    for mac in find_all(names_of(plan.site), phones):
        phone = find_phone(plan.site, mac)
        if phone is None:
            raise InventoryError([UNKNOWN_PHONE.problem(f"there is no phone {mac} in the inventory")])
        found.append(of_phone(phone, offers, networks))
    return found


def _interfaces(plan: Plan, clients: Sequence[DoctorClient], given: str | None) -> dict[str, str]:
    """Return where each network is asked for DHCP. Raises `ServiceError` if a network cannot be reached."""
    here = {name for _, name in socket.if_nameindex()}
    found = {}
    for name in dict.fromkeys(client.network for client in clients):
        network = plan.dhcp.network(name)
        assert network is not None
        interface = given or network.interface
        if interface not in here:
            if not interface:
                continue  # behind a relay: what DHCP says there is heard only there
            raise ServiceError(
                f"this machine has no interface {interface}, where network {name} is",
                f"name one of {', '.join(sorted(here))} with -i, or leave DHCP out with --no-dhcp",
            )
        found[name] = interface
    return found


def _secrets(plan: Plan, state: Path) -> Secrets | None:
    """Return the secrets, as far as this user may read them: without, keys are given to the phones alone."""
    with suppress(ServiceError):
        return peek_secrets(plan.provision.secrets, state)[1]
    return None


def _anchors(plan: Plan, ca: str | None, state: Path) -> tuple[Certificate, ...]:
    """Return the CA that phones trust: as given, from the state directory, or as the server hands it to phones."""
    if ca:
        try:
            return decode(Path(ca).read_bytes())
        except OSError as error:
            raise PkiError(f"cannot read {ca}: {error.strerror}") from error
    try:
        return certificate_store(state).anchors()
    except PkiError:
        pass
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for listener in plan.provision.listeners:
        if listener.scheme == "http" and is_address(listener.address):
            try:
                url = f"http://{listener.address}:{listener.port}{CA_PATH}"
                with direct.open(url, timeout=COMPRESSED.connect) as answer:
                    return decode(answer.read(1 << 20))
            except (OSError, PkiError):
                continue
    return ()


def _kept(plan: Plan, state: Path) -> Secrets:
    """Return the secrets of this machine, none where there are none or this user may not read them."""
    with suppress(ServiceError):
        return load_secrets(plan.provision.secrets, state)
    return Secrets()


def _located(opened: Opened, found: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return findings with the place in the inventory of every one that has one."""
    locate = opened.document.locate
    return tuple(locate(each) if each.path else each for each in found)


def _print(diagnoses: Sequence[Diagnosis]) -> None:
    healthy = [each for each in diagnoses if not each.cause]
    silent = {id(each) for each in healthy[MOST_HEALTHY:]}
    rows = [
        (
            each.client.name,
            each.client.expected.method,
            "STOPS" if each.cause else "ok",
            each.cause.message if each.cause else (each.url or "nothing to fetch"),
        )
        for each in diagnoses
        if id(each) not in silent
    ]
    print_table(("WHO", "METHOD", "STATE", "FIRST CAUSE, OR WHERE ITS PROFILE COMES FROM"), rows)
    if silent:
        say(f"{len(silent)} more would be provisioned.")
    told: dict[Problem, list[str]] = {}
    for each in diagnoses:
        shown = each.found if each.cause is None else (each.cause, *_warnings(each))
        for finding in shown:
            told.setdefault(finding, []).append(each.client.name)
    for finding, names in sorted(told.items(), key=lambda item: item[0].severity != "error"):
        say(f"\n{finding}")
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        say(f"    for {', '.join(names[:3])}{more}")


def _print_agreement(agreement: Agreement) -> None:
    for finding in agreement.found:
        say(f"\n{finding}")
    if len(agreement.servers) > 1 and not agreement.found:
        say(f"\nServers that agree, as far as they were asked: {', '.join(agreement.servers)}.")


def _warnings(diagnosis: Diagnosis) -> tuple[Problem, ...]:
    return tuple(each for each in diagnosis.found if each.severity != "error")


def _as_data(diagnosis: Diagnosis) -> dict[str, object]:
    client = diagnosis.client
    return {
        "who": client.name,
        "mac": client.identity.mac,
        "network": client.network,
        "method": client.expected.method,
        "provisioned_from": diagnosis.url,
        "cause": findings.as_data(diagnosis.cause) if diagnosis.cause else None,
        "findings": [findings.as_data(each) for each in diagnosis.found],
    }


def _compared(agreement: Agreement) -> dict[str, object]:
    return {
        "who": "the servers of the inventory",
        "mac": "",
        "network": "",
        "method": "",
        "provisioned_from": "",
        "servers": list(agreement.servers),
        "cause": findings.as_data(agreement.cause) if agreement.cause else None,
        "findings": [findings.as_data(each) for each in agreement.found],
    }

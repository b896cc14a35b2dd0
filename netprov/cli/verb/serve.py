"""`netprov serve`: run the services of an inventory, all in one process or one role each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from netprov.cli.site import find, inventory_option, open_plan
from netprov.errors import NetprovError, ServiceError
from netprov.machine import Event
from netprov.plan import Plan
from netprov.runtime.control.reload import reload
from netprov.runtime.control.server import ControlServer
from netprov.runtime.log import configure
from netprov.runtime.metrics import Metrics, MetricsService
from netprov.runtime.role import Notice, RoleContext, Service
from netprov.runtime.supervise import ROLES, Supervisor, build
from netprov.runtime.task import keep
from netprov.runtime.watch import Watch
from netprov.state.device import DeviceRecords
from netprov.state.hold import hold


@click.command(no_args_is_help=False)
@click.argument("roles", nargs=-1, type=click.Choice(list(ROLES)))
@inventory_option
@click.option(
    "--state", metavar="DIR", help="Directory for leases, keys and records. Default: the inventory's."
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Log everyday events too: each datagram dropped, and why."
)
def command(roles: tuple[str, ...], file: str | None, state: str | None, verbose: bool) -> None:
    """Serve a staging LAN: every role, or only the ROLES named.

    \b
    Examples:
      netprov serve -f site.yaml            everything, in one process
      netprov serve -f site.yaml dns http   these roles only
      systemctl start netprov.target        each role on its own, with its own privileges

    SIGHUP does what `netprov reload` does. Ctrl-C or SIGTERM stops. An address of the inventory that is not on this
    machine is passed over, for another machine may serve it, and served as soon as it comes.
    """
    name = find(file)

    def load() -> Plan:
        return open_plan(name).plan

    plan = load()
    log_event = configure(verbose=verbose)
    directory = state_directory(state or plan.site.inventory.server.state)
    metrics = Metrics()

    def tell(notice: Notice) -> None:
        log_event("serve", notice)
        metrics.count("serve", notice)

    def complain(text: str) -> None:
        tell(Notice(text, "warning"))

    records = DeviceRecords(directory, complain, keep=partial(keep, tell=tell))

    def taken(plan: Plan) -> None:
        records.own = own_addresses(plan)

    taken(plan)

    def report(service: str, event: Event) -> None:
        log_event(service, event)
        records.observe(service, event)
        metrics.count(service, event)

    played = [role for role in ROLES if role in roles or not roles]
    hold(directory, played)
    metrics.services = build(played, RoleContext(directory, report))
    place = 1 + list(ROLES).index(roles[0]) if len(roles) == 1 else 0
    services = [MetricsService(metrics, report, place), *metrics.services]

    async def reload_all() -> None:
        with suppress(NetprovError):  # each process has told what it refused
            await asyncio.to_thread(reload, directory)

    supervisor = Supervisor(
        services,
        plan=plan,
        load=load,
        report=report,
        taken=taken,
        hang_up=reload_all,
        watch=Watch(directory),
    )
    control = ControlServer(directory, played, supervisor)

    async def run() -> None:
        await records.start()
        try:
            await control.start()
            if {"http", "acs"} & set(played):
                # Not for roles that have no certificates: it is half of their start.
                from netprov.runtime.web.second import refuse_second_ca

                await refuse_second_ca(plan, directory)
            await supervisor.run(lambda running: announce(plan, running))
        finally:
            await control.stop()
            await records.stop()

    asyncio.run(run())


def own_addresses(plan: Plan) -> frozenset[str]:
    """Return the addresses that the servers of a plan have: our own checks come from them, phones do not."""
    return frozenset(
        {
            "127.0.0.1",
            *(str(network.address) for network in plan.site.networks),
            *(listener.address for listener in plan.provision.listeners),
            *(str(address) for each in plan.cwmp.listeners for address in each.addresses),
        }
    )


def state_directory(name: str) -> Path:
    """Return the state directory, made if need be. Raises `ServiceError` if it cannot be written."""
    path = Path(name)
    remedy = "Name another with --state DIR, or under `server: {state: …}`."
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceError(f"the state directory {path} cannot be made: {error.strerror}", remedy) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ServiceError(f"the state directory {path} is not writable for this user", remedy)
    return path


def announce(plan: Plan, services: Sequence[Service]) -> None:
    """Say what is served, and where."""
    click.echo(f"netprov serves {plan.site.domain}:")
    for service in services:
        where = ", ".join(service.listening())
        if not where and service.name == MetricsService.name:
            continue
        waits = f"waits for {', '.join(service.waiting())}, not on this machine" if service.waiting() else ""
        click.echo(f"  {service.name:<7} {'; '.join(filter(None, (where, waits))) or 'nothing to serve'}")
    click.echo("Ready. Ctrl-C stops, `netprov reload` takes a changed inventory.")

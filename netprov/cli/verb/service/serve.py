"""`netprov serve`: run the services of an inventory, all in one process or one role each."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from netprov.cli.site import Opened, find, inventory_option, open_plan
from netprov.errors import InventoryError, NetprovError, Problem, ServiceError
from netprov.inventory.load import no_collection
from netprov.machine import Event
from netprov.plan import Plan
from netprov.runtime.control.reload import reload
from netprov.runtime.control.server import ControlServer
from netprov.runtime.log import EventLog, configure
from netprov.runtime.metrics import Metrics, MetricsService
from netprov.runtime.net.inherited import inherit
from netprov.runtime.privilege import KEPT, NET_ADMIN, become, obstacle, user_to_be
from netprov.runtime.process import Process
from netprov.runtime.recent import Recent
from netprov.runtime.role import Notice, RoleContext, Service
from netprov.runtime.roles import ROLES
from netprov.runtime.supervise import Supervisor, build
from netprov.runtime.task import keep
from netprov.runtime.throttle import LineThrottle
from netprov.runtime.watch import Watch
from netprov.state.device_record import DeviceRecords
from netprov.state.hold import DIRECTORY as CONTROL
from netprov.state.hold import hold
from netprov.state.place import settle


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

    Started by root, it goes on as the user of `server: {user: …}`, or as whom sudo was called by, with the right to open its
    sockets alone. SIGHUP does what `netprov reload` does. Ctrl-C or SIGTERM stops. An address of the inventory that is not on this
    machine is passed over, for another machine may serve it, and served as soon as it comes.
    """
    inherited = inherit(os.environ)
    name = find(file)
    with no_collection():
        plan = open_plan(name).plan
    declared = plan.site.inventory.server.state
    log = configure(verbose=verbose)
    directory = state_directory(state or declared)

    def load() -> Plan:
        opened = open_plan(name)
        return opened.plan if state else unmoved(opened, declared)

    played = [role for role in ROLES if role in roles or not roles]
    notice = drop_root(plan, name, directory)
    hold(directory, played)
    settle(directory)
    reports = Reports(directory, log)
    context = RoleContext(directory, reports, late=reports.late, inherited=inherited.claim)
    reports.metrics.services = build(played, context)
    if notice is not None:
        reports("serve", notice)
    place = 1 + list(ROLES).index(roles[0]) if len(roles) == 1 else 0
    supervisor = Supervisor(
        [MetricsService(reports.metrics, reports, place), *reports.metrics.services],
        plan=plan,
        load=load,
        report=reports,
        taken=reports.follow,
        hang_up=partial(_reload_all, directory),
        watch=Watch(directory),
        handover=context.handover,
    )
    reports.follow(plan)
    try:
        operations = Process(supervisor, played, log, reports.recent).operations()
        control = ControlServer(directory, played, supervisor, operations)

        def ready(running: Sequence[Service]) -> None:
            waiting = frozenset(each for service in running for each in service.waiting())
            for unclaimed in inherited.settle(waiting):
                reports("serve", unclaimed)
            announce(plan, running)

        asyncio.run(_run(supervisor, control, reports, plan, ready))
    finally:
        log.flush()


def drop_root(plan: Plan, name: str, directory: Path) -> Notice | None:
    """Go on as the inventory's user, or whom sudo was called by; return what there is to say of it.

    Raises `ServiceError` if the user that the inventory names cannot serve.
    """
    user, insisted = user_to_be(plan.site.inventory.server.user, dict(os.environ))
    if not user:
        return None
    reads = [Path(name), *map(Path, plan.pki.clients.roots)]
    if plan.provision.secrets.file:
        reads.append(Path(plan.provision.secrets.file))
    if why := obstacle(user, directory, reads):
        remedy = f"give {user} what it needs, or name another under `server: {{user: …}}`; `root` stays root"
        if insisted:
            raise ServiceError(f"netprov is to run as {user}, and cannot: {why}", remedy)
        return Notice(f"stays root: {why}; {remedy}", "warning")
    kept = KEPT | (NET_ADMIN if plan.dhcp.pin_neighbours else {})
    become(user, kept)
    return Notice(f"runs as {user} with {', '.join(kept)}, and no longer as root")


class Reports:
    """Where what services report goes: the log, the records of devices, the metrics."""

    def __init__(self, directory: Path, log: EventLog) -> None:
        self.directory = directory
        self.metrics = Metrics()
        self.recent = Recent()
        self.records = DeviceRecords(directory, self._complain, keep=partial(keep, tell=self._tell))
        self._log = log
        self._lines = LineThrottle(log, self.records.knows)

    def __call__(self, service: str, event: Event) -> None:
        """Take one event; never blocks and never raises."""
        self.late(service, event, time.time())

    def late(self, service: str, event: Event, at: float) -> None:
        """Do the same for one that happened at a time before."""
        self._lines(service, event)
        told, fact, mac = self.records.observe(service, event, at) or (event, None, "")
        self.recent.take(service, told, fact, mac, at)
        self.metrics.count(service, event)

    def follow(self, plan: Plan) -> None:
        """Tell phones from our own checks by the addresses of a plan from now on."""
        self.records.follow(own=own_addresses(plan), listed=frozenset(plan.provision.devices))

    async def stop(self) -> None:
        """Log and write what waits, as far as it can be written in a second."""
        self._lines.settle()
        await self.records.stop()

    def _complain(self, text: str) -> None:
        """Take what the records themselves report: it is no row of theirs."""
        self._tell(Notice(text, "warning"))

    def _tell(self, notice: Notice) -> None:
        self._log("serve", notice)
        self.metrics.count("serve", notice)


async def _run(
    supervisor: Supervisor,
    control: ControlServer,
    reports: Reports,
    plan: Plan,
    ready: Callable[[Sequence[Service]], None],
) -> None:
    await reports.records.start()
    try:
        await control.start()
        if {"http", "acs"} & {each.name for each in supervisor.services}:
            # Not for roles that have no certificates: it is half of their start.
            from netprov.runtime.web.second import refuse_second_ca

            await refuse_second_ca(plan, reports.directory)
        await supervisor.run(ready)
    finally:
        await control.stop()
        await reports.stop()


async def _reload_all(directory: Path) -> None:
    with suppress(NetprovError):  # each process has told what it refused
        await asyncio.to_thread(reload, directory, by="SIGHUP")


def unmoved(opened: Opened, state: str) -> Plan:
    """Return the plan of an inventory that still names the state directory of the start. Raises `InventoryError`.

    Leases, keys and records are where the services were started, and cannot be left behind in a reload.
    """
    now = opened.plan.site.inventory.server.state
    if now == state:
        return opened.plan
    problem = Problem(
        "state-moved",
        f"the state directory is now {now}, and the services keep {state} until they are started again",
        f"write `server: {{state: {state}}}`, or stop the services, move the directory, and start them again",
        path=("server", "state"),
    )
    raise InventoryError([opened.document.locate(problem)])


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
    if not os.access(path, os.W_OK | os.X_OK) and not os.access(path / CONTROL, os.W_OK | os.X_OK):
        raise ServiceError(f"the state directory {path} is not writable for this user", remedy)
    return path


def announce(plan: Plan, services: Sequence[Service]) -> None:
    """Say what is served, and where."""
    click.echo(f"netprov serves {plan.site.domain}:")
    for service in services:
        where = ", ".join(service.listening())
        if not where and service.name == MetricsService.name:
            continue
        waits = f"waits for {', '.join(service.waiting())}" if service.waiting() else ""
        click.echo(f"  {service.name:<7} {'; '.join(filter(None, (where, waits))) or 'nothing to serve'}")
    click.echo("Ready. Ctrl-C stops, `netprov reload` takes a changed inventory.")

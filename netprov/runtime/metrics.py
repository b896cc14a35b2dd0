"""Every service's events counted, and whether and where the numbers are given.

An event costs one addition in a dictionary; the rest is done when somebody asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from netprov.cwmp.device import Faulted
from netprov.hostport import format_hostport
from netprov.machine import Event
from netprov.plan import Plan
from netprov.plan.metrics import MetricsPlan
from netprov.provision.event import Asked
from netprov.runtime.address import is_here
from netprov.runtime.handover import Place
from netprov.runtime.refusal import bind_refused
from netprov.runtime.role import Notice, Prepared, Service, Suppressed, reload

if TYPE_CHECKING:
    from aiohttp.web import AppRunner

OUTCOMES: Final[Mapping[str, Callable[[Any], object]]] = {
    Asked.event_kind: attrgetter("status"),
    Faulted.event_kind: attrgetter("method"),
    Notice.event_kind: attrgetter("severity"),
}
"""What tells the events of one kind apart, where something does and takes few values; a remote's texts never do."""


class Metrics:
    """Counts events by service, kind and outcome; `services` are asked for their samples when the metrics are read."""

    def __init__(self) -> None:
        self.services: Sequence[Service] = ()
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, service: str, event: Event) -> None:
        """Count an event; never waits, never raises."""
        if isinstance(event, Suppressed):
            self.counts[service, event.kind, ""] += event.count
            return
        kind = event.event_kind
        outcome = OUTCOMES.get(kind)
        self.counts[service, kind, "" if outcome is None else str(outcome(event))] += 1


class MetricsService:
    """Gives the metrics over HTTP, where the inventory has `metrics:`; `place` is added to its port."""

    name = "metrics"

    def __init__(self, metrics: Metrics, report: Callable[[str, Event], None], place: int = 0) -> None:
        self._metrics = metrics
        self._report = report
        self._place = place
        self._plan = MetricsPlan()
        self._runner: AppRunner | None = None
        self._waits_for = ""

    async def start(self, plan: Plan) -> None:
        """Listen, if the plan says so."""
        await reload(self, plan)

    def release(self, _: Plan | None) -> Sequence[Place]:
        """Return nothing: its port is no other role's."""
        return ()

    async def prepare(self, plan: Plan) -> Prepared:
        """Bind where the new plan says; what is served already stays."""
        address, port = plan.metrics.address, plan.metrics.port
        here = bool(address) and is_here(address)
        runner: AppRunner | None
        if here and self._runner is not None and (address, port) == (self._plan.address, self._plan.port):
            runner = self._runner
        else:
            runner = await self._listen(plan.metrics) if here else None

        async def commit() -> None:
            if not here and address and self._waits_for != address:
                self._report(self.name, Notice(f"{address} is not on this machine: no metrics here"))
            if self._runner is not runner:
                await self.stop()
            self._runner, self._plan, self._waits_for = runner, plan.metrics, "" if here else address

        async def abort() -> None:
            if runner is not None and runner is not self._runner:
                await runner.cleanup()

        return Prepared(commit, abort)

    async def stop(self) -> None:
        """Close."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def listening(self) -> Sequence[str]:
        """Return what it listens on."""
        return [] if self._runner is None else [f"tcp {self._where(self._plan)} (http)"]

    def waiting(self) -> Sequence[str]:
        """Return the address if it is not on this machine."""
        return [self._waits_for] if self._waits_for else []

    def _where(self, plan: MetricsPlan) -> str:
        return format_hostport(plan.address, plan.port + self._place)

    async def _listen(self, plan: MetricsPlan) -> AppRunner:
        # Not before metrics are wanted: a web server and Prometheus' library take a third of a role's start.
        from netprov.runtime.metrics_page import serve

        try:
            return await serve(self._metrics, plan.address, plan.port + self._place)
        except OSError as error:
            port = plan.port + self._place
            raise bind_refused(f"metrics {self._where(plan)}", "tcp", port, error) from error

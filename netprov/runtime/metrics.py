"""Every service's events counted, and what services say of themselves, for Prometheus (text format 0.0.4, OpenMetrics).

An event costs one addition in a dictionary; the rest is done when somebody asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from operator import attrgetter
from typing import Any, Final

from aiohttp import web
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from netprov.cwmp.device import Faulted
from netprov.errors import ServiceError
from netprov.hostport import format_hostport
from netprov.machine import Event
from netprov.plan import Plan
from netprov.plan.metrics import MetricsPlan
from netprov.provision.event import Asked
from netprov.runtime.address import is_here
from netprov.runtime.role import Notice, Prepared, Sample, Service, Suppressed, reload

OUTCOMES: Final[Mapping[str, Callable[[Any], object]]] = {
    Asked.event_kind: attrgetter("status"),
    Faulted.event_kind: attrgetter("method"),
    Notice.event_kind: attrgetter("severity"),
}
"""What tells the events of one kind apart, where something does and takes few values; a remote's texts never do."""


class Metrics(Collector):
    """Counts events; `services` are asked for their samples when the metrics are read."""

    def __init__(self) -> None:
        self.services: Sequence[Service] = ()
        self.registry = CollectorRegistry(auto_describe=False)
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def count(self, service: str, event: Event) -> None:
        """Count an event; never waits, never raises."""
        if isinstance(event, Suppressed):
            self._counts[service, event.kind, ""] += event.count
            return
        kind = event.event_kind
        outcome = OUTCOMES.get(kind)
        self._counts[service, kind, "" if outcome is None else str(outcome(event))] += 1

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus reads."""
        events = CounterMetricFamily(
            "netprov_events", "Events by service, kind and outcome.", labels=("service", "event", "outcome")
        )
        for labels, value in sorted(self._counts.items()):
            events.add_metric(labels, value)
        yield events
        build = GaugeMetricFamily("netprov_build_info", "The version that runs.", labels=("version",))
        build.add_metric((_version(),), 1)
        yield build
        yield from _families(sample for service in self.services for sample in _samples(service))


class MetricsService:
    """Gives the metrics over HTTP, where the inventory has `metrics:`; `place` is added to its port."""

    name = "metrics"

    def __init__(self, metrics: Metrics, report: Callable[[str, Event], None], place: int = 0) -> None:
        self._metrics = metrics
        self._report = report
        self._place = place
        self._plan = MetricsPlan()
        self._runner: web.AppRunner | None = None
        self._waits_for = ""

    async def start(self, plan: Plan) -> None:
        """Listen, if the plan says so."""
        await reload(self, plan)

    async def prepare(self, plan: Plan) -> Prepared:
        """Bind where the new plan says; what is served already stays."""
        address, port = plan.metrics.address, plan.metrics.port
        here = bool(address) and is_here(address)
        runner: web.AppRunner | None
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

    async def _listen(self, plan: MetricsPlan) -> web.AppRunner:
        application = web.Application(client_max_size=1024)
        application.router.add_get("/metrics", self._answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, plan.address, plan.port + self._place).start()
        except OSError as error:
            await runner.cleanup()
            raise ServiceError(
                f"metrics cannot be given at {self._where(plan)}: {error.strerror}",
                "choose another port under `metrics:`; each role of its own takes one more",
            ) from error
        return runner

    async def _answer(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._metrics.registry), headers={"Content-Type": content_type})


def _samples(service: Service) -> Iterable[Sample]:
    """Return what a service says of itself, if it does."""
    samples = getattr(service, "samples", None)
    return samples() if samples is not None else ()


def _families(samples: Iterable[Sample]) -> Iterator[Metric]:
    """Yield samples of one name as one family, as the format demands."""
    families: dict[str, Metric] = {}
    for sample in samples:
        family = families.get(sample.name)
        if family is None:
            kind = CounterMetricFamily if sample.total else GaugeMetricFamily
            family = families[sample.name] = kind(
                f"netprov_{sample.name}", sample.help, labels=tuple(key for key, _ in sample.labels)
            )
        family.add_metric(tuple(value for _, value in sample.labels), sample.value)  # type: ignore[attr-defined]
    yield from families.values()


def _version() -> str:
    try:
        return metadata.version("netprov")
    except metadata.PackageNotFoundError:
        return "not installed"

"""What Prometheus reads: the counted events and the services' samples as text (format 0.0.4, OpenMetrics), over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from netprov.runtime.role import Sample, Service


class Counted(Protocol):
    """What is to be read: events by service, kind and outcome, and whom to ask for samples."""

    @property
    def counts(self) -> Mapping[tuple[str, str, str], int]:
        """Return how often each was."""

    @property
    def services(self) -> Sequence[Service]:
        """Return those that may have samples."""


async def serve(metrics: Counted, address: str, port: int) -> web.AppRunner:
    """Give the metrics at an address. Raises OSError."""
    page = _Page(metrics)
    application = web.Application(client_max_size=1024)
    application.router.add_get("/metrics", page.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


class _Page(Collector):
    def __init__(self, metrics: Counted) -> None:
        self._metrics = metrics
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request, in the format that it asks for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    def collect(self) -> Iterator[Metric]:
        """Yield what Prometheus reads."""
        events = CounterMetricFamily(
            "netprov_events", "Events by service, kind and outcome.", labels=("service", "event", "outcome")
        )
        for labels, value in sorted(self._metrics.counts.items()):
            events.add_metric(labels, value)
        yield events
        build = GaugeMetricFamily("netprov_build_info", "The version that runs.", labels=("version",))
        build.add_metric((_version(),), 1)
        yield build
        yield from _families(sample for service in self._metrics.services for sample in _samples(service))


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

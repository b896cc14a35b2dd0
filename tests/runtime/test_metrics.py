"""Metrics: events counted, services' samples, and what Prometheus reads of them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from netprov.errors import ServiceError
from netprov.inventory.load import parse
from netprov.machine import Dropped, Endpoint
from netprov.plan import Plan, derive
from netprov.provision.event import Asked
from netprov.runtime.handover import Place
from netprov.runtime.metrics import Metrics, MetricsService
from netprov.runtime.role import Notice, Prepared, Sample, reload
from tests.port import free_port

TWO_LINES = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


def plan(more: str = "") -> Plan:
    return derive(parse(TWO_LINES + more, "site.yaml").inventory)


def at(port: int, address: str = "127.0.0.1") -> Plan:
    return plan(f"metrics: {{address: '{address}', port: {port}}}\n")


class Leaser:
    """A service that has samples."""

    name = "dhcp"

    async def start(self, plan: Plan) -> None:
        del plan

    def release(self, _: Plan | None) -> Sequence[Place]:
        return ()

    async def prepare(self, plan: Plan) -> Prepared:
        raise NotImplementedError

    async def stop(self) -> None:
        pass

    def listening(self) -> Sequence[str]:
        return ()

    def waiting(self) -> Sequence[str]:
        return ()

    def samples(self) -> Iterable[Sample]:
        yield Sample("dhcp_leases", "Leases.", 3, (("network", "a"),))
        yield Sample("dhcp_leases", "Leases.", 4, (("network", "b"),))
        yield Sample("dhcp_requests", "Requests.", 9, total=True)


async def read(port: int, accept: str = "text/plain") -> tuple[str, str]:
    async with aiohttp.ClientSession(headers={"Accept": accept}) as client:
        async with client.get(f"http://127.0.0.1:{port}/metrics") as reply:
            assert reply.status == 200
            return reply.headers["Content-Type"], await reply.text()


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return the samples of ours by name and label values, as prometheus-client's own parser reads them."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("netprov_")
    }


def test_events_and_samples_are_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.services = [Leaser()]
    for status in (200, 200, 404):
        metrics.count("http", Asked("http", "10.20.0.50", "GET", "/x", status))
    metrics.count("dns", Dropped("any reason at all", Endpoint("10.20.0.50", 1)))
    metrics.count("serve", Notice("reloaded", "warning"))

    async def check() -> tuple[str, str]:
        service = MetricsService(metrics, lambda _name, _event: None)
        await service.start(at(port := free_port()))
        assert service.listening() == [f"tcp 127.0.0.1:{port} (http)"]
        try:
            return await read(port)
        finally:
            await service.stop()

    kind, text = asyncio.run(check())
    assert kind.startswith("text/plain; version=")
    found = samples(text)
    del found[next(key for key in found if key[0] == "netprov_build_info")]
    assert found == {
        ("netprov_events_total", "Asked", "200", "http"): 2,
        ("netprov_events_total", "Asked", "404", "http"): 1,
        ("netprov_events_total", "Dropped", "", "dns"): 1,
        ("netprov_events_total", "Notice", "warning", "serve"): 1,
        ("netprov_dhcp_leases", "a"): 3,
        ("netprov_dhcp_leases", "b"): 4,
        ("netprov_dhcp_requests_total",): 9,
    }
    assert "process_resident_memory_bytes" in text


def test_open_metrics_is_spoken_to_those_who_ask() -> None:
    async def check() -> tuple[str, str]:
        service = MetricsService(Metrics(), lambda _name, _event: None, place=2)
        await service.start(at((port := free_port()) - 2))
        try:
            return await read(port, "application/openmetrics-text; version=1.0.0")
        finally:
            await service.stop()

    kind, text = asyncio.run(check())
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


def test_nothing_listens_unless_the_inventory_says_so_and_reload_starts_moves_and_stops_it() -> None:
    first, second = free_port(), free_port()

    async def check() -> None:
        service = MetricsService(Metrics(), lambda _name, _event: None)
        await service.start(plan())
        assert service.listening() == []
        await reload(service, at(first))
        await reload(service, at(first))
        await read(first)
        await reload(service, at(second))
        await read(second)
        with pytest.raises(aiohttp.ClientError):
            await read(first)
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            with pytest.raises(ServiceError, match=r"metrics .* is taken by another program"):
                await reload(service, at(other.getsockname()[1]))
        await read(second)
        await reload(service, plan())
        assert service.listening() == []

    asyncio.run(check())


def test_address_that_is_elsewhere_is_passed_over() -> None:
    said: list[str] = []

    async def check() -> None:
        service = MetricsService(Metrics(), lambda _name, event: said.append(str(event)))
        await service.start(at(9745, "192.0.2.1"))
        assert service.listening() == []

    asyncio.run(check())
    assert said == ["192.0.2.1 is not on this machine: no metrics here"]


def test_every_role_has_a_port_that_the_inventory_names() -> None:
    from netprov.inventory.model.metrics import Metrics as Declared
    from netprov.runtime.roles import ROLES

    said = Declared.model_fields["port"].description or ""
    assert ", ".join(f"+{place} {role}" for place, role in enumerate(ROLES, 1)) in said

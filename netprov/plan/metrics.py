"""Where metrics are given, if they are."""

from __future__ import annotations

from dataclasses import dataclass

from netprov.plan.site import Site


@dataclass(frozen=True, slots=True)
class MetricsPlan:
    """The address, "" where metrics are not given, and the first port."""

    address: str = ""
    port: int = 0


def plan_metrics(site: Site) -> MetricsPlan:
    """Derive where metrics are given."""
    declared = site.inventory.metrics
    return MetricsPlan(str(declared.address), declared.port) if declared else MetricsPlan()

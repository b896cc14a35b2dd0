"""From inventory to plan: the frozen, complete answer to "what does each service serve".

Pure, and the only folder that knows both vocabularies, the operator's and the standards'. Each section has
its module; `derive` joins them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from netprov.dhcp.config import DhcpConfig
from netprov.dns.config import DnsConfig
from netprov.errors import InventoryError, Problem
from netprov.inventory.model import Inventory
from netprov.pki.request import PkiPlan
from netprov.plan.cwmp import CwmpPlan, plan_cwmp
from netprov.plan.dhcp import plan_dhcp
from netprov.plan.dns import plan_dns
from netprov.plan.metrics import MetricsPlan, plan_metrics
from netprov.plan.pki import certificates
from netprov.plan.provision import provision
from netprov.plan.site import Site, resolve
from netprov.provision.config import Provision

T = TypeVar("T")

__all__ = ["Plan", "Site", "derive"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What each service serves."""

    site: Site
    dhcp: DhcpConfig
    dns: DnsConfig
    pki: PkiPlan
    provision: Provision
    cwmp: CwmpPlan
    metrics: MetricsPlan


def derive(inventory: Inventory) -> Plan:
    """Derive the whole plan.

    Raises `InventoryError` with every value that cannot be served as written; its problems carry paths, to
    which `netprov.inventory.load.Document.locate` adds the positions.
    """
    site = resolve(inventory)
    problems: list[Problem] = []
    dhcp = _section(plan_dhcp, site, problems)
    dns = _section(plan_dns, site, problems)
    pki = _section(certificates, site, problems)
    provisioning = _section(provision, site, problems)
    cwmp = _section(plan_cwmp, site, problems)
    if dhcp is None or dns is None or pki is None or provisioning is None or cwmp is None:
        raise InventoryError(problems)
    metrics = plan_metrics(site)
    return Plan(site=site, dhcp=dhcp, dns=dns, pki=pki, provision=provisioning, cwmp=cwmp, metrics=metrics)


def _section(derive_section: Callable[[Site], T], site: Site, problems: list[Problem]) -> T | None:
    """Derive one section; collect its problems, so that all sections' are told together."""
    try:
        return derive_section(site)
    except InventoryError as error:
        problems += error.problems
        return None

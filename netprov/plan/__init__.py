"""From inventory to plan: the frozen, complete answer to "what does each service serve".

Pure, and the only folder that knows both vocabularies, the operator's and the standards'. Each section has
its module; `derive` joins them.
"""

from __future__ import annotations

from dataclasses import dataclass

from netprov.dhcp.config import DhcpConfig
from netprov.dns.config import DnsConfig
from netprov.inventory.model import Inventory
from netprov.pki.request import PkiPlan
from netprov.plan.cwmp import CwmpPlan, plan_cwmp
from netprov.plan.dhcp import plan_dhcp
from netprov.plan.dns import plan_dns
from netprov.plan.pki import certificates
from netprov.plan.provision import provision
from netprov.plan.site import Site, resolve
from netprov.provision.config import Provision

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


def derive(inventory: Inventory) -> Plan:
    """Derive the whole plan.

    Raises `InventoryError` with every value that cannot be served as written; its problems carry paths, to
    which `netprov.inventory.load.Document.locate` adds the positions.
    """
    site = resolve(inventory)
    return Plan(
        site=site,
        dhcp=plan_dhcp(site),
        dns=plan_dns(site),
        pki=certificates(site),
        provision=provision(site),
        cwmp=plan_cwmp(site),
    )

"""Every reason a phone would not provision that can be seen in the inventory: the table of rules, and their run.

Each rule is a pure function from a `View` of the site to what it finds; the families have a module each.
"""

from __future__ import annotations

from collections.abc import Mapping

from netprov.check import (
    acs,
    certificate,
    directive,
    file,
    match,
    method,
    name,
    network,
    option,
    parameter,
    phone,
    pool,
    presented,
    profile,
    secret,
    srv,
    zone,
)
from netprov.check.rule import Chain, Environment, Finding, Rule, View, rules_of
from netprov.errors import InventoryError, Problem
from netprov.inventory.model import Inventory
from netprov.plan import derive
from netprov.plan.site import resolve

__all__ = ["FAMILIES", "RULES", "Chain", "Environment", "Finding", "Rule", "View", "check"]

FAMILIES: Mapping[str, tuple[Rule, ...]] = {
    "Networks": rules_of(network),
    "Pools and leases": rules_of(pool),
    "Phones and classes": rules_of(phone),
    "Conditions of classes": rules_of(match),
    "Methods": rules_of(method),
    "TR-069": rules_of(acs),
    "SRV and the domain": rules_of(srv),
    "Names": rules_of(name),
    "Zones and records": rules_of(zone),
    "Certificates and trust": rules_of(certificate),
    "Certificates that are presented": rules_of(presented),
    "DHCP options": rules_of(option),
    "Profiles": rules_of(profile),
    "Parameters": rules_of(parameter),
    "Rules in profiles": rules_of(directive),
    "Secrets": rules_of(secret),
    "Files": rules_of(file),
}
"""The rules by family, in the order of a phone's way."""

RULES: Mapping[str, Rule] = {rule.id: rule for rules in FAMILIES.values() for rule in rules}
"""Every rule by its id."""


def check(inventory: Inventory, now: float, disk: Environment | None = None) -> list[Problem]:
    """Return everything that is wrong or risky with an inventory; `now` is in seconds since 1970.

    `disk` is what is on this machine beside the inventory: certificates, firmware.

    Problems carry paths; those of the plan come first: with any of them nothing can be served, or not all of it.
    """
    problems: list[Problem] = []
    plan = None
    try:
        plan = derive(inventory)
        problems += (problem for zone in plan.dns.failed for problem in zone.problems)
    except InventoryError as error:
        problems += error.problems
    view = View(inventory, plan.site if plan else resolve(inventory), plan, now, disk or Environment())
    told = {problem.path for problem in problems}
    for rule in RULES.values():
        problems += (problem for problem in rule.check(view) if problem.path not in told)
    return problems

"""Rules about the TR-069 ACS itself; all are found while its part of the plan is derived."""

from __future__ import annotations

from netprov.check.rule import Rule, of_the_plan

RULES = (
    Rule(
        "acs-inform-interval",
        "error",
        "A phone that Informs every few seconds does little else, and a hundred of them keep the ACS busy.",
        "write `inform_interval: 1h` under `acs:`",
        of_the_plan,
    ),
    Rule(
        "acs-username",
        "error",
        "HTTP authentication writes user and password with a colon between them (RFC 7617), so the phone's password would "
        "be taken for another.",
        "choose a username without a colon",
        of_the_plan,
    ),
    Rule(
        "acs-provisioning-code",
        "error",
        "The phone keeps the code in DeviceInfo.ProvisioningCode, which TR-106 limits to 64 printable characters.",
        "choose a shorter code",
        of_the_plan,
    ),
)
"""The rules, in the order of the inventory's keys."""

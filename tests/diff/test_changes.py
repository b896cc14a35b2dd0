"""What is said to change is what clients then see on the wire, no more and no less: over random pairs of inventories."""

from __future__ import annotations

import os
import re

from hypothesis import HealthCheck, given, settings

from netprov.diff import changes
from netprov.diff.dns import ZONE
from netprov.diff.seen import like
from netprov.mac import parse_mac
from netprov.plan import Plan
from tests.diff.sites import (
    MACS,
    NETWORKS,
    STRANGERS,
    dhcp_seen,
    dns_seen,
    names_of,
    plan_of,
    profile_seen,
    sites,
)

ALL = settings(
    max_examples=int(os.environ.get("NETPROV_PAIRS", "12")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
KINDS = ("A", "SRV", "PTR", "NS")


def listed(plan: Plan, mac: str) -> bool:
    return parse_mac(mac) in plan.dhcp.phones


@ALL
@given(sites(), sites())
def test_dhcp_changes_are_the_difference_of_offers(one: str, other: str) -> None:
    old, new = plan_of(one), plan_of(other)
    said: dict[str, set[object]] = {}
    for each in changes(old, new):
        if each.section == "dhcp":
            number = re.match(r"option (\d+)", each.aspect)
            key = (
                int(number[1]) if number else {"next server (siaddr)": "siaddr"}.get(each.aspect, each.aspect)
            )
            said.setdefault(each.subject, set()).add(key)
    clients = [(mac, "CP-8851-3PCC" if listed(new, mac) or listed(old, mac) else "", "a") for mac in MACS]
    clients = [each for each in clients if each[1]]
    clients += [("02:aa:00:00:00:09", vendor, network) for vendor in STRANGERS for network in NETWORKS]
    for mac, vendor, network in clients:
        if network not in {each.name for plan in (old, new) for each in plan.dhcp.networks}:
            continue
        before, after = dhcp_seen(old, mac, vendor, network), dhcp_seen(new, mac, vendor, network)
        if before is None and after is None:
            differs: set[object] = set()
        elif before is None or after is None:
            differs = {"answer"}
        else:
            differs = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        subjects = [
            each
            for each in said
            if each.endswith(f" on {network}")
            and (
                mac in each
                if mac in MACS
                else each.startswith(
                    f"a client with {f'vendor class {vendor!r} on' if vendor else 'no vendor class'}"
                )
            )
        ]
        assert set().union(*(said[each] for each in subjects)) == differs, (mac, vendor, network, one, other)


@ALL
@given(sites(), sites())
def test_dns_changes_are_the_difference_of_answers(one: str, other: str) -> None:
    old, new = plan_of(one), plan_of(other)
    found = [each for each in changes(old, new) if each.section == "dns"]
    zones = {each.subject + "." for each in found if each.aspect == ZONE}
    said = {(each.subject, each.aspect) for each in found}
    for name in names_of(old) | names_of(new):
        for kind in KINDS:
            differs = dns_seen(old, name, kind) != dns_seen(new, name, kind)
            if any(name == zone or name.endswith("." + zone) for zone in zones):
                continue
            assert ((name, kind) in said) == differs, (name, kind)


@ALL
@given(sites(), sites())
def test_profile_changes_are_the_difference_of_profiles(one: str, other: str) -> None:
    old, new = plan_of(one), plan_of(other)
    said: dict[str, set[str]] = {}
    for each in changes(old, new):
        if each.section == "profiles" and each.mac:
            said.setdefault(each.mac, set()).add(each.aspect)
    for mac in MACS:
        before, after = profile_seen(old, mac), profile_seen(new, mac)
        if before is None or after is None:
            assert ("profile" in said.get(mac, ())) == (before is not after)
        else:
            differs = {name for name in {*before, *after} if before.get(name) != after.get(name)}
            # What is written for the other road, over HTTP, may differ beside it.
            assert differs <= said.get(mac, set()) <= differs | {"Profile_Rule"}, mac


@ALL
@given(sites())
def test_nothing_changes_by_the_same_inventory(text: str) -> None:
    assert changes(plan_of(text), plan_of(text)) == ()


@ALL
@given(sites(), sites())
def test_likes_lose_nothing(one: str, other: str) -> None:
    found = changes(plan_of(one), plan_of(other))
    assert {(each.section, each.subject, each.aspect, each.before, each.after) for each in found} == {
        (likes.first.section, subject, likes.first.aspect, likes.first.before, likes.first.after)
        for likes in like(found)
        for subject in likes.subjects
    }


def test_secret_is_named_and_never_shown() -> None:
    text = "domain: example.com\nnetworks: {a: {interface: lan0, subnet: 10.20.0.0/24}}\nphones: [{mac: '00:12:34:00:00:01', values: {%s}}]\n"
    old, new = plan_of(text % ""), plan_of(text % "Password_1_: '{{ secret(\"sip\") }}'")
    (found,) = changes(old, new)
    assert (found.aspect, found.after) == ("Password_1_", "'<secret sip>'")

"""Compare judged by what it must find: one change in one of two equal servers, wherever it is made."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from netprov.compare.client import clients_of
from netprov.compare.dhcp import option_lists
from netprov.compare.dns import dns_questions
from netprov.compare.report import Verdict, judge
from netprov.compare.web import web_questions
from netprov.inventory.model import Inventory
from netprov.plan import Plan, derive
from tests.compare.memory import hear

BASE: dict[str, Any] = {
    "domain": "example.com",
    "networks": {
        "voice": {
            "interface": "lan0", "subnet": "10.20.0.0/24", "pool": ["10.20.0.100-10.20.0.150"], "clients": "all",
            "router": ["10.20.0.254"], "dns": ["10.20.0.1"], "ntp": ["10.20.0.2"], "lease": 3600, "options": {2: 3600},
        },
        "lab": {
            "interface": "lan1", "subnet": "10.21.0.0/24", "pool": ["10.21.0.100-10.21.0.150"], "clients": "all",
            "router": ["10.21.0.254"], "dns": ["10.20.0.1"], "ntp": ["10.21.0.2"], "lease": 7200,
            "options": {252: "http://w/"}, "domain": "lab.example.com",
        },
    },
    "hosts": {"pr1": ["10.20.0.11"], "pr2": ["10.20.0.12"]},
    "srv": {
        "https": [
            {"target": "pr1", "port": 443, "priority": 10, "weight": 60},
            {"target": "pr2", "port": 443, "priority": 20, "weight": 20},
        ],
        "http": [{"target": "pr1", "port": 80, "priority": 10, "weight": 0}],
    },
    "records": [{"name": "@", "type": "TXT", "data": "\"v=spf1 -all\""}, {"name": "www", "type": "CNAME", "data": "pr1"}],
    "classes": {
        "spa": {
            "match": {"vendor_class": ["CP-78*"]}, "method": "dhcp", "force": [160],
            "options": {66: "10.20.0.1", 150: ["10.20.0.1", "10.20.0.3"], 160: "http://pr1/a.xml"},
        },
        "acs": {
            "match": {"vendor_class_contains": ["dslforum.org"]}, "method": "acs",
            "options": {43: {"acs_url": "http://acs/", "provisioning_code": "x"}},
        },
        "lab": {"match": {"network": ["lab"], "vendor_class": ["DP-*"]}, "method": "dhcp", "options": {66: "10.21.0.1"}},
    },
    "phones": [
        {
            "mac": "00:12:34:ab:45:de", "address": "10.20.0.50", "name": "lobby", "class": "spa", "model": "CP-8851-3PCC",
            "profile": "desk", "values": {"Station_Display_Name": "lobby"},
        },
        {"mac": "00:12:34:ab:45:df", "network": "lab", "method": "dhcp", "options": {66: "10.21.0.9"}},
    ],
    "profiles": {"desk": {"values": {"Display_Name_1_": "4081001141", "Proxy_1_": "example.com"}}},
    "provisioning": {
        "values": {"Time_Zone": "GMT+01:00"}, "redirects": {"/old/$MA.cfg": "http://pr2/$MA.cfg"},
        "statuses": {"/locked.xml": 403},
    },
}  # fmt: skip

Change = Callable[[dict[str, Any], random.Random], str]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in _leaves(each, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, each in enumerate(value) for leaf in _leaves(each, (*path, index))]
    return [path]


FIXED = {"type", "model", "profile", "interface", "subnet", "pool", "clients", "method", "class", "network"}
"""Keys of which another value moves the site as a whole, or is no single change."""


def _changed(value: Any, draw: random.Random) -> Any:
    match value:
        case int():
            return value + draw.randint(1, 9) * 10
        case str() if value.count(".") == 3 and value.replace(".", "").isdigit():
            head, _, last = value.rpartition(".")
            return f"{head}.{(int(last) + draw.randint(20, 40)) % 250 + 1}"
        case str() if value.startswith('"'):
            return f'"{draw.randint(0, 999)}"'
        case str() if ":" in value and len(value) == 17:
            return value[:-2] + f"{draw.randint(0, 255) ^ 0xA5 or 1:02x}"
        case str() if value.startswith(("CP-", "DP-")):
            return "XX-" + value[3:]
        case str() if value in {"pr1", "pr2"}:
            return "pr2" if value == "pr1" else "pr1"
        case _:
            return f"x{draw.randint(0, 999)}{value}"


def change(inventory: dict[str, Any], draw: random.Random) -> str:
    """Change one thing: a value, or leave an option, a record, a phone, a class out."""
    if draw.random() < 0.35:
        removable: list[tuple[Any, Any]] = [(inventory["classes"], key) for key in inventory["classes"]]
        removable += [
            (each["options"], key) for each in inventory["classes"].values() for key in each["options"]
        ]
        removable += [
            (each["options"], key) for each in inventory["networks"].values() for key in each["options"]
        ]
        removable += [(inventory["networks"][name], "ntp") for name in inventory["networks"]]
        removable += [
            (inventory["classes"]["spa"], "force"),
            (inventory["records"], 0),
            (inventory["records"], 1),
        ]
        removable += [
            (inventory["srv"]["https"], 0),
            (inventory["srv"]["https"], 1),
            (inventory["srv"], "http"),
        ]
        removable += [(inventory["phones"][1], "options"), (inventory["phones"][0], "address")]
        holder, key = draw.choice(removable)
        if holder is inventory["classes"] and key == "spa":
            inventory["phones"][0].pop("class")
        del holder[key]
        return f"without {key}"
    paths = [
        path
        for path in _leaves(inventory)
        if not FIXED & set(map(str, path)) - {"network"} or path[-2:-1] == ("vendor_class",)
    ]
    path = draw.choice([each for each in paths if "network" not in each and each[0] != "domain"])
    inner: Any = inventory
    for step in path[:-1]:
        inner = inner[step]
    old = inner[path[-1]]
    inner[path[-1]] = 150 if path[-2:-1] == ("force",) else _changed(old, draw)
    return f"{path}: {old} -> {inner[path[-1]]}"


def compared(left: Plan, right: Plan) -> Verdict:
    clients = tuple(dict.fromkeys((*clients_of(left), *clients_of(right))))
    names = tuple(dict.fromkeys((*dns_questions(left), *dns_questions(right))))
    lists = option_lists(left)
    paths = tuple(dict.fromkeys((*web_questions(left), *web_questions(right))))
    one, other = (hear(plan, clients, lists, names, paths) for plan in (left, right))
    return judge(one, other)


def planned(data: dict[str, Any]) -> Plan:
    return derive(Inventory.model_validate(data))


def test_equal_servers_have_no_difference_at_all() -> None:
    verdict = compared(planned(BASE), planned(deepcopy(BASE)))
    assert verdict.differences == ()
    assert verdict.answered > 500


@pytest.mark.parametrize("seed", range(100 if os.environ.get("NETPROV_PROOFS") == "all" else 20))
def test_each_single_change_is_found(seed: int) -> None:
    draw = random.Random(seed)
    changed = deepcopy(BASE)
    what = change(changed, draw)
    verdict = compared(planned(BASE), planned(changed))
    assert verdict.unexplained, what

"""Inventories made at random, each the same for its seed: what exports are proved with."""

from __future__ import annotations

import random
from typing import Any

MODELS = ("CP-8851-3PCC", "CP-7841-3PCC", "CP-6871-3PCC", "DP-9871")


def inventory(seed: int) -> dict[str, Any]:
    """Return an inventory of one to three networks, classes, phones, names and profiles."""
    draw = random.Random(seed)
    networks = {f"net{number}": _network(draw, number) for number in range(draw.randint(1, 3))}
    classes = {f"class{number}": _class(draw, list(networks)) for number in range(draw.randint(0, 4))}
    return {
        "domain": "example.com",
        "dhcp": {"client_rate": 1_000_000},  # the same client asks everything within a second
        "networks": networks,
        "hosts": {f"pr{number}": [f"10.30.0.{10 + number}"] for number in range(1, draw.randint(2, 4))},
        "srv": {
            "https": [
                {
                    "target": "pr1",
                    "port": draw.choice([443, 5061]),
                    "priority": 10,
                    "weight": draw.randint(0, 90),
                }
            ]
        },
        "records": [
            {"name": "note", "type": "TXT", "data": '"made at random"'},
            {"name": "www", "type": "CNAME", "data": "pr1"},
        ],
        "classes": classes,
        "phones": [
            _phone(draw, number, list(networks), list(classes)) for number in range(draw.randint(0, 5))
        ],
        "profiles": {
            "desk": {"values": {"Display_Name_1_": str(draw.randint(1000, 9999)), "Proxy_1_": "example.com"}}
        },
    }


def _network(draw: random.Random, number: int) -> dict[str, Any]:
    prefix = f"10.{30 + number}.0"
    found: dict[str, Any] = {
        "interface": f"lan{number}",
        "subnet": f"{prefix}.0/24",
        "pool": [f"{prefix}.100-{prefix}.{draw.randint(160, 199)}"],
        "clients": draw.choice(["all", "all", "phones", "known"]) if number else "all",
        "other_servers": "allow",
        "conflict_check": False,
        "lease": draw.choice([600, 3600, 7200]),
    }
    if draw.random() < 0.5:
        found["router"] = draw.choice([[], [f"{prefix}.254"]])
    if draw.random() < 0.5:
        found["ntp"] = [f"{prefix}.2", f"{prefix}.3"][: draw.randint(1, 2)]
    if draw.random() < 0.3:
        found["domain"] = f"sub{number}.example.com"
    if draw.random() < 0.5:
        found["options"] = _options(draw, 2)
    return found


def _options(draw: random.Random, most: int) -> dict[Any, Any]:
    choices: dict[Any, Any] = {
        2: 3600 * draw.randint(-3, 3),
        7: ["10.30.0.7"],
        26: 1400 + draw.randint(0, 100),
        100: "CET-1CEST",
        114: "https://pr1.example.com/hello",
        252: f"http://wpad/{draw.randint(0, 99)}",
    }
    return {number: choices[number] for number in draw.sample(sorted(choices), draw.randint(0, most))}


def _condition(draw: random.Random, networks: list[str], depth: int = 0) -> dict[str, Any]:
    choices: list[dict[str, Any]] = [
        {"vendor_class": f"{draw.choice(MODELS)[:5]}*"},
        {"vendor_class": draw.choice(MODELS)},
        {"vendor_class_contains": "dslforum.org"},
        {"mac": draw.choice(["00:0e:08", "00:12:34"])},
        {"vendor_class": "CP-*", "network": draw.choice(networks)},
        {"user_class": "lab"},
    ]
    if depth < 1:
        choices.append({"not": _condition(draw, networks, 1)})
        choices.append({"any": [_condition(draw, networks, 1), _condition(draw, networks, 1)]})
        choices.append({"all": [_condition(draw, networks, 1), {"not": {"vendor_class": "MSFT*"}}]})
    return draw.choice(choices)


def _class(draw: random.Random, networks: list[str]) -> dict[str, Any]:
    method = draw.choice(["srv", "dhcp", "dhcp", "acs"])
    found: dict[str, Any] = {"method": method, "options": _options(draw, 3)}
    if method == "dhcp":
        found["options"] |= draw.choice(
            [
                {66: "10.30.0.1"},
                {66: "10.30.0.1", 150: ["10.30.0.1", "10.30.0.2"]},
                {160: "http://pr1.example.com/$PSN.xml"},
            ]
        )
    if method == "acs":
        found["acs_url"] = "http://pr1.example.com:7547/"
    if draw.random() < 0.85:
        found["match"] = _condition(draw, networks)
    if draw.random() < 0.3 and found["options"]:
        found["force"] = [draw.choice(list(found["options"]))]
    return found


def _phone(draw: random.Random, number: int, networks: list[str], classes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "mac": f"00:12:34:ab:46:{number:02x}",
        "model": draw.choice(MODELS),
        "profile": "desk",
    }
    if draw.random() < 0.6:
        at = draw.randrange(len(networks))
        found |= {"network": networks[at], "address": f"10.{30 + at}.0.{50 + number}"}
    if classes and draw.random() < 0.4:
        found["class"] = draw.choice(classes)
    if draw.random() < 0.3:
        found |= {"method": "dhcp", "options": {66: f"10.30.0.{20 + number}"}}
    return found

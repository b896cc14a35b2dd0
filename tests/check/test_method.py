"""Who hears of an option that keeps phones off the SRV road, and that each option is told once."""

from __future__ import annotations

import pytest

from netprov.check import check
from netprov.inventory.load import parse

SITE = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24, ntp: 10.20.0.1%s}}\n"
OPTION = ", options: {66: 10.20.0.1}"
KNOWN = ", clients: known"


def told(network: str, rest: str) -> list[tuple[str, str]]:
    document = parse(SITE % network + rest, "site.yaml")
    rules = {"srv-gets-option", "srv-gets-url", "dhcp-without-option"}
    return [
        (problem.rule, ".".join(map(str, problem.path)))
        for problem in check(document.inventory, 0)
        if problem.rule in rules
    ]


@pytest.mark.parametrize(
    ("network", "rest", "expected"),
    [
        (OPTION, "", [("srv-gets-option", "networks.voice.options.66")]),
        (OPTION, "classes: {mpp: {method: srv}}\n", [("srv-gets-option", "networks.voice.options.66")]),
        (OPTION + KNOWN, "classes: {tftp: {method: dhcp}}\n", []),
        (
            OPTION + KNOWN,
            "classes: {mpp: {method: srv}}\n",
            [("srv-gets-option", "networks.voice.options.66")],
        ),
        (
            KNOWN,
            "classes: {tftp: {method: dhcp, options: {66: 10.20.0.1}}}\nphones: [{mac: 00:12:34:00:00:01, class: tftp, method: srv}]\n",
            [("srv-gets-option", "classes.tftp.options.66")],
        ),
        (
            "",
            "phones: [{mac: 00:12:34:00:00:01, options: {150: 10.20.0.1}}]\n",
            [("srv-gets-option", "phones.0.options.150")],
        ),
        ("", "phones: [{mac: 00:12:34:00:00:01, method: dhcp}]\n", [("dhcp-without-option", "phones.0")]),
        (
            "",
            'phones: [{mac: 00:12:34:00:00:01, method: dhcp, options: {43: {raw: "http://10.20.0.1/"}}}]\n',
            [],
        ),
        (
            "",
            'classes: {mpp: {options: {125: {3561: {11: "http://10.20.0.1/"}}}}}\n',
            [("srv-gets-url", "classes.mpp.options.125")],
        ),
        ("", 'classes: {mpp: {options: {43: {1: "no address"}}}}\n', []),
    ],
)
def test_option_is_told_where_it_stands(network: str, rest: str, expected: list[tuple[str, str]]) -> None:
    assert told(network, rest) == expected

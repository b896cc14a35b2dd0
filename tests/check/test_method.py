"""Who hears of an option that keeps phones off the SRV road, and that each option is told once."""

from __future__ import annotations

import pytest

from netprov.check import check
from netprov.errors import Malformed
from netprov.inventory.load import parse
from netprov.phone.rule.ladder import rungs

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


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("10.20.0.1/8851-3PCC.xml", "tftp://10.20.0.1/8851-3PCC.xml"),
        ("pr1.example.com/$PSN.xml", "tftp://pr1.example.com/$PSN.xml"),
        ("10.20.0.256", "write an address"),
        ("ftp://10.20.0.1/", "write an address"),
        ("10.20.0.1", ""),
        ("pr1.example.com", ""),
        ("http://10.20.0.1/8851-3PCC.xml", ""),
        ("http://$A/x.xml", ""),
    ],
)
def test_what_a_phone_cannot_load_from_in_an_option_is_an_error_with_what_to_write(
    value: str, remedy: str
) -> None:
    classes = (
        f"classes: {{d: {{match: {{vendor_class: 'CP-*'}}, method: dhcp, options: {{66: '{value}'}}}}}}\n"
    )
    found = check(parse(SITE % "" + classes, "site.yaml").inventory, 0)
    said = [each.remedy for each in found if each.rule == "option-url-invalid"]
    assert [remedy in each for each in said] == ([True] if remedy else [])
    if remedy:
        with pytest.raises(Malformed):
            rungs(value, "/a", "/b")

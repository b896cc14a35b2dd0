"""Regular expressions where patterns belong: the pattern that is meant is one that the same clients meet."""

from __future__ import annotations

import re

import pytest

from netprov.check import check
from netprov.dhcp.match import Client, Condition, matches
from netprov.errors import Problem
from netprov.inventory.load import parse

NOW = 1_800_000_000.0
CLASSES = "CP-8851-3PCC", "CP-7841-3PCC", "CP-8851", "DP-9851", "MSFT 5.0"


@pytest.mark.parametrize(
    ("expression", "pattern"),
    [
        ("CP-.*-3PCC", "CP-*-3PCC*"),
        ("^CP-8851-3PCC.*$", "CP-8851-3PCC*"),
        (r"^CP-\d\d\d\d-3PCC$", "CP-????-3PCC"),
        (r"^CP-[0-9]+-3PCC$", "CP-*-3PCC"),
        ("^DP", "DP*"),
        ("CP-8[0-9]+", "CP-8*"),
    ],
)
def test_the_remedy_takes_the_phones_that_the_expression_means(expression: str, pattern: str) -> None:
    (problem,) = (each for each in _found(expression) if each.rule == "match-expression")
    assert problem.remedy == f'write `vendor_class: "{pattern}"`'
    for sent in CLASSES:
        meant = re.search(expression, sent) is not None
        assert matches(Condition(vendor_class=(pattern,)), Client(b"", vendor_class=sent)) is meant


@pytest.mark.parametrize("expression", ["^CP-(8851|7841)-3PCC$", "^(CP|DP)-.*"])
def test_an_expression_that_no_pattern_says_is_told_to_be_a_list(expression: str) -> None:
    (problem,) = (each for each in _found(expression) if each.rule == "match-expression")
    assert problem.remedy == "write it with `*` and `?`; several patterns are a list"


def _found(expression: str) -> list[Problem]:
    text = (
        "domain: example.com\nnetworks: {v: {interface: lan0, subnet: 10.20.0.0/24}}\n"
        f"classes: {{mpp: {{match: {{vendor_class: '{expression}'}}}}}}\n"
    )
    return check(parse(text, "netprov.yaml").inventory, NOW)

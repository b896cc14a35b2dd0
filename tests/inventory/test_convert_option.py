"""Options of other servers' configurations: where each lands in an inventory, or why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netprov.inventory.convert.option import DERIVED, FIELDS, put, shaped


@pytest.mark.parametrize(
    ("code", "parts", "value"),
    [
        (3, ["10.20.0.1"], ["10.20.0.1"]),
        (150, ["10.20.0.1", " 10.20.0.2"], ["10.20.0.1", "10.20.0.2"]),
        (66, ['"tftp.example.com"'], "tftp.example.com"),
        (160, ["http://h/a,b.xml"], "http://h/a,b.xml"),
        (2, ["-3600"], -3600),
        (51, ["7200"], 7200),
        (119, ['"example.com"', '"example.org"'], ["example.com", "example.org"]),
        (
            121,
            ["10.30.0.0/16", "10.20.0.254", "0.0.0.0/0", "10.20.0.1"],
            [{"to": "10.30.0.0/16", "via": "10.20.0.254"}],
        ),
        (43, ["01:4:41"], {"raw": "0x010441"}),
        (43, ["0x010441"], {"raw": "0x010441"}),
        (43, ["1 4 41"], {"raw": "0x010441"}),
        (43, ['"http://h/"'], {"raw": "http://h/"}),
        (222, ["text, as it stands"], {"raw": "text, as it stands"}),
    ],
)
def test_value_takes_the_shape_that_an_inventory_has(code: int, parts: Sequence[str], value: Any) -> None:
    assert shaped(code, parts) == value


@pytest.mark.parametrize(
    ("code", "parts"),
    [(3, ["here"]), (2, ["soon"]), (2, []), (121, ["10.30.0.0/16"]), (121, ["24", "10.20.0.1"]), (121, [])],
)
def test_value_that_has_no_such_shape_is_a_reason_not_a_failure(code: int, parts: Sequence[str]) -> None:
    section: dict[str, Any] = {}
    assert put(section, code, parts, network=True)
    assert section == {}


def test_network_has_keys_of_its_own_for_some_options() -> None:
    section: dict[str, Any] = {}
    parts = {15: ["example.com"], 51: ["600"], 121: ["10.30.0.0/16", "10.20.0.2"]}
    for code in FIELDS:
        assert put(section, code, parts.get(code, ["10.20.0.1"]), network=True) == ""
    assert put(section, 66, ["10.20.0.1"], network=True) == ""
    assert {key for key in section if key != "options"} == set(FIELDS.values())
    assert section["options"] == {66: "10.20.0.1"}


@pytest.mark.parametrize("code", [51, 121])
def test_class_cannot_have_a_lease_time_or_routes(code: int) -> None:
    parts = ["10.30.0.0/16", "10.20.0.2"] if code == 121 else ["600"]
    section: dict[str, Any] = {}
    assert "whole networks" in put(section, code, parts, network=False)
    assert section == {}


@pytest.mark.parametrize("code", DERIVED)
def test_what_follows_from_something_else_is_left_out_with_the_reason(code: int) -> None:
    assert put({}, code, ["10.20.0.1"], network=True).startswith("follows from")


@given(code=st.integers(0, 255), parts=st.lists(st.text(max_size=20), max_size=4), network=st.booleans())
def test_fuzz_option_is_put_or_refused_with_a_reason(code: int, parts: list[str], network: bool) -> None:
    section: dict[str, Any] = {}
    reason = put(section, code, parts, network=network)
    assert bool(reason) != bool(section)

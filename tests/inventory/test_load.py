"""Loading: values by YAML 1.2, places of values, anchors and merges."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import InventoryError, Place, Problem
from netprov.inventory.load import Document, load, parse

TWO_LINES = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


def loaded(more: str = "") -> Document:
    return parse(TWO_LINES + more, "site.yaml")


def test_two_lines_are_an_inventory() -> None:
    inventory = loaded().inventory
    assert inventory.domain == "example.com"
    assert inventory.networks["voice"].interface == "lan0"


@pytest.mark.parametrize(
    "written",
    [
        "no",
        "on",
        "1:20",
        "2026-11-22",
        "0755",
        "0x1f",
        "1_000",
        "1.50",
        "4081001141",
        "00:12:34:ab:45:de",
        "'5'",
    ],
)
def test_text_field_gets_what_was_written(written: str) -> None:
    document = loaded(f"profiles: {{desk: {{values: {{A: {written}}}}}}}\n")
    assert document.inventory.profiles["desk"].values == {"A": written.strip("'")}


def test_unquoted_mac_of_digits_keeps_its_zeros() -> None:
    document = loaded("phones: [{mac: 001234564510}, {mac: 00e012345678}, {mac: 00:12:34:56:45:10}]\n")
    assert [phone.mac for phone in document.inventory.phones] == [
        "00:12:34:56:45:10",
        "00:e0:12:34:56:78",
        "00:12:34:56:45:10",
    ]


def test_place_of_a_scalar_is_its_own_and_of_a_section_its_key() -> None:
    document = loaded("srv:\n  https:\n    - target: pr1\n      port: 443\n")
    assert document.place(("srv", "https", 0, "port")) == Place("site.yaml", 6, 13)
    assert document.place(("srv",)) == Place("site.yaml", 3, 1)
    assert document.place(("srv", "https", 0)) == Place("site.yaml", 5, 7)


def test_place_of_what_was_not_written_is_its_nearest_ancestor() -> None:
    document = loaded()
    assert document.place(("networks", "voice", "pool", 0)) == Place("site.yaml", 2, 12)
    assert document.place(()) == Place("site.yaml", 1, 1)
    assert document.place(("phones", 3)) == Place("site.yaml", 1, 1)


def test_problem_is_located_with_its_related_places() -> None:
    document = loaded()
    problem = Problem("rule", "message", path=("domain",), related=(("networks",),))
    located = document.locate(problem)
    assert located.place == Place("site.yaml", 1, 9)
    assert located.places == (Place("site.yaml", 2, 1),)
    assert document.locate(located) is located


def test_option_numbers_are_found_however_they_were_written() -> None:
    document = loaded('classes: {mpp: {options: {"66": 10.20.0.1, 150: 10.20.0.1}}}\n')
    assert document.place(("classes", "mpp", "options", 66)) == Place("site.yaml", 3, 33)
    assert document.place(("classes", "mpp", "options", "150")) == Place("site.yaml", 3, 49)


def test_aliases_and_merges_repeat_values() -> None:
    document = loaded(
        "profiles:\n"
        "  base: &base {values: &values {A: a, B: b}}\n"
        "  same: *base\n"
        "  more: {values: {<<: *values, B: c}}\n"
        "  both: {values: {<<: [{B: first}, *values]}}\n"
    )
    profiles = document.inventory.profiles
    assert profiles["same"] == profiles["base"]
    assert profiles["more"].values == {"A": "a", "B": "c"}
    assert profiles["both"].values == {"A": "a", "B": "first"}
    assert document.place(("profiles", "more", "values", "A")) == Place("site.yaml", 4, 36)
    assert document.place(("profiles", "same")) == Place("site.yaml", 5, 3)


def test_alias_can_be_a_key() -> None:
    document = loaded("profiles: {desk: {values: {A: &name B, *name : C}}}\n")
    assert document.inventory.profiles["desk"].values == {"A": "B", "B": "C"}


def test_explicit_core_tags_are_obeyed() -> None:
    document = loaded("profiles: {desk: {values: {A: !!str true}}}\nsrv: {ttl: !!int 60}\n")
    assert document.inventory.profiles["desk"].values == {"A": "true"}
    assert document.inventory.srv.ttl == 60


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = (
        "domain: exa mple\nnetworks:\n  voice: {subnet: 10.20.0.0/33, leas: 1h}\n  voice: {}\nphones: [{}]\n"
    )
    with pytest.raises(InventoryError) as caught:
        parse(text, "site.yaml")
    assert [(problem.rule, str(problem.place)) for problem in caught.value.problems] == [
        ("value", "site.yaml:1:9"),
        ("value", "site.yaml:3:19"),
        ("unknown-key", "site.yaml:3:33"),
        ("duplicate-key", "site.yaml:4:3"),
        ("missing-key", "site.yaml:5:10"),
    ]


def test_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TWO_LINES.encode())
    assert load(path).inventory.domain == "example.com"


def test_utf16_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(TWO_LINES.encode("utf-16"))
    with pytest.raises(InventoryError, match="UTF-16"):
        load(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_byte_order_mark_is_called_that(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(TWO_LINES.encode(encoding))
    with pytest.raises(InventoryError, match="UTF-16 without a byte order mark"):
        load(path)


def test_missing_file_is_a_problem_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        InventoryError, match=r"none\.yaml: error\[unreadable\]: cannot read the file: No such file"
    ):
        load(tmp_path / "none.yaml")


def test_oversized_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    with path.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(InventoryError, match="too-large"):
        load(path)

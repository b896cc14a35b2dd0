"""Inventories of several files: includes, CSV phone lists, and the places in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from netprov.errors import InventoryError
from netprov.inventory.load import Document, load

SITE = "domain: example.com\nnetworks: {voice: {interface: lan0, subnet: 10.20.0.0/24}}\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        path = folder / f"{stem}.{ending}"
        path.write_text(text)
    return folder / "site.yaml"


def where(document: Document, *path: str | int) -> str:
    place = document.place(path)
    return f"{Path(place.file).name}:{place.line}:{place.column}"


def faults(path: Path) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        load(path)
    return [
        f"{Path(each.place.file).name}:{each.place.line}:{each.place.column} {each.rule}"
        for each in caught.value.problems
        if each.place
    ]


def test_sections_of_included_files_are_added(site: Path) -> None:
    path = write(
        site,
        site_yaml=SITE
        + "include: [more.yaml, other.yaml]\nhosts: {pr1: 10.20.0.11}\nphones: [{mac: 00:12:34:00:00:01}]\n",
        more_yaml="hosts: {pr2: 10.20.0.12}\nphones:\n  - mac: 00:12:34:00:00:02\n",
        other_yaml="version: 1\nprofiles: {desk: {}}\n",
    )
    document = load(path)
    assert list(document.inventory.hosts) == ["pr1", "pr2"]
    assert [phone.mac[-2:] for phone in document.inventory.phones] == ["01", "02"]
    assert where(document, "phones", 1, "mac") == "more.yaml:3:10"
    assert where(document, "hosts", "pr1") == "site.yaml:4:14"
    assert where(document, "profiles", "desk") == "other.yaml:2:12"
    assert [Path(name).name for name in document.files] == ["site.yaml", "more.yaml", "other.yaml"]


def test_includes_of_includes_are_relative_to_their_file(site: Path) -> None:
    (site / "rooms").mkdir()
    write(site / "rooms", all_yaml="include: '*-room.yaml'\n")
    (site / "rooms" / "b-room.yaml").write_text("phones: [{mac: 00:12:34:00:00:02}]\n")
    (site / "rooms" / "a-room.yaml").write_text("phones: [{mac: 00:12:34:00:00:01}]\n")
    document = load(write(site, site_yaml=SITE + "include: rooms/all.yaml\n"))
    assert [phone.mac[-2:] for phone in document.inventory.phones] == ["01", "02"]
    assert where(document, "phones", 1) == "b-room.yaml:1:10"


def test_what_two_files_say_is_a_problem_in_the_second(site: Path) -> None:
    path = write(
        site,
        site_yaml=SITE + "include: more.yaml\nhosts: {pr1: 10.20.0.11}\n",
        more_yaml="domain: example.org\nhosts:\n  pr1: 10.20.0.12\n",
    )
    assert faults(path) == ["more.yaml:1:1 duplicate-key", "more.yaml:3:3 duplicate-key"]


def test_a_file_that_includes_itself_is_a_problem(site: Path) -> None:
    assert faults(write(site, site_yaml=SITE + "include: site.yaml\n")) == ["site.yaml:3:10 include"]


@pytest.mark.parametrize(
    ("name", "rule"), [("none.yaml", "unreadable"), ("none-*.yaml", "include"), ("list.yaml", "include")]
)
def test_unusable_include_is_told_where_it_is_named(site: Path, name: str, rule: str) -> None:
    path = write(site, site_yaml=SITE + f"include: [{name}]\n", list_yaml="- x\n")
    assert faults(path) == [f"site.yaml:3:11 {rule}"]


def test_syntax_error_of_an_included_file_is_told_there(site: Path) -> None:
    path = write(site, site_yaml=SITE + "include: more.yaml\n", more_yaml="hosts: {pr1: 10.20.0.11\n")
    assert faults(path) == ["more.yaml:2:1 yaml-syntax"]


def test_phones_come_from_csv_with_their_places(site: Path) -> None:
    path = write(
        site,
        site_yaml=SITE + "phones: {csv: phones.csv}\n",
        phones_csv="# the second floor\n"
        "mac, model, address, values.Display_Name_1_, options.66\n"
        '00:12:34:00:00:01, CP-8851-3PCC, 10.20.0.50, "Doe, Jane", 10.20.0.1\n'
        "\n"
        "# spare\n"
        "001234000002,,,,\n",
    )
    document = load(path)
    first, second = document.inventory.phones
    assert first.values == {"Display_Name_1_": "Doe, Jane"}
    assert first.options == {66: "10.20.0.1"}
    assert (second.mac, second.model) == ("00:12:34:00:00:02", None)
    assert where(document, "phones", 0, "model") == "phones.csv:3:20"
    assert where(document, "phones", 0, "values", "Display_Name_1_") == "phones.csv:3:46"
    assert where(document, "phones", 0, "options", 66) == "phones.csv:3:59"
    assert where(document, "phones", 1, "profile") == "phones.csv:6:1"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_understood(site: Path, separator: str) -> None:
    text = "mac,model\n00:12:34:00:00:01,CP-8851-3PCC\n".replace(",", separator)
    document = load(write(site, site_yaml=SITE + "phones: {csv: [phones.csv]}\n", phones_csv=text))
    assert document.inventory.phones[0].model == "CP-8851-3PCC"


def test_wrong_cells_are_told_at_the_cell(site: Path) -> None:
    path = write(
        site,
        site_yaml=SITE + "phones: {csv: phones.csv}\n",
        phones_csv="mac,address\n00:12:34:00:00:01,10.20.0.256\n00:12:34:00:00,\nx,y,z\n",
    )
    assert faults(path) == ["phones.csv:2:19 value", "phones.csv:3:1 value", "phones.csv:4:1 csv"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mac,modle\n", "phones.csv:1:5 unknown-key"),
        ("mac,mac\n", "phones.csv:1:5 duplicate-key"),
        ("model\n", "phones.csv:1:1 missing-key"),
        ("", "phones.csv:0:0 csv"),
        ('mac,model\n00:12:34:00:00:01,"8851\n00:12:34:00:00:02,8851\n', "phones.csv:2:1 csv"),
        ('mac,name\n00:12:34:00:00:01,"a"b\n', "phones.csv:2:1 csv"),
        ("mac,name\n00:12:34:00:00:01," + "x" * 140_000 + "\n", "phones.csv:2:1 csv"),
        ('mac,"model\n00:12:34:00:00:01,8851\n', "phones.csv:1:1 csv"),
    ],
)
def test_wrong_headers_and_quotes_are_told(site: Path, text: str, expected: str) -> None:
    path = write(site, site_yaml=SITE + "phones: {csv: phones.csv}\n", phones_csv=text)
    assert faults(path) == [expected]


def test_missing_csv_is_told_where_it_is_named(site: Path) -> None:
    assert faults(write(site, site_yaml=SITE + "phones: {csv: none.csv}\n")) == ["site.yaml:3:15 unreadable"]


def test_comments_of_csv_files_accept_findings_of_the_line_below(site: Path) -> None:
    path = write(
        site,
        site_yaml=SITE + "phones: {csv: phones.csv}\n",
        phones_csv="mac\n# netprov: ignore phone-model-missing: not unpacked yet\n00:12:34:00:00:01\n",
    )
    (ignore,) = load(path).ignores
    assert (ignore.rule, ignore.line, ignore.reason) == ("phone-model-missing", 3, "not unpacked yet")

"""The published JSON Schema and the reference, both made from the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netprov.cli.verb.inventory.schema import page, published
from netprov.errors import InventoryError
from netprov.inventory.load import parse
from netprov.inventory.schema import schema
from netprov.inventory.yaml.flow import flow
from netprov.provision.parameter.catalogue import known_parameters

ROOT = Path(__file__).parents[2]
WHOLE = schema()
FIELDS = [
    (name, key)
    for name, section in [("", WHOLE), *WHOLE["$defs"].items()]
    for key in section.get("properties", {})
]


def section(name: str) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = (WHOLE["$defs"][name] if name else WHOLE)["properties"]
    return found


def test_published_schema_is_the_models() -> None:
    """`python -m netprov schema > config/netprov.schema.json` renews it."""
    assert (ROOT / "config" / "netprov.schema.json").read_text() == published()


def test_editors_offer_the_parameters_that_phones_know() -> None:
    offered = json.loads(published())["$defs"]["Values"]["properties"]
    assert len(offered) == len(known_parameters())
    assert offered["Connection_Type"]["examples"] == ["DHCP", "Static IP"]
    assert "Proxy_1_" in offered
    for name in ("Provisioning", "PhoneClass", "Profile", "Phone"):
        assert section(name)["values"]["$ref"] == "#/$defs/Values"


def test_fault_within_one_of_two_forms_is_told_where_it_is() -> None:
    text = (
        "domain: example.com\nnetworks: {v: {interface: lan0, subnet: 10.20.0.0/24}}\n"
        "profiles: {desk: {values: {Proxy_1_: {value: a, ua: rww}}}}\n"
    )
    with pytest.raises(InventoryError) as caught:
        parse(text, "site.yaml")
    (problem,) = caught.value.problems
    assert problem.path == ("profiles", "desk", "values", "Proxy_1_", "ua")
    assert "rw" in problem.remedy + problem.message


def test_published_reference_is_the_models() -> None:
    """`python -m netprov schema --markdown > docs/inventory.md` renews it."""
    assert (ROOT / "docs" / "inventory.md").read_text() == page()


@pytest.mark.parametrize(("name", "key"), FIELDS)
def test_every_key_has_a_description_and_an_example(name: str, key: str) -> None:
    field = section(name)[key]
    assert field["description"]
    assert field["examples"]


@pytest.mark.parametrize("key", section(""))
def test_examples_of_sections_are_accepted(key: str, tmp_path: Path) -> None:
    examples = section("")[key]["examples"]
    assert isinstance(examples, list)
    if key in {"include", "zones"}:
        return
    base = {"domain": "example.com", "networks": {"voice": {"subnet": "10.20.0.0/24"}}}
    for example in examples:
        text = "\n".join(f"{each}: {flow(value)}" for each, value in {**base, key: example}.items())
        parse(text, str(tmp_path / "site.yaml"))


def test_short_forms_are_in_the_schema() -> None:
    network = section("Network")
    assert {"type": "array"}.items() <= network["router"]["anyOf"][1].items()  # type: ignore[index]
    phones = section("")["phones"]["anyOf"]
    assert [each["type"] for each in phones] == ["array", "object"]  # type: ignore[attr-defined]
    host = section("")["hosts"]["additionalProperties"]["anyOf"]  # type: ignore[index]
    assert host[0]["type"] == "string"
